/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the trace shows of the software side: which task runs on each CPU, interrupts, and the
 * functions of the kernel's SVA path on the track of the thread that executes them.
 *
 * A function is known by its address in the kernel image; its name comes from the image's symbol
 * table (libelf). A thread that blocks keeps its slices open: the CPU's track says who runs.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/platform/machine.h"

enum track_rank { RANK_CPUS = 10, RANK_THREADS = 20 };

struct function_symbol {
	uint64_t offset, bytes; /* within the image */
	trace_name name;
};

struct thread_track {
	trace_track track;
	unsigned int depth; /* open function slices */
};

struct cpu_track {
	trace_track task, irq;
	int running; /* tid, 0 when idle */
};

struct instruments {
	struct machine *machine;
	trace_track threads_root;
	struct cpu_track *cpus;
	struct thread_track *threads; /* by tid */
	size_t thread_slots;
	uintptr_t image_base;
	struct function_symbol *functions; /* sorted by offset */
	size_t function_count;
};

/* ---- symbols --------------------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
	const struct function_symbol *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void read_symbols(struct instruments *instruments, Elf *elf)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		size_t count = data && header.sh_entsize ? header.sh_size / header.sh_entsize : 0;

		instruments->functions = calloc(count ? count : 1, sizeof(*instruments->functions));
		if (!instruments->functions)
			abort();
		for (size_t i = 0; i < count; i++) {
			GElf_Sym symbol;

			if (!gelf_getsym(data, (int)i, &symbol) ||
			    GELF_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_size)
				continue;
			instruments->functions[instruments->function_count++] =
				(struct function_symbol){
					.offset = symbol.st_value,
					.bytes = symbol.st_size,
					.name = trace_intern(
						elf_strptr(elf, header.sh_link, symbol.st_name)),
				};
		}
		qsort(instruments->functions, instruments->function_count,
		      sizeof(*instruments->functions), by_offset);
		return;
	}
}

static void load_symbols(struct instruments *instruments, const char *path)
{
	Elf *elf;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf) {
		read_symbols(instruments, elf);
		elf_end(elf);
	}
	close(fd);
}

static trace_name function_name(const struct instruments *instruments, const void *function)
{
	const uint64_t offset = (uintptr_t)function - instruments->image_base;
	size_t low = 0, high = instruments->function_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (instruments->functions[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low &&
	    offset - instruments->functions[low - 1].offset < instruments->functions[low - 1].bytes)
		return instruments->functions[low - 1].name;
	return trace_intern("(unknown function)");
}

/* ---- machine_ops ------------------------------------------------------------------------------- */

static struct thread_track *thread_track(int tid)
{
	struct instruments *instruments = the_machine->instruments;

	assert(tid >= 0);
	if ((size_t)tid >= instruments->thread_slots) {
		size_t slots = instruments->thread_slots ? instruments->thread_slots : 64;

		while (slots <= (size_t)tid)
			slots *= 2;
		instruments->threads =
			realloc(instruments->threads, slots * sizeof(*instruments->threads));
		if (!instruments->threads)
			abort();
		memset(instruments->threads + instruments->thread_slots, 0,
		       (slots - instruments->thread_slots) * sizeof(*instruments->threads));
		instruments->thread_slots = slots;
	}
	return &instruments->threads[tid];
}

static void host_thread_new(int tid, const char *name)
{
	struct instruments *instruments = the_machine->instruments;
	char label[64];

	snprintf(label, sizeof(label), "%s [%d]", name, tid);
	*thread_track(tid) = (struct thread_track){
		.track = trace_track_add(instruments->threads_root, label, tid)};
}

static void host_thread_end(int tid, ki_u64 at)
{
	struct thread_track *thread = thread_track(tid);

	for (; thread->depth; thread->depth--)
		trace_end(thread->track, at, NULL);
}

static void host_function_enter(int tid, const void *function, ki_u64 at)
{
	struct thread_track *thread = thread_track(tid);

	thread->depth++;
	trace_begin(thread->track, TRACE_KERNEL, function_name(the_machine->instruments, function),
		    at, NULL);
}

static void host_function_exit(int tid, ki_u64 at)
{
	struct thread_track *thread = thread_track(tid);

	if (!thread->depth)
		return;
	thread->depth--;
	trace_end(thread->track, at, NULL);
}

static void host_cpu_switch(unsigned int cpu, int tid, const char *name, ki_u64 at)
{
	struct cpu_track *track = &the_machine->instruments->cpus[cpu];
	char label[64];

	if (!trace_enabled)
		return;
	if (track->running)
		trace_end(track->task, at, NULL);
	track->running = tid;
	if (!tid)
		return;
	snprintf(label, sizeof(label), "%s [%d]", name, tid);
	trace_begin(track->task, TRACE_CPU, trace_intern(label), at, NULL);
}

static void host_irq_enter(unsigned int cpu, unsigned int line, const char *name, ki_u64 at)
{
	(void)line;
	if (trace_enabled)
		trace_begin(the_machine->instruments->cpus[cpu].irq, TRACE_IRQ, trace_intern(name),
			    at, NULL);
}

static void host_irq_exit(unsigned int cpu, ki_u64 at)
{
	trace_end(the_machine->instruments->cpus[cpu].irq, at, NULL);
}

/* ---- construction ------------------------------------------------------------------------------ */

struct instruments *instruments_new(struct machine *machine)
{
	struct instruments *instruments = calloc(1, sizeof(*instruments));
	const unsigned int cpus = machine->config->machine.cpus;
	trace_track root = trace_track_add(0, "CPUs", RANK_CPUS);
	Dl_info info;

	if (!instruments)
		abort();
	instruments->machine = machine;
	instruments->cpus = calloc(cpus, sizeof(*instruments->cpus));
	if (!instruments->cpus)
		abort();
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		char name[32];

		snprintf(name, sizeof(name), "CPU %u", cpu);
		instruments->cpus[cpu].task = trace_track_add(root, name, (int)cpu * 2);
		snprintf(name, sizeof(name), "CPU %u interrupts", cpu);
		instruments->cpus[cpu].irq = trace_track_add(root, name, (int)cpu * 2 + 1);
	}
	instruments->threads_root = trace_track_add(0, "Kernel and program threads", RANK_THREADS);
	if (trace_enabled && dladdr(machine->kernel, &info)) {
		instruments->image_base = (uintptr_t)info.dli_fbase;
		load_symbols(instruments, info.dli_fname);
	}
	return instruments;
}

void instruments_free(struct instruments *instruments)
{
	if (!instruments)
		return;
	free(instruments->cpus);
	free(instruments->threads);
	free(instruments->functions);
	free(instruments);
}

void instruments_fill_ops(struct machine_ops *ops)
{
	ops->trace_on = trace_enabled;
	ops->trace_thread_new = host_thread_new;
	ops->trace_thread_end = host_thread_end;
	ops->trace_cpu_switch = host_cpu_switch;
	ops->trace_function_enter = host_function_enter;
	ops->trace_function_exit = host_function_exit;
	ops->trace_irq_enter = host_irq_enter;
	ops->trace_irq_exit = host_irq_exit;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The run guard's census; see guard.h. */
#include "sim/engine/guard.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

namespace sim
{

static bool find_in_section(Elf *elf, Elf_Scn *section, uint64_t offset, char *buf, size_t size)
{
	Elf_Data *data = elf_getdata(section, nullptr);
	GElf_Shdr header;
	GElf_Sym symbol;

	if (!data || !gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
		return false;
	for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
		const char *name;

		if (symbol.st_value != offset || GELF_ST_TYPE(symbol.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(elf, header.sh_link, symbol.st_name);
		snprintf(buf, size, "%s", name ? name : "?");
		return true;
	}
	return false;
}

/* Static functions are only in the object's own symbol table, which is not loaded. */
static bool find_in_file(const char *path, uint64_t offset, char *buf, size_t size)
{
	bool found = false;
	Elf_Scn *section = nullptr;
	Elf *elf;
	int fd;

	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	elf = elf_begin(fd, ELF_C_READ, nullptr);
	while (elf && !found && (section = elf_nextscn(elf, section)))
		found = find_in_section(elf, section, offset, buf, size);
	elf_end(elf);
	close(fd);
	return found;
}

/* "name", or "object+0xoffset" for addr2line if there are no symbols. */
static void format_function(const void *function, char *buf, size_t size)
{
	Dl_info info = {}, self = {};
	const char *path, *slash;
	uint64_t offset;

	if (!dladdr(const_cast<void *>(function), &info) || !info.dli_fname) {
		snprintf(buf, size, "unknown function");
		return;
	}
	dladdr(reinterpret_cast<const void *>(format_function), &self);
	path = info.dli_fbase == self.dli_fbase ? "/proc/self/exe" : info.dli_fname;
	offset = static_cast<uint64_t>(static_cast<const char *>(function) -
				       static_cast<const char *>(info.dli_fbase));
	if (find_in_file(path, offset, buf, size))
		return;
	slash = strrchr(info.dli_fname, '/');
	snprintf(buf, size, "%s+0x%" PRIx64, slash ? slash + 1 : info.dli_fname, offset);
}

void guard_census::clear()
{
	used_ = 0;
}

void guard_census::add(const void *function, const char *thread_name)
{
	for (unsigned int i = 0; i < used_; i++) {
		if (entries_[i].function == function && entries_[i].thread_name == thread_name) {
			entries_[i].count++;
			return;
		}
	}
	if (used_ < slots)
		entries_[used_++] = {function, thread_name, 1};
}

void guard_census::report(sim_time now, uint64_t callbacks) const
{
	entry sorted[slots];
	char function[128];

	std::copy_n(entries_, used_, sorted);
	std::stable_sort(sorted, sorted + used_,
			 [](const entry &a, const entry &b) { return a.count > b.count; });
	fprintf(stderr,
		"svasim: stuck at %" PRIu64 " ps: %" PRIu64
		" callbacks ran and time did not advance; most frequent:",
		now, callbacks);
	for (unsigned int i = 0; i < std::min(used_, 4u); i++) {
		format_function(sorted[i].function, function, sizeof(function));
		fprintf(stderr, "%s %s", i ? "," : "", function);
		if (sorted[i].thread_name)
			fprintf(stderr, " in thread %s", sorted[i].thread_name);
	}
	fputc('\n', stderr);
}

} // namespace sim

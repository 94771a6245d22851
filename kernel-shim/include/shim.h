/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the kernel image: what the shim's own files share beyond the kernel's headers.
 *
 * Whatever has a declaration in a kernel header (spin_lock, kmalloc, handle_mm_fault, ...) is
 * defined under that name and declared only there. Here is the rest: the machine, simulated CPUs, time,
 * and the few hooks between the shim's subsystems.
 */
#ifndef KERNEL_SHIM_SHIM_H
#define KERNEL_SHIM_SHIM_H

#include <linux/types.h>
#include <linux/sched.h>

#include "kernel_image.h"

extern const struct machine_ops *machine;
/* Its blocking calls may be made anywhere in the shim: they let simulated time catch up first (MMIO, tlbi, copy_user, barrier)
 * and put the CPU's state back afterwards. */
extern struct kernel_params kparams;
extern const struct boot_params *boot_params;
extern struct kernel_counters kcounters;

/* ---- time (kernel/cpu.c) ------------------------------------------------------------------ */

/* Adds to the current CPU's time. Cheap, never blocks. */
void shim_charge_ps(u64 ps);
static inline void shim_charge_ns(u64 ns)
{
	shim_charge_ps(ns * 1000);
}
/* Lets simulated time catch up with the current CPU; with interrupts enabled, takes those that are pending. */
void shim_sync(void);
/* Simulated time as the current CPU sees it, in ps: now() plus what it has added up, blocks included. */
u64 shim_local_time(void);
unsigned int shim_cpu(void);

/* ---- tasks (kernel/sched.c) ---------------------------------------------------------------- */

struct files_struct;

/* What the shim keeps of a task beside task_struct. */
struct shim_task {
	struct task_struct task;  /* first: a task_struct pointer is a shim_task pointer */
	void *thread;		  /* host thread */
	struct shim_files *files; /* fs/file.c; shared by threads */
	/* stages of the I/O page fault that this worker serves (kernel/fault_probe.c) */
	u64 work_started, mm_entered, mm_left;
	/* what its time goes to meanwhile; of other tasks nobody asks */
	bool parts_kept;
	u8 part;
	u64 part_since, parts[KI_PART_COUNT];
	struct device *
		reported_dev; /* whose fault this task is reporting, until its work item is queued */
	u32 reported_stag;
	void *sched;	  /* kernel/sched.c */
	void *mm_private; /* mm/ */
};

static inline struct shim_task *shim_task(struct task_struct *task)
{
	return (struct shim_task *)task;
}

/* ---- parts of a fault handler's time (kernel/fault_probe.c) ---------------------------------- */

unsigned int shim_fault_part_begin(unsigned int part);

/* The current task's time goes to `part` from here on. Returns the one before, to go back to */
static inline unsigned int shim_fault_part(unsigned int part)
{
	return shim_task(current)->parts_kept ? shim_fault_part_begin(part) : 0;
}

/*
 * The knob that makes every I/O page fault longer, as a slower machine's would be, without keeping
 * a CPU busy (blocks)
 */
void shim_fault_extra_wait(enum ki_fault_extra extra);

/* ---- hooks between subsystems ---------------------------------------------------------------- */

/* What has been allocated up to now lives as long as the kernel and is no leak; called by a late_initcall_sync of mm/ */
void shim_mm_baseline(void);
/* A slab object allocated later that lives as long as the kernel on purpose (for example a worker's task) */
void shim_mm_keep(const void *object);
/* mm/: address spaces. The caller owns a reference to what comes back */
struct mm_struct *shim_mm_alloc(void);
struct mm_struct *
shim_mm_fork(struct mm_struct *parent); /* copies VMAs, shares pages copy-on-write; ERR_PTR */
/* On a context switch: programs TTBR0 (and ASID) of the CPU for the next task's mm; NULL for a kernel thread */
void shim_mm_switch(struct mm_struct *next);
/* The current task leaves its mm (exit_mm): on the last user exit_mmap() and mmu_notifier_release() run by mmput() */
void shim_exit_mm(struct task_struct *task);
int shim_mm_page_fault(u64 va,
		       unsigned int access); /* page fault of the current task: 0 or -EFAULT */
u64 shim_peek_va(struct mm_struct *mm,
		 u64 va);      /* physical address, or ~0; touches and costs nothing */
int shim_mm_check_leaks(void); /* pages, slab objects, mms: logs each, returns their number */

/* fs/: open files */
struct shim_files *shim_files_new(void);
struct shim_files *shim_files_get(struct shim_files *files); /* CLONE_FILES */
struct shim_files *shim_files_dup(struct shim_files *files); /* fork */
void shim_files_put(struct shim_files *files); /* closes what is open on the last reference */
int shim_fs_check_leaks(void);

/* base/: devices of boot_params */
int shim_devices_add(void);		     /* creates the platform devices; drivers bind */
void shim_device_remove(unsigned int index); /* one of boot_params; no effect on one that is gone */
void shim_devices_remove(void);		     /* in reverse order */

/*
 * Called by kernel/boot.c in this order, each with a weak empty default there: mm before anything is
 * allocated; base before the driver core's own devices_init() ...; fs after it and before the initcalls.
 */
void shim_mm_init(void);
void shim_base_init(void);
void shim_fs_init(void);

/* kernel/irq.c. An interrupt's number (virq) is its hardware line + 1; 0 is none */
#define SHIM_IRQ_LINES 1024
static inline unsigned int shim_virq(unsigned int line)
{
	return line + 1;
}
int shim_irq_check_leaks(void);
/* kernel/: signals. The task is made to leave user mode with this signal at its next return to it */
void shim_send_fatal_signal(struct task_struct *task, int signal);

/* System calls by subsystem; each file owns some numbers. Returned by shim_syscall_lookup() or NULL */
typedef s64 (*shim_syscall_fn)(const u64 args[7]);
struct shim_syscall {
	u32 number; /* asm-generic */
	const char *name;
	shim_syscall_fn fn;
};
extern const struct shim_syscall shim_syscalls_kernel
	[]; /* kernel/: clone, exit, wait4, nanosleep, futex, ... ends with name NULL */
extern const struct shim_syscall
	shim_syscalls_mm[]; /* mm/: mmap, munmap, mprotect, madvise, mremap, brk */
extern const struct shim_syscall
	shim_syscalls_fs[]; /* fs/: openat, close, ioctl, read, write, ppoll, ... */

/* ---- self-tests (tests/kernel-shim/selftest/) ------------------------------------------------- */

struct shim_selftest {
	const char *name;
	int (*fn)(void); /* 0 passed, else the failing line */
};
#define KI_SELFTEST(test)                                                                          \
	static int test(void);                                                                     \
	static const struct shim_selftest *const __used __section(".svasim_selftest")              \
		selftest_ptr_##test = &(const struct shim_selftest){#test, test};                  \
	static int test(void)
/* In a self-test: leaves it with the line on which the condition did not hold */
#define KI_CHECK(condition)                                                                        \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

#endif

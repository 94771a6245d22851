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
	struct task_struct task; /* first: a task_struct pointer is a shim_task pointer */
	void *thread; /* host thread */
	struct shim_files *files; /* fs/file.c; shared by threads */
	/* stages of the I/O page fault that this worker serves (kernel/fault_probe.c) */
	u64 work_started, mm_entered, mm_left;
	void *sched; /* kernel/sched.c */
	void *mm_private; /* mm/ */
};

static inline struct shim_task *shim_task(struct task_struct *task)
{
	return (struct shim_task *)task;
}

/* ---- hooks between subsystems ---------------------------------------------------------------- */

/* mm/: address spaces. The caller owns a reference to what comes back */
struct mm_struct *shim_mm_alloc(void);
struct mm_struct *shim_mm_fork(struct mm_struct *parent); /* copies VMAs, shares pages copy-on-write; ERR_PTR */
/* On a context switch: programs TTBR0 (and ASID) of the CPU for the next task's mm; NULL for a kernel thread */
void shim_mm_switch(struct mm_struct *next);
/* The current task leaves its mm (exit_mm): on the last user exit_mmap() and mmu_notifier_release() run by mmput() */
void shim_exit_mm(struct task_struct *task);
int shim_mm_page_fault(u64 va, unsigned int access); /* page fault of the current task: 0 or -EFAULT */
int shim_mm_check_leaks(void); /* pages, slab objects, mms: logs each, returns their number */

/* fs/: open files */
struct shim_files *shim_files_new(void);
struct shim_files *shim_files_get(struct shim_files *files); /* CLONE_FILES */
struct shim_files *shim_files_dup(struct shim_files *files); /* fork */
void shim_files_put(struct shim_files *files); /* closes what is open on the last reference */
int shim_fs_check_leaks(void);

/* base/: devices of boot_params */
int shim_devices_add(void); /* creates the platform devices; drivers bind */
void shim_devices_remove(void); /* in reverse order */

/* kernel/irq.c */
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
extern const struct shim_syscall shim_syscalls_kernel[]; /* kernel/: clone, exit, wait4, nanosleep, futex, ... ends with name NULL */
extern const struct shim_syscall shim_syscalls_mm[]; /* mm/: mmap, munmap, mprotect, madvise, mremap, brk */
extern const struct shim_syscall shim_syscalls_fs[]; /* fs/: openat, close, ioctl, read, write, ppoll, ... */

#endif

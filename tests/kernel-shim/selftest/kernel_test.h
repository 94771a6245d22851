/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the self-tests of kernel/: programs as they run in user mode, system calls by number, the register that raises interrupts.
 */
#ifndef TESTS_KERNEL_SHIM_SELFTEST_KERNEL_TEST_H
#define TESTS_KERNEL_SHIM_SELFTEST_KERNEL_TEST_H

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

#include "../../../kernel-shim/kernel/kernel.h"

#define US (1000 * 1000ULL) /* in ps */
#define MS (1000 * US)

#define TEST_IRQ_BASE 0x10000000ULL

static inline void __maybe_unused raise_line(unsigned int line, u64 after_ns)
{
	machine->mmio_write(shim_cpu(), TEST_IRQ_BASE + 8 * line, after_ns, 8);
}

enum {
	NR_exit = 93,
	NR_exit_group = 94,
	NR_futex = 98,
	NR_nanosleep = 101,
	NR_sched_yield = 124,
	NR_kill = 129,
	NR_getpid = 172,
	NR_getppid = 173,
	NR_gettid = 178,
	NR_clone = 220,
	NR_mmap = 222,
	NR_wait4 = 260,
};

/* By a program, in user mode */
static inline s64 __maybe_unused user_syscall(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	const ki_u64 args[7] = {a, b, c, d, 0, 0, 0};

	return svasim_kernel.syscall(number, args);
}

static inline s64 __maybe_unused user_clone(u64 flags, void (*entry)(void *arg), void *arg)
{
	const ki_u64 args[7] = {flags, 0, 0, 0, 0, (u64)entry, (u64)arg};

	return svasim_kernel.syscall(NR_clone, args);
}

static inline void __maybe_unused user_work(u64 ps)
{
	svasim_kernel.charge(ps);
	svasim_kernel.sync();
}

static inline int __maybe_unused run_program(void (*entry)(void *arg), void *arg)
{
	int pid = process_spawn("program", entry, arg);

	return pid < 0 ? pid : process_wait(pid);
}

#endif

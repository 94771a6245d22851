/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes, threads, signals, futexes: programs in user mode, seen through system calls. */
#include <uapi/linux/futex.h>
#include <uapi/linux/mman.h>
#include <uapi/linux/sched.h>
#include <uapi/linux/wait.h>

#include "kernel_test.h"

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static int failed_in;
#define USER_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			failed_in = __LINE__;                                                      \
			user_syscall(NR_exit_group, 99, 0, 0, 0);                                  \
			return;                                                                    \
		}                                                                                  \
	} while (0)

static int check_program(void (*entry)(void *arg), int status)
{
	int result;

	failed_in = 0;
	result = run_program(entry, NULL);
	return failed_in ? failed_in : result == status ? 0 : __LINE__;
}

static void exits_with_seven(void *arg)
{
	user_syscall(NR_exit_group, 7, 0, 0, 0);
}

static void returns(void *arg)
{
	user_work(US);
}

KI_SELFTEST(kernel_process_status_is_its_exit_code)
{
	KI_CHECK(check_program(exits_with_seven, 7 << 8) == 0);
	KI_CHECK(check_program(returns, 0) == 0);
	KI_CHECK(process_wait(4711) == -ECHILD);
	return 0;
}

/* Four bytes of shared memory of the process */
static u64 user_page(void)
{
	const ki_u64 args[7] = {0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0, 0};

	return (u64)svasim_kernel.syscall(NR_mmap, args);
}

static void forks(void *arg)
{
	s64 child, pid = user_syscall(NR_getpid, 0, 0, 0, 0);

	child = user_clone(SIGCHLD, exits_with_seven, NULL);
	USER_CHECK(child > pid);
	USER_CHECK(user_syscall(NR_wait4, (u64)child, 0, 0, 0) == child);
	USER_CHECK(user_syscall(NR_wait4, (u64)child, 0, 0, 0) == -ECHILD);
	USER_CHECK(user_clone(SIGCHLD | CLONE_NEWPID, exits_with_seven, NULL) == -EINVAL);
	USER_CHECK(user_clone(CLONE_THREAD, exits_with_seven, NULL) == -EINVAL);
}

KI_SELFTEST(kernel_fork_child_is_waited_for)
{
	return check_program(forks, 0);
}

static void polls_for_child(void *arg)
{
	s64 child = user_clone(SIGCHLD, returns, NULL), seen;

	while ((seen = user_syscall(NR_wait4, (u64)-1, 0, WNOHANG, 0)) == 0)
		user_work(US);
	USER_CHECK(seen == child);
}

KI_SELFTEST(kernel_wait_may_look_without_waiting)
{
	return check_program(polls_for_child, 0);
}

static void leaves_an_orphan(void *arg)
{
	user_clone(SIGCHLD, returns, NULL);
}

KI_SELFTEST(kernel_orphans_go_to_the_thread_that_boots)
{
	KI_CHECK(check_program(leaves_an_orphan, 0) == 0);
	KI_CHECK(process_wait(-1) == 0);
	return 0;
}

static int thread_sum;

static void adds(void *arg)
{
	user_work(10 * US);
	thread_sum += (int)(long)arg;
	user_syscall(NR_exit, 0, 0, 0, 0);
}

static void starts_threads(void *arg)
{
	s64 pid = user_syscall(NR_getpid, 0, 0, 0, 0);
	long i;

	for (i = 1; i <= 4; i++)
		USER_CHECK(user_clone(THREAD_FLAGS, adds, (void *)i) > pid);
	while (thread_sum != 10)
		user_work(US);
}

KI_SELFTEST(kernel_threads_run_in_their_process)
{
	thread_sum = 0;
	return check_program(starts_threads, 0);
}

static void spins_for_ever(void *arg)
{
	while (!svasim_kernel.user_must_exit())
		user_work(10 * US);
}

static void sleeps_for_ever(void *arg)
{
	while (!svasim_kernel.user_must_exit())
		user_syscall(NR_futex, 0x1000, FUTEX_WAIT, 0, 0);
}

static void exits_beside_threads(void *arg)
{
	user_clone(THREAD_FLAGS, spins_for_ever, NULL);
	user_work(20 * US);
	user_syscall(NR_exit_group, 3, 0, 0, 0);
}

KI_SELFTEST(kernel_exit_group_ends_every_thread)
{
	return check_program(exits_beside_threads, 3 << 8);
}

static void polls_for_ever(void *arg)
{
	while (!svasim_kernel.user_must_exit())
		svasim_kernel.poll_wait(~0ULL);
}

KI_SELFTEST(kernel_kill_ends_what_spins_polls_or_sleeps)
{
	void (*const programs[])(void *arg) = {spins_for_ever, polls_for_ever, sleeps_for_ever};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		int pid = process_spawn("victim", programs[i], NULL);

		msleep(1);
		KI_CHECK(kill_process(pid, 0) == 0 && kill_process(pid, SIGCHLD) == 0);
		KI_CHECK(kill_process(pid, SIGTERM) == 0);
		KI_CHECK(process_wait(pid) == SIGTERM);
		KI_CHECK(kill_process(pid, SIGTERM) == -ESRCH);
	}
	return 0;
}

static void touches_nothing_mapped(void *arg)
{
	USER_CHECK(svasim_kernel.page_fault(0x5000, KI_USER | KI_READ) < 0);
	USER_CHECK(svasim_kernel.user_must_exit());
}

KI_SELFTEST(kernel_bad_access_ends_the_process_with_sigsegv)
{
	u64 before = kcounters.segfaults;

	KI_CHECK(check_program(touches_nothing_mapped, SIGSEGV) == 0);
	KI_CHECK(kcounters.segfaults == before + 1);
	return 0;
}

static u64 futex_word;
static int futex_result;

static void waits_on_futex(void *arg)
{
	futex_result =
		(int)user_syscall(NR_futex, futex_word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0);
	user_syscall(NR_exit, 0, 0, 0, 0);
}

static void futex_pair(void *arg)
{
	futex_word = user_page();
	USER_CHECK((s64)futex_word > 0);
	USER_CHECK(user_syscall(NR_futex, futex_word, FUTEX_WAIT, 1, 0) == -EAGAIN);
	USER_CHECK(user_syscall(NR_futex, futex_word + 1, FUTEX_WAIT, 0, 0) == -EINVAL);
	USER_CHECK(user_syscall(NR_futex, futex_word, FUTEX_WAKE, 1, 0) == 0);
	USER_CHECK(user_syscall(NR_futex, futex_word, FUTEX_LOCK_PI, 0, 0) == -ENOSYS);
	futex_result = 1;
	USER_CHECK(user_clone(THREAD_FLAGS, waits_on_futex, NULL) > 0);
	while (user_syscall(NR_futex, futex_word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0) == 0)
		user_work(10 * US);
	while (futex_result == 1)
		user_work(US);
	USER_CHECK(futex_result == 0);
}

KI_SELFTEST(kernel_futex_wakes_its_waiter)
{
	return check_program(futex_pair, 0);
}

static void unknown_call(void *arg)
{
	USER_CHECK(user_syscall(511, 0, 0, 0, 0) == -ENOSYS);
	USER_CHECK(user_syscall(1ULL << 40, 0, 0, 0, 0) == -ENOSYS);
	USER_CHECK(user_syscall(NR_sched_yield, 0, 0, 0, 0) == 0);
	USER_CHECK(user_syscall(NR_nanosleep, 0, 0, 0, 0) == -EFAULT);
}

KI_SELFTEST(kernel_syscall_unknown_number_is_an_error)
{
	return check_program(unknown_call, 0);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program's accesses do on a whole machine, right ones and wrong ones: nothing ends the simulator. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define NOWHERE 0x10000ull /* no VMA is there */

/* ---- copies between the kernel and a program -------------------------------------------------- */

static void bad_pointers(void *arg)
{
	struct raw_queue q;
	uint64_t pages, last;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	pages = (uint64_t)sys_map(0, 2 * PAGE, SYS_PROT_RW);
	expect_eq(sys_unmap(pages + PAGE, PAGE), 0);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_INFO, NOWHERE), -EFAULT);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_INFO, ~0ull), -EFAULT);
	/* half of the structure is on a page that is not there */
	last = pages + PAGE - 8;
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_INFO, last), -EFAULT);
	/* the kernel reads it, and may not write it */
	expect_eq(sys_protect(pages, PAGE, SYS_PROT_READ), 0);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_INFO, pages), -EFAULT);
	raw_close(&q);
}

START_TEST(test_a_bad_pointer_is_efault)
{
	struct platform *p = scenario_passes(&(struct scenario){bad_pointers, {NULL}});

	ck_assert_double_eq(metric(p, "kernel.segfaults"), 0);
}
END_TEST

/* The window of a queue is device memory; its accesses have sizes that a bus knows. */
static void odd_device_accesses(void *arg)
{
	uint8_t bytes[64];
	struct raw_queue q;
	uint64_t before;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	memset(bytes, 0, sizeof(bytes));
	before = metric_now("cpu.device_stores");
	prog_write(q.mmio + 0x2001, bytes, 13); /* 1 + 2 + 4 + 4 + 2 */
	expect_eq(metric_now("cpu.device_stores") - before, 5);
	before = metric_now("cpu.device_loads");
	prog_read(bytes, q.mmio + 0x2000, sizeof(bytes));
	expect_eq(metric_now("cpu.device_loads") - before, 8);
	/* also on the kernel's behalf */
	sys_ioctl(q.fd, RAW_SET_QP_INFO, q.mmio + 0x2002);
	raw_close(&q);
}

START_TEST(test_device_memory_is_accessed_in_pieces)
{
	scenario_passes(&(struct scenario){odd_device_accesses, {NULL}});
}
END_TEST

/* ---- accesses that end a process ----------------------------------------------------------------- */

static void load_nowhere(void *arg)
{
	(void)arg;
	prog_load(NOWHERE, 8);
	prog_mark_failure("survived");
}

static void store_read_only(void *arg)
{
	(void)arg;
	prog_store((uint64_t)sys_map(0, PAGE, SYS_PROT_READ), 1, 8);
	prog_mark_failure("survived");
}

static void swap_nowhere(void *arg)
{
	(void)arg;
	prog_swap(NOWHERE, 1, 8);
	prog_mark_failure("survived");
}

static void (*const wild[])(void *arg) = {load_nowhere, store_read_only, swap_nowhere};

START_TEST(test_a_wild_access_ends_its_process_by_signal)
{
	struct platform_result result;
	struct platform *p = scenario_run(&(struct scenario){wild[_i], {NULL}}, &result);

	ck_assert_int_eq(result.status, PLATFORM_WORKLOAD_FAILED);
	ck_assert_str_eq(result.reason, "the workload ended with signal 11");
	ck_assert_double_eq(metric(p, "kernel.segfaults"), 1);
}
END_TEST

static void misaligned_atomic(void *arg)
{
	(void)arg;
	prog_fetch_add((uint64_t)sys_map(0, PAGE, SYS_PROT_RW) + 4, 1, 8);
	prog_mark_failure("survived");
}

static void device_atomic(void *arg)
{
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	prog_cas(q.mmio + RAW_DOORBELL, 0, 1, 8);
	prog_mark_failure("survived");
}

static void (*const bad_atomics[])(void *arg) = {misaligned_atomic, device_atomic};

START_TEST(test_an_atomic_that_memory_cannot_do_ends_its_process)
{
	struct platform_result result;

	scenario_run(&(struct scenario){bad_atomics[_i], {NULL}}, &result);
	ck_assert_int_eq(result.status, PLATFORM_WORKLOAD_FAILED);
	ck_assert_msg(!strncmp(result.reason, "an atomic access at 0x", 22), "%s", result.reason);
}
END_TEST

static void leave_with_3(void *arg)
{
	(void)arg;
	prog_exit(3);
}

START_TEST(test_an_exit_code_is_told)
{
	struct platform_result result;

	scenario_run(&(struct scenario){leave_with_3, {NULL}}, &result);
	ck_assert_int_eq(result.status, PLATFORM_WORKLOAD_FAILED);
	ck_assert_str_eq(result.reason, "the workload ended with exit code 3");
}
END_TEST

/* ---- waiting for a line --------------------------------------------------------------------------- */

#define DETECT_NS   40
#define WRITE_AT_NS 20000

static void write_later(void *arg)
{
	prog_work_ns(WRITE_AT_NS);
	STORE((uint64_t *)arg, 1);
	STORE((uint64_t *)arg + 8, prog_time_ps());
}

static void poll_a_line(void *arg)
{
	uint64_t line = (uint64_t)sys_map(0, PAGE, SYS_PROT_RW);
	uint64_t begin, seen, written;

	(void)arg;
	prog_store(line + 64, 0, 8);
	prog_store(line, 0, 8);

	/* until the timeout, if nobody writes */
	begin = prog_time_ps();
	expect_eq(prog_load(line, 8), 0);
	prog_poll_line(line, 5000);
	expect(prog_time_ps() - begin >= SIM_NS(5000));
	expect(prog_time_ps() - begin < SIM_NS(6000));

	/* until another thread writes */
	expect(prog_thread(write_later, (void *)(uintptr_t)line) > 0);
	while (!prog_load(line, 8))
		prog_poll_line(line, 0);
	seen = prog_time_ps();
	do
		written = prog_load(line + 64, 8);
	while (!written);
	expect(seen >= begin + SIM_NS(WRITE_AT_NS));
	expect(seen < written + SIM_NS(1000 + DETECT_NS));

	/* what has changed since it was loaded ends the wait at once */
	prog_load(line, 8);
	prog_store(line, 7, 8);
	begin = prog_time_ps();
	prog_poll_line(line, 0);
	expect(prog_time_ps() - begin < SIM_NS(1000));
}

START_TEST(test_a_polled_line_wakes_when_it_is_written)
{
	scenario_passes(&(struct scenario){poll_a_line, {"cpu.poll_detect_ns=40"}});
}
END_TEST

/* ---- time ------------------------------------------------------------------------------------------ */

static void work(void *arg)
{
	uint64_t begin = prog_time_ps();

	(void)arg;
	prog_work_ns(1234567);
	expect(prog_time_ps() - begin >= SIM_NS(1234567));
	expect(prog_time_ps() - begin < SIM_NS(1234567) + SIM_US(100));
	begin = prog_time_ps();
	prog_work_ns(0);
	expect_eq(prog_time_ps() - begin, 0);
}

START_TEST(test_work_takes_its_time)
{
	static const char *const quanta[] = {"cpu.quantum_ns=10", "cpu.quantum_ns=1000",
					     "cpu.quantum_ns=1000000"};

	scenario_passes(&(struct scenario){work, {quanta[_i]}});
}
END_TEST

SCENARIO_SUITE("program", {test_a_bad_pointer_is_efault, 1},
	       {test_device_memory_is_accessed_in_pieces, 1},
	       {test_a_wild_access_ends_its_process_by_signal, 3},
	       {test_an_atomic_that_memory_cannot_do_ends_its_process, 2},
	       {test_an_exit_code_is_told, 1}, {test_a_polled_line_wakes_when_it_is_written, 1},
	       {test_work_takes_its_time, 3})

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything at the same time, by the seeds of a random generator; and memory that runs out under
 * the device.
 */
#include <signal.h>
#include <string.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"
#include "sim/platform/machine.h"

/* ---- churn ----------------------------------------------------------------------------------- */

#define AREA_VA	   0x10000000ull
#define AREA_PAGES 16u
#define CHANGES	   40u

static unsigned int seed;

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

struct shared {
	uint64_t area;	/* what the threads change and the device uses */
	uint64_t ended; /* address of a counter in the process's memory */
	unsigned int seed;
};

static struct shared shared; /* set before the threads begin, then only read */

static void forked_child(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg;

	for (unsigned int i = 0; i < 4; i++) {
		const uint64_t page = shared.area + next_random(&random) % AREA_PAGES * PAGE;

		sys_map(page, PAGE, SYS_PROT_RW);
		prog_store(page, i, 8);
	}
}

static void fork_and_wait(uint32_t random)
{
	int64_t child = prog_fork(forked_child, (void *)(uintptr_t)random);
	int status;

	expect(child > 0);
	expect_eq(sys_wait(child, &status), child);
	expect_eq(status, 0);
}

static void change_area(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg;

	for (unsigned int i = 0; i < CHANGES; i++) {
		const uint64_t first = next_random(&random) % AREA_PAGES;
		const uint64_t pages = 1 + next_random(&random) % (AREA_PAGES - first);
		const uint64_t at = shared.area + first * PAGE, bytes = pages * PAGE;

		switch (next_random(&random) % 8) {
		case 0:
			sys_unmap(at, bytes);
			break;
		case 1:
			sys_protect(at, bytes, SYS_PROT_READ);
			break;
		case 2:
			sys_protect(at, bytes, SYS_PROT_NONE);
			break;
		case 3:
			sys_protect(at, bytes, SYS_PROT_RW);
			break;
		case 4:
			sys_discard(at, bytes);
			break;
		case 5:
			fork_and_wait(random);
			break;
		default:
			expect_eq(sys_map(at, bytes, SYS_PROT_RW), at);
		}
		prog_work_ns(next_random(&random) % 5000);
	}
	prog_fetch_add(shared.ended, 1, 4);
}

static void copy_in_area(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg;
	struct raw_sqe answer;
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	for (unsigned int i = 0; i < CHANGES; i++) {
		const unsigned int batch = 1 + next_random(&random) % 6;

		for (unsigned int j = 0; j < batch; j++) {
			const uint32_t from = next_random(&random) % (AREA_PAGES * PAGE);
			const uint32_t to = next_random(&random) % (AREA_PAGES * PAGE);

			raw_push_copy(&q, shared.area + from, shared.area + to,
				      1 + next_random(&random) % (2 * PAGE));
		}
		raw_ring(&q);
		for (unsigned int j = 0; j < batch; j++) {
			expect(raw_pop(&q, &answer, 1000000));
			expect(answer.status == RAW_STATUS_OK ||
			       answer.status == RAW_STATUS_READ_FAILED ||
			       answer.status == RAW_STATUS_WRITE_FAILED);
		}
		if (next_random(&random) % 8 == 0) {
			raw_close(&q);
			expect_eq(raw_queue_new(&q, 0), 0);
			q.errors_expected = true;
		}
	}
	raw_close(&q);
	prog_fetch_add(shared.ended, 1, 4);
}

#define CANARY_PAGES 24u

static bool churn_ended;

/*
 * Another process, which gets the frames that the others give back. Whatever the device, or a CPU,
 * still writes to a frame that it should have forgotten is found here.
 */
static void canary(void *arg)
{
	unsigned int round = (unsigned int)(uintptr_t)arg;

	while (!churn_ended) {
		const uint64_t pages = raw_pages(CANARY_PAGES);

		pattern_write(pages, CANARY_PAGES * PAGE, ++round);
		prog_work_ns(3000);
		expect(pattern_is(pages, CANARY_PAGES * PAGE, round));
		sys_unmap(pages, CANARY_PAGES * PAGE);
	}
}

static void churn(void *arg)
{
	const int64_t bird = prog_fork(canary, (void *)(uintptr_t)seed);
	int status;

	(void)arg;
	/* Far from where the kernel would place a mapping, so that holes in it stay holes */
	shared.area = AREA_VA;
	shared.ended = raw_pages(1);
	expect_eq(sys_map(shared.area, AREA_PAGES * PAGE, SYS_PROT_RW), shared.area);
	for (unsigned int i = 0; i < 2; i++) {
		expect(prog_thread(change_area, (void *)(uintptr_t)(seed * 10 + i)) > 0);
		expect(prog_thread(copy_in_area, (void *)(uintptr_t)(seed * 10 + 5 + i)) > 0);
	}
	while (prog_load(shared.ended, 4) < 4)
		sys_sleep_us(20);
	churn_ended = true;
	expect_eq(sys_wait(bird, &status), bird);
	expect_eq(status, 0);
}

static const char *const churn_machines[][4] = {
	{NULL},
	{"machine.cpus=1"},
	{"machine.cpus=2", "kernel.fault.extra_ns=5000"},
	{"smmu.msi=true", "accel.version=v2"},
	{"smmu.sev=true", "smmu.stall_max=2", "smmu.evtq_log2=1"},
	{"kernel.max_workers=1", "accel.dma_burst_bytes=64"},
	{"machine.cpus=3", "kernel.timeslice_us=20", "kernel.block_ps=4000"},
	{"kernel.pte_ns=500", "mmu.tlbi_ns=5000", "smmu.cmd_ns=2000"},
};

#define CHURN_MACHINES (sizeof(churn_machines) / sizeof(churn_machines[0]))

START_TEST(test_churn_leaves_nothing_behind)
{
	const char *const *machine = churn_machines[_i % CHURN_MACHINES];
	struct platform *p;

	seed = (unsigned int)_i + 1;
	p = scenario_passes(&(struct scenario){
		churn, {"run.check_frames=true", machine[0], machine[1], machine[2]}});
	ck_assert_double_gt(metric(p, "frames.checked"), 0);
	ck_assert_double_eq(metric(p, "faults.handled") + metric(p, "faults.aborted"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "kernel.segfaults"), 0);
	ck_assert_double_gt(metric(p, "faults.aborted"), 0);
	ck_assert_double_gt(metric(p, "faults.handled"), 0);
}
END_TEST

/* ---- the check itself ------------------------------------------------------------------------ */

/* As if the kernel freed pages that are in use: by a CPU, by the device. */
static void free_what_is_used(void *arg)
{
	const uint64_t pages = raw_pages(2);
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	prog_store(pages, 1, 8);
	expect_eq(the_machine->frames.stale, 0);
	the_machine->ops.frame_freed(the_machine->kernel->peek_va(0, pages), PAGE);
	expect_eq(the_machine->frames.stale, 1); /* this CPU's TLB */

	expect_eq(raw_copy(&q, pages, pages + PAGE, PAGE), RAW_STATUS_OK);
	the_machine->ops.frame_freed(the_machine->kernel->peek_va(0, pages + PAGE), PAGE);
	expect_eq(the_machine->frames.stale, 2); /* the SMMU's: no CPU has touched it */

	const uint64_t was = the_machine->kernel->peek_va(0, pages);

	sys_unmap(pages, PAGE);
	expect_eq(the_machine->frames.stale, 2);
	the_machine->ops.frame_freed(was, PAGE); /* nobody has it any more */
	expect_eq(the_machine->frames.stale, 2);
	raw_close(&q);
}

START_TEST(test_frame_that_is_freed_in_use_is_found)
{
	struct platform_result result;

	scenario_execute(&(struct scenario){free_what_is_used, {"run.check_frames=true"}}, &result);
	ck_assert_int_eq(result.status, PLATFORM_BUG);
	ck_assert_msg(strstr(result.reason, "still reaches"), "%s", result.reason);
}
END_TEST

/* ---- one queue, several threads -------------------------------------------------------------- */

#define FIGHT_DEPTH 16u

static struct raw_queue common;

static void stop_and_start(void *arg)
{
	const uint64_t ended = (uint64_t)(uintptr_t)arg;

	for (unsigned int i = 0; i < 30; i++) {
		const int64_t result = i % 2 ? sys_ioctl(common.fd, RAW_PUT_Q, 0)
					     : sys_ioctl(common.fd, RAW_START_Q, 0);

		expect(result == 0 || result == -22 /* EINVAL: started already */);
		/* Doorbells for requests that the ring holds, or for a queue that is stopped */
		raw_doorbell(&common,
			     raw_doorbell_value(common.sqn, RAW_DOORBELL_SQ, i % FIGHT_DEPTH));
	}
	prog_fetch_add(ended, 1, 4);
}

static void fight_over_a_queue(void *arg)
{
	uint64_t ended = raw_pages(1), area = raw_pages(2 * FIGHT_DEPTH);

	(void)arg;
	expect_eq(raw_queue_new(&common, 0), 0);
	for (unsigned int i = 0; i < common.depth; i++) {
		const struct raw_sqe request = {.opcode = RAW_COPY,
						.length = PAGE,
						.source = area + i * PAGE,
						.destination = area + (FIGHT_DEPTH + i) * PAGE};

		raw_push(&common, &request);
	}
	/*
	 * Given up in the ledger of requests: nobody knows which of them will be executed how often
	 */
	prog_mark_queue_close(0, common.sqn);
	for (unsigned int i = 0; i < 4; i++)
		expect(prog_thread(stop_and_start, (void *)(uintptr_t)ended) > 0);
	while (prog_load(ended, 4) < 4)
		sys_sleep_us(20);
	sys_ioctl(common.fd, RAW_PUT_Q, 0);
	expect_eq(raw_start(&common), 0);
	expect_eq(raw_copy(&common, area, area + PAGE, PAGE), RAW_STATUS_OK);
	raw_close(&common);
}

START_TEST(test_threads_fight_over_a_queue)
{
	static const char *const cpus[] = {"machine.cpus=1", "machine.cpus=2", "machine.cpus=8"};

	scenario_passes(&(struct scenario){
		fight_over_a_queue, {cpus[_i], "machine.kernel_command_line=qm.qm_depth=16"}});
}
END_TEST

/* ---- memory runs out ------------------------------------------------------------------------- */

#define CHUNK  (4 * MEBIBYTE)
#define CHUNKS 18u

static void use_up_memory(void *arg)
{
	uint64_t source = (uint64_t)sys_map(0, CHUNK, SYS_PROT_RW), chunks[CHUNKS];
	unsigned int copied = 0, failed = 0;
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	for (unsigned int i = 0; i < CHUNKS; i++) {
		uint32_t status;

		chunks[i] = (uint64_t)sys_map(0, CHUNK, SYS_PROT_RW);
		/* The zero page needs no memory; what is written does */
		status = raw_copy(&q, source, chunks[i], CHUNK);
		copied += status == RAW_STATUS_OK;
		failed += status == RAW_STATUS_WRITE_FAILED;
	}
	expect(copied > 3);
	expect(failed > 0);
	expect_eq(copied + failed, CHUNKS);
	for (unsigned int i = 0; i < CHUNKS; i++)
		expect_eq(sys_unmap(chunks[i], CHUNK), 0);
	chunks[0] = (uint64_t)sys_map(0, CHUNK, SYS_PROT_RW);
	expect_eq(raw_copy(&q, source, chunks[0], CHUNK), RAW_STATUS_OK);
	raw_close(&q);
}

START_TEST(test_device_that_finds_no_memory_gets_an_abort)
{
	struct platform *p = scenario_passes(&(struct scenario){
		use_up_memory, {"machine.ram_bytes=64MiB", "accel.dma_burst_bytes=4096"}});

	ck_assert_double_gt(metric(p, "faults.aborted"), 0);
}
END_TEST

SCENARIO_SUITE("stress", {test_churn_leaves_nothing_behind, 3 * CHURN_MACHINES},
	       {test_frame_that_is_freed_in_use_is_found, 1}, {test_threads_fight_over_a_queue, 3},
	       {test_device_that_finds_no_memory_gets_an_abort, 1})

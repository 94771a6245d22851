/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One mixed program on machines of many shapes: what is scarce in one of them must cost time, never
 * a request.
 */
#include <stdio.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define PROCESSES 3u
#define REQUESTS  24u
#define LENGTH	  (3u * 4096u + 100u)
#define STRIDE	  (4u * PAGE)

/* ---- the mixed program ----------------------------------------------------------------------- */

static bool should_fail(unsigned int i)
{
	return i % 8 == 5;
}

static void submit(struct raw_queue *q, unsigned int i, uint64_t source, uint64_t sink)
{
	struct raw_sqe request = {
		.opcode = RAW_COPY,
		.tag = (uint16_t)i,
		.length = LENGTH,
		.source = should_fail(i) ? 0 : source + i * STRIDE,
		.destination = sink + i * STRIDE,
	};

	raw_push(q, &request);
	raw_ring(q);
}

static void collect(struct raw_queue *q, bool *seen)
{
	struct raw_sqe answer;

	expect(raw_pop(q, &answer, 1000000));
	expect(answer.tag < REQUESTS && !seen[answer.tag]);
	if (answer.tag >= REQUESTS)
		return;
	seen[answer.tag] = true;
	expect_eq(answer.status, should_fail(answer.tag) ? RAW_STATUS_READ_FAILED : RAW_STATUS_OK);
}

/* As many requests at once as the ring takes, each with pages that only the device touches */
static void copy_and_fail(void *arg)
{
	const unsigned int me = (unsigned int)(uintptr_t)arg;
	uint64_t source = raw_pages(4 * REQUESTS), sink = raw_pages(4 * REQUESTS);
	unsigned int sent = 0, received = 0;
	bool seen[REQUESTS] = {false};
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	for (unsigned int i = 0; i < REQUESTS; i++)
		pattern_write(source + i * STRIDE, LENGTH, me * 100 + i);
	while (received < REQUESTS) {
		if (sent < REQUESTS && sent - received < q.depth - 1) {
			submit(&q, sent++, source, sink);
			continue;
		}
		collect(&q, seen);
		received++;
	}
	for (unsigned int i = 0; i < REQUESTS; i++)
		if (!should_fail(i))
			expect(pattern_is(sink + i * STRIDE, LENGTH, me * 100 + i));
	raw_close(&q);
}

static void mix(void *arg)
{
	int64_t children[PROCESSES];
	int status;

	(void)arg;
	for (unsigned int i = 0; i < PROCESSES; i++)
		children[i] = prog_fork(copy_and_fail, (void *)(uintptr_t)(i + 1));
	for (unsigned int i = 0; i < PROCESSES; i++) {
		expect_eq(sys_wait(children[i], &status), children[i]);
		expect_eq(status, 0);
	}
}

#define FAILING	     (PROCESSES * (REQUESTS / 8))
#define GOOD	     (PROCESSES * REQUESTS - FAILING)
#define COMMAND_LINE "machine.kernel_command_line="

static const char *const machines[][4] = {
	{"machine.cpus=1"},
	{"machine.cpus=2"},
	{"machine.cpus=8"},
	{"machine.cpus=64", "kernel.irq_affinity_spread=0"},
	{"smmu.sev=true"},
	{"smmu.msi=true"},
	{"smmu.sev=true", "smmu.msi=true", "machine.cpus=2"},
	{"smmu.msi=true", COMMAND_LINE "arm_smmu_v3.disable_msipolling=1"},
	{"smmu.ril=true"},
	{"smmu.hyp=true"},
	{"smmu.strtab_2lvl=false", "smmu.cd_2lvl=false", "smmu.ssid_bits=6"},
	{"smmu.stall_max=1"},
	{"smmu.stall_max=2", "smmu.evtq_log2=0"},
	{"smmu.evtq_log2=1"},
	{"smmu.evtq_log2=2", "machine.cpus=1"},
	{"smmu.cmdq_log2=7", "smmu.cmdq_fetch_entries=1"},
	{"smmu.tlb_entries=1", "smmu.ste_cache_entries=1", "smmu.cd_cache_entries=1",
	 "smmu.walk_slots=1"},
	{"accel.version=v2"},
	{"accel.dma_outstanding=1", "accel.ring_outstanding=1", "accel.engines_copy=1"},
	{"accel.dma_burst_bytes=64", "smmu.stall_max=8"},
	{"accel.sqe_prefetch=1", "accel.sqe_buffers=1"},
	{COMMAND_LINE "qm.qm_depth=2"},
	{COMMAND_LINE "qm.qm_depth=3", "accel.version=v2"},
	{COMMAND_LINE "qm.qm_depth=65535"},
	{"kernel.max_workers=1"},
	{"kernel.fault.extra_ns=20000", "smmu.stall_max=4"},
	{"kernel.block_ps=0", "kernel.wakeup_ns=0", "kernel.context_switch_ns=0",
	 "kernel.lock_ns=0"},
	{"cpu.quantum_ns=10"},
	{"cpu.quantum_ns=100000"},
	{"memory.latency_ns=1000"},
	{"machine.ram_bytes=64MiB"},
	{"machine.ram_bytes=1TiB", "machine.seed=7"},
};

#define MACHINES (sizeof(machines) / sizeof(machines[0]))

START_TEST(test_machine_of_any_shape_does_all_requests)
{
	struct scenario scenario = {.main = mix};
	struct platform *p;

	for (unsigned int i = 0; i < 4; i++)
		scenario.settings[i] = machines[_i][i];
	p = scenario_passes(&scenario);
	ck_assert_double_eq(metric(p, "accel.requests.by_status.success"), GOOD);
	ck_assert_double_eq(metric(p, "accel.requests.by_status.read_failed"), FAILING);
	ck_assert_double_eq(metric(p, "requests.completed"), GOOD + FAILING);
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), GOOD * 4);
	ck_assert_double_eq(metric(p, "faults.handled") + metric(p, "faults.aborted"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.events_lost"), 0);
}
END_TEST

/* ---- what makes these machines different ----------------------------------------------------- */

START_TEST(test_one_stall_at_a_time)
{
	struct platform *p = scenario_passes(&(struct scenario){mix, {"smmu.stall_max=1"}});

	/* All others that fault wait for the one STAG */
	ck_assert_double_gt(metric(p, "smmu.stalls.max"), 1);
	ck_assert_double_gt(metric(p, "smmu.stalls.waited_for_stag"), 0);
}
END_TEST

/* Faults wait for room in the event queue; none is lost */
START_TEST(test_full_event_queue_delays_faults)
{
	struct platform *p = scenario_passes(
		&(struct scenario){mix, {"smmu.evtq_log2=1", "accel.dma_burst_bytes=64"}});

	ck_assert_double_gt(metric(p, "smmu.stalls.max"), 2);
	ck_assert_double_gt(metric(p, "smmu.stalls.waited_for_stag"), 0);
	ck_assert_double_eq(metric(p, "smmu.events_lost"), 0);
}
END_TEST

START_TEST(test_completion_of_sync_by_msi)
{
	struct platform *p = scenario_passes(&(struct scenario){mix, {"smmu.msi=true"}});

	ck_assert_double_ge(metric(p, "smmu.msis"), metric(p, "smmu.syncs") - 10);
	ck_assert_double_gt(metric(p, "smmu.syncs"), 10);
}
END_TEST

/* ---- rings ----------------------------------------------------------------------------------- */

static void wrap_ring(void *arg)
{
	uint64_t area = raw_pages(2);
	struct raw_sqe answer;
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	/* Full again and again: the phase flips with each turn */
	for (unsigned int round = 0; round < 12; round++) {
		pattern_write(area, PAGE, round);
		for (unsigned int i = 0; i < q.depth - 1; i++)
			raw_push_copy(&q, area, area + PAGE, 256);
		raw_ring(&q);
		for (unsigned int i = 0; i < q.depth - 1; i++) {
			expect(raw_pop(&q, &answer, 100000));
			expect_eq(answer.status, RAW_STATUS_OK);
		}
		expect(pattern_is(area + PAGE, 256, round));
		expect(!raw_pop(&q, &answer, 1));
	}
	raw_close(&q);
}

START_TEST(test_full_ring_wraps)
{
	static const unsigned int depths[] = {2, 3, 8, 1000};
	char command_line[64];
	struct platform *p;

	snprintf(command_line, sizeof(command_line), COMMAND_LINE "qm.qm_depth=%u", depths[_i]);
	p = scenario_passes(&(struct scenario){wrap_ring, {command_line}});
	ck_assert_double_eq(metric(p, "requests.completed"), 12 * (depths[_i] - 1));
}
END_TEST

#define DEPTH "/sys/bus/platform/devices/40000000.accel0/qm_depth"

static void change_depth(void *arg)
{
	struct raw_queue q, later;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(q.depth, 1024);
	expect_eq(sys_write_text(DEPTH, "16"), 2);
	expect(sys_write_text(DEPTH, "1") < 0);
	expect(sys_write_text(DEPTH, "65536") < 0);
	expect(sys_write_text(DEPTH, "many") < 0);
	expect_eq(sys_read_number(DEPTH), 16);
	expect_eq(raw_queue_new(&later, 0), 0);
	expect_eq(later.depth, 16);
	raw_close(&later);
	raw_close(&q);
	/* The same queue pair as the first, with another ring */
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(q.depth, 16);
	raw_close(&q);
	wrap_ring(NULL);
}

START_TEST(test_depth_of_new_queues_is_an_attribute)
{
	scenario_passes(&(struct scenario){change_depth, {NULL}});
}
END_TEST

/*
 * The device completes no more than the CQ has room for, and goes on when the process tells its
 * head
 */
static void neglect_completions(void *arg)
{
	uint64_t area = raw_pages(2);
	struct raw_sqe answer;
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int i = 0; i < q.depth - 1; i++)
		raw_push_copy(&q, area, area + PAGE, 64);
	raw_ring(&q);
	sys_sleep_us(200);
	expect_eq(metric_now("accel.cqes_written"), q.depth - 1);
	for (unsigned int i = 0; i < q.depth - 1; i++)
		expect(raw_pop(&q, &answer, 0));
	raw_close(&q);
}

START_TEST(test_completions_wait_in_a_full_queue)
{
	scenario_passes(&(struct scenario){neglect_completions, {COMMAND_LINE "qm.qm_depth=8"}});
}
END_TEST

SCENARIO_SUITE("machines", {test_machine_of_any_shape_does_all_requests, MACHINES},
	       {test_one_stall_at_a_time, 1}, {test_full_event_queue_delays_faults, 1},
	       {test_completion_of_sync_by_msi, 1}, {test_full_ring_wraps, 4},
	       {test_depth_of_new_queues_is_an_attribute, 1},
	       {test_completions_wait_in_a_full_queue, 1})

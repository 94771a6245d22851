/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process can get wrong: requests, doorbells, ioctls, mappings. It gets an answer; the
 * device and others go on.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define ERRORS "/sys/bus/platform/devices/40000000.accel0/qm_errors"

static void expect_end(int64_t pid, int expected)
{
	int status = -1;

	expect_eq(sys_wait(pid, &status), pid);
	expect_eq(status, expected);
}

static void expect_works(struct raw_queue *q)
{
	uint64_t area = raw_pages(2);

	pattern_write(area, PAGE, 1);
	expect_eq(raw_copy(q, area, area + PAGE, PAGE), RAW_STATUS_OK);
	expect(pattern_is(area + PAGE, PAGE, 1));
	sys_unmap(area, 2 * PAGE);
}

/* ---- requests -------------------------------------------------------------------------------- */

struct bad_sqe {
	struct raw_sqe sqe; /* addresses: 0 stands for good ones */
	unsigned int status;
};

#define WRAP 0xfffffffffffff800ull

static const struct bad_sqe bad_sqes[] = {
	{{.opcode = 0, .length = 64}, RAW_STATUS_BAD_OPCODE},
	{{.opcode = 3, .length = 64}, RAW_STATUS_BAD_OPCODE},
	{{.opcode = 255, .length = 64}, RAW_STATUS_BAD_OPCODE},
	{{.opcode = RAW_COPY, .length = 0}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_COPY, .length = (16u << 20) + 1}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_COPY, .length = UINT32_MAX}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_CRC32C, .length = 0}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_COPY, .length = PAGE, .source = WRAP}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_COPY, .length = PAGE, .destination = WRAP}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_CRC32C, .length = PAGE, .source = WRAP}, RAW_STATUS_BAD_LENGTH},
	{{.opcode = RAW_COPY, .length = 64, .flags = 1}, RAW_STATUS_RESERVED_FIELD},
	{{.opcode = RAW_COPY, .length = 64, .reserved0 = 1}, RAW_STATUS_RESERVED_FIELD},
	{{.opcode = RAW_COPY, .length = 64, .reserved2 = 1ull << 63}, RAW_STATUS_RESERVED_FIELD},
	/* The first of several */
	{{.opcode = 9, .length = 0, .flags = 1}, RAW_STATUS_BAD_OPCODE},
	{{.opcode = RAW_COPY, .length = 0, .reserved0 = 1}, RAW_STATUS_RESERVED_FIELD},
};

#define BAD_SQES (sizeof(bad_sqes) / sizeof(bad_sqes[0]))

static void submit_bad_requests(void *arg)
{
	uint64_t source = raw_pages(1), sink = raw_pages(1);
	struct raw_sqe request, answer;
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(sink, PAGE, 2);
	for (unsigned int i = 0; i < BAD_SQES; i++) {
		request = bad_sqes[i].sqe;
		request.tag = (uint16_t)i;
		request.source = request.source ? request.source : source;
		request.destination = request.destination ? request.destination : sink;
		expect(raw_run(&q, &request, &answer));
		expect_eq(answer.status, bad_sqes[i].status);
		expect_eq(answer.done, 0);
		expect_eq(answer.tag, i);
	}
	expect(pattern_is(sink, PAGE, 2));
	expect_works(&q);
	raw_close(&q);
}

START_TEST(test_bad_request_gets_its_status)
{
	struct platform *p = scenario_passes(&(struct scenario){submit_bad_requests, {NULL}});
	const char *const metrics[] = {"accel.requests.by_status.bad_opcode",
				       "accel.requests.by_status.bad_length",
				       "accel.requests.by_status.reserved_field"};

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int expected = 0;

		for (unsigned int j = 0; j < BAD_SQES; j++)
			expected += bad_sqes[j].status == RAW_STATUS_BAD_OPCODE + i;
		ck_assert_double_eq(metric(p, metrics[i]), expected);
	}
	ck_assert_double_eq(metric(p, "faults.aborted"), 0);
}
END_TEST

static void ask_for_a_missing_engine(void *arg)
{
	struct raw_sqe request = {.opcode = RAW_CRC32C, .length = 64, .source = raw_pages(1)};
	struct raw_sqe answer;
	struct raw_queue q;
	char text[32];

	(void)arg;
	expect_eq(sys_read_text("/sys/class/uacce/svasim_qm-0/algorithms", text, sizeof(text)), 5);
	expect(text[0] == 'c' && text[1] == 'o' && text[4] == '\n');
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	expect(raw_run(&q, &request, &answer));
	expect_eq(answer.status, RAW_STATUS_BAD_OPCODE);
	expect_works(&q);
	raw_close(&q);
}

START_TEST(test_request_without_its_engine_is_refused)
{
	scenario_passes(&(struct scenario){ask_for_a_missing_engine, {"accel.engines_crc32c=0"}});
}
END_TEST

/* ---- doorbells ------------------------------------------------------------------------------- */

/* What a bad doorbell adds to: accel.qm.bad_doorbells, the driver's count of AEQEs */
struct doorbell_counts {
	uint64_t ignored, reported;
};

static struct doorbell_counts doorbells_now(void)
{
	char text[128];
	unsigned int reported = 0;

	sys_sleep_us(100);
	expect(sys_read_text(ERRORS, text, sizeof(text)) > 0);
	/* "bad_doorbell %d" */
	for (const char *at = text + 13; *at >= '0' && *at <= '9'; at++)
		reported = reported * 10 + (unsigned int)(*at - '0');
	return (struct doorbell_counts){metric_now("accel.qm.bad_doorbells"), reported};
}

static void expect_ignored(struct raw_queue *q, uint64_t value, unsigned int reported)
{
	const struct doorbell_counts before = doorbells_now();
	struct doorbell_counts after;

	raw_doorbell(q, value);
	after = doorbells_now();
	expect_eq(after.ignored, before.ignored + 1);
	expect_eq(after.reported, before.reported + reported);
}

static void ring_badly(struct raw_queue *q, unsigned int other, bool v3)
{
	const unsigned int sqn = q->sqn;

	expect_ignored(q, raw_doorbell_value(sqn, RAW_DOORBELL_SQ, q->depth), 1);
	expect_ignored(q, raw_doorbell_value(sqn, RAW_DOORBELL_SQ, 0xffff), 1);
	/* Nothing has been completed beyond the head */
	expect_ignored(q, raw_doorbell_value(sqn, RAW_DOORBELL_CQ, (q->head + 1) % q->depth), 1);
	expect_ignored(q, raw_doorbell_value(sqn, RAW_DOORBELL_CQ, q->depth), 1);
	expect_ignored(q, raw_doorbell_value(sqn, RAW_DOORBELL_EQ, 0), 1);
	expect_ignored(q, raw_doorbell_value(sqn, 3, 0), 1);
	expect_ignored(q, raw_doorbell_value(sqn, 15, 0), 1);
	/* A queue that nobody has started; v3: of another window */
	expect_ignored(q, raw_doorbell_value(other, RAW_DOORBELL_SQ, 1), 1);
	/*
	 * 64 queues: a number that is none. Where the window says who rang, it is reported all the
	 * same
	 */
	expect_ignored(q, raw_doorbell_value(100, RAW_DOORBELL_SQ, 1), v3);
}

static void ring_bad_doorbells(bool v3)
{
	struct raw_queue q, idle;

	expect_eq(raw_queue_new(&q, 0), 0);
	expect(raw_open(&idle, 0) >= 0);
	expect_eq(raw_map(&idle), 0);
	ring_badly(&q, idle.sqn, v3);
	/* Its own queue, before it is started */
	expect_ignored(&idle, raw_doorbell_value(idle.sqn, RAW_DOORBELL_SQ, 1), 1);
	expect_works(&q);
	expect_eq(raw_start(&idle), 0);
	expect_works(&idle);
	if (v3) {
		/* The other queue is not touched, and not blamed */
		expect_ignored(&q, raw_doorbell_value(idle.sqn, RAW_DOORBELL_SQ, 3), 1);
		expect_works(&idle);
	}
	expect_eq(raw_put(&idle), 0);
	expect_ignored(&idle, raw_doorbell_value(idle.sqn, RAW_DOORBELL_SQ, 1), 1);
	raw_close(&q);
	raw_close(&idle);
}

static void ring_bad_doorbells_v2(void *arg)
{
	(void)arg;
	ring_bad_doorbells(false);
}

static void ring_bad_doorbells_v3(void *arg)
{
	(void)arg;
	ring_bad_doorbells(true);
}

START_TEST(test_bad_doorbell_is_ignored_counted_and_reported)
{
	scenario_passes(&(struct scenario){
		_i ? ring_bad_doorbells_v3 : ring_bad_doorbells_v2,
		{"accel.qp_count=64", _i ? "accel.version=v3" : "accel.version=v2"}});
}
END_TEST

static void use_window_oddly(void *arg)
{
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	for (uint64_t at = 0; at < q.mmio_bytes; at += 0x800) {
		expect_eq(prog_load(q.mmio + at, 8), 0);
		expect_eq(prog_load(q.mmio + at + 4, 4), 0);
		if (at != RAW_DOORBELL)
			prog_store(q.mmio + at, UINT64_MAX, 8);
	}
	/* Not a doorbell: too narrow */
	prog_store(q.mmio + RAW_DOORBELL, 0xffff, 4);
	prog_store(q.mmio + RAW_DOORBELL + 4, 0xffff, 4);
	prog_store(q.mmio + RAW_DOORBELL + 1, 0xff, 1);
	prog_barrier(PROG_DSB);
	expect_eq(metric_now("accel.qm.bad_doorbells"), 0);
	expect_eq(metric_now("cpu.bus_errors"), 0);
	expect_works(&q);

	/* The rings and the status words are the process's to write: it harms itself alone */
	for (uint64_t at = 0; at < q.dus_bytes; at += 512)
		prog_store(q.dus + at, UINT64_MAX, 8);
	expect_eq(raw_put(&q), 0);
	expect_eq(raw_start(&q), 0);
	expect_works(&q);
	raw_close(&q);
}

START_TEST(test_window_is_a_doorbell_and_nothing_else)
{
	static const char *const versions[] = {"accel.version=v2", "accel.version=v3"};

	scenario_passes(&(struct scenario){use_window_oddly, {versions[_i]}});
}
END_TEST

/* Garbage in the ring, and a tail that takes it for requests */
static void run_garbage(void *arg)
{
	struct raw_sqe answer, garbage = {.opcode = 0x5a, .length = UINT32_MAX};
	struct raw_queue q, other;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(raw_queue_new(&other, 0), 0);
	q.errors_expected = true;
	for (unsigned int i = 0; i < q.depth - 1; i++) {
		garbage.source = (uint64_t)i << 52;
		garbage.flags = (uint8_t)i;
		raw_push(&q, &garbage);
	}
	raw_ring(&q);
	expect_works(&other);
	for (unsigned int i = 0; i < q.depth - 1; i++) {
		expect(raw_pop(&q, &answer, 100000));
		expect_eq(answer.status, RAW_STATUS_BAD_OPCODE);
	}
	expect_works(&q);
	raw_close(&q);
	raw_close(&other);
}

START_TEST(test_ring_of_garbage_completes_with_errors)
{
	scenario_passes(
		&(struct scenario){run_garbage, {"machine.kernel_command_line=qm.qm_depth=256"}});
}
END_TEST

/* ---- errors that add up ---------------------------------------------------------------------- */

#define STRATEGY "/sys/class/uacce/svasim_qm-0/isolate_strategy"
#define ISOLATE	 "/sys/class/uacce/svasim_qm-0/isolate"

static void be_isolated(void *arg)
{
	struct raw_queue q, refused;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(sys_write_text(STRATEGY, "65536"), -EINVAL);
	expect_eq(sys_write_text(STRATEGY, "none"), -EINVAL);
	expect_eq(sys_write_text(STRATEGY, "3"), 1);
	expect_eq(sys_read_number(STRATEGY), 3);
	for (unsigned int i = 0; i < 3; i++) {
		expect_eq(sys_read_number(ISOLATE), 0);
		expect_ignored(&q, raw_doorbell_value(q.sqn, RAW_DOORBELL_EQ, 0), 1);
	}
	expect_eq(sys_read_number(ISOLATE), 1);
	expect_eq(sys_write_text(STRATEGY, "4"), -EPERM);
	expect_eq(raw_open(&refused, 0), -EIO);
	/* Who has a queue keeps it */
	expect_works(&q);
	raw_close(&q);
	expect_eq(raw_open(&refused, 0), -EIO);
}

START_TEST(test_device_with_too_many_errors_is_isolated)
{
	scenario_passes(&(struct scenario){be_isolated, {NULL}});
}
END_TEST

#define BURST 2000u

static void ring_in_a_burst(void *arg)
{
	struct raw_queue q, other;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(raw_queue_new(&other, 0), 0);
	for (unsigned int i = 0; i < BURST; i++)
		raw_doorbell(&q, raw_doorbell_value(q.sqn, RAW_DOORBELL_EQ, i));
	expect_works(&other);
	expect_works(&q);
	raw_close(&q);
	raw_close(&other);
}

START_TEST(test_flood_of_errors_is_dropped_and_counted)
{
	struct platform *p = scenario_passes(&(struct scenario){ring_in_a_burst, {NULL}});

	ck_assert_double_eq(metric(p, "accel.qm.bad_doorbells"), BURST);
	ck_assert_double_eq(metric(p, "accel.aeq.written") + metric(p, "accel.aeq.dropped"), BURST);
	ck_assert_double_ge(metric(p, "accel.aeq.interrupts"), 1);
}
END_TEST

/* ---- system calls ---------------------------------------------------------------------------- */

static void call_badly(void *arg)
{
	const uint64_t page = raw_pages(1), read_only = (uint64_t)sys_map(0, PAGE, SYS_PROT_READ);
	const uint32_t bad_type = 3u << 16;
	struct raw_queue q, none;

	(void)arg;
	expect_eq(raw_open(&none, 1), -ENOENT);
	expect_eq(raw_open(&none, 77), -ENOENT);
	expect(raw_open(&q, 0) >= 0);
	expect_eq(sys_ioctl(q.fd + 1, RAW_START_Q, 0), -EBADF);
	expect_eq(sys_ioctl(-1, RAW_START_Q, 0), -EBADF);
	expect_eq(sys_ioctl(q.fd, RAW_IOC(0, 'W', 2, 0), 0), -EINVAL);
	expect_eq(sys_ioctl(q.fd, RAW_IOC(3, 'H', 12, 4), page), -EINVAL);
	expect_eq(sys_ioctl(q.fd, 0, 0), -EINVAL);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_CTX, 0), -EFAULT);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_CTX, UINT64_MAX - 1), -EFAULT);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_CTX, read_only), -EFAULT);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_INFO, 8), -EFAULT);
	prog_write(page, &bad_type, sizeof(bad_type));
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_CTX, page), -EINVAL);

	/*
	 * Stopping what is not started is nothing; starting twice is an error; stopped, it can be
	 * started again
	 */
	expect_eq(sys_ioctl(q.fd, RAW_PUT_Q, 0), 0);
	expect_eq(raw_map(&q), 0);
	expect_eq(raw_start(&q), 0);
	expect_eq(sys_ioctl(q.fd, RAW_START_Q, 0), -EINVAL);
	expect_works(&q);
	expect_eq(raw_put(&q), 0);
	expect_eq(raw_put(&q), 0);
	expect_eq(raw_start(&q), 0);
	expect_works(&q);
	raw_close(&q);
	expect_eq(sys_close(q.fd), -EBADF);
	expect_eq(sys_ioctl(q.fd, RAW_START_Q, 0), -EBADF);
	expect_eq(prog_syscall(400, 0, 0, 0, 0, 0, 0), -ENOSYS);
}

START_TEST(test_bad_calls_get_their_errno)
{
	scenario_passes(&(struct scenario){call_badly, {NULL}});
}
END_TEST

static void map_badly(void *arg)
{
	struct raw_queue q;
	int64_t again;

	(void)arg;
	expect(raw_open(&q, 0) >= 0);
	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, q.fd, 2 * PAGE), -EINVAL);
	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, q.fd, 1ull << 40), -EINVAL);
	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, q.fd, 100), -EINVAL);
	expect_eq(sys_map_file(0, SYS_PROT_RW, q.fd, 0), -EINVAL);
	expect_eq(sys_map_file(0x10000 + PAGE, SYS_PROT_RW, q.fd, 0), -EINVAL);
	expect_eq(sys_map_file(MEBIBYTE, SYS_PROT_RW, q.fd, PAGE), -EINVAL);
	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, q.fd + 1, 0), -EBADF);

	expect_eq(raw_map(&q), 0);
	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, q.fd, 0), -EEXIST);
	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, q.fd, PAGE), -EEXIST);
	/* Neither moved nor grown */
	expect_eq(sys_remap(q.mmio, q.mmio_bytes, q.mmio_bytes, 0x20000000), -EPERM);
	expect_eq(sys_remap(q.dus, q.dus_bytes, q.dus_bytes, 0x20000000), -EPERM);
	expect_eq(sys_remap(q.dus, q.dus_bytes, q.dus_bytes + PAGE, 0), -EFAULT);
	expect_eq(sys_discard(q.dus, PAGE), -EINVAL);

	/* Once unmapped, a region can be mapped again, and smaller */
	expect_eq(sys_unmap(q.mmio, q.mmio_bytes), 0);
	again = sys_map_file(2 * PAGE, SYS_PROT_RW, q.fd, 0);
	expect(again > 0);
	q.mmio = (uint64_t)again;
	q.mmio_bytes = 2 * PAGE;
	expect_eq(raw_start(&q), 0);
	expect_works(&q);
	raw_close(&q);
}

START_TEST(test_bad_mappings_get_their_errno)
{
	scenario_passes(&(struct scenario){map_badly, {NULL}});
}
END_TEST

/*
 * uacce knows a region by the offset of its VMA: the upper half of a window that was cut in two
 * passes for the other region. The kernel's own flaw; it must stay without consequence for anybody
 * else.
 */
static void cut_regions(void *arg)
{
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(sys_unmap(q.mmio, PAGE), 0);
	expect_works(&q);
	expect_eq(sys_unmap(q.dus + q.dus_bytes - PAGE, PAGE), 0);
	raw_close(&q);
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_works(&q);
	raw_close(&q);
}

START_TEST(test_cut_regions_harm_nobody)
{
	scenario_passes(&(struct scenario){cut_regions, {NULL}});
}
END_TEST

/* ---- fork ------------------------------------------------------------------------------------ */

static uint64_t forked_va;

static void child_reads(void *arg)
{
	(void)arg;
	prog_load(forked_va, 4);
}

static void child_writes(void *arg)
{
	(void)arg;
	prog_store(forked_va, 0, 8);
}

static void child_holds_the_file(void *arg)
{
	/* The queue is its parent's: the child can neither map it, ... */
	const int64_t fd = (int64_t)(uintptr_t)arg;

	expect_eq(sys_map_file(PAGE, SYS_PROT_RW, fd, 0), -EEXIST);
	expect_eq(sys_close(fd), 0);
}

static void fork_with_queue(void *arg)
{
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	/* Regions are not inherited */
	forked_va = q.mmio + RAW_DOORBELL;
	expect_end(prog_fork(child_writes, NULL), SIGSEGV);
	expect_end(prog_fork(child_reads, NULL), SIGSEGV);
	forked_va = q.dus;
	expect_end(prog_fork(child_reads, NULL), SIGSEGV);
	expect_end(prog_fork(child_writes, NULL), SIGSEGV);
	/* ... nor close it for the parent */
	expect_end(prog_fork(child_holds_the_file, (void *)(uintptr_t)q.fd), 0);
	expect_works(&q);
	raw_close(&q);
}

START_TEST(test_child_has_no_access_to_its_parents_queue)
{
	struct platform *p = scenario_passes(&(struct scenario){fork_with_queue, {NULL}});

	ck_assert_double_eq(metric(p, "kernel.segfaults"), 4);
}
END_TEST

static void child_maps_read_only(void *arg)
{
	const uint64_t offset = (uint64_t)(uintptr_t)arg;
	struct raw_queue q;
	int64_t va;

	expect(raw_open(&q, 0) >= 0);
	va = sys_map_file(PAGE, SYS_PROT_READ, q.fd, offset);
	expect(va > 0);
	expect_eq(prog_load((uint64_t)va, 4), 0);
	prog_store((uint64_t)va, 0, 8);
}

static void store_to_read_only(void *arg)
{
	(void)arg;
	expect_end(prog_fork(child_maps_read_only, (void *)0), SIGSEGV);
	expect_end(prog_fork(child_maps_read_only, (void *)PAGE), SIGSEGV);
}

START_TEST(test_region_mapped_for_reading_cannot_be_written)
{
	scenario_passes(&(struct scenario){store_to_read_only, {NULL}});
}
END_TEST

static void read_attributes(void *arg)
{
	char text[64];

	(void)arg;
	expect_eq(sys_read_text("/sys/class/uacce/svasim_qm-0/api", text, sizeof(text)), 11);
	expect(!strcmp(text, "hisi_qm_v3\n"));
	expect_eq(sys_read_text("/sys/class/uacce/svasim_qm-0/algorithms", text, sizeof(text)), 12);
	expect(!strcmp(text, "copy\ncrc32c\n"));
	expect_eq(raw_attribute(0, "flags"), 1);
	expect_eq(raw_attribute(0, "available_instances"), 1024);
	expect_eq(raw_attribute(0, "region_mmio_size"), 0x10000);
	/* 1024 SQEs, 1024 CQEs, two status words */
	expect_eq(raw_attribute(0, "region_dus_size"), 0x15000);
	expect_eq(raw_attribute(0, "isolate"), 0);
	expect_eq(sys_write_text("/sys/class/uacce/svasim_qm-0/flags", "0"), -EACCES);
	expect_eq(sys_read_text("/sys/class/uacce/svasim_qm-0/nothing", text, sizeof(text)),
		  -ENOENT);
}

START_TEST(test_attributes_tell_what_a_user_needs)
{
	scenario_passes(&(struct scenario){read_attributes, {NULL}});
}
END_TEST

SCENARIO_SUITE("bad_input", {test_bad_request_gets_its_status, 1},
	       {test_request_without_its_engine_is_refused, 1},
	       {test_bad_doorbell_is_ignored_counted_and_reported, 2},
	       {test_window_is_a_doorbell_and_nothing_else, 2},
	       {test_ring_of_garbage_completes_with_errors, 1}, {test_bad_calls_get_their_errno, 1},
	       {test_bad_mappings_get_their_errno, 1}, {test_cut_regions_harm_nobody, 1},
	       {test_child_has_no_access_to_its_parents_queue, 1},
	       {test_device_with_too_many_errors_is_isolated, 1},
	       {test_flood_of_errors_is_dropped_and_counted, 1},
	       {test_region_mapped_for_reading_cannot_be_written, 1},
	       {test_attributes_tell_what_a_user_needs, 1})

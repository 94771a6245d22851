/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The accelerator goes away while processes have queues on it, by the driver core's own unbind
 * attribute, and may come back.
 */
#include <errno.h>
#include <signal.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

enum { BOOT_SMMU, BOOT_ACCELERATOR }; /* in the order of boot_params */

#define DRIVER "/sys/bus/platform/drivers/svasim_qm/"
#define FIRST  "40000000.accel0"
#define SECOND "48000000.accel1"

static struct {
	unsigned int sqn, opened, refused;
	bool ready, go, stop;
	int64_t revents;
} notes;

static void await(const bool *flag)
{
	while (!*flag)
		sys_sleep_us(1);
}

static void unbind(const char *device)
{
	expect(sys_write_text(DRIVER "unbind", device) > 0);
}

static void bind(const char *device)
{
	expect(sys_write_text(DRIVER "bind", device) > 0);
}

static void expect_end(int64_t pid, int expected)
{
	int status = -1;

	expect_eq(sys_wait(pid, &status), pid);
	expect_eq(status, expected);
}

static void use(unsigned int device)
{
	uint64_t source = raw_pages(1), sink = raw_pages(1);
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, device), 0);
	pattern_write(source, PAGE, 1);
	expect_eq(raw_copy(&q, source, sink, PAGE), RAW_STATUS_OK);
	expect(pattern_is(sink, PAGE, 1));
	raw_close(&q);
}

/* ---- what is left of an open queue ----------------------------------------------------------- */

static void hold_through_removal(void *arg)
{
	struct raw_queue q, new_queue;
	unsigned int revents;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	unbind(FIRST);
	expect_eq(sys_ioctl(q.fd, RAW_START_Q, 0), -ENXIO);
	expect_eq(sys_ioctl(q.fd, RAW_PUT_Q, 0), -ENXIO);
	expect_eq(sys_ioctl(q.fd, RAW_SET_QP_CTX, 0), -ENXIO);
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 1000, &revents), 0);
	expect_eq(sys_unmap(q.dus, q.dus_bytes), 0);
	expect_eq(sys_map_file(q.dus_bytes, SYS_PROT_RW, q.fd, PAGE), -ENXIO);
	q.dus = 0;

	expect_eq(raw_open(&new_queue, 0), -ENOENT);
	expect_eq(raw_attribute(0, "flags"), -1);
	expect_eq(sys_write_text(DRIVER "unbind", FIRST), -ENODEV);

	/* The old queue stays what it is when the device is back */
	bind(FIRST);
	expect_eq(sys_write_text(DRIVER "bind", FIRST), -EBUSY);
	expect_eq(sys_ioctl(q.fd, RAW_START_Q, 0), -ENXIO);
	use(0);
	raw_close(&q);
	use(0);
	expect_eq(raw_attribute(0, "available_instances"), 1024);
}

START_TEST(test_open_queue_is_dead_after_removal)
{
	static const char *const versions[] = {"accel.version=v2", "accel.version=v3"};
	struct platform *p =
		scenario_passes(&(struct scenario){hold_through_removal, {versions[_i]}});

	ck_assert_double_eq(metric(p, "requests.completed"), 2);
	/* At each probe and at each removal */
	ck_assert_double_eq(metric(p, "accel.qm.resets"), 4);
}
END_TEST

enum touch { TOUCH_DOORBELL, TOUCH_WINDOW, TOUCH_RING, TOUCH_COUNT };

static void child_touches(void *arg)
{
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, 0), 0);
	notes.sqn = q.sqn;
	notes.ready = true;
	await(&notes.go);
	switch ((enum touch)(uintptr_t)arg) {
	case TOUCH_DOORBELL:
		raw_ring(&q);
		break;
	case TOUCH_WINDOW:
		prog_load(q.mmio, 4);
		break;
	default:
		prog_load(q.dus, 4);
	}
	expect(!"a mapping outlives its device");
}

static void touch_after_removal(void *arg)
{
	(void)arg;
	for (enum touch i = 0; i < TOUCH_COUNT; i++) {
		int64_t child;

		notes.ready = false;
		notes.go = false;
		child = prog_fork(child_touches, (void *)(uintptr_t)i);
		await(&notes.ready);
		unbind(FIRST);
		notes.go = true;
		expect_end(child, SIGBUS);
		prog_mark_queue_close(0, notes.sqn);
		bind(FIRST);
	}
	use(0);
}

START_TEST(test_mapping_is_gone_after_removal)
{
	struct platform *p = scenario_passes(&(struct scenario){touch_after_removal, {NULL}});

	ck_assert_double_eq(metric(p, "kernel.segfaults"), TOUCH_COUNT);
}
END_TEST

/* ---- requests in flight ---------------------------------------------------------------------- */

#define FLIGHT_PAGES 16u

static void submit_flight(struct raw_queue *q)
{
	uint64_t area = raw_pages(2 * FLIGHT_PAGES);

	expect_eq(raw_queue_new(q, 0), 0);
	notes.sqn = q->sqn;
	for (unsigned int i = 0; i < FLIGHT_PAGES; i++)
		raw_push_copy(q, area + i * PAGE, area + (FLIGHT_PAGES + i) * PAGE, PAGE);
	raw_ring(q);
	prog_barrier(PROG_DSB);
	while (metric_now("smmu.stalls.taken") == metric_now("faults.handled"))
		prog_work_ns(100);
	notes.ready = true;
}

static void child_polls_memory(void *arg)
{
	struct raw_sqe answer;
	struct raw_queue q;

	(void)arg;
	submit_flight(&q);
	for (;;)
		raw_pop(&q, &answer, 100);
}

static void child_polls_file(void *arg)
{
	struct raw_queue q;
	unsigned int revents;

	(void)arg;
	submit_flight(&q);
	notes.revents = sys_poll(q.fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents);
	expect_eq(revents, SYS_POLLIN);
	prog_exit(5);
}

static void remove_under_way(void (*child)(void *arg), int expected)
{
	int64_t pid = prog_fork(child, NULL);

	await(&notes.ready);
	unbind(FIRST);
	expect_end(pid, expected);
	prog_mark_queue_close(0, notes.sqn);
	bind(FIRST);
	use(0);
}

static void remove_under_memory_poll(void *arg)
{
	(void)arg;
	remove_under_way(child_polls_memory, SIGBUS);
}

static void remove_under_file_poll(void *arg)
{
	(void)arg;
	remove_under_way(child_polls_file, 5 << 8);
}

static const char *const fault_times[] = {"kernel.fault.extra_ns=0", "kernel.fault.extra_ns=3000",
					  "kernel.fault.extra_ns=500000"};

START_TEST(test_removal_with_requests_in_flight)
{
	struct platform *p = scenario_passes(&(struct scenario){
		_i % 2 ? remove_under_file_poll : remove_under_memory_poll, {fault_times[_i / 2]}});

	ck_assert_double_eq(metric(p, "faults.handled") + metric(p, "faults.aborted"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.stalls.resumes_ignored"), 0);
}
END_TEST

/* ---- open() at the same time ----------------------------------------------------------------- */

static void child_opens(void *arg)
{
	struct raw_queue q;

	(void)arg;
	while (!notes.stop) {
		const int64_t fd = raw_open(&q, 0);

		if (fd >= 0) {
			notes.opened++;
			sys_close(fd);
			continue;
		}
		expect(fd == -ENOENT || fd == -ENODEV || fd == -EINVAL || fd == -ENXIO);
		notes.refused++;
	}
}

static void open_beside_removal(void *arg)
{
	int64_t children[2];

	(void)arg;
	for (unsigned int i = 0; i < 2; i++)
		children[i] = prog_fork(child_opens, NULL);
	for (unsigned int round = 0; round < 10; round++) {
		sys_sleep_us(20 + 7 * round);
		unbind(FIRST);
		sys_sleep_us(10 + 3 * round);
		bind(FIRST);
	}
	notes.stop = true;
	for (unsigned int i = 0; i < 2; i++)
		expect_end(children[i], 0);
	expect(notes.opened > 10);
	expect(notes.refused > 10);
	use(0);
}

START_TEST(test_open_races_with_removal)
{
	scenario_passes(&(struct scenario){open_beside_removal, {NULL}});
}
END_TEST

/* ---- others ---------------------------------------------------------------------------------- */

static void child_uses_second(void *arg)
{
	uint64_t source = raw_pages(1), sink = raw_pages(1);
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 1), 0);
	notes.ready = true;
	for (unsigned int round = 0; !notes.stop; round++) {
		pattern_write(source, PAGE, round);
		expect_eq(raw_copy(&q, source, sink, PAGE), RAW_STATUS_OK);
		expect(pattern_is(sink, PAGE, round));
	}
	raw_close(&q);
}

static void remove_one_of_two(void *arg)
{
	int64_t child = prog_fork(child_uses_second, NULL);
	struct raw_queue first, second;

	(void)arg;
	await(&notes.ready);
	/* One process, both devices: one PASID */
	expect_eq(raw_queue_new(&first, 0), 0);
	expect_eq(raw_queue_new(&second, 1), 0);
	unbind(FIRST);
	expect_eq(sys_ioctl(first.fd, RAW_PUT_Q, 0), -ENXIO);
	use(1);
	raw_close(&first);
	raw_close(&second);
	bind(FIRST);
	use(0);
	notes.stop = true;
	expect_end(child, 0);
	unbind(SECOND);
	unbind(FIRST);
	/* Numbers are given again in the order of arrival */
	bind(SECOND);
	expect_eq(raw_attribute(0, "available_instances"), 1024);
	expect_eq(raw_attribute(1, "available_instances"), -1);
	bind(FIRST);
	expect_eq(raw_attribute(1, "available_instances"), 1024);
}

START_TEST(test_other_device_works_on)
{
	scenario_passes(&(struct scenario){remove_one_of_two, {"machine.accelerators=2"}});
}
END_TEST

static void look_for_smmu(void *arg)
{
	(void)arg;
	/* Its driver cannot be unbound by hand: it goes when the machine is shut down */
	expect_eq(
		sys_write_text("/sys/bus/platform/drivers/arm-smmu-v3/unbind", "20000000.smmu3.0"),
		-ENOENT);
	use(0);
}

START_TEST(test_smmu_goes_last)
{
	struct platform *p = scenario_passes(&(struct scenario){look_for_smmu, {NULL}});

	/* At the end everything that was set up for the device is invalidated and gone */
	ck_assert_double_ge(metric(p, "smmu.commands.cfgi_cd"), 4);
	ck_assert_double_ge(metric(p, "smmu.commands.cfgi_ste"), 4);
	ck_assert_double_ge(metric(p, "smmu.commands.tlbi_nh_asid"), 1);
}
END_TEST

/*
 * Both go while a process has a busy queue: the accelerator, and then the SMMU that it was behind. (The other order the kernel
 * rules out: the SMMU's driver cannot be unbound, nor unloaded while it has users.)
 */
static void remove_smmu_under_way(void *arg)
{
	int64_t pid = prog_fork(child_polls_memory, NULL);
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	await(&notes.ready);
	machine_remove_device(BOOT_ACCELERATOR);
	machine_remove_device(BOOT_SMMU);
	expect_end(pid, SIGBUS);
	prog_mark_queue_close(0, notes.sqn);
	expect_eq(sys_ioctl(q.fd, RAW_PUT_Q, 0), -ENXIO);
	expect_eq(raw_open(&q, 0), -ENOENT);
	expect_eq(raw_attribute(0, "flags"), -1);
	raw_close(&q);
}

START_TEST(test_smmu_removal_with_queues_open)
{
	struct platform *p =
		scenario_passes(&(struct scenario){remove_smmu_under_way, {fault_times[_i]}});

	ck_assert_double_eq(metric(p, "faults.handled") + metric(p, "faults.aborted"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.stalls.resumes_ignored"), 0);
}
END_TEST

SCENARIO_SUITE("removal", {test_open_queue_is_dead_after_removal, 2},
	       {test_mapping_is_gone_after_removal, 1},
	       {test_removal_with_requests_in_flight, 2 * 3}, {test_open_races_with_removal, 1},
	       {test_other_device_works_on, 1}, {test_smmu_goes_last, 1},
	       {test_smmu_removal_with_queues_open, 3})

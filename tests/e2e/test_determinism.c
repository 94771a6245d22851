/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same machine and program give the same results, byte by byte, whatever the host does: each
 * run is a process of its own, this program executed anew, so that address-space randomisation has
 * its chance.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/trace/trace.h"
#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

/* ---- a program in which much happens at once ------------------------------------------------- */

static struct {
	unsigned int sqn;
	bool ready;
} notes;

#define DRIVER	    "/sys/bus/platform/drivers/svasim_qm/"
#define PAGES	    12u
#define SLEEP_EVERY 3u

static void copy_and_sleep(void *arg)
{
	const unsigned int me = (unsigned int)(uintptr_t)arg;
	uint64_t area = raw_pages(2 * PAGES);
	struct raw_sqe answer;
	struct raw_queue q;
	unsigned int revents;

	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		pattern_write(area + i * PAGE, PAGE, me + i);
		raw_push_copy(&q, area + i * PAGE, area + (PAGES + i) * PAGE, PAGE);
		raw_ring(&q);
		if (i % SLEEP_EVERY == me % SLEEP_EVERY) {
			raw_arm(&q);
			sys_poll(q.fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents);
		}
		expect(raw_pop(&q, &answer, 100000));
		if (i == PAGES / 2)
			sys_discard(area, 2 * PAGES * PAGE);
	}
	raw_close(&q);
}

static void be_killed(void *arg)
{
	uint64_t area = raw_pages(2 * PAGES);
	struct raw_sqe answer;
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	notes.sqn = q.sqn;
	for (unsigned int i = 0; i < PAGES; i++)
		raw_push_copy(&q, area + i * PAGE, area + (PAGES + i) * PAGE, PAGE);
	raw_ring(&q);
	notes.ready = true;
	raw_pop(&q, &answer, 1);
	for (;;)
		raw_pop(&q, &answer, 100000);
}

static void much_at_once(void *arg)
{
	int64_t copiers[3], victim;
	int status;

	(void)arg;
	for (unsigned int i = 0; i < 3; i++)
		copiers[i] = prog_fork(copy_and_sleep, (void *)(uintptr_t)(10 * (i + 1)));
	victim = prog_fork(be_killed, NULL);
	while (!notes.ready)
		sys_sleep_us(1);
	sys_kill(victim, SIGKILL);
	sys_wait(victim, &status);
	prog_mark_queue_close(0, notes.sqn);
	for (unsigned int i = 0; i < 3; i++)
		sys_wait(copiers[i], &status);
	expect(sys_write_text(DRIVER "unbind", "40000000.accel0") > 0);
	expect(sys_write_text(DRIVER "bind", "40000000.accel0") > 0);
	copy_and_sleep((void *)1);
}

static const char *const machines[][2] = {{NULL}, {"machine.cpus=2", "accel.version=v2"}};

#define MACHINES (sizeof(machines) / sizeof(machines[0]))

/* In the process of a run: MACHINE METRICS [TRACE] */
static int run_once(int argc, char **argv)
{
	const char *const *settings = machines[atoi(argv[2])];
	const struct trace_options trace = {.path = argc > 4 ? argv[4] : NULL,
					    .to = SIM_TIME_NEVER};
	struct platform_result result;
	struct platform *p;

	if (trace_open(&trace))
		return EXIT_FAILURE;
	p = scenario_execute(&(struct scenario){much_at_once, {settings[0], settings[1]}}, &result);
	if (result.status)
		fprintf(stderr, "%s\n", result.reason);
	if (trace_close() || result.status)
		return EXIT_FAILURE;
	return stats_write_json(platform_stats(p), argv[3]) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- runs and their comparison --------------------------------------------------------------- */

enum host { HOST_PLAIN, HOST_AGAIN, HOST_ELSEWHERE, HOST_NO_RANDOM, HOST_DIRTY, HOST_COUNT };

static char folder[] = "/tmp/svasim-e2e-XXXXXX";

static void file_name(char *path, size_t size, enum host host, bool traced, const char *kind)
{
	snprintf(path, size, "%s/%d%s.%s", folder, (int)host, traced ? "t" : "", kind);
}

static void become(enum host host)
{
	char *large = malloc(50001);

	memset(large, 'x', 50000);
	large[50000] = '\0';
	if (host == HOST_ELSEWHERE && (chdir("/") || setenv("SVASIM_UNUSED", large, 1)))
		_exit(EXIT_FAILURE);
	if (host == HOST_NO_RANDOM)
		personality(
			ADDR_NO_RANDOMIZE); /* where it is forbidden this is one more plain run */
	/* Memory that nobody has initialised differs from run to run */
	if (host == HOST_DIRTY)
		setenv("MALLOC_PERTURB_", "165", 1);
}

static void run(int machine, enum host host, bool traced)
{
	char number[8], metrics[64], trace[64];
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", machine);
	file_name(metrics, sizeof(metrics), host, traced, "json");
	file_name(trace, sizeof(trace), host, traced, "pftrace");
	pid = fork();
	if (!pid) {
		become(host);
		execl("/proc/self/exe", "test_e2e_determinism", "--run", number, metrics,
		      traced ? trace : NULL, NULL);
		_exit(EXIT_FAILURE);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static long same_files(const char *a, const char *b)
{
	FILE *one = fopen(a, "rb"), *other = fopen(b, "rb");
	long bytes = 0;
	int c, d;

	ck_assert_ptr_nonnull(one);
	ck_assert_ptr_nonnull(other);
	do {
		c = getc(one);
		d = getc(other);
		if (c != d)
			ck_abort_msg("%s and %s differ at byte %ld", a, b, bytes);
		bytes++;
	} while (c != EOF);
	fclose(one);
	fclose(other);
	return bytes - 1;
}

static void same(enum host host, bool traced, const char *kind)
{
	char plain[64], path[64];

	file_name(plain, sizeof(plain), HOST_PLAIN, traced, kind);
	file_name(path, sizeof(path), host, traced, kind);
	ck_assert_int_gt(same_files(plain, path), 1000);
}

static void forget(void)
{
	char path[64];

	for (int i = 0; i < 4 * HOST_COUNT; i++) {
		file_name(path, sizeof(path), i / 4, i & 1, i & 2 ? "json" : "pftrace");
		unlink(path);
	}
	rmdir(folder);
}

START_TEST(test_host_does_not_change_the_metrics)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (enum host host = HOST_PLAIN; host < HOST_COUNT; host++) {
		run(_i, host, false);
		same(host, false, "json");
	}
	forget();
}
END_TEST

START_TEST(test_host_does_not_change_the_trace)
{
	char plain[64], traced[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	run(_i, HOST_PLAIN, false);
	for (enum host host = HOST_PLAIN; host < HOST_COUNT; host++) {
		run(_i, host, true);
		same(host, true, "json");
		same(host, true, "pftrace");
	}
	/* Nor does tracing change what happens */
	file_name(plain, sizeof(plain), HOST_PLAIN, false, "json");
	file_name(traced, sizeof(traced), HOST_PLAIN, true, "json");
	same_files(plain, traced);
	forget();
}
END_TEST

/* ---- the program itself ---------------------------------------------------------------------- */

static const char *const copies[][4] = {
	{"workload.requests=600", "workload.source_fresh_percent=30",
	 "workload.destination_fresh_percent=50", "workload.inflight=64"},
	{"workload.requests=400", "workload.processes=2", "workload.threads=2",
	 "workload.poll=irq"},
};

#define COPIES (sizeof(copies) / sizeof(copies[0]))

static void run_copy(const char *const *settings, enum host host)
{
	char output[64];
	int status;
	pid_t pid;

	snprintf(output, sizeof(output), "%s/%d", folder, (int)host);
	pid = fork();
	if (!pid) {
		become(host);
		if (!freopen("/dev/null", "w", stdout))
			_exit(EXIT_FAILURE);
		execl(SVASIM_PROGRAM, "svasim", "run", "-w", "copy", "-s", settings[0], "-s",
		      settings[1], "-s", settings[2], "-s", settings[3], "-o", output, "--trace",
		      NULL);
		_exit(EXIT_FAILURE);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static const char *const outputs[] = {"metrics.json", "trace.pftrace", "host.json"};

START_TEST(test_host_does_not_change_what_the_program_writes)
{
	char plain[96], path[96];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (enum host host = HOST_PLAIN; host < HOST_COUNT; host++) {
		run_copy(copies[_i], host);
		for (unsigned int i = 0; i < 2; i++) {
			snprintf(plain, sizeof(plain), "%s/%d/%s", folder, HOST_PLAIN, outputs[i]);
			snprintf(path, sizeof(path), "%s/%d/%s", folder, (int)host, outputs[i]);
			ck_assert_int_gt(same_files(plain, path), 1000);
		}
	}
	for (enum host host = HOST_PLAIN; host < HOST_COUNT; host++) {
		for (unsigned int i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%d/%s", folder, (int)host, outputs[i]);
			unlink(path);
		}
		snprintf(path, sizeof(path), "%s/%d", folder, (int)host);
		rmdir(path);
	}
	rmdir(folder);
}
END_TEST

int main(int argc, char **argv)
{
	const struct scenario_test tests[] = {
		{test_host_does_not_change_the_metrics, MACHINES},
		{test_host_does_not_change_the_trace, MACHINES},
		{test_host_does_not_change_what_the_program_writes, COPIES},
	};

	if (argc > 3 && !strcmp(argv[1], "--run"))
		return run_once(argc, argv);
	return scenario_suite("determinism", tests, sizeof(tests) / sizeof(tests[0]));
}

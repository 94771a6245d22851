/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs points, a few at a time, each as `svasim run` in a process of its own: a process can hold one
 * simulation, and whatever happens to it stays its own.
 *
 * The sweep itself only waits for signals. A process that is left alone, because the sweep was
 * killed, ends with it (PR_SET_PDEATHSIG): it must not write into a folder that a resumed sweep uses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"

#define PROGRAM	      "/proc/self/exe"
#define REDRAW_S      1.0
#define GRACE_S	      5.0 /* from SIGTERM, which a run answers by writing what it has, to SIGKILL */
#define STDERR_BYTES  65536
#define EXIT_NO_START 127

struct job {
	pid_t pid; /* 0: none */
	unsigned int id;
	struct pool memory;
	const char *text, *folder;
	int errors;		/* what it writes to stderr */
	double began, deadline; /* deadline: to be told to end, then to be made to; 0: none */
	bool timed_out;
};

struct pool_of_jobs {
	struct sweep_jobs *what;
	struct job *jobs;
	unsigned int running, next; /* next: point to look at */
	unsigned int count;	    /* of all points */
	struct sweep_progress progress;
	sigset_t signals, signals_before;
	int status;	   /* nonzero: stop, with this */
	bool told, killed; /* processes to stop: SIGTERM, SIGKILL */
	double kill_at;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- starting ------------------------------------------------------------------------------ */

static char **make_arguments(struct pool *pool, const struct sweep_point *point, const char *folder)
{
	char **arguments = pool_alloc(pool, 2 * (size_t)point->pair_count + 9, sizeof(*arguments));
	size_t n = 0;

	arguments[n++] = pool_copy(pool, "svasim");
	arguments[n++] = pool_copy(pool, "run");
	if (point->platform_path) {
		arguments[n++] = pool_copy(pool, "-c");
		arguments[n++] = pool_copy(pool, point->platform_path);
	}
	arguments[n++] = pool_copy(pool, "-w");
	arguments[n++] = pool_copy(pool, point->config->workload->name);
	for (unsigned int i = 0; i < point->pair_count; i++) {
		if (!sweep_is_parameter(point->pairs[i].key))
			continue;
		arguments[n++] = pool_copy(pool, "-s");
		arguments[n++] =
			pool_print(pool, "%s=%s", point->pairs[i].key, point->pairs[i].value);
	}
	arguments[n++] = pool_copy(pool, "-o");
	arguments[n++] = pool_copy(pool, folder);
	return arguments;
}

/* A run takes a new or empty folder, or an earlier run's; what a killed one left is neither. */
static void clear_folder(const char *folder)
{
	static const char *const names[] = {"metrics.json", "histograms.json", "host.json",
					    "trace.pftrace"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%s.tmp", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* In the new process. */
static void become_run(const struct pool_of_jobs *pool, pid_t parent, int errors, char **arguments)
{
	const int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
		_exit(EXIT_NO_START);
	if (null > STDERR_FILENO)
		close(null);
	sigprocmask(SIG_SETMASK, &pool->signals_before, NULL);
	execv(PROGRAM, arguments);
	dprintf(STDERR_FILENO, "svasim: %s: %s\n", PROGRAM, strerror(errno));
	_exit(EXIT_NO_START);
}

static int prepare(struct pool_of_jobs *pool, struct job *job, unsigned int id, char ***arguments)
{
	struct sweep_point *point = sweep_point_new(pool->what->file, id);

	if (!point)
		return CLI_EXIT_USER_ERROR;
	*job = (struct job){.id = id};
	job->text = pool_copy(&job->memory, sweep_point_text(point, pool->what->file));
	job->folder = pool_print(&job->memory, "%s/points/%04u", pool->what->folder, id);
	*arguments = make_arguments(&job->memory, point, job->folder);
	sweep_point_free(point);
	clear_folder(job->folder);
	return 0;
}

static void forget(struct job *job)
{
	if (job->errors >= 0)
		close(job->errors);
	pool_free(&job->memory);
	job->pid = 0;
}

static int start(struct pool_of_jobs *pool, struct job *job, unsigned int id)
{
	const unsigned int timeout_s = pool->what->timeout_s;
	const pid_t parent = getpid();
	char **arguments;
	int error;

	if (prepare(pool, job, id, &arguments))
		return CLI_EXIT_USER_ERROR;
	job->errors = memfd_create("stderr", MFD_CLOEXEC);
	job->began = now();
	job->deadline = timeout_s ? job->began + timeout_s : 0;
	job->pid = job->errors < 0 ? -1 : fork();
	if (!job->pid)
		become_run(pool, parent, job->errors, arguments);
	if (job->pid > 0) {
		pool->running++;
		return 0;
	}
	error = errno;
	forget(job);
	return cli_user_error("point %u: its process: %s", id, strerror(error));
}

static void start_some(struct pool_of_jobs *pool)
{
	while (pool->running < pool->what->at_once && pool->next <= pool->count && !pool->status) {
		const unsigned int id = pool->next++;
		struct job *job = pool->jobs;

		if (pool->what->skip[id])
			continue;
		while (job->pid)
			job++;
		pool->status = start(pool, job, id);
	}
}

/* ---- ends ---------------------------------------------------------------------------------- */

/* The last of a run's own lines; without one, the last line. */
static void read_error(int errors, char *line, size_t size)
{
	static const char own[] = "svasim: ";
	static char text[STDERR_BYTES + 1];
	const off_t length = lseek(errors, 0, SEEK_END);
	ssize_t got = pread(errors, text, STDERR_BYTES,
			    length > STDERR_BYTES ? length - STDERR_BYTES : 0);
	bool is_own = false;
	char *rest;

	text[got > 0 ? got : 0] = '\0';
	for (char *at = strtok_r(text, "\r\n", &rest); at; at = strtok_r(NULL, "\r\n", &rest)) {
		const bool now_own = !strncmp(at, own, sizeof(own) - 1);

		if (is_own && !now_own)
			continue;
		is_own = now_own;
		snprintf(line, size, "%s", at + (now_own ? sizeof(own) - 1 : 0));
	}
}

/* Once a run has begun, the only thing that it can blame on its user is that its results do not go to the disk. */
static bool could_not_write(const struct job *job, const struct sweep_result *result)
{
	return result->exit_status == CLI_EXIT_USER_ERROR && !access(job->folder, F_OK);
}

static void judge(const struct pool_of_jobs *pool, const struct job *job, int wait_status,
		  struct sweep_result *result)
{
	char *error = result->error;

	result->exit_status =
		WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	if (!result->exit_status)
		return;
	result->status = SWEEP_FAILED;
	snprintf(error, sizeof(result->error), "exit status %d", result->exit_status);
	if (WIFSIGNALED(wait_status))
		snprintf(error, sizeof(result->error), "killed by signal %d (%s)",
			 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		read_error(job->errors, error, sizeof(result->error));
	if (job->timed_out) {
		result->status = SWEEP_TIMEOUT;
		result->exit_status = -1;
		snprintf(error, sizeof(result->error), "no end within %u s", pool->what->timeout_s);
	} else if (could_not_write(job, result)) {
		result->status = SWEEP_PENDING;
	}
}

static int enter(struct pool_of_jobs *pool, const struct job *job, struct sweep_result *result)
{
	/* what was stopped with the sweep is still to be done */
	if (result->status != SWEEP_OK && (pool->told || pool->what->signal))
		return 0;
	if (result->status == SWEEP_PENDING)
		return cli_user_error("point %u: %s", job->id, result->error);
	if (sweep_result_enter(pool->what->db, result, job->folder))
		return CLI_EXIT_USER_ERROR;
	sweep_progress_point(&pool->progress, result, job->text);
	return 0;
}

static void finish(struct pool_of_jobs *pool, struct job *job, int wait_status,
		   const struct rusage *usage)
{
	struct sweep_result result = {
		.point = job->id,
		.status = SWEEP_OK,
		.wall_s = now() - job->began,
		.user_s = (double)usage->ru_utime.tv_sec + (double)usage->ru_utime.tv_usec / 1e6,
		.max_rss_kib = usage->ru_maxrss,
	};
	int status;

	judge(pool, job, wait_status, &result);
	status = enter(pool, job, &result);
	if (status)
		pool->status = status;
	forget(job);
	pool->running--;
}

static void reap(struct pool_of_jobs *pool)
{
	for (unsigned int i = 0; i < pool->what->at_once; i++) {
		struct job *job = &pool->jobs[i];
		struct rusage usage;
		int status;

		if (job->pid && wait4(job->pid, &status, WNOHANG, &usage) == job->pid)
			finish(pool, job, status, &usage);
	}
}

/* ---- stopping ------------------------------------------------------------------------------ */

static void signal_all(const struct pool_of_jobs *pool, int signal)
{
	for (unsigned int i = 0; i < pool->what->at_once; i++)
		if (pool->jobs[i].pid)
			kill(pool->jobs[i].pid, signal);
}

/* Asked once, then made to. */
static void stop(struct pool_of_jobs *pool)
{
	if (!pool->told) {
		pool->told = true;
		pool->kill_at = now() + GRACE_S;
		signal_all(pool, SIGTERM);
	} else if (!pool->killed && now() >= pool->kill_at) {
		pool->killed = true;
		signal_all(pool, SIGKILL);
	}
}

static void check_deadlines(struct pool_of_jobs *pool)
{
	for (unsigned int i = 0; i < pool->what->at_once; i++) {
		struct job *job = &pool->jobs[i];

		if (!job->pid || !job->deadline || now() < job->deadline)
			continue;
		kill(job->pid, job->timed_out ? SIGKILL : SIGTERM);
		job->deadline = job->timed_out ? 0 : now() + GRACE_S;
		job->timed_out = true;
	}
}

static double next_deadline(const struct pool_of_jobs *pool)
{
	double next = now() + REDRAW_S;

	for (unsigned int i = 0; i < pool->what->at_once; i++) {
		const struct job *job = &pool->jobs[i];

		if (job->pid && job->deadline && job->deadline < next)
			next = job->deadline;
	}
	return next;
}

/* A signal that ends the sweep; a second one does so at once. */
static void take_signal(struct pool_of_jobs *pool, int signal)
{
	if (signal == SIGCHLD)
		return;
	if (pool->what->signal)
		pool->kill_at = 0;
	else
		pool->what->signal = signal;
}

static void wait_for_something(struct pool_of_jobs *pool)
{
	double left = next_deadline(pool) - now();
	int signal;

	do {
		struct timespec time = {0};

		if (left > 0) {
			time.tv_sec = (time_t)left;
			time.tv_nsec = (long)((left - (double)time.tv_sec) * 1e9);
		}
		left = 0; /* the rest of what is there already */
		signal = sigtimedwait(&pool->signals, NULL, &time);
		if (signal > 0)
			take_signal(pool, signal);
	} while (signal > 0);
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void catch_signals(struct pool_of_jobs *pool)
{
	static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};

	sigemptyset(&pool->signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&pool->signals, numbers[i]);
	sigprocmask(SIG_BLOCK, &pool->signals, &pool->signals_before);
}

static void loop(struct pool_of_jobs *pool)
{
	for (;;) {
		if (!pool->what->signal)
			start_some(pool);
		if (pool->status || pool->what->signal)
			stop(pool);
		if (!pool->running)
			return;
		sweep_progress_draw(&pool->progress);
		wait_for_something(pool);
		reap(pool);
		check_deadlines(pool);
	}
}

int sweep_jobs_run(struct sweep_jobs *what)
{
	struct pool_of_jobs pool = {
		.what = what,
		.jobs = calloc(what->at_once, sizeof(*pool.jobs)),
		.next = 1,
		.count = sweep_point_count(what->file),
		.progress = {.terminal = isatty(STDERR_FILENO), .at_once = what->at_once},
	};

	if (!pool.jobs)
		return cli_user_error("out of memory");
	pool.progress.total = pool.count;
	for (unsigned int id = 1; id <= pool.count; id++)
		pool.progress.done += what->skip[id];
	catch_signals(&pool);
	loop(&pool);
	sigprocmask(SIG_SETMASK, &pool.signals_before, NULL);
	sweep_progress_end(&pool.progress);
	free(pool.jobs);
	return pool.status;
}

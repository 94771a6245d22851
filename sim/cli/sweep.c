/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim sweep: simulate one machine after another, over ranges of parameters.
 *
 * Every point is checked before the first one runs. Results go to DIR/sweep.sqlite as they come in;
 * a sweep that was stopped, or killed, goes on with --resume. docs/sweeps.md describes files and tables.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/files.h"
#include "sim/cli/options.h"
#include "sim/cli/sweep.h"

#define JOBS_MAX	  1024
#define TIMEOUT_MAX_S	  1000000
#define LONGEST_FILE_NAME 64 /* below the output folder */
#define LOCK_TRIES	  50 /* the processes of a killed sweep take a moment to end */
#define LOCK_RETRY_NS	  100000000
#define EXIT_SOME_FAILED  1

struct sweep_options {
	const char *file, *output;
	unsigned int jobs, timeout_s;
	bool resume, list;
};

enum sweep_option { OPTION_OUTPUT, OPTION_JOBS, OPTION_RESUME, OPTION_TIMEOUT, OPTION_LIST };

static const struct cli_option option_table[] = {
	[OPTION_OUTPUT] = {"output", 'o', "DIR", "output folder (default: out/sweep)"},
	[OPTION_JOBS] = {"jobs", 'j', "N", "points at a time (default: one per CPU of the host)"},
	[OPTION_RESUME] = {"resume", 0, NULL,
			   "go on with an earlier sweep: run what has no result"},
	[OPTION_TIMEOUT] = {"timeout", 0, "SECONDS", "the longest that one point may take"},
	[OPTION_LIST] = {"list", 0, NULL, "list the points, run nothing"},
};

static const struct cli_syntax syntax = {
	.command = "sweep",
	.operand = "SWEEP.yaml",
	.help = "Simulates each combination of the parameters that a sweep file names.",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

static int take_count(const char *option, const char *text, unsigned int max, unsigned int *count)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || !value || value > max)
		return cli_user_error("%s: %s: not a number in the range (allowed: 1..%u)", option,
				      text, max);
	*count = (unsigned int)value;
	return 0;
}

static int take_option(void *arg, size_t option, const char *value)
{
	struct sweep_options *options = arg;

	if (option == CLI_OPERAND) {
		if (options->file)
			return cli_user_error("sweep: %s: one file too many (allowed: one)", value);
		options->file = value;
		return 0;
	}
	switch ((enum sweep_option)option) {
	case OPTION_OUTPUT:
		options->output = value;
		return 0;
	case OPTION_JOBS:
		return take_count("-j", value, JOBS_MAX, &options->jobs);
	case OPTION_TIMEOUT:
		return take_count("--timeout", value, TIMEOUT_MAX_S, &options->timeout_s);
	case OPTION_RESUME:
		options->resume = true;
		return 0;
	case OPTION_LIST:
		options->list = true;
		return 0;
	}
	return 0;
}

/* ---- the list ------------------------------------------------------------------------------ */

static int list_points(const struct sweep_file *file)
{
	const unsigned int count = sweep_point_count(file);

	printf("%s: %u points\n", file->name, count);
	for (unsigned int id = 1; id <= count; id++) {
		struct sweep_point *point = sweep_point_new(file, id);

		if (!point)
			return CLI_EXIT_USER_ERROR;
		printf("%4u  %s\n", id, sweep_point_text(point, file));
		sweep_point_free(point);
	}
	return 0;
}

/* ---- the output folder ----------------------------------------------------------------------- */

struct output {
	const char *folder;
	char db[PATH_MAX], csv[PATH_MAX], points[PATH_MAX];
	int lock; /* held by the sweep and its processes; -1: not yet */
};

static bool is_own(const char *name)
{
	static const char *const names[] = {".",
					    "..",
					    "points",
					    "sweep.csv",
					    "sweep.csv.tmp",
					    "sweep.sqlite",
					    "sweep.sqlite-journal"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static int check_contents(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	bool other = false, earlier = false;

	if (!dir)
		return cli_user_error("-o: %s: %s (allowed: a folder that can be written)", folder,
				      strerror(errno));
	while ((entry = readdir(dir))) {
		other = other || !is_own(entry->d_name);
		earlier = earlier || !strcmp(entry->d_name, "sweep.sqlite");
	}
	closedir(dir);
	if (other && !earlier)
		return cli_user_error("-o: %s: holds other files (allowed: a new or empty folder, "
				      "or an earlier sweep's with --resume)",
				      folder);
	return 0;
}

/*
 * One sweep at a time. The processes of points inherit the lock, so that one of a killed sweep that is
 * about to end still holds it.
 */
static int lock_folder(struct output *output)
{
	const struct timespec retry = {.tv_nsec = LOCK_RETRY_NS};

	output->lock = open(output->folder, O_RDONLY | O_DIRECTORY);
	if (output->lock < 0)
		return cli_user_error("-o: %s: %s (allowed: a folder that can be written)",
				      output->folder, strerror(errno));
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(output->lock, LOCK_EX | LOCK_NB))
			return 0;
		nanosleep(&retry, NULL);
	}
	return cli_user_error("-o: %s: another sweep works in it (allowed: another folder)",
			      output->folder);
}

static int prepare_output(struct output *output, bool resume)
{
	const char *folder = output->folder;

	if (!*folder || snprintf(output->db, PATH_MAX, "%s/sweep.sqlite", folder) >=
				PATH_MAX - LONGEST_FILE_NAME)
		return cli_user_error("-o: %.60s: not a folder's name (allowed: a path)", folder);
	snprintf(output->csv, PATH_MAX, "%s/sweep.csv", folder);
	snprintf(output->points, PATH_MAX, "%s/points", folder);
	if (!resume && !access(output->db, F_OK))
		return cli_user_error("-o: %s: holds an earlier sweep (allowed: --resume, or "
				      "another folder)",
				      folder);
	if (!access(folder, F_OK) && check_contents(folder))
		return CLI_EXIT_USER_ERROR;
	if (cli_make_folder(output->points) || access(folder, W_OK | X_OK) ||
	    access(output->points, W_OK | X_OK))
		return cli_user_error("-o: %s: %s (allowed: a folder that can be written)", folder,
				      strerror(errno));
	return lock_folder(output);
}

static int open_db(const struct output *output, const struct sweep_options *options,
		   const struct sweep_file *file, struct sweep_db **db)
{
	*db = NULL;
	if (options->resume && !access(output->db, F_OK) && sweep_db_open(output->db, file, db))
		return CLI_EXIT_USER_ERROR;
	return *db ? 0 : sweep_db_create(output->db, file, db);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* What there is now; the exit status. */
static int conclude(struct sweep_db *db, const struct output *output, const struct sweep_file *file,
		    const struct sweep_jobs *jobs)
{
	unsigned int ok, failed, timed_out;

	if (sweep_db_count(db, SWEEP_OK, &ok) || sweep_db_count(db, SWEEP_FAILED, &failed) ||
	    sweep_db_count(db, SWEEP_TIMEOUT, &timed_out))
		return CLI_EXIT_USER_ERROR;
	if (jobs->signal) {
		cli_user_error("%s: interrupted by signal %d, %u of %u points have a result "
			       "(--resume goes on)",
			       output->folder, jobs->signal, ok, sweep_point_count(file));
		return 128 + jobs->signal;
	}
	if (sweep_csv_write(output->db, output->csv))
		return CLI_EXIT_USER_ERROR;
	printf("%s: %u points, %u ok, %u failed, %u timed out\n"
	       "  written       %s, sweep.csv\n",
	       file->name, sweep_point_count(file), ok, failed, timed_out, output->db);
	return failed || timed_out ? EXIT_SOME_FAILED : 0;
}

static int run_in(struct output *output, const struct sweep_options *options,
		  const struct sweep_file *file)
{
	const unsigned int count = sweep_point_count(file);
	bool *done = calloc(count + 1, sizeof(*done));
	struct sweep_jobs jobs = {.file = file,
				  .folder = output->folder,
				  .skip = done,
				  .at_once = options->jobs < count ? options->jobs : count,
				  .timeout_s = options->timeout_s};
	int status;

	if (!done)
		return cli_user_error("out of memory");
	status = open_db(output, options, file, &jobs.db);
	if (!status)
		status = sweep_db_done(jobs.db, done);
	if (!status)
		status = sweep_jobs_run(&jobs);
	if (!status)
		status = conclude(jobs.db, output, file, &jobs);
	sweep_db_close(jobs.db);
	free(done);
	return status;
}

static int run(const struct sweep_options *options, const struct sweep_file *file)
{
	struct output output = {.folder = options->output, .lock = -1};
	int status;

	/* Full files and closed pipes are errors of the write. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	status = prepare_output(&output, options->resume);
	if (!status)
		status = run_in(&output, options, file);
	if (output.lock >= 0)
		close(output.lock);
	return status;
}

static unsigned int host_cpus(void)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus > JOBS_MAX ? JOBS_MAX : (unsigned int)cpus;
}

int cmd_sweep(int argc, char **argv)
{
	struct sweep_options options = {.output = "out/sweep", .jobs = host_cpus()};
	struct sweep_file file;
	int status = cli_parse(&syntax, argc, argv, take_option, &options);

	if (status != CLI_GO_ON)
		return status;
	if (!options.file)
		return cli_user_error("sweep: no file (allowed: see 'svasim sweep --help')");
	status = sweep_file_read(&file, options.file);
	if (!status)
		status = sweep_plan_check(&file);
	if (!status)
		status = options.list ? list_points(&file) : run(&options, &file);
	sweep_file_free(&file);
	return status;
}

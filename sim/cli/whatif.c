/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim run --what-if: the changes of one parameter that are tried in thought (whatif_model.h says how), the best of
 * which are tried in earnest.
 */
#include "sim/cli/whatif.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/pool.h"
#include "sim/cli/whatif_model.h"

#define VERIFIED    3	 /* of the best */
#define WORTH_WHILE 1.01 /* less gain than that is not worth a run */
#define TEXT	    128

extern char **environ;

/* ---- the changes ------------------------------------------------------------------------------- */

struct change {
	const char *key;
	double factor;	   /* of the value; 0: becomes `value` */
	const char *value; /* of a choice */
	void (*effect)(const struct whatif_model *model, struct whatif_effect *effect);
	const char *with; /* another key that takes the inverse factor; NULL: none */
};

static void more_in_flight(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->in_flight = 2;
}

/* In all as many in flight, but received by twice as many threads */
static void more_threads(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_COMPLETION] = 0.5;
	effect->waits[WAIT_CPU] = 0.5;
	effect->resources[0].pattern = "clients";
	effect->resources[0].rate = 2;
}

static void polled(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_COMPLETION] = 0.05;
}

static void more_engines(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_ENGINE] = 0;
	effect->resources[0].pattern = "*.engine.*";
	effect->resources[0].rate = 2;
	effect->resources[1].pattern = "*.engine_slots.*";
	effect->resources[1].rate = 2;
}

/* A request's place in an engine is held while it waits for the engine's other request, too */
static void faster_engines(const struct whatif_model *model, struct whatif_effect *effect)
{
	effect->waits[WAIT_COMPUTE] = 0.5;
	effect->waits[WAIT_ENGINE] = 0;
	effect->resources[0].pattern = "*.engine.*";
	effect->resources[0].rate = 2;
	effect->resources[1].pattern = "*.engine_slots.*";
	effect->resources[1].rate = 1 + whatif_utilisation(model, "*.engine.*");
}

static void more_engine_requests(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_ENGINE] = 0;
	effect->resources[0].pattern = "*.engine_slots.*";
	effect->resources[0].rate = 2;
}

static void more_dma(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_DMA_SLOT] = 0;
	effect->resources[0].pattern = "*.dma";
	effect->resources[0].rate = 2;
}

/* Half as many transactions, each of which faults, walks and waits as one did */
static void longer_bursts(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_DMA_SLOT] = 0.5;
	effect->waits[WAIT_PAGE_FAULT] = 0.5;
	effect->waits[WAIT_TRANSLATION] = 0.5;
	effect->resources[0].pattern = "faults.driver";
	effect->resources[0].rate = 2;
	effect->resources[1].pattern = "*.dma";
	effect->resources[1].rate = 1;
	effect->resources[2].pattern = "smmu.*";
	effect->resources[2].rate = 1;
}

static void more_walkers(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_WALK_SLOT] = 0;
	effect->resources[0].pattern = "smmu.walkers";
	effect->resources[0].rate = 2;
}

static void more_stags(const struct whatif_model *model, struct whatif_effect *effect)
{
	effect->waits[WAIT_PAGE_FAULT] = 1 - model->unrecorded_share;
	effect->resources[0].pattern = "stags";
	effect->resources[0].rate = 2;
}

static void faster_kernel(const struct whatif_model *model, struct whatif_effect *effect)
{
	const double left = 1 - model->blocks_share / 2;

	effect->waits[WAIT_PAGE_FAULT] = left;
	effect->resources[0].pattern = "faults.driver";
	effect->resources[0].rate = 1 / left;
}

static void more_channels(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_BANDWIDTH] = 0;
	effect->resources[0].pattern = "memory.channels";
	effect->resources[0].rate = 2;
}

static void faster_memory(const struct whatif_model *model, struct whatif_effect *effect)
{
	effect->waits[WAIT_MEMORY] = 1 - model->dram_share / 2;
	/* tables are read from the last-level cache or from DRAM as other lines are */
	effect->waits[WAIT_WALK] = 1 - model->dram_share / 2;
}

static void faults_block_less(const struct whatif_model *model, struct whatif_effect *effect)
{
	(void)model;
	effect->waits[WAIT_DMA_SLOT] = 0.5;
	effect->waits[WAIT_ENGINE] = 0.5;
}

static const struct change changes[] = {
	{"workload.inflight", 2, NULL, more_in_flight, NULL},
	{"workload.threads", 2, NULL, more_threads, "workload.inflight"},
	{"workload.poll", 0, "spin", polled, NULL},
	{"accel.engines_copy", 2, NULL, more_engines, NULL},
	{"accel.copy_bytes_per_cycle", 2, NULL, faster_engines, NULL},
	{"accel.engine_requests", 2, NULL, more_engine_requests, NULL},
	{"accel.dma_outstanding", 2, NULL, more_dma, NULL},
	{"accel.dma_burst_bytes", 2, NULL, longer_bursts, NULL},
	{"accel.fault_blocks", 0, "transaction", faults_block_less, NULL},
	{"smmu.walk_slots", 2, NULL, more_walkers, NULL},
	{"smmu.stall_max", 2, NULL, more_stags, NULL},
	{"kernel.block_ps", 0.5, NULL, faster_kernel, NULL},
	{"memory.channels", 2, NULL, more_channels, NULL},
	{"memory.latency_ns", 0.5, NULL, faster_memory, NULL},
};

#define CHANGES (sizeof(changes) / sizeof(changes[0]))

/* A change of this machine, if it can have it. */
struct trial {
	char settings[2][TEXT]; /* key=value; [1] may be empty */
	char was[TEXT];
	double predicted; /* gain */
	size_t order;	  /* of the table */
	double measured;  /* 0: not run */
};

/* ---- which of them there are -------------------------------------------------------------------- */

static bool number_of(const struct platform_config *config, const char *key, double *value)
{
	char text[TEXT], *end;

	if (!param_format(config->params, key, text, sizeof(text)))
		return false;
	*value = strtod(text, &end);
	/* sizes come with their unit */
	if (!strcmp(end, "KiB"))
		*value *= 1024;
	else if (!strcmp(end, "MiB"))
		*value *= 1024 * 1024;
	else if (*end)
		return false;
	return end != text;
}

static double number(const struct platform_config *config, const char *key)
{
	double value = 0;

	number_of(config, key, &value);
	return value;
}

static bool scaled(const struct platform_config *config, const char *key, double factor,
		   char *setting)
{
	double value;

	if (!number_of(config, key, &value) || value <= 0)
		return false;
	value *= factor;
	/* half of an odd number is none of a count */
	if (value < 1 || value != (double)(long long)value)
		return false;
	snprintf(setting, TEXT, "%s=%.0f", key, value);
	return true;
}

static bool chosen(const struct platform_config *config, const struct change *change, char *setting)
{
	char text[TEXT];

	if (!param_format(config->params, change->key, text, sizeof(text)) ||
	    !strcmp(text, change->value))
		return false;
	snprintf(setting, TEXT, "%s=%s", change->key, change->value);
	return true;
}

static bool assign_all(struct platform_config *config, const struct whatif_run *run,
		       const struct trial *trial)
{
	struct param_error error;
	char path[PATH_MAX];

	if (run->platform) {
		const char *file = cli_platform_path(run->platform, path, sizeof(path));

		if (!file || param_load_yaml(config->params, file, &error))
			return false;
	}
	for (unsigned int i = 0; i < run->setting_count; i++)
		if (param_assign(config->params, "-s", run->settings[i], &error))
			return false;
	for (unsigned int i = 0; i < 2 && trial->settings[i][0]; i++)
		if (param_assign(config->params, "-s", trial->settings[i], &error))
			return false;
	return !platform_config_check(config, &error);
}

static bool configure(struct platform_config **config, const struct whatif_run *run,
		      const struct trial *trial)
{
	platform_config_free(*config);
	*config = platform_config_new(platform_workload(run->workload));
	return assign_all(*config, run, trial);
}

/*
 * Whether a machine can be so. A workload has one set of values, whichever configuration names it: afterwards they
 * are the run's own again.
 */
static bool possible(const struct whatif_run *run, const struct trial *trial)
{
	static const struct trial unchanged;
	static struct platform_config
		*config; /* keeps the run's own until the next one, or the end */
	const bool is = configure(&config, run, trial);

	configure(&config, run, &unchanged);
	return is;
}

static bool trial_make(struct trial *trial, const struct change *change,
		       const struct whatif_run *run, const struct platform_config *config,
		       const struct whatif_model *model)
{
	struct whatif_effect effect;

	*trial = (struct trial){.order = (size_t)(change - changes)};
	if (!param_format(config->params, change->key, trial->was, sizeof(trial->was)))
		return false;
	if (change->value ? !chosen(config, change, trial->settings[0])
			  : !scaled(config, change->key, change->factor, trial->settings[0]))
		return false;
	if (change->with && !scaled(config, change->with, 1 / change->factor, trial->settings[1]))
		return false;
	if (!possible(run, trial))
		return false;
	whatif_effect_none(&effect);
	change->effect(model, &effect);
	trial->predicted = whatif_gain(model, &effect);
	return true;
}

static int by_prediction(const void *a, const void *b)
{
	const struct trial *one = a, *other = b;

	if (fabs(one->predicted - other->predicted) > 1e-3)
		return one->predicted < other->predicted ? 1 : -1;
	return one->order < other->order ? -1 : 1;
}

/* ---- running them ------------------------------------------------------------------------------- */

static char **command_of(struct pool *pool, const struct whatif_run *run, const struct trial *trial,
			 const char *folder)
{
	char **arguments = pool_alloc(pool, 2 * run->setting_count + 16, sizeof(char *));
	size_t n = 0;

	arguments[n++] = pool_copy(pool, "svasim");
	arguments[n++] = pool_copy(pool, "run");
	if (run->platform) {
		arguments[n++] = pool_copy(pool, "-c");
		arguments[n++] = pool_copy(pool, run->platform);
	}
	arguments[n++] = pool_copy(pool, "-w");
	arguments[n++] = pool_copy(pool, run->workload);
	for (unsigned int i = 0; i < run->setting_count; i++) {
		arguments[n++] = pool_copy(pool, "-s");
		arguments[n++] = pool_copy(pool, run->settings[i]);
	}
	for (unsigned int i = 0; i < 2 && trial->settings[i][0]; i++) {
		arguments[n++] = pool_copy(pool, "-s");
		arguments[n++] = pool_copy(pool, trial->settings[i]);
	}
	arguments[n++] = pool_copy(pool, "-o");
	arguments[n++] = pool_copy(pool, folder);
	return arguments;
}

/* An exit status; the run's own words go to stderr, its summary nowhere. */
static int execute(char **arguments)
{
	posix_spawn_file_actions_t actions;
	int status, error;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	fflush(stdout);
	error = posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return cli_user_error("what-if: %s", strerror(error));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return cli_user_error("what-if: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static double per_s_of(const char *folder)
{
	char path[PATH_MAX];
	json_t *metrics;
	double per_s;

	snprintf(path, sizeof(path), "%s/metrics.json", folder);
	metrics = json_load_file(path, 0, NULL);
	per_s = json_number_value(json_object_get(json_object_get(metrics, "requests"), "per_s"));
	json_decref(metrics);
	return per_s;
}

static int verify(const struct whatif_run *run, struct trial *trial, unsigned int number,
		  double base_per_s)
{
	struct pool pool = {0};
	const char *folder = pool_print(&pool, "%s/what-if-%u", run->output, number);
	const int status = execute(command_of(&pool, run, trial, folder));

	if (!status)
		trial->measured = per_s_of(folder) / base_per_s;
	pool_free(&pool);
	return status;
}

/* ---- the command --------------------------------------------------------------------------------- */

static void print_trial(const struct trial *trial)
{
	printf("  %-36s%s%-22s was %-10s predicted %+6.1f %%", trial->settings[0],
	       trial->settings[1][0] ? ", " : "  ", trial->settings[1], trial->was,
	       100 * (trial->predicted - 1));
	if (trial->measured > 0)
		printf("  measured %+6.1f %%", 100 * (trial->measured - 1));
	printf("\n");
}

static void print_best(const struct trial *trials, size_t count)
{
	const struct trial *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (trials[i].measured > WORTH_WHILE &&
		    (!best || trials[i].measured > best->measured))
			best = &trials[i];
	if (best)
		printf("  what to change first: %s (%+.1f %% requests/s)\n", best->settings[0],
		       100 * (best->measured - 1));
	else
		printf("  none of these changes is worth while\n");
}

int whatif(const struct whatif_run *run, const struct platform_config *config,
	   const struct stats *stats)
{
	const double processes = number(config, "workload.processes");
	const struct whatif_machine machine = {
		.threads = number(config, "workload.threads") * (processes > 0 ? processes : 1),
		.stags = number(config, "smmu.stall_max"),
		.dram_ns = number(config, "memory.latency_ns"),
		.llc_ns = number(config, "memory.llc_kib") > 0 ? number(config, "memory.llc_hit_ns")
							       : 0,
		.snoop_ns = number(config, "memory.snoop_ns"),
		.block_ps = number(config, "kernel.block_ps"),
	};
	struct trial trials[CHANGES];
	struct whatif_model model;
	size_t count = 0;
	int status = 0;

	if (!whatif_model_read(&model, stats, &machine))
		return cli_user_error("--what-if: the run measured no requests (allowed: workloads "
				      "that keep requests in flight)");
	for (size_t i = 0; i < CHANGES; i++)
		count += trial_make(&trials[count], &changes[i], run, config, &model);
	qsort(trials, count, sizeof(trials[0]), by_prediction);
	printf("what if: requests/s, predicted from this run's waits and utilisations, the best %d "
	       "measured\n",
	       VERIFIED);
	for (size_t i = 0; i < count; i++) {
		if (i < VERIFIED && trials[i].predicted > WORTH_WHILE && !status)
			status = verify(run, &trials[i], (unsigned int)i + 1, model.per_s);
		print_trial(&trials[i]);
		fflush(stdout);
	}
	print_best(trials, count);
	return status;
}

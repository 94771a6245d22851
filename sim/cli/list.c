/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim list workloads|platforms|params|metrics
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/cli.h"
#include "sim/platform/platform.h"

static int list_workloads(void)
{
	for (const struct workload *const *w = platform_workloads(); *w; w++)
		printf("%-12s %s\n", (*w)->name, (*w)->help);
	return 0;
}

static int is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".yaml");
}

static int list_platforms(void)
{
	struct dirent **entries;
	int count = scandir(cli_platform_directory(), &entries, is_yaml, alphasort);
	int status = 0;

	if (count < 0)
		return cli_user_error("%s: cannot be read", cli_platform_directory());
	for (int i = 0; i < count; i++) {
		struct platform_config *config = platform_config_new(NULL);
		struct param_error error;
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", cli_platform_directory(), entries[i]->d_name);
		*strrchr(entries[i]->d_name, '.') = '\0';
		if (param_load_yaml(config->params, path, &error))
			status = cli_user_error("%s", error.text);
		else
			printf("%-12s %s\n", entries[i]->d_name, param_description(config->params));
		platform_config_free(config);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static void print_param(void *arg, const char *key, const struct param_desc *desc,
			const char *value, const char *default_value, const char *allowed)
{
	(void)arg;
	(void)value;
	printf("%s\n    default %s (allowed: %s)\n    %s\n    origin: %s\n", key,
	       *default_value ? default_value : "\"\"", allowed, desc->help, desc->origin);
}

static int list_params(void)
{
	struct platform_config *config = platform_config_new(NULL);

	param_visit(config->params, print_param, NULL);
	platform_config_free(config);
	for (const struct workload *const *w = platform_workloads(); *w; w++) {
		const struct param_group group = {"workload", (*w)->params, (*w)->param_count,
						  (*w)->values};
		struct param_set *set = param_set_new(&group, 1);

		printf("\nworkload %s\n", (*w)->name);
		param_visit(set, print_param, NULL);
		param_set_free(set);
	}
	return 0;
}

static void print_metric(void *arg, const char *name, const char *unit, const char *help)
{
	(void)arg;
	printf("%-44s %-8s %s\n", name, unit ? unit : "", help);
}

static int list_metrics(void)
{
	struct platform_config *config = platform_config_new(NULL);

	platform_list_metrics(config, print_metric, NULL);
	platform_config_free(config);
	return 0;
}

int cmd_list(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*list)(void);
	} lists[] = {
		{"workloads", list_workloads},
		{"platforms", list_platforms},
		{"params", list_params},
		{"metrics", list_metrics},
	};

	if (argc == 2)
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
			if (!strcmp(argv[1], lists[i].name))
				return lists[i].list();
	return cli_user_error("list: %s (allowed: workloads, platforms, params, metrics)",
			      argc < 2 ? "what?" : argv[1]);
}

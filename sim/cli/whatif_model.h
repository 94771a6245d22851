/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run's figures say about machines that differ from it in one thing: how many requests a second they would
 * do.
 *
 * Operational analysis (Denning and Buzen, The operational analysis of queueing network models, 1978) with
 * what one run measures. A request's time is the sum of its waits by cause, so a change takes away from it what
 * it takes away from each cause. N requests in flight of R each are N / R a second (Little), but no resource
 * does more than its rate at full utilisation: throughput / utilisation. A place that is held while others work
 * (a slot, a buffer) is held for shorter when these get faster, and its rate grows by as much. What is
 * predicted is the least of these bounds, over what the same rule says of the machine as it is.
 */
#ifndef SIM_CLI_WHATIF_MODEL_H
#define SIM_CLI_WHATIF_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/stats/stats.h"
#include "sim/stats/waits.h"

#define WHATIF_RESOURCES_MAX 128

struct whatif_resource {
	char name[64];
	double utilisation;
	unsigned int inside; /* causes that it is held through, a bit each; 0: it works by itself */
};

/* A run. */
struct whatif_model {
	double per_s, in_flight;
	double waits[WAIT_CAUSE_COUNT]; /* of a request, in s; their sum is in_flight / per_s */
	struct whatif_resource resources[WHATIF_RESOURCES_MAX];
	size_t resource_count;
	double dram_share;	 /* of memory's lines: those from DRAM, by time */
	double blocks_share;	 /* of page faults' software: the kernel's own code */
	double unrecorded_share; /* of page faults: before the event is recorded */
};

/* What the figures do not tell. */
struct whatif_machine {
	double threads;			  /* that submit and receive */
	double stags;			  /* faults that can be stalled */
	double dram_ns, llc_ns, snoop_ns; /* llc_ns 0: there is no last-level cache */
	double block_ps;
};

/* False if the run measured no requests. */
bool whatif_model_read(struct whatif_model *model, const struct stats *stats,
		       const struct whatif_machine *machine);

/* The highest of the resources that match. */
double whatif_utilisation(const struct whatif_model *model, const char *pattern);

/* A change: what it makes of the waits, of the resources, of the requests in flight. */
struct whatif_effect {
	double in_flight;		/* factor */
	double waits[WAIT_CAUSE_COUNT]; /* factor of each; 1: as it is */
	struct {
		const char *pattern; /* of resource names; NULL: no more */
		double rate;	     /* factor of what it can do */
	} resources[4];
};

void whatif_effect_none(struct whatif_effect *effect);

/* Throughput with the change over throughput without it. */
double whatif_gain(const struct whatif_model *model, const struct whatif_effect *effect);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Predicting throughput from one run's figures: see whatif_model.h. */
#include "sim/cli/whatif_model.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define BIT(cause) (1u << (cause))
#define TRANSLATING                                                                                \
	(BIT(WAIT_TRANSLATION) | BIT(WAIT_WALK_SLOT) | BIT(WAIT_WALK) | BIT(WAIT_PAGE_FAULT))
#define TRANSFER  (TRANSLATING | BIT(WAIT_LINK) | BIT(WAIT_BANDWIDTH) | BIT(WAIT_MEMORY))
#define IN_ENGINE (TRANSFER | BIT(WAIT_DMA_SLOT) | BIT(WAIT_COMPUTE))

/* Places that are held while others work, and what they are held through. */
static const struct {
	const char *pattern;
	unsigned int inside;
} holders[] = {
	{"*.sqe_buffers", IN_ENGINE | BIT(WAIT_ENGINE)},
	{"*.engine_slots.*", IN_ENGINE},
	{"*.dma", TRANSFER},
	{"smmu.translation_slots", TRANSLATING},
	{"smmu.walkers", BIT(WAIT_WALK)},
};

/* Their utilisation says nothing about a limit, or is another's. */
static const char *const ignored[] = {"memory.utilisation", "smmu.*.micro_tlb_slots*"};

static double get(const struct stats *stats, const char *name)
{
	double value = 0;

	stats_get(stats, name, &value);
	return value;
}

static double ratio(double part, double whole)
{
	return whole > 0 && part > 0 ? (part < whole ? part / whole : 1) : 0;
}

/* ---- reading a run ----------------------------------------------------------------------------- */

struct reading {
	struct whatif_model *model;
	const struct stats *stats;
};

static unsigned int held_through(const char *name)
{
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		if (!fnmatch(holders[i].pattern, name, 0))
			return holders[i].inside;
	return 0;
}

static void add_resource(struct whatif_model *model, const char *name, double utilisation,
			 unsigned int inside)
{
	struct whatif_resource *resource = &model->resources[model->resource_count];

	if (model->resource_count == WHATIF_RESOURCES_MAX || utilisation <= 0)
		return;
	snprintf(resource->name, sizeof(resource->name), "%s", name);
	resource->utilisation = utilisation < 1 ? utilisation : 1;
	resource->inside = inside;
	model->resource_count++;
}

static void take_resource(void *arg, const char *name, const char *unit, const char *help)
{
	static const char suffix[] = ".utilisation";
	const struct reading *reading = arg;
	const size_t length = strlen(name);
	char resource[64];

	(void)unit;
	(void)help;
	if (length <= sizeof(suffix) - 1 || strcmp(name + length - (sizeof(suffix) - 1), suffix))
		return;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (!fnmatch(ignored[i], name, 0))
			return;
	snprintf(resource, sizeof(resource), "%.*s", (int)(length - (sizeof(suffix) - 1)), name);
	add_resource(reading->model, resource, get(reading->stats, name), held_through(resource));
}

/* The threads that submit and receive: they work whenever they do not wait. */
static void add_clients(struct whatif_model *model, const struct stats *stats,
			const struct whatif_machine *machine)
{
	const double time = get(stats, "requests.completed") / model->per_s * 1e12;

	if (machine->threads > 0)
		add_resource(model, "clients",
			     1 - ratio(get(stats, "programs.waited_ps"), machine->threads * time),
			     0);
}

/* A STAG is held from the event record to CMD_RESUME. */
static void add_stags(struct whatif_model *model, const struct stats *stats,
		      const struct whatif_machine *machine)
{
	const double held = get(stats, "fault_ns.total.sum_ps") -
			    get(stats, "fault_ns.recorded.sum_ps") -
			    get(stats, "fault_ns.retried.sum_ps");
	const double time = get(stats, "requests.completed") / model->per_s * 1e12;

	add_resource(model, "stags", held / machine->stags / time, BIT(WAIT_PAGE_FAULT));
}

static void read_waits(struct whatif_model *model, const struct stats *stats)
{
	double sum = 0;
	char name[64];

	for (int cause = 0; cause < WAIT_CAUSE_COUNT; cause++) {
		snprintf(name, sizeof(name), "waits.%s.mean_ns", wait_cause_names[cause]);
		model->waits[cause] = get(stats, name);
		sum += model->waits[cause];
	}
	/* In the measured window a request's time is what Little's law says */
	for (int cause = 0; cause < WAIT_CAUSE_COUNT && sum > 0; cause++)
		model->waits[cause] *= model->in_flight / model->per_s / sum;
}

static double dram_share(const struct stats *stats, const struct whatif_machine *machine)
{
	const double dram = get(stats, "memory.llc.misses") * machine->dram_ns;

	if (machine->llc_ns <= 0)
		return 1;
	return ratio(dram, dram + get(stats, "memory.llc.hits") * machine->llc_ns +
				   get(stats, "memory.snoops") * machine->snoop_ns);
}

static double blocks_share(const struct stats *stats, const struct whatif_machine *machine)
{
	const double software =
		get(stats, "faults.driver.busy_ps") + get(stats, "fault_ns.mm.sum_ps") +
		get(stats, "fault_ns.mm_done.sum_ps") + get(stats, "fault_ns.responded.sum_ps");

	return ratio(get(stats, "kernel.blocks") * machine->block_ps, software);
}

bool whatif_model_read(struct whatif_model *model, const struct stats *stats,
		       const struct whatif_machine *machine)
{
	struct reading reading = {.model = model, .stats = stats};

	*model = (struct whatif_model){
		.per_s = get(stats, "requests.per_s"),
		.in_flight = get(stats, "requests.in_flight_mean"),
		.dram_share = dram_share(stats, machine),
		.blocks_share = blocks_share(stats, machine),
		.unrecorded_share = ratio(get(stats, "fault_ns.recorded.sum_ps"),
					  get(stats, "fault_ns.total.sum_ps")),
	};
	if (model->per_s <= 0 || model->in_flight <= 0)
		return false;
	read_waits(model, stats);
	stats_visit(stats, take_resource, &reading);
	add_clients(model, stats, machine);
	add_stags(model, stats, machine);
	return true;
}

double whatif_utilisation(const struct whatif_model *model, const char *pattern)
{
	double highest = 0;

	for (size_t i = 0; i < model->resource_count; i++)
		if (!fnmatch(pattern, model->resources[i].name, 0) &&
		    highest < model->resources[i].utilisation)
			highest = model->resources[i].utilisation;
	return highest;
}

/* ---- predicting -------------------------------------------------------------------------------- */

void whatif_effect_none(struct whatif_effect *effect)
{
	*effect = (struct whatif_effect){.in_flight = 1};
	for (int cause = 0; cause < WAIT_CAUSE_COUNT; cause++)
		effect->waits[cause] = 1;
}

static double sum_waits(const struct whatif_model *model, const struct whatif_effect *effect,
			unsigned int causes)
{
	double sum = 0;

	for (int cause = 0; cause < WAIT_CAUSE_COUNT; cause++)
		if (causes & BIT(cause))
			sum += model->waits[cause] * (effect ? effect->waits[cause] : 1);
	return sum;
}

/* Requests a second at full utilisation. */
static double limit(const struct whatif_model *model, const struct whatif_resource *resource,
		    const struct whatif_effect *effect)
{
	double per_s = model->per_s / resource->utilisation;
	const double held = sum_waits(model, NULL, resource->inside);

	for (size_t i = 0; i < sizeof(effect->resources) / sizeof(effect->resources[0]); i++)
		if (effect->resources[i].pattern &&
		    !fnmatch(effect->resources[i].pattern, resource->name, 0))
			per_s *= effect->resources[i].rate;
	if (held > 0) {
		const double left = sum_waits(model, effect, resource->inside) / held;

		per_s /= left > 0.01 ? left : 0.01;
	}
	return per_s;
}

static const struct whatif_resource *busiest(const struct whatif_model *model)
{
	const struct whatif_resource *busiest = NULL;

	for (size_t i = 0; i < model->resource_count; i++)
		if (!busiest || busiest->utilisation < model->resources[i].utilisation)
			busiest = &model->resources[i];
	return busiest;
}

/*
 * Waiting for a turn or a place is waiting for the busiest resource, wherever the line of those who wait ends. When that
 * can do more it is gone, and the limits say what comes next.
 */
static double time_of(const struct whatif_model *model, const struct whatif_effect *effect)
{
	const struct whatif_resource *resource = busiest(model);
	struct whatif_effect relieved = *effect;
	struct whatif_effect none;

	whatif_effect_none(&none);
	if (resource && limit(model, resource, effect) > 1.01 * limit(model, resource, &none)) {
		relieved.waits[WAIT_QUEUE] = 0;
		relieved.waits[WAIT_ENGINE] = 0;
		relieved.waits[WAIT_DMA_SLOT] = 0;
	}
	return sum_waits(model, &relieved, ~0u);
}

static double throughput(const struct whatif_model *model, const struct whatif_effect *effect)
{
	double per_s = model->in_flight * effect->in_flight / time_of(model, effect);

	for (size_t i = 0; i < model->resource_count; i++) {
		const double most = limit(model, &model->resources[i], effect);

		if (per_s > most)
			per_s = most;
	}
	return per_s;
}

double whatif_gain(const struct whatif_model *model, const struct whatif_effect *effect)
{
	struct whatif_effect none;

	whatif_effect_none(&none);
	return throughput(model, effect) / throughput(model, &none);
}

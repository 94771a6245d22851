/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Times that an experiment adds to the stages of I/O page faults (kernel.fault.*_extra_*): what a distribution
 * gives, stage by stage. Each stage has a stream of random numbers of its own, so that what one draws does not
 * depend on whether another draws.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/platform/machine.h"

#define STAGES (KI_EXTRA_RESPOND + 1)

static unsigned short streams[STAGES][3]; /* states of erand48() */

/* In (0, 1). */
static double uniform(enum ki_fault_extra stage)
{
	double value;

	do
		value = erand48(streams[stage]);
	while (value <= 0);
	return value;
}

/* Box and Muller's; one of the pair is enough. */
static double standard_normal(enum ki_fault_extra stage)
{
	const double radius = sqrt(-2 * log(uniform(stage)));

	return radius * cos(2 * M_PI * uniform(stage));
}

/* A lognormal distribution of mean 1 whose standard deviation is `spread`. */
static double lognormal(enum ki_fault_extra stage, double spread)
{
	const double variance = log1p(spread * spread);

	return exp(sqrt(variance) * standard_normal(stage) - variance / 2);
}

/* What the mean is to be multiplied by. */
static double factor(enum ki_fault_extra stage)
{
	const struct fault_params *params = &the_machine->config->fault;
	const double spread = params->extra_spread_percent / 100.0;
	const uint32_t shapes[STAGES] = {
		[KI_EXTRA_DRIVER] = params->driver_extra_shape,
		[KI_EXTRA_WORKER] = params->worker_extra_shape,
		[KI_EXTRA_MM] = params->extra_shape,
		[KI_EXTRA_RESPOND] = params->respond_extra_shape,
	};

	switch (shapes[stage]) {
	case FAULT_EXTRA_UNIFORM:
		return 1 + spread * (2 * uniform(stage) - 1);
	case FAULT_EXTRA_EXPONENTIAL:
		return -log(uniform(stage));
	case FAULT_EXTRA_LOGNORMAL:
		return lognormal(stage, spread);
	default:
		return 1;
	}
}

static ki_u64 fault_draw(enum ki_fault_extra stage, ki_u64 mean_ps)
{
	return (ki_u64)llround((double)mean_ps * factor(stage));
}

void inject_fill_ops(const struct machine *machine, struct machine_ops *ops)
{
	const uint32_t seed = machine->config->machine.seed;

	for (unsigned int stage = 0; stage < STAGES; stage++) {
		streams[stage][0] = (unsigned short)(0x330e + stage * 0x1001);
		streams[stage][1] = (unsigned short)seed;
		streams[stage][2] = (unsigned short)(seed >> 16);
		/* neighbouring seeds begin alike */
		for (unsigned int i = 0; i < 8; i++)
			erand48(streams[stage]);
	}
	ops->fault_draw = fault_draw;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The warm-up rule, the measured window, and batch means.
 *
 * Processors run ahead of each other by up to a quantum, so that times do not come in order. The
 * integral of what is in flight is exact all the same: a change that comes late is added for the
 * time that has been counted without it.
 */
#include "sim/stats/measure.h"

#include <math.h>
#include <string.h>

void measure_init(struct measure *m)
{
	*m = (struct measure){.first_send = SIM_TIME_NEVER, .batch_size = 1};
}

/* ---- in flight ---------------------------------------------------------------------------- */

static void change_in_flight(struct measure *m, sim_time at, bool up)
{
	if (at > m->changed) {
		m->integral += m->in_flight * (at - m->changed);
		m->changed = at;
	} else if (up) {
		m->integral += m->changed - at;
	} else {
		m->integral -= m->changed - at;
	}
	m->in_flight += up ? 1 : UINT64_MAX;
	if (m->in_flight > m->in_flight_max)
		m->in_flight_max = m->in_flight;
}

double measure_in_flight_mean(const struct measure *m)
{
	if (m->last_received <= m->first_send)
		return 0;
	return (double)m->integral / (double)(m->last_received - m->first_send);
}

/* ---- window ------------------------------------------------------------------------------- */

/* Requests that have to be received before the warm-up is over. */
static uint64_t warmup_requests(struct measure *m)
{
	uint64_t wanted = m->expected / 20;

	switch (m->warmup.kind) {
	case WARMUP_NONE:
		return 0;
	case WARMUP_REQUESTS:
		return m->warmup.requests;
	case WARMUP_AUTO:
		break;
	}
	if (wanted < m->in_flight_max)
		wanted = m->in_flight_max;
	if (wanted <= m->expected / 2)
		return wanted;
	m->too_short = true;
	return 0;
}

static bool try_open(struct measure *m, sim_time at)
{
	if (m->open || m->received < warmup_requests(m))
		return false;
	m->open = true;
	if (m->received == 0 || m->too_short)
		m->from = m->first_send;
	else
		m->from = at;
	return true;
}

bool measure_send(struct measure *m, sim_time at)
{
	if (at < m->first_send)
		m->first_send = at;
	if (!m->sent++)
		m->changed = at;
	change_in_flight(m, at, true);
	return try_open(m, at);
}

void measure_abandon(struct measure *m, sim_time at)
{
	change_in_flight(m, at, false);
	m->abandoned++;
}

/* ---- batches ------------------------------------------------------------------------------ */

static void join_batches(struct measure *m)
{
	for (unsigned int i = 0; i < MEASURE_BATCHES; i++) {
		const struct batch *a = &m->batches[2 * i], *b = a + 1;

		m->batches[i] = (struct batch){
			.received = a->received + b->received,
			.bytes = a->bytes + b->bytes,
			.latencies = a->latencies + b->latencies,
			.latency_sum = a->latency_sum + b->latency_sum,
			.end = b->end,
		};
	}
	memset(&m->batches[MEASURE_BATCHES], 0, MEASURE_BATCHES * sizeof(m->batches[0]));
	m->batch = MEASURE_BATCHES;
	m->batch_size *= 2;
}

static void batch_add(struct measure *m, sim_time at, uint64_t bytes, sim_time latency, bool counts)
{
	struct batch *batch;

	if (m->batch == MEASURE_BATCHES_MAX)
		join_batches(m);
	batch = &m->batches[m->batch];
	batch->received++;
	batch->bytes += bytes;
	if (counts) {
		batch->latencies++;
		batch->latency_sum += latency;
	}
	batch->end = m->last_received > at ? m->last_received : at;
	if (batch->received == m->batch_size)
		m->batch++;
}

bool measure_receive(struct measure *m, sim_time at, uint64_t bytes, sim_time latency, bool counts)
{
	change_in_flight(m, at, false);
	if (m->open) {
		m->bytes += bytes;
		m->requests++;
		batch_add(m, at, bytes, latency, counts);
	}
	m->received++;
	if (at > m->last_received)
		m->last_received = at;
	return try_open(m, at);
}

unsigned int measure_batches(const struct measure *m)
{
	return m->batch;
}

/* Student's t for two-sided 95 %, by degrees of freedom. */
static double student_t(unsigned int freedom)
{
	static const double t[] = {
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201,	2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
		2.080,	2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
		2.040,	2.037, 2.035, 2.032, 2.030, 2.028, 2.026, 2.024, 2.023, 2.021,
	};

	return t[freedom - 1];
}

static double half_width(const double *means, unsigned int count)
{
	double mean = 0, variance = 0;

	if (count < MEASURE_BATCHES)
		return NAN;
	for (unsigned int i = 0; i < count; i++)
		mean += means[i] / count;
	for (unsigned int i = 0; i < count; i++)
		variance += (means[i] - mean) * (means[i] - mean) / (count - 1);
	return student_t(count - 1) * sqrt(variance / count);
}

double measure_throughput_ci(const struct measure *m)
{
	double means[MEASURE_BATCHES_MAX];
	unsigned int count = 0;
	sim_time before = m->from;

	for (unsigned int i = 0; i < m->batch; i++) {
		const struct batch *batch = &m->batches[i];

		if (batch->end <= before)
			return NAN; /* too few requests to have a rate */
		means[count++] = (double)batch->bytes / ((double)(batch->end - before) * 1e-12);
		before = batch->end;
	}
	return half_width(means, count);
}

double measure_latency_ci(const struct measure *m)
{
	double means[MEASURE_BATCHES_MAX];
	unsigned int count = 0;

	/* the first batches may hold only requests that were sent before the window */
	for (unsigned int i = 0; i < m->batch; i++)
		if (m->batches[i].latencies)
			means[count++] =
				(double)m->batches[i].latency_sum / (double)m->batches[i].latencies;
	return half_width(means, count);
}

uint64_t measure_requests_wanted(const struct measure *m)
{
	return m->in_flight_max > 100 ? 20 * m->in_flight_max : 2000;
}

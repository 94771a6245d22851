/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory model's metrics. */
#include <stdio.h>

#include "models/mem/memory_internal.h"

static uint64_t channels_busy(const void *arg)
{
	const struct memory *memory = arg;
	uint64_t busy = 0;

	for (unsigned int i = 0; i < memory->params.nodes; i++)
		busy += memory->nodes[i].channels.resource.busy_ps;
	return busy;
}

static double channels_utilisation(const void *arg)
{
	const struct memory *memory = arg;
	const double servers = (double)memory->params.nodes * memory->params.channels;

	return sim_now() ? (double)channels_busy(memory) / servers / (double)sim_now() : 0.0;
}

static void register_resources(const struct memory *memory, struct stats *stats, const char *prefix)
{
	char name[256];

	for (unsigned int i = 0; i < memory->params.nodes; i++) {
		if (memory->params.nodes == 1)
			snprintf(name, sizeof(name), "%s.channels", prefix);
		else
			snprintf(name, sizeof(name), "%s.node%u.channels", prefix, i);
		resource_register(stats, name, &memory->nodes[i].channels.resource,
				  "DRAM channels");
	}
	if (!memory->lines)
		return;
	snprintf(name, sizeof(name), "%s.llc", prefix);
	resource_register(stats, name, &memory->llc.resource, "the last-level cache's data path");
	snprintf(name, sizeof(name), "%s.llc.lines", prefix);
	stats_counter(stats, name, lines_llc_used(memory->lines), "lines", "held now");
}

static void register_requester(struct stats *stats, const char *prefix, const char *name,
			       const struct requester *requester)
{
	const struct {
		const char *name;
		const uint64_t *value;
		const char *unit, *help;
	} counters[] = {
		{"reads", &requester->reads, "transactions", "reads of this requester"},
		{"writes", &requester->writes, "transactions",
		 "writes and atomics of this requester"},
		{"bytes_read", &requester->bytes_read, "bytes", "read by this requester"},
		{"bytes_written", &requester->bytes_written, "bytes", "written by this requester"},
		{"llc_hits", &requester->llc_hits, "lines", "found in the last-level cache"},
		{"llc_misses", &requester->llc_misses, "lines", "found in no cache"},
		{"snoops", &requester->snoops, "lines", "found in a CPU's cache"},
	};
	char full[256];

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		snprintf(full, sizeof(full), "%s.requester.%s.%s", prefix, name, counters[i].name);
		stats_counter(stats, full, counters[i].value, counters[i].unit, counters[i].help);
	}
}

void memory_register_stats(struct memory *memory, struct stats *stats, const char *prefix)
{
	const struct {
		const char *name;
		const uint64_t *value;
		const char *unit, *help;
	} counters[] = {
		{"reads", &memory->reads, "transactions", "reads served"},
		{"writes", &memory->writes, "transactions", "writes served"},
		{"atomics", &memory->atomics, "transactions", "atomic operations served"},
		{"bytes_read", &memory->bytes_read, "bytes", "read by transactions"},
		{"bytes_written", &memory->bytes_written, "bytes",
		 "written by transactions, atomics included"},
		{"decode_errors", &memory->decode_errors, "transactions", "outside RAM"},
		{"slave_errors", &memory->slave_errors, "transactions",
		 "atomics of a wrong size or alignment"},
		{"wait_ps", &memory->wait_ps, "ps",
		 "transactions waited for DRAM channels or the last-level cache's data path"},
		{"llc.hits", &memory->llc_hits, "lines",
		 "of transactions, found in the last-level cache"},
		{"llc.misses", &memory->llc_misses, "lines", "of transactions, found in no cache"},
		{"llc.writebacks", &memory->writebacks, "lines",
		 "dirty, given up by caches to DRAM"},
		{"snoops", &memory->snoops, "lines", "of transactions, found in a CPU's cache"},
		{"cpu.loads", &memory->cpu_loads, "accesses", "loads and block reads by CPUs"},
		{"cpu.stores", &memory->cpu_stores, "accesses", "stores and block writes by CPUs"},
		{"cpu.atomics", &memory->cpu_atomics, "accesses", "atomic operations by CPUs"},
		{"cpu.bytes_loaded", &memory->cpu_bytes_loaded, "bytes", "loaded by CPUs"},
		{"cpu.bytes_stored", &memory->cpu_bytes_stored, "bytes", "stored by CPUs"},
		{"cpu.llc_hits", &memory->cpu_llc_hits, "lines",
		 "of CPU accesses, found in the last-level cache"},
		{"cpu.llc_misses", &memory->cpu_llc_misses, "lines",
		 "of CPU accesses, read from DRAM"},
		{"cpu.transfers", &memory->cpu_transfers, "lines",
		 "of CPU accesses, found in another CPU's cache"},
		{"cpu.aborts", &memory->cpu_aborts, "accesses", "outside RAM or misaligned"},
		{"monitors.added", &memory->monitors_added, "monitors", "waits for a line's write"},
		{"monitors.fired", &memory->monitors_fired, "monitors", "ended by a write"},
	};
	char name[256];

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, counters[i].name);
		stats_counter(stats, name, counters[i].value, counters[i].unit, counters[i].help);
	}
	snprintf(name, sizeof(name), "%s.utilisation", prefix);
	stats_computed(stats, name, channels_utilisation, memory, "1",
		       "share of the DRAM channels' time in which they moved data");
	snprintf(name, sizeof(name), "%s.busy_ps", prefix);
	stats_computed_u64(stats, name, channels_busy, memory, "ps",
			   "DRAM channels moved data, all together");
	register_resources(memory, stats, prefix);
	for (unsigned int i = 0; i < MEMORY_MAX_REQUESTERS; i++) {
		if (memory->requesters[i].name)
			register_requester(stats, prefix, memory->requesters[i].name,
					   &memory->requesters[i]);
	}
	register_requester(stats, prefix, "other", &memory->requesters[MEMORY_MAX_REQUESTERS]);
}

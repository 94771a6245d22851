/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one translation costs the host: events and instructions, from the request at the port to
 * the completion callback, with PASID, one transaction in flight.
 *
 *	measure_models_smmu CASE TLB_ENTRIES COUNT
 *
 * CASE: micro, a hit in a micro-TLB of 32 entries; hit, a hit in the TLB behind that micro-TLB,
 * random over as many pages as it has entries; plain, that without a micro-TLB; walk, a walk of
 * four levels without walk caches, random over 2^27 pages. Memory costs the reads of a walk one event
 * each; the translated transaction ends at once. bare: no translation but an event, for comparison.
 *
 * Instructions come from callgrind, as the difference of two runs, so that the start cancels:
 *
 *	for n in 20000 40000; do
 *		valgrind --tool=callgrind --callgrind-out-file=/dev/null measure_models_smmu hit 64 $n
 *	done
 *
 * (Collected of the second - of the first) / 20000 - events * 552 is what is compared with the
 * targets: 552 instructions are what a bare event costs.
 */
#include "tests/models-smmu/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VA    UINT64_C(0x7f0000000000)
#define PAGES 16u /* of the micro-TLB's case */

static struct {
	bool micro, walk, plain, bare;
	uint32_t entries, count;
	uint64_t pages;
	struct bench *bench;
	struct access access;
	uint32_t left;
	uint64_t random;
	struct sim_thread *thread;
	struct sim_event event;
} m;

static void adjust(struct smmu_params *params)
{
	params->tlb_entries = m.entries;
	params->micro_tlb_entries = m.plain ? 0 : 32;
	params->micro_tlb_slots = 8;
	params->micro_tlb_hit_ps = 1000;
}

static uint64_t random_page(void)
{
	m.random ^= m.random << 13;
	m.random ^= m.random >> 7;
	m.random ^= m.random << 17;
	return (m.random >> 16) % m.pages;
}

static void next(struct sim_txn *txn)
{
	if (txn->response != SIM_OK)
		abort();
	if (!m.left--) {
		sim_thread_wake(m.thread);
		return;
	}
	txn->addr = VA + (random_page() << 12);
	smmu_request(m.bench->smmu, txn);
}

static void bare(void *arg)
{
	(void)arg;
	if (m.left--)
		sim_event_after(&m.event, SIM_NS(6));
	else
		sim_thread_wake(m.thread);
}

static void run(uint32_t count)
{
	if (m.bare) {
		sim_event_init(&m.event, bare, NULL);
		m.left = count;
		bare(NULL);
		sim_thread_block();
		return;
	}
	m.left = count;
	next(&m.access.txn);
	sim_thread_block();
}

/* One table of each level, which all entries of the table above it point to. */
static void map_everything(struct bench *b)
{
	static const struct vmsa_regime regime = {
		.txsz = 16, .granule_bits = 12, .output_bits = 48};
	uint64_t table = space_pgd(1);

	for (unsigned int level = 0; level < 4; level++) {
		for (unsigned int i = 0; i < 512; i++)
			*mem64(b, table + i * 8ul) =
				level < 3
					? vmsa_encode_table(&regime, table + 0x1000, 0)
					: vmsa_encode_leaf(&regime, 3, DATA + i * 4096ul, ATTR_RW);
		table += 0x1000;
	}
}

static void script(struct bench *b)
{
	uint64_t before;

	bench_start(b);
	ste_stage1(b, SID, 2, S1DSS_BYPASS);
	cd_set(b, 1, 0);
	map_everything(b);
	b->downstream_at_once = true;
	m.bench = b;
	m.thread = sim_thread_self();
	m.random = 88172645463325252;
	m.access.txn = (struct sim_txn){
		.len = 8,
		.data = m.access.data,
		.stream_id = SID,
		.ssv = true,
		.substream_id = 1,
		.done = next,
	};
	for (uint64_t page = 0; page < m.pages && page < m.entries; page++) {
		m.access.txn.addr = VA + (page << 12);
		m.left = 0;
		smmu_request(b->smmu, &m.access.txn);
		sim_thread_block();
	}
	before = sim_host_counters()->events_fired;
	run(m.count);
	printf("events per translation: %.3f; hits: micro-TLB %.0f, TLB %.0f; walks %.0f\n",
	       (double)(sim_host_counters()->events_fired - before) / m.count,
	       metric(b, "smmu.micro_tlb.hits"), metric(b, "smmu.tlb.hits"),
	       metric(b, "smmu.walks"));
}

START_TEST(measure)
{
	bench_run(script, adjust);
}
END_TEST

/* The bench reports what goes wrong through Check, so this is a test of one case. */
static int run_here(void)
{
	Suite *suite = suite_create("measure");
	TCase *tc = tcase_create("measure");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, measure);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_MINIMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc != 4 || strtoul(argv[2], NULL, 10) < 1 || strtoul(argv[3], NULL, 10) < 1) {
		fprintf(stderr,
			"measure_models_smmu bare|micro|hit|plain|walk TLB_ENTRIES COUNT\n");
		return 2;
	}
	m.micro = !strcmp(argv[1], "micro");
	m.plain = !strcmp(argv[1], "plain");
	m.bare = !strcmp(argv[1], "bare");
	m.walk = !strcmp(argv[1], "walk");
	m.entries = (uint32_t)strtoul(argv[2], NULL, 10);
	m.count = (uint32_t)strtoul(argv[3], NULL, 10);
	m.pages = m.walk ? UINT64_C(1) << 27 : m.micro ? PAGES : m.entries;
	return run_here();
}

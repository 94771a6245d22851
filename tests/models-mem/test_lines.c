/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which line: random accesses against a naive model, capacity, eviction. */
#include "models/mem/lines.h"

#include <stdlib.h>
#include <string.h>

#include "tests/models-mem/harness.h"

#define CPUS  5
#define PAGES 7

static struct {
	unsigned int calls, lines;
	uint64_t last_page, last_mask;
} written_back;

static void note_writeback(void *arg, uint64_t page, uint64_t mask)
{
	ck_assert_ptr_eq(arg, &written_back);
	written_back.calls++;
	written_back.lines += (unsigned int)__builtin_popcountll(mask);
	written_back.last_page = page;
	written_back.last_mask = mask;
}

static struct lines *build(uint32_t llc_kib, uint32_t cpu_kib, bool allocate, bool stash)
{
	const struct lines_config config = {
		.llc_kib = llc_kib,
		.cpu_cache_kib = cpu_kib,
		.device_read_allocate = allocate,
		.device_write_stash = stash,
		.writeback = note_writeback,
		.writeback_arg = &written_back,
	};

	memset(&written_back, 0, sizeof(written_back));
	return lines_new(&config);
}

static void cpu_access(struct lines *lines, unsigned int cpu, uint64_t page, uint64_t mask,
		       uint64_t whole, bool store, struct lines_found *found)
{
	if (lines_cpu_hit(lines_front(lines), cpu, page, mask, store))
		*found = (struct lines_found){.own = mask};
	else if (store)
		lines_cpu_store(lines, cpu, page, mask, whole, found);
	else
		lines_cpu_load(lines, cpu, page, mask, found);
}

/* ---- the naive model: one line at a time --------------------------------------------------- */

enum state { NOT, CLEAN, DIRTY };

static struct {
	enum state cpu[CPUS], llc;
} naive[PAGES][64];

static const struct policy {
	uint32_t llc_kib;
	bool allocate, stash;
} policies[] = {
	{65536, true, true},   {65536, false, true}, {65536, true, false},
	{65536, false, false}, {0, true, true},
};

enum found { OWN, CPU, LLC, MEMORY };

static bool given_up(int page, int line, int but, bool store)
{
	bool gave = false;

	for (int cpu = 0; cpu < CPUS; cpu++) {
		enum state *state = &naive[page][line].cpu[cpu];

		if (cpu == but || *state == NOT || (!store && *state == CLEAN))
			continue;
		gave = true;
		*state = store ? NOT : CLEAN;
	}
	return gave;
}

static enum found naive_device(const struct policy *policy, int page, int line, bool write)
{
	enum state *llc = &naive[page][line].llc;
	const enum state was = *llc;
	const bool gave = given_up(page, line, -1, write);

	if (write)
		*llc = policy->stash ? DIRTY : NOT;
	else if (gave)
		*llc = DIRTY;
	else if (was == NOT && policy->allocate)
		*llc = CLEAN;
	if (!policy->llc_kib)
		*llc = NOT;
	return gave ? CPU : was != NOT ? LLC : MEMORY;
}

static enum found naive_cpu(const struct policy *policy, int cpu, int page, int line, bool store,
			    bool whole)
{
	enum state *own = &naive[page][line].cpu[cpu];
	enum state *llc = &naive[page][line].llc;
	const enum state was_llc = *llc, was = *own;

	if (was == DIRTY || (was == CLEAN && !store))
		return OWN;
	const bool gave = given_up(page, line, cpu, store);

	*own = store ? DIRTY : CLEAN;
	if (store)
		*llc = NOT;
	else if (gave && policy->llc_kib)
		*llc = DIRTY;
	if (gave)
		return CPU;
	if (was_llc != NOT)
		return LLC;
	return store && (whole || was == CLEAN) ? OWN : MEMORY;
}

START_TEST(test_owners_change_as_line_by_line)
{
	const struct policy *policy = &policies[_i];
	struct lines *lines = build(policy->llc_kib, 1024, policy->allocate, policy->stash);
	uint64_t seed = 1;

	memset(naive, 0, sizeof(naive));
	for (int i = 0; i < 40000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		const unsigned int dice = (unsigned int)(seed >> 33);
		const int page = dice % PAGES, first = dice / 8 % 64, cpu = dice / 512 % CPUS;
		const int last = dice & 1 << 20 ? first : first + (int)(dice >> 21) % (64 - first);
		const uint64_t mask = (UINT64_MAX >> (63 - (last - first))) << first;
		const int kind = (dice >> 15) % 5;
		const uint64_t whole = kind == 4 ? mask : 0;
		struct lines_found found;

		/* addresses of any size share a table */
		const uint64_t number = (uint64_t)page << (page * 5);

		if (kind == 0)
			lines_device_read(lines, number, mask, &found);
		else if (kind == 1)
			lines_device_write(lines, number, mask, &found);
		else
			cpu_access(lines, (unsigned)cpu, number, mask, whole, kind > 2, &found);
		uint64_t expected[] = {[OWN] = 0, [CPU] = 0, [LLC] = 0, [MEMORY] = 0};

		for (int line = first; line <= last; line++) {
			const enum found where =
				kind < 2 ? naive_device(policy, page, line, kind == 1)
					 : naive_cpu(policy, cpu, page, line, kind > 2, kind == 4);

			expected[where] |= UINT64_C(1) << line;
		}
		if (found.own != expected[OWN] || found.cpu != expected[CPU] ||
		    found.llc != expected[LLC] || found.memory != expected[MEMORY])
			ck_abort_msg("access %d differs", i);
	}
	lines_free(lines);
}
END_TEST

/* ---- capacity ------------------------------------------------------------------------------ */

START_TEST(test_the_last_level_cache_gives_up_a_page_that_was_not_used_lately)
{
	struct lines *lines = build(64, 4, true, true); /* 16 pages */
	struct lines_found found;

	for (uint64_t page = 0; page < 16; page++)
		lines_device_write(lines, page, UINT64_MAX, &found);
	ck_assert_uint_eq(*lines_llc_used(lines), 1024);
	ck_assert_uint_eq(written_back.calls, 0);
	lines_device_read(lines, 0, 1, &found);
	ck_assert_uint_eq(found.llc, 1);
	lines_device_write(lines, 16, 0xff, &found);
	ck_assert_uint_eq(written_back.calls, 1);
	ck_assert_uint_eq(written_back.last_page, 1);
	ck_assert_uint_eq(written_back.last_mask, UINT64_MAX);
	lines_device_read(lines, 0, UINT64_MAX, &found);
	ck_assert_uint_eq(found.llc, UINT64_MAX);
	lines_device_read(lines, 1, 1, &found);
	ck_assert_uint_eq(found.memory, 1);
	lines_free(lines);
}
END_TEST

START_TEST(test_clean_pages_leave_without_a_write)
{
	struct lines *lines = build(64, 4, true, true);
	struct lines_found found;

	for (uint64_t page = 0; page < 1000; page++)
		lines_device_read(lines, page, UINT64_MAX, &found);
	ck_assert_uint_eq(written_back.calls, 0);
	ck_assert_uint_eq(*lines_llc_used(lines), 1024);
	lines_free(lines);
}
END_TEST

START_TEST(test_a_cpu_gives_up_pages_to_the_last_level_cache)
{
	struct lines *lines = build(64, 8, true, true); /* a CPU has two pages */
	struct lines_found found;

	for (uint64_t page = 0; page < 3; page++)
		cpu_access(lines, 3, page, UINT64_MAX, UINT64_MAX, true, &found);
	cpu_access(lines, 3, 0, 2, 0, false, &found);
	ck_assert_uint_eq(found.llc, 2);
	cpu_access(lines, 3, 2, UINT64_MAX, 0, false, &found);
	ck_assert_uint_eq(found.own, UINT64_MAX);
	lines_free(lines);

	/* without one, dirty lines go to memory */
	lines = build(0, 8, true, true);
	for (uint64_t page = 0; page < 3; page++)
		cpu_access(lines, 3, page, 3, 0, page == 0, &found);
	for (uint64_t page = 3; page < 5; page++)
		cpu_access(lines, 3, page, UINT64_MAX, 0, false, &found);
	ck_assert_uint_eq(written_back.lines, 2);
	ck_assert_uint_eq(written_back.last_page, 0);
	lines_free(lines);
}
END_TEST

START_TEST(test_small_caches_under_random_use_stay_within_their_size)
{
	struct lines *lines = build(64, 8, true, _i);
	uint64_t seed = 7;

	for (int i = 0; i < 100000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		const uint64_t page = (seed >> 40) % 300;
		const uint64_t mask = seed | 1;
		struct lines_found found;

		switch (seed >> 33 & 3) {
		case 0:
			lines_device_read(lines, page, mask, &found);
			break;
		case 1:
			lines_device_write(lines, page, mask, &found);
			break;
		default:
			cpu_access(lines, seed >> 35 & 3, page, mask, 0, seed >> 34 & 1, &found);
		}
		if ((found.own | found.cpu | found.llc | found.memory) != mask ||
		    *lines_llc_used(lines) > 1024)
			ck_abort_msg("access %d", i);
	}
	lines_free(lines);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lines");
	TCase *tc = tcase_create("lines");

	tcase_add_loop_test(tc, test_owners_change_as_line_by_line, 0, ARRAY_SIZE(policies));
	tcase_add_test(tc, test_the_last_level_cache_gives_up_a_page_that_was_not_used_lately);
	tcase_add_test(tc, test_clean_pages_leave_without_a_write);
	tcase_add_test(tc, test_a_cpu_gives_up_pages_to_the_last_level_cache);
	tcase_add_loop_test(tc, test_small_caches_under_random_use_stay_within_their_size, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

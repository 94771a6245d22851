/* SPDX-License-Identifier: BSD-3-Clause */
/* The TLB alone: capacity, replacement, keys, maintenance. */
#include "models/mmu/tlb.h"

#include <check.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void install(struct tlb *tlb, uint16_t asid, uint64_t va, uint8_t size_bits, bool global,
		    uint64_t pa)
{
	tlb_install(tlb, &(struct tlb_entry){.pa = pa,
					     .page = va >> size_bits,
					     .asid = asid,
					     .global = global,
					     .size_bits = size_bits});
}

static bool hit(struct tlb *tlb, uint16_t asid, uint64_t va)
{
	return tlb_lookup(tlb, asid, va) != NULL;
}

static const struct {
	uint32_t entries, ways;
} shapes[] = {{1, 1}, {1, 64}, {7, 5}, {48, 48}, {48, 64}, {1280, 5}, {1000, 3}, {65536, 4}};

START_TEST(test_consecutive_pages_fill_the_whole_tlb)
{
	uint32_t entries = shapes[_i].entries;
	struct tlb *tlb = tlb_new(entries, shapes[_i].ways);
	uint32_t hits = 0;

	for (uint32_t i = 0; i < entries; i++)
		install(tlb, 1, (uint64_t)i << 12, 12, false, i);
	for (uint32_t i = 0; i < entries; i++)
		hits += hit(tlb, 1, (uint64_t)i << 12);
	/* sets of unequal size cost a few when the entries do not divide evenly */
	ck_assert_uint_ge(hits, entries - entries / 4);
	if (entries % shapes[_i].ways == 0)
		ck_assert_uint_eq(hits, entries);
	install(tlb, 1, (uint64_t)entries << 12, 12, false, 0);
	ck_assert(hit(tlb, 1, (uint64_t)entries << 12));
	tlb_free(tlb);
}
END_TEST

START_TEST(test_the_least_recently_used_entry_goes)
{
	struct tlb *tlb = tlb_new(4, 4);

	for (uint64_t i = 0; i < 4; i++)
		install(tlb, 1, i << 12, 12, false, i);
	ck_assert(hit(tlb, 1, 0));
	install(tlb, 1, 9 << 12, 12, false, 9);
	ck_assert(hit(tlb, 1, 0));
	ck_assert(!hit(tlb, 1, 1 << 12));
	ck_assert(hit(tlb, 1, 2 << 12));
	tlb_free(tlb);
}
END_TEST

START_TEST(test_a_reinstalled_page_replaces_its_own_entry)
{
	struct tlb *tlb = tlb_new(4, 4);

	for (unsigned int i = 0; i < 10; i++)
		install(tlb, 1, 0x5000, 12, false, i << 12);
	install(tlb, 1, 0x6000, 12, false, 0);
	ck_assert_uint_eq(tlb_lookup(tlb, 1, 0x5fff)->pa, 9 << 12);
	tlb_invalidate_range(tlb, 1, 0x5000, 0x5fff);
	ck_assert(!hit(tlb, 1, 0x5000)); /* no older copy comes to light */
	tlb_free(tlb);
}
END_TEST

/* a page of ASID 1, the same of ASID 2, 2 MiB and 1 GiB of ASID 1, a global page */
enum { P1, P2, BIG, GIANT, GLOBAL, ENTRIES };

static const struct {
	uint16_t asid;
	uint64_t va;
} keys[ENTRIES] = {
	[P1] = {1, 0x5abc},	   [P2] = {2, 0x5abc},	   [BIG] = {1, 0x401fffff},
	[GIANT] = {1, 0xbfffffff}, [GLOBAL] = {9, 0x9000},
};

static void fill(struct tlb *tlb)
{
	install(tlb, 1, 0x5000, 12, false, 0x1000);
	install(tlb, 2, 0x5000, 12, false, 0x2000);
	install(tlb, 1, 0x40000000, 21, false, 0x200000);
	install(tlb, 1, 0x80000000, 30, false, 0x40000000);
	install(tlb, 1, 0x9000, 12, true, 0x3000);
}

static const struct maintenance_case {
	const char *what;
	char op; /* 'a'll, 'i' ASID, 'r'ange */
	uint16_t asid;
	uint64_t first, last;
	unsigned int left; /* mask of entries */
} maintenance_cases[] = {
	{"nothing", 0, 0, 0, 0, 0x1f},
	{"all", 'a', 0, 0, 0, 0},
	{"ASID 1", 'i', 1, 0, 0, 1 << P2 | 1 << GLOBAL},
	{"ASID 2", 'i', 2, 0, 0, 0x1f & ~(1 << P2)},
	{"another ASID", 'i', 77, 0, 0, 0x1f},
	{"page of ASID 1", 'r', 1, 0x5000, 0x5fff, 0x1f & ~(1 << P1)},
	{"page beside", 'r', 1, 0x6000, 0x6fff, 0x1f},
	{"page of another ASID", 'r', 3, 0x5000, 0x5fff, 0x1f},
	{"page within a block", 'r', 1, 0x40005000, 0x40005fff, 0x1f & ~(1 << BIG)},
	{"page within 1 GiB", 'r', 1, 0xa0005000, 0xa0005fff, 0x1f & ~(1 << GIANT)},
	{"global by any ASID", 'r', 7, 0x9000, 0x9fff, 0x1f & ~(1 << GLOBAL)},
	{"short range", 'r', 1, 0x4000, 0x9fff, 0x1f & ~(1 << P1 | 1 << GLOBAL)},
	{"long range", 'r', 1, 0x0, 0x7fffffff, 1 << P2 | 1 << GIANT},
	{"everything of ASID 2", 'r', 2, 0, 0xffffffffffff, 1 << P1 | 1 << BIG | 1 << GIANT},
};

START_TEST(test_maintenance_takes_what_it_names)
{
	const struct maintenance_case *c = &maintenance_cases[_i];
	struct tlb *tlb = tlb_new(64, 4);

	fill(tlb);
	if (c->op == 'a')
		tlb_invalidate_all(tlb);
	else if (c->op == 'i')
		tlb_invalidate_asid(tlb, c->asid);
	else if (c->op == 'r')
		tlb_invalidate_range(tlb, c->asid, c->first, c->last);
	ck_assert_uint_eq(tlb_maintenance(tlb), c->op != 0);
	for (unsigned int i = 0; i < ENTRIES; i++)
		ck_assert_msg(hit(tlb, keys[i].asid, keys[i].va) == (c->left >> i & 1),
			      "%s: entry %u", c->what, i);
	fill(tlb);
	for (unsigned int i = 0; i < ENTRIES; i++)
		ck_assert_msg(hit(tlb, keys[i].asid, keys[i].va), "%s: again, entry %u", c->what,
			      i);
	tlb_free(tlb);
}
END_TEST

START_TEST(test_dead_entries_are_reused_before_live_ones)
{
	struct tlb *tlb = tlb_new(4, 4);

	install(tlb, 1, 0x1000, 12, false, 0);
	install(tlb, 2, 0x2000, 12, false, 0);
	install(tlb, 2, 0x3000, 12, false, 0);
	install(tlb, 2, 0x4000, 12, false, 0);
	tlb_invalidate_asid(tlb, 2);
	for (uint64_t va = 0x5000; va < 0x8000; va += 0x1000)
		install(tlb, 3, va, 12, false, 0);
	ck_assert(hit(tlb, 1, 0x1000));
	tlb_free(tlb);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tlb");
	TCase *tc = tcase_create("tlb");

	tcase_add_loop_test(tc, test_consecutive_pages_fill_the_whole_tlb, 0, ARRAY_SIZE(shapes));
	tcase_add_test(tc, test_the_least_recently_used_entry_goes);
	tcase_add_test(tc, test_a_reinstalled_page_replaces_its_own_entry);
	tcase_add_loop_test(tc, test_maintenance_takes_what_it_names, 0,
			    ARRAY_SIZE(maintenance_cases));
	tcase_add_test(tc, test_dead_entries_are_reused_before_live_ones);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

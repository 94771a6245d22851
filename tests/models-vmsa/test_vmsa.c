/* SPDX-License-Identifier: BSD-3-Clause */
/* The VMSAv8-64 format by tables of cases: geometry, faults, permissions, attributes. */
#include "models/vmsa/vmsa.h"

#include <check.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define R VMSA_MAY(VMSA_READ, true)
#define W VMSA_MAY(VMSA_WRITE, true)
#define X VMSA_MAY(VMSA_EXECUTE, true)
#define r VMSA_MAY(VMSA_READ, false)
#define w VMSA_MAY(VMSA_WRITE, false)
#define x VMSA_MAY(VMSA_EXECUTE, false)

#define USER   VMSA_ATTR_AP_USER
#define RO     VMSA_ATTR_AP_RDONLY
#define AF     VMSA_ATTR_AF
#define PXN    VMSA_ATTR_PXN
#define UXN    VMSA_ATTR_UXN
#define T_USER VMSA_TABLE_AP_NOUSER
#define T_RO   VMSA_TABLE_AP_RDONLY
#define T_PXN  VMSA_TABLE_PXN
#define T_UXN  VMSA_TABLE_UXN

/* As Linux programs it for a process: 48 bits, 4 KiB. */
static const struct vmsa_regime linux_user = {
	.ttb = 0x40001000, .txsz = 16, .granule_bits = 12, .output_bits = 48};

/* ---- geometry ---------------------------------------------------------------------------- */

static const struct start_case {
	uint8_t granule_bits, txsz;
	bool wide; /* ds or lpa */
	int level;
	uint64_t va, offset; /* of the first descriptor from the table */
} start_cases[] = {
	{12, 16, false, 0, 0x0000ff8000000000, 0xff8},
	{12, 24, false, 0, 0x000000ffffffffff, 0x008},
	{12, 25, false, 1, 0x0000007fffffffff, 0xff8},
	{12, 33, false, 1, 0x000000007fffffff, 0x008},
	{12, 34, false, 2, 0x000000003fffffff, 0xff8},
	{12, 39, false, 2, 0x0000000001ffffff, 0x078},
	{12, 12, true, -1, 0x000fffffffffffff, 0x078},
	{14, 16, false, 0, 0x0000ffffffffffff, 0x008},
	{14, 17, false, 1, 0x00007fffffffffff, 0x3ff8},
	{14, 28, false, 2, 0x0000000fffffffff, 0x3ff8},
	{14, 12, true, 0, 0x000fffffffffffff, 0x0f8},
	{16, 16, false, 1, 0x0000ffffffffffff, 0x1f8},
	{16, 22, false, 2, 0x000003ffffffffff, 0xfff8},
	{16, 12, true, 1, 0x000fffffffffffff, 0x1ff8},
};

START_TEST(test_walk_starts_at_the_level_that_txsz_and_granule_give)
{
	const struct start_case *c = &start_cases[_i];
	struct vmsa_regime regime = {.ttb = 0x100000,
				     .txsz = c->txsz,
				     .granule_bits = c->granule_bits,
				     .output_bits = 48,
				     .ds = c->wide,
				     .lpa = c->wide};
	struct vmsa_walk walk;

	ck_assert_int_eq(vmsa_start_level(&regime), c->level);
	ck_assert_int_eq(vmsa_walk_start(&regime, c->va, &walk), VMSA_FAULT_NONE);
	ck_assert_int_eq(walk.level, c->level);
	ck_assert_uint_eq(vmsa_walk_descriptor(&regime, &walk), 0x100000 + c->offset);
}
END_TEST

START_TEST(test_four_levels_end_at_a_page)
{
	static const uint64_t tables[] = {0x40001000, 0x7ffff000, 0x123456000, 0xfffffffff000};
	const uint64_t va = (1ull << 39) | (2ull << 30) | (3ull << 21) | (4ull << 12) | 0x5a5;
	struct vmsa_walk walk;
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;

	ck_assert_int_eq(vmsa_walk_start(&linux_user, va, &walk), VMSA_FAULT_NONE);
	for (int level = 0; level < 3; level++) {
		ck_assert_uint_eq(vmsa_walk_descriptor(&linux_user, &walk),
				  tables[level] + 8 * (uint64_t)(level + 1));
		uint64_t desc = vmsa_encode_table(&linux_user, tables[level + 1], 0);

		ck_assert_int_eq(vmsa_walk_next(&linux_user, &walk, desc, &leaf, &fault),
				 VMSA_STEP_TABLE);
	}
	ck_assert_uint_eq(vmsa_walk_descriptor(&linux_user, &walk), tables[3] + 32);
	uint64_t desc = vmsa_encode_leaf(&linux_user, 3, 0xabcdef000,
					 AF | USER | VMSA_ATTR_NG | VMSA_ATTR_CONTIGUOUS |
						 VMSA_FIELD_PREP(VMSA_ATTR_INDEX, 5) |
						 VMSA_FIELD_PREP(VMSA_ATTR_SH, 3));

	ck_assert_int_eq(vmsa_walk_next(&linux_user, &walk, desc, &leaf, &fault), VMSA_STEP_LEAF);
	ck_assert_uint_eq(vmsa_leaf_pa(&leaf, va), 0xabcdef5a5);
	ck_assert_uint_eq(leaf.size_bits, 12);
	ck_assert_int_eq(leaf.level, 3);
	ck_assert_uint_eq(leaf.attr_index, 5);
	ck_assert_uint_eq(leaf.sh, 3);
	ck_assert(leaf.ng && leaf.contiguous && leaf.af);
	ck_assert(!leaf.ns && !leaf.dbm);
}
END_TEST

static const struct block_case {
	uint8_t granule_bits;
	bool wide;
	int level;
	uint8_t size_bits; /* 0: no block there, a translation fault */
} block_cases[] = {
	{12, false, 0, 0},  {12, false, 1, 30}, {12, false, 2, 21}, {12, false, 3, 12},
	{12, true, 0, 39},  {12, true, -1, 0},	{14, false, 1, 0},  {14, false, 2, 25},
	{14, false, 3, 14}, {14, true, 1, 36},	{14, true, 0, 0},   {16, false, 1, 0},
	{16, false, 2, 29}, {16, false, 3, 16}, {16, true, 1, 42},
};

START_TEST(test_blocks_exist_where_the_granule_has_them)
{
	const struct block_case *c = &block_cases[_i];
	struct vmsa_regime regime = {.txsz = c->wide ? 12 : 16,
				     .granule_bits = c->granule_bits,
				     .output_bits = c->wide ? 52 : 48,
				     .ds = c->wide,
				     .lpa = c->wide};
	struct vmsa_walk walk = {.va = 0x1234567, .level = (int8_t)c->level};
	uint64_t pa = c->wide ? 0xfc00000000000 : 0x40000000;
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;

	ck_assert_int_eq(vmsa_leaf_level(&regime, c->level), c->size_bits != 0);
	if (!c->size_bits) {
		ck_assert_int_eq(
			vmsa_walk_next(&regime, &walk, VMSA_DESC_VALID | AF, &leaf, &fault),
			VMSA_STEP_FAULT);
		ck_assert_int_eq(fault, VMSA_FAULT_TRANSLATION);
		ck_assert_int_eq(walk.level, c->level);
		return;
	}
	uint64_t desc = vmsa_encode_leaf(&regime, c->level, pa, AF);

	ck_assert_int_eq(vmsa_walk_next(&regime, &walk, desc, &leaf, &fault), VMSA_STEP_LEAF);
	ck_assert_uint_eq(leaf.size_bits, c->size_bits);
	ck_assert_uint_eq(leaf.pa, pa & ~((1ull << c->size_bits) - 1));
	ck_assert_uint_eq(vmsa_leaf_pa(&leaf, 0x1234567),
			  leaf.pa | (0x1234567 & ((1ull << c->size_bits) - 1)));
}
END_TEST

START_TEST(test_52_bit_table_addresses_survive_the_descriptor)
{
	static const struct {
		uint8_t granule_bits;
		uint64_t table;
	} cases[] = {{12, 0xf123456789000}, {14, 0xd123456788000}, {16, 0xe123456780000}};
	struct vmsa_regime regime = {.txsz = 12,
				     .granule_bits = cases[_i].granule_bits,
				     .output_bits = 52,
				     .ds = true,
				     .lpa = true};
	struct vmsa_walk walk = {.level = 1};
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;
	uint64_t desc = vmsa_encode_table(&regime, cases[_i].table, 0);

	ck_assert_int_eq(vmsa_walk_next(&regime, &walk, desc, &leaf, &fault), VMSA_STEP_TABLE);
	ck_assert_uint_eq(walk.table, cases[_i].table);
}
END_TEST

/* ---- faults before the first descriptor -------------------------------------------------- */

#define LINUX .txsz = 16, .granule_bits = 12, .output_bits = 48

static const struct region_case {
	const char *what;
	struct vmsa_regime regime;
	uint64_t va;
	enum vmsa_fault fault;
} region_cases[] = {
	{"last of TTB0", {LINUX}, 0x0000ffffffffffff, VMSA_FAULT_NONE},
	{"first beyond", {LINUX}, 0x0001000000000000, VMSA_FAULT_TRANSLATION},
	{"bit 63 alone", {LINUX}, 0x8000000000000000, VMSA_FAULT_TRANSLATION},
	{"upper half in TTB0", {LINUX}, 0xffff000000000000, VMSA_FAULT_TRANSLATION},
	{"beyond a small region",
	 {.txsz = 32, .granule_bits = 12, .output_bits = 48},
	 0x100000000,
	 VMSA_FAULT_TRANSLATION},
	{"tag without TBI", {LINUX}, 0xab00000000001000, VMSA_FAULT_TRANSLATION},
	{"tag with TBI", {LINUX, .tbi = true}, 0xab00000000001000, VMSA_FAULT_NONE},
	{"bit 55 with TBI", {LINUX, .tbi = true}, 0x0080000000001000, VMSA_FAULT_TRANSLATION},
	{"first of TTB1", {LINUX, .upper = true}, 0xffff000000000000, VMSA_FAULT_NONE},
	{"below TTB1", {LINUX, .upper = true}, 0xfffeffffffffffff, VMSA_FAULT_TRANSLATION},
	{"lower half in TTB1", {LINUX, .upper = true}, 0x1000, VMSA_FAULT_TRANSLATION},
	{"walks disabled", {LINUX, .epd = true}, 0x1000, VMSA_FAULT_TRANSLATION},
	{"TxSZ too small",
	 {.txsz = 15, .granule_bits = 12, .output_bits = 48},
	 0x1000,
	 VMSA_FAULT_TRANSLATION},
	{"TxSZ too large",
	 {.txsz = 40, .granule_bits = 12, .output_bits = 48},
	 0x1000,
	 VMSA_FAULT_TRANSLATION},
	{"reserved granule",
	 {.txsz = 16, .granule_bits = 0, .output_bits = 48},
	 0x1000,
	 VMSA_FAULT_TRANSLATION},
	{"table beyond IPS",
	 {.ttb = 1ull << 40, .txsz = 16, .granule_bits = 12, .output_bits = 40},
	 0x1000,
	 VMSA_FAULT_ADDRESS_SIZE},
	{"table below IPS",
	 {.ttb = 1ull << 39, .txsz = 16, .granule_bits = 12, .output_bits = 40},
	 0x1000,
	 VMSA_FAULT_NONE},
};

START_TEST(test_address_outside_the_region_faults_at_level_0)
{
	const struct region_case *c = &region_cases[_i];
	struct vmsa_walk walk;

	ck_assert_msg(vmsa_walk_start(&c->regime, c->va, &walk) == c->fault, "%s", c->what);
	ck_assert_msg(walk.level == 0, "%s", c->what);
}
END_TEST

/* ---- faults of a descriptor -------------------------------------------------------------- */

static const struct fault_case {
	const char *what;
	int8_t level;
	uint64_t descriptor;
	enum vmsa_step step;
	enum vmsa_fault fault;
} fault_cases[] = {
	{"invalid at 0", 0, 0, VMSA_STEP_FAULT, VMSA_FAULT_TRANSLATION},
	{"invalid with software bits", 3, 0xfffffffffffffffe, VMSA_STEP_FAULT,
	 VMSA_FAULT_TRANSLATION},
	{"block at level 0", 0, AF | 1, VMSA_STEP_FAULT, VMSA_FAULT_TRANSLATION},
	{"reserved at level 3", 3, AF | 1, VMSA_STEP_FAULT, VMSA_FAULT_TRANSLATION},
	{"table", 2, 0x1003, VMSA_STEP_TABLE, VMSA_FAULT_NONE},
	{"table beyond IPS", 1, (1ull << 40) | 3, VMSA_STEP_FAULT, VMSA_FAULT_ADDRESS_SIZE},
	{"page beyond IPS", 3, (1ull << 40) | AF | 3, VMSA_STEP_FAULT, VMSA_FAULT_ADDRESS_SIZE},
	{"address size before access flag", 3, (1ull << 40) | 3, VMSA_STEP_FAULT,
	 VMSA_FAULT_ADDRESS_SIZE},
	{"page, AF = 0", 3, 0x1003, VMSA_STEP_FAULT, VMSA_FAULT_ACCESS_FLAG},
	{"block, AF = 0", 2, 0x200001, VMSA_STEP_FAULT, VMSA_FAULT_ACCESS_FLAG},
	{"page", 3, 0x1003 | AF, VMSA_STEP_LEAF, VMSA_FAULT_NONE},
	{"block", 1, 0x40000001 | AF, VMSA_STEP_LEAF, VMSA_FAULT_NONE},
};

START_TEST(test_descriptor_faults_at_its_own_level)
{
	const struct fault_case *c = &fault_cases[_i];
	struct vmsa_regime regime = {.txsz = 16, .granule_bits = 12, .output_bits = 40};
	struct vmsa_walk walk = {.level = c->level};
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;
	enum vmsa_step step = vmsa_walk_next(&regime, &walk, c->descriptor, &leaf, &fault);

	ck_assert_msg(step == c->step && fault == c->fault, "%s", c->what);
	if (step == VMSA_STEP_FAULT)
		ck_assert_msg(walk.level == c->level, "%s", c->what);
}
END_TEST

START_TEST(test_af_clear_is_no_fault_with_ha_or_affd)
{
	struct vmsa_regime regime = linux_user;
	struct vmsa_walk walk = {.level = 3};
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;

	regime.ha = _i == 0;
	regime.affd = _i == 1;
	ck_assert_int_eq(vmsa_walk_next(&regime, &walk, 0x1003, &leaf, &fault), VMSA_STEP_LEAF);
	ck_assert(!leaf.af);
}
END_TEST

/* ---- permissions ------------------------------------------------------------------------- */

enum { NORMAL, WXN, PAN, EL2, EL2_WXN, HPD };

static const struct permission_case {
	int mode;
	uint64_t table, attributes;
	unsigned int permissions;
} permission_cases[] = {
	/* AP × execute-never */
	{NORMAL, 0, 0, R | W | X | x},
	{NORMAL, 0, USER, R | W | r | w | x},
	{NORMAL, 0, RO, R | X | x},
	{NORMAL, 0, USER | RO, R | X | r | x},
	{NORMAL, 0, UXN, R | W | X},
	{NORMAL, 0, USER | PXN | UXN, R | W | r | w},
	{NORMAL, 0, USER | RO | PXN, R | r | x},
	{NORMAL, 0, USER | RO | UXN, R | X | r},
	/* hierarchical */
	{NORMAL, T_RO, USER, R | X | r | x},
	{NORMAL, T_USER, USER, R | W | X | x},
	{NORMAL, T_USER | T_RO, USER, R | X | x},
	{NORMAL, T_UXN, USER | RO, R | X | r},
	{NORMAL, T_PXN, USER | RO, R | r | x},
	{NORMAL, T_PXN | T_UXN, RO, R},
	{HPD, T_USER | T_RO | T_PXN | T_UXN, USER | RO, R | X | r | x},
	/* WXN: nothing that is writable is executable at that privilege */
	{WXN, 0, 0, R | W | x},
	{WXN, 0, USER, R | W | r | w},
	{WXN, 0, USER | RO, R | X | r | x},
	/* PAN: EL1 neither reads nor writes what EL0 may; it may execute it */
	{PAN, 0, USER, r | w | x},
	{PAN, 0, USER | RO, X | r | x},
	{PAN, 0, 0, R | W | X | x},
	{PAN, T_USER, USER, R | W | X | x},
	/* one privilege level: AP[1], PXN and APTable[0] mean nothing */
	{EL2, 0, 0, R | W | X | r | w | x},
	{EL2, 0, RO | PXN, R | X | r | x},
	{EL2, T_USER | T_PXN, USER, R | W | X | r | w | x},
	{EL2, T_RO, UXN, R | r},
	{EL2_WXN, 0, 0, R | W | r | w},
};

START_TEST(test_permissions_fold_ap_xn_and_hierarchy)
{
	const struct permission_case *c = &permission_cases[_i];
	struct vmsa_regime regime = linux_user;
	struct vmsa_walk walk = {.level = 2};
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;

	regime.wxn = c->mode == WXN || c->mode == EL2_WXN;
	regime.pan = c->mode == PAN;
	regime.one_privilege = c->mode == EL2 || c->mode == EL2_WXN;
	regime.hpd = c->mode == HPD;
	ck_assert_int_eq(vmsa_walk_next(&regime, &walk, vmsa_encode_table(&regime, 0, c->table),
					&leaf, &fault),
			 VMSA_STEP_TABLE);
	ck_assert_int_eq(vmsa_walk_next(&regime, &walk,
					vmsa_encode_leaf(&regime, 3, 0x1000, AF | c->attributes),
					&leaf, &fault),
			 VMSA_STEP_LEAF);
	ck_assert_uint_eq(leaf.permissions, c->permissions);
}
END_TEST

START_TEST(test_permitted_tells_access_and_privilege_apart)
{
	ck_assert(vmsa_permitted(R | x, VMSA_READ, true));
	ck_assert(!vmsa_permitted(R | x, VMSA_READ, false));
	ck_assert(vmsa_permitted(R | x, VMSA_EXECUTE, false));
	ck_assert(!vmsa_permitted(R | x, VMSA_WRITE, true));
}
END_TEST

START_TEST(test_encodings_of_ips_and_tg)
{
	static const unsigned int ips[] = {32, 36, 40, 42, 44, 48, 52, 0, 0};
	static const unsigned int tg0[] = {12, 16, 14, 0}, tg1[] = {0, 14, 12, 16};

	for (unsigned int i = 0; i < ARRAY_SIZE(ips); i++)
		ck_assert_uint_eq(vmsa_ips_bits(i), ips[i]);
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert_uint_eq(vmsa_tg0_granule_bits(i), tg0[i]);
		ck_assert_uint_eq(vmsa_tg1_granule_bits(i), tg1[i]);
	}
	ck_assert(!vmsa_va_upper(0x007fffffffffffff));
	ck_assert(vmsa_va_upper(0xffff000000000000));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmsa");
	TCase *tc = tcase_create("format");

	tcase_add_loop_test(tc, test_walk_starts_at_the_level_that_txsz_and_granule_give, 0,
			    ARRAY_SIZE(start_cases));
	tcase_add_test(tc, test_four_levels_end_at_a_page);
	tcase_add_loop_test(tc, test_blocks_exist_where_the_granule_has_them, 0,
			    ARRAY_SIZE(block_cases));
	tcase_add_loop_test(tc, test_52_bit_table_addresses_survive_the_descriptor, 0, 3);
	tcase_add_loop_test(tc, test_address_outside_the_region_faults_at_level_0, 0,
			    ARRAY_SIZE(region_cases));
	tcase_add_loop_test(tc, test_descriptor_faults_at_its_own_level, 0,
			    ARRAY_SIZE(fault_cases));
	tcase_add_loop_test(tc, test_af_clear_is_no_fault_with_ha_or_affd, 0, 2);
	tcase_add_loop_test(tc, test_permissions_fold_ap_xn_and_hierarchy, 0,
			    ARRAY_SIZE(permission_cases));
	tcase_add_test(tc, test_permitted_tells_access_and_privilege_apart);
	tcase_add_test(tc, test_encodings_of_ips_and_tg);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* ID registers, bypass, stream tables, context descriptor tables, substreams. */
#include "tests/models-smmu/bench.h"

static void all_features(struct smmu_params *params)
{
	params->sev = params->msi = params->hyp = params->ril = true;
	params->stall_model = 2;
}

BENCH_TEST(test_id_registers_are_what_linux_was_seen_to_accept)
{
	ck_assert_uint_eq(reg_read32(b, REG_IDR0), 0x084C101A);
	ck_assert_uint_eq(reg_read32(b, REG_IDR1), 0x01073C10);
	ck_assert_uint_eq(reg_read32(b, REG_IDR3), 0);
	ck_assert_uint_eq(reg_read32(b, REG_IDR5), 0x00400015);
	ck_assert_uint_eq(reg_read64(b, REG_IDR0), UINT64_C(0x01073C10084C101A));
	reg_write32(b, REG_IDR0, 0);
	ck_assert_uint_eq(reg_read32(b, REG_IDR0), 0x084C101A);
}

BENCH_TEST_WITH(test_id_registers_follow_the_parameters, all_features)
{
	ck_assert_uint_eq(reg_read32(b, REG_IDR0), 0x0A4C721A);
	ck_assert_uint_eq(reg_read32(b, REG_IDR3), 0x400);
	ck_assert_uint_eq(reg_read32(b, REG_AIDR), 2);
}

BENCH_TEST(test_disabled_smmu_follows_gbpa)
{
	struct access a = {0};

	ck_assert_int_eq(access_do(b, &a, SID, -1, DATA, SIM_READ), SIM_OK);
	ck_assert_uint_eq(b->last_pa, DATA);
	reg_write32(b, REG_GBPA, GBPA_ABORT); /* without Update: ignored */
	ck_assert_int_eq(access_do(b, &a, SID, -1, DATA, SIM_READ), SIM_OK);
	reg_write32(b, REG_GBPA, (uint32_t)(GBPA_ABORT | GBPA_UPDATE));
	while (reg_read32(b, REG_GBPA) & GBPA_UPDATE)
		;
	ck_assert_int_eq(access_do(b, &a, SID, 3, DATA, SIM_READ), SIM_SLVERR);
	ck_assert_uint_eq(metric(b, "smmu.aborted"), 1);
}

BENCH_TEST(test_register_guards_hold_while_enabled)
{
	bench_start(b);
	reg_write64(b, REG_STRTAB_BASE, 0);
	reg_write32(b, REG_STRTAB_BASE_CFG, 0);
	reg_write64(b, REG_CMDQ_BASE, 0);
	reg_write64(b, REG_EVENTQ_BASE, 0);
	reg_write32(b, REG_CMDQ_CONS, 3);
	reg_write32(b, REG_EVENTQ_PROD, 3);
	ck_assert_uint_eq(reg_read64(b, REG_STRTAB_BASE), STRTAB | STRTAB_BASE_RA);
	ck_assert_uint_eq(reg_read32(b, REG_STRTAB_BASE_CFG), 6);
	ck_assert_uint_eq(reg_read64(b, REG_CMDQ_BASE), CMDQ | CMDQ_LOG2);
	ck_assert_uint_eq(reg_read64(b, REG_EVENTQ_BASE), EVTQ | EVTQ_LOG2);
	ck_assert_uint_eq(reg_read32(b, REG_CMDQ_CONS), 0);
	ck_assert_uint_eq(reg_read32(b, REG_EVENTQ_PROD), 0);
	ck_assert_uint_eq(reg_read32(b, REG_EVENTQ_PROD_ALIAS), 0);
}

struct odd_access {
	uint64_t addr;
	uint32_t len;
	enum sim_cmd cmd;
};

static bool odd_done;

static void odd_access_done(struct sim_txn *txn)
{
	odd_done = true;
	(void)txn;
}

BENCH_TEST(test_odd_register_accesses_abort)
{
	static const struct odd_access cases[] = {
		{REG_BASE + REG_IDR0, 2, SIM_READ},	    {REG_BASE + REG_IDR0 + 2, 4, SIM_READ},
		{REG_BASE + REG_IDR1, 8, SIM_READ},	    {REG_BASE + REG_CR0, 4, SIM_ATOMIC_ADD},
		{REG_BASE + SMMU_FRAME_BYTES, 4, SIM_READ}, {REG_BASE - 4, 4, SIM_READ},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t data = 0;
		struct sim_txn txn = {
			.addr = cases[i].addr,
			.len = cases[i].len,
			.cmd = cases[i].cmd,
			.data = &data,
			.done = odd_access_done,
		};

		odd_done = false;
		smmu_mmio_request(b->smmu, &txn);
		sim_thread_sleep(SIM_US(1));
		ck_assert(odd_done);
		ck_assert_int_eq(txn.response, SIM_SLVERR);
	}
}

/* ---- stream table entries: one StreamID per case ----------------------------------------- */

struct ste_case {
	const char *what;
	uint64_t dw0, dw1;
	int ssid;
	enum sim_response response;
	unsigned int event; /* 0: none */
};

#define S1(cdmax) (STE_0_V | FIELD_PREP(STE_0_CONFIG, 5) | CDTAB | FIELD_PREP(STE_0_S1CDMAX, cdmax))
#define BYPASS	  (STE_0_V | FIELD_PREP(STE_0_CONFIG, 4))
#define DSS(n)	  FIELD_PREP(STE_1_S1DSS, n)

static const struct ste_case ste_cases[] = {
	{"invalid", 0, 0, -1, SIM_SLVERR, C_BAD_STE},
	{"abort, silent", STE_0_V, 0, -1, SIM_SLVERR, 0},
	{"reserved Config 1 aborts", STE_0_V | FIELD_PREP(STE_0_CONFIG, 1), 0, -1, SIM_SLVERR, 0},
	{"bypass", BYPASS, 0, -1, SIM_OK, 0},
	{"bypass with SubstreamID", BYPASS, 0, 1, SIM_SLVERR, C_BAD_SUBSTREAMID},
	{"stage 2", STE_0_V | FIELD_PREP(STE_0_CONFIG, 6), 0, -1, SIM_SLVERR, C_BAD_STE},
	{"nested", STE_0_V | FIELD_PREP(STE_0_CONFIG, 7), 0, -1, SIM_SLVERR, C_BAD_STE},
	{"stage 1, one CD", S1(0), 0, -1, SIM_OK, 0},
	{"stage 1, one CD, SubstreamID", S1(0), 0, 0, SIM_SLVERR, C_BAD_SUBSTREAMID},
	{"S1DSS terminate, SSV 0", S1(2), DSS(0), -1, SIM_SLVERR, F_STREAM_DISABLED},
	{"S1DSS terminate, SSID 0", S1(2), DSS(0), 0, SIM_OK, 0},
	{"S1DSS terminate, SSID 1", S1(2), DSS(0), 1, SIM_OK, 0},
	{"S1DSS bypass, SSV 0", S1(2), DSS(1), -1, SIM_OK, 0},
	{"S1DSS bypass, SSID 1", S1(2), DSS(1), 1, SIM_OK, 0},
	{"S1DSS bypass, SSID 0", S1(2), DSS(1), 0, SIM_OK, 0},
	{"S1DSS SSID0, SSV 0", S1(2), DSS(2), -1, SIM_OK, 0},
	{"S1DSS SSID0, SSID 0", S1(2), DSS(2), 0, SIM_SLVERR, F_STREAM_DISABLED},
	{"S1DSS SSID0, SSID 1", S1(2), DSS(2), 1, SIM_OK, 0},
	{"S1DSS reserved, SSV 0", S1(2), DSS(3), -1, SIM_SLVERR, F_STREAM_DISABLED},
	{"SSID out of range", S1(2), DSS(2), 4, SIM_SLVERR, C_BAD_SUBSTREAMID},
	{"CD not valid", S1(2), DSS(2), 3, SIM_SLVERR, C_BAD_CD},
	{"S1CDMax too large", S1(17), 0, 1, SIM_SLVERR, C_BAD_STE},
	{"S1Fmt reserved", S1(2) | FIELD_PREP(STE_0_S1FMT, 3), 0, 1, SIM_SLVERR, C_BAD_STE},
	{"STRW EL2 without HYP", S1(2), FIELD_PREP(STE_1_STRW, 2), 1, SIM_SLVERR, C_BAD_STE},
	{"STRW reserved", S1(2), FIELD_PREP(STE_1_STRW, 3), 1, SIM_SLVERR, C_BAD_STE},
	{"EATS is accepted", S1(2), FIELD_PREP(STE_1_EATS, 1), 1, SIM_OK, 0},
	{"CD table beyond the OAS", S1(2) | BIT(50), 0, 1, SIM_SLVERR, C_BAD_STE},
};

BENCH_TEST(test_stream_table_entries)
{
	const uint64_t va = 0x7f0000001000;

	bench_start(b);
	for (uint32_t i = 0; i < 3; i++) {
		cd_set(b, i, 0);
		map(b, i, va, DATA + i * 0x10000, 3, ATTR_RW);
		map(b, i, DATA, DATA + i * 0x10000 + 0x1000, 3, ATTR_RW);
	}
	for (uint32_t i = 0; i < sizeof(ste_cases) / sizeof(ste_cases[0]); i++) {
		const struct ste_case *c = &ste_cases[i];
		bool bypass = c->dw0 == BYPASS || (c->ssid < 0 && c->dw1 == DSS(1));
		struct access a = {0};
		uint64_t record[4];

		ste_set(b, i, c->dw0, c->dw1);
		ck_assert_msg(access_do(b, &a, i, c->ssid, bypass ? DATA : va, SIM_READ) ==
				      c->response,
			      "%s", c->what);
		if (c->response == SIM_OK)
			ck_assert_msg(b->last_pa == (bypass ? DATA
							    : DATA + (c->ssid > 0 ? c->ssid : 0) *
									      0x10000u),
				      "%s: %lx", c->what, b->last_pa);
		if (!c->event) {
			ck_assert_msg(!events_waiting(b), "%s", c->what);
			continue;
		}
		event_take(b, record);
		ck_assert_msg(FIELD_GET(EVENT_0_ID, record[0]) == c->event, "%s", c->what);
		ck_assert_uint_eq(FIELD_GET(EVENT_0_SID, record[0]), i);
		ck_assert_uint_eq(FIELD_GET(EVENT_0_SSID, record[0]), c->ssid > 0 ? c->ssid : 0);
		ck_assert_uint_eq(!!(record[0] & EVENT_0_SSV),
				  c->ssid >= 0 && c->event != C_BAD_SUBSTREAMID);
		ck_assert_uint_eq(record[1], 0);
		ck_assert_uint_eq(record[2], 0);
		ck_assert_uint_eq(record[3], 0);
	}
}

/* ---- context descriptors ----------------------------------------------------------------- */

static const struct {
	const char *what;
	uint64_t set, clear;
	bool ok;
} cd_cases[] = {
	{"as Linux writes it", 0, 0, true},
	{"V", 0, CD_0_V, false},
	{"AA64", 0, CD_0_AA64, false},
	{"big-endian", CD_0_ENDI, 0, false},
	{"HA", CD_0_HA, 0, false},
	{"HD", CD_0_HD, 0, false},
	{"granule 64K", FIELD_PREP(CD_0_TG0, 1), 0, false},
	{"T0SZ too small", 0, CD_0_T0SZ, false},
	{"T0SZ too large", CD_0_T0SZ, 0, false},
	{"EPD1 clear with TG1 reserved", 0, CD_0_EPD1, false},
	{"IPS beyond the OAS is the OAS", FIELD_PREP(CD_0_IPS, 6), CD_0_IPS, true},
	{"TTB0 beyond IPS", 0, CD_0_IPS, true}, /* 32 bits hold it */
	{"ASET clear", 0, CD_0_ASET, true},
	{"top byte ignored", CD_0_TBI0, 0, true},
};

BENCH_TEST(test_context_descriptor_validity)
{
	bench_start(b);
	map(b, 0, 0x1000, DATA, 3, ATTR_RW);
	ste_stage1(b, SID, 0, 0);
	for (size_t i = 0; i < sizeof(cd_cases) / sizeof(cd_cases[0]); i++) {
		struct access a = {0};
		uint64_t record[4], *cd = mem64(b, CDTAB);

		cd_set(b, 0, 0);
		cd[0] = (cd[0] & ~cd_cases[i].clear) | cd_cases[i].set;
		command_sync(b, CMD_SID(CMD_CFGI_CD, SID), 0);
		ck_assert_msg((access_do(b, &a, SID, -1, 0x1000, SIM_WRITE) == SIM_OK) ==
				      cd_cases[i].ok,
			      "%s", cd_cases[i].what);
		if (cd_cases[i].ok)
			continue;
		event_take(b, record);
		ck_assert_uint_eq(record[0], C_BAD_CD | (uint64_t)SID << 32);
	}
}

BENCH_TEST(test_upper_half_translates_by_ttb1)
{
	struct access a = {0};
	uint64_t *cd = mem64(b, CDTAB);

	bench_start(b);
	ste_stage1(b, SID, 0, 0);
	cd_set(b, 0, FIELD_PREP(CD_0_T1SZ, 16) | FIELD_PREP(CD_0_TG1, 2));
	cd[0] &= ~CD_0_EPD1;
	cd[2] = space_pgd(1);
	map(b, 0, 0x1000, DATA, 3, ATTR_RW);
	map(b, 1, 0xffff800000001000, DATA + 0x5000, 3, ATTR_RW);
	ck_assert_int_eq(access_do(b, &a, SID, -1, 0x1008, SIM_READ), SIM_OK);
	ck_assert_uint_eq(b->last_pa, DATA + 8);
	ck_assert_int_eq(access_do(b, &a, SID, -1, 0xffff800000001010, SIM_READ), SIM_OK);
	ck_assert_uint_eq(b->last_pa, DATA + 0x5010);
}

/* ---- two levels -------------------------------------------------------------------------- */

static const struct {
	uint32_t sid;
	uint64_t l1std;
	unsigned int event;
} span_cases[] = {
	{0x100, L2_TABLE | 9, 0}, /* all 256 */
	{0x1ff, L2_TABLE | 9, 0},
	{0x101, L2_TABLE | 2, 0}, /* two entries */
	{0x102, L2_TABLE | 2, C_BAD_STREAMID},
	{0x100, L2_TABLE | 0, C_BAD_STREAMID},
	{0x100, L2_TABLE | 10, C_BAD_STREAMID},		  /* more than SPLIT + 1 */
	{0x400, L2_TABLE | 9, C_BAD_STREAMID},		  /* beyond LOG2SIZE */
	{0x100, (L2_TABLE + 0x4000000) | 9, F_STE_FETCH}, /* nothing there */
};

BENCH_TEST(test_two_level_stream_table)
{
	reg_write32(b, REG_STRTAB_BASE_CFG, 1u << 16 | 8u << 6 | 10);
	reg_write64(b, REG_STRTAB_BASE, STRTAB);
	reg_write32(b, REG_CR2, CR2_RECINVSID);
	reg_write64(b, REG_CMDQ_BASE, CMDQ | CMDQ_LOG2);
	reg_write64(b, REG_EVENTQ_BASE, EVTQ | EVTQ_LOG2);
	cr0_set(b, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
	for (uint32_t i = 0; i < 256; i++)
		*mem64(b, L2_TABLE + i * 64) = BYPASS;
	for (size_t i = 0; i < sizeof(span_cases) / sizeof(span_cases[0]); i++) {
		struct access a = {0};
		uint64_t record[4];

		*mem64(b, STRTAB + 8) = span_cases[i].l1std;
		command_sync(b, CMD_CFGI_STE_RANGE, 31);
		ck_assert_int_eq(access_do(b, &a, span_cases[i].sid, -1, DATA, SIM_READ),
				 span_cases[i].event ? SIM_SLVERR : SIM_OK);
		if (!span_cases[i].event)
			continue;
		event_take(b, record);
		ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), span_cases[i].event);
		if (span_cases[i].event == F_STE_FETCH)
			ck_assert_uint_eq(record[3], L2_TABLE + 0x4000000);
	}
}

BENCH_TEST(test_bad_streamid_is_recorded_only_on_request)
{
	struct access a = {0};

	bench_start(b);
	cr0_set(b, CR0_CMDQEN | CR0_EVENTQEN);
	reg_write32(b, REG_CR2, 0);
	cr0_set(b, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
	ck_assert_int_eq(access_do(b, &a, 64, -1, DATA, SIM_READ), SIM_SLVERR);
	ck_assert_uint_eq(events_waiting(b), 0);
}

static const struct {
	unsigned int fmt;
	uint32_t ssid;
	uint64_t l1_index, l2_index;
} l2_cases[] = {
	{S1FMT_64K_L2, 1, 0, 1},
	{S1FMT_64K_L2, 1023, 0, 1023},
	{S1FMT_64K_L2, 1024 * 3 + 7, 3, 7},
	{S1FMT_64K_L2, 65535, 63, 1023},
	{S1FMT_4K_L2, 1, 0, 1},
	{S1FMT_4K_L2, 64 * 5 + 63, 5, 63},
};

BENCH_TEST(test_two_level_context_tables)
{
	bench_start(b);
	map(b, 0, 0x2000, DATA, 3, ATTR_RW);
	for (size_t i = 0; i < sizeof(l2_cases) / sizeof(l2_cases[0]); i++) {
		struct access a = {0};
		uint64_t record[4], l2 = 0x200000, *cd;

		ste_set(b, SID, S1(16) | FIELD_PREP(STE_0_S1FMT, l2_cases[i].fmt), DSS(1));
		command_sync(b, CMD_SID(CMD_CFGI_STE, SID), 1);
		*mem64(b, CDTAB + l2_cases[i].l1_index * 8) = 0;
		ck_assert_int_eq(access_do(b, &a, SID, l2_cases[i].ssid, 0x2000, SIM_READ),
				 SIM_SLVERR);
		event_take(b, record);
		ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), C_BAD_SUBSTREAMID);

		*mem64(b, CDTAB + l2_cases[i].l1_index * 8) = l2 | L1CD_V;
		cd = mem64(b, l2 + l2_cases[i].l2_index * 64);
		cd[0] = CD_DEFAULT;
		cd[1] = space_pgd(0);
		command_sync(b, CMD_SID(CMD_CFGI_CD, SID) | l2_cases[i].ssid << 12, 1);
		ck_assert_int_eq(access_do(b, &a, SID, l2_cases[i].ssid, 0x2000, SIM_READ), SIM_OK);
		ck_assert_uint_eq(b->last_pa, DATA);
	}
}

static void hyp(struct smmu_params *params)
{
	params->hyp = true;
}

BENCH_TEST_WITH(test_el2_e2h_stream_world, hyp)
{
	struct access a = {0};

	bench_start(b);
	ste_set(b, SID, S1(0), FIELD_PREP(STE_1_STRW, STRW_NS_EL2));
	cd_set(b, 0, 0);
	map(b, 0, 0x2000, DATA, 3, ATTR_RW);
	ck_assert_int_eq(access_do(b, &a, SID, -1, 0x2000, SIM_READ), SIM_OK);
	command_sync(b, CMD_TLBI_NSNH_ALL, 0); /* not of this world */
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 1);
	command_sync(b, CMD_TLBI_EL2_VA | UINT64_C(101) << 48, 0x2000); /* another ASID */
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 1);
	command_sync(b, CMD_TLBI_EL2_VA | UINT64_C(100) << 48, 0x2000);
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 0);
	ck_assert_int_eq(access_do(b, &a, SID, -1, 0x2000, SIM_READ), SIM_OK);
	command_sync(b, CMD_TLBI_EL2_ASID | UINT64_C(100) << 48, 0);
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 0);
	ck_assert_int_eq(access_do(b, &a, SID, -1, 0x2000, SIM_READ), SIM_OK);
	command_sync(b, CMD_TLBI_EL2_ALL, 0);
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 0);
}

BENCH_TEST(test_disabling_lets_what_is_in_flight_finish)
{
	struct access a = {0};

	bench_start(b);
	ste_set(b, SID, BYPASS, 0);
	b->hold_downstream = true;
	access_start(b, &a, SID, -1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	reg_write32(b, REG_CR0, 0);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(reg_read32(b, REG_CR0ACK), CR0_SMMUEN);
	bench_release(b, 1);
	ck_assert(access_wait(&a, SIM_US(1)));
	ck_assert_uint_eq(reg_read32(b, REG_CR0ACK), 0);
}

TCase *config_cases(void)
{
	TCase *tc = tcase_create("configuration");

	tcase_add_test(tc, test_id_registers_are_what_linux_was_seen_to_accept);
	tcase_add_test(tc, test_id_registers_follow_the_parameters);
	tcase_add_test(tc, test_disabled_smmu_follows_gbpa);
	tcase_add_test(tc, test_register_guards_hold_while_enabled);
	tcase_add_test(tc, test_odd_register_accesses_abort);
	tcase_add_test(tc, test_stream_table_entries);
	tcase_add_test(tc, test_context_descriptor_validity);
	tcase_add_test(tc, test_upper_half_translates_by_ttb1);
	tcase_add_test(tc, test_two_level_stream_table);
	tcase_add_test(tc, test_bad_streamid_is_recorded_only_on_request);
	tcase_add_test(tc, test_two_level_context_tables);
	tcase_add_test(tc, test_el2_e2h_stream_world);
	tcase_add_test(tc, test_disabling_lets_what_is_in_flight_finish);
	return tc;
}

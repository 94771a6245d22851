/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever software and devices do, the SMMU answers: random tables, commands, registers and
 * transactions, from a fixed seed; at the end everything that went in has come out.
 */
#include "tests/models-smmu/bench.h"

#define ACCESSES 24

static uint64_t state = 88172645463325252;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t rnd_below(uint64_t n)
{
	return (rnd() >> 16) % n;
}

static uint64_t random_va(void)
{
	return rnd_below(8) ? rnd_below(64) << 12 : rnd() & ~UINT64_C(0xfff);
}

static void random_command(struct bench *b)
{
	static const uint8_t ops[] = {
		CMD_PREFETCH_CONFIG, CMD_CFGI_STE,	CMD_CFGI_STE_RANGE, CMD_CFGI_CD,
		CMD_CFGI_CD_ALL,     CMD_TLBI_NH_ALL,	CMD_TLBI_NH_ASID,   CMD_TLBI_NH_VA,
		CMD_TLBI_NH_VAA,     CMD_TLBI_EL2_ALL,	CMD_TLBI_EL2_ASID,  CMD_TLBI_EL2_VA,
		CMD_TLBI_EL2_VAA,    CMD_TLBI_NSNH_ALL, CMD_RESUME,	    CMD_RESUME,
		CMD_RESUME,	     CMD_STALL_TERM,	CMD_SYNC,	    CMD_SYNC,
	};
	uint64_t dw0 = rnd_below(20) ? ops[rnd_below(sizeof(ops))] : rnd_below(256);

	dw0 |= rnd_below(8) << 32 | rnd_below(4) << 12 | rnd_below(4) << 20;
	if (dw0 & 0x10)
		dw0 |= (100 + rnd_below(4)) << 48;
	command_put(b, dw0, rnd_below(2) ? rnd_below(8) : random_va() | rnd_below(32));
	if (rnd_below(2))
		commands_ring(b);
}

static void random_table(struct bench *b)
{
	uint32_t sid = (uint32_t)rnd_below(8), ssid = (uint32_t)rnd_below(4);

	switch (rnd_below(6)) {
	case 0:
		ste_set(b, sid, rnd() & ~BITS(51, 20), rnd());
		break;
	case 1:
		ste_set(b, sid, STE_0_V | FIELD_PREP(STE_0_CONFIG, rnd_below(8)) | CDTAB,
			rnd_below(4));
		break;
	case 2:
		ste_stage1(b, sid, 2, (unsigned int)rnd_below(4));
		break;
	case 3:
		cd_set(b, ssid, rnd_below(2) ? CD_0_S : rnd());
		break;
	case 4:
		*mem64(b, space_pgd(ssid) + rnd_below(0x800) * 8) = rnd() & ~BITS(47, 21);
		break;
	default:
		map(b, ssid, rnd_below(64) << 12, DATA + (rnd_below(64) << 12), 3, ATTR_RW);
		break;
	}
}

static void random_register(struct bench *b)
{
	switch (rnd_below(6)) {
	case 0:
		reg_write32(b, REG_CR0, rnd_below(4) ? 0xd : (uint32_t)rnd_below(16));
		break;
	case 1:
		reg_write32(b, REG_EVENTQ_CONS, reg_read32(b, REG_EVENTQ_PROD));
		break;
	case 2:
		reg_write32(b, REG_EVENTQ_CONS, (uint32_t)rnd());
		break;
	case 3:
		reg_write32(b, REG_GERRORN, reg_read32(b, REG_GERROR));
		break;
	case 4:
		b->abort_page = rnd_below(4) ? ~UINT64_C(0) : rnd_below(256) << 12;
		break;
	default:
		reg_write32(b, (uint32_t)rnd_below(0x40) * 4, (uint32_t)rnd());
		break;
	}
}

static void hyp(struct smmu_params *params)
{
	params->hyp = params->ril = params->msi = params->sev = true;
	params->stall_max = 3;
	params->walk_slots = 2;
	params->tlb_entries = params->cd_cache_entries = 4;
}

/* As hyp(), and with little of everything that makes others wait. */
static void scarce(struct smmu_params *params)
{
	hyp(params);
	params->micro_tlb_entries = 2;
	params->micro_tlb_hit_ps = 1000;
	params->translation_slots = 3;
	params->walk_cache_l0_entries = params->walk_cache_l1_entries = 1;
	params->walk_cache_l2_entries = 2;
	params->evtq_write_ns = 30;
	params->irq_ns = 70;
}

static void random_use(struct bench *b)
{
	static struct access accesses[ACCESSES];

	bench_start(b);
	for (uint32_t i = 0; i < 8; i++)
		ste_stage1(b, i, 2, 1);
	for (uint32_t i = 0; i < 4; i++)
		cd_set(b, i, CD_0_S);
	for (int step = 0; step < 20000; step++) {
		struct access *a = &accesses[rnd_below(ACCESSES)];

		switch (rnd_below(4)) {
		case 0:
			random_command(b);
			break;
		case 1:
			random_table(b);
			break;
		case 2:
			random_register(b);
			break;
		default:
			if (!a->txn.done || a->done)
				access_start(b, a, (uint32_t)rnd_below(8), (int)rnd_below(6) - 1,
					     random_va(), (enum sim_cmd)rnd_below(2));
			break;
		}
		if (rnd_below(2))
			sim_thread_sleep(SIM_NS(rnd_below(200)));
	}
	b->abort_page = ~UINT64_C(0);
	reg_write32(b, REG_CR0, 0);
	for (int i = 0; i < ACCESSES; i++)
		ck_assert(!accesses[i].txn.done || access_wait(&accesses[i], SIM_US(20)));
	sim_thread_sleep(SIM_US(2));
	ck_assert_uint_eq(reg_read32(b, REG_CR0ACK), 0);
	ck_assert_uint_eq(smmu_stalled(b->smmu), 0);
}

BENCH_TEST_WITH(test_random_use_comes_to_an_end, hyp)
{
	random_use(b);
}

BENCH_TEST_WITH(test_random_use_with_scarce_resources_comes_to_an_end, scarce)
{
	static const uint32_t sids[] = {1, 2, 3};

	smmu_port_add(b->smmu, "port0", sids, 3);
	random_use(b);
}

TCase *random_cases(void)
{
	TCase *tc = tcase_create("random");

	tcase_add_test(tc, test_random_use_comes_to_an_end);
	tcase_add_test(tc, test_random_use_with_scarce_resources_comes_to_an_end);
	return tc;
}

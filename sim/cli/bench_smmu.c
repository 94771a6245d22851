/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a translation costs: an SMMU alone, with a stream table, a context descriptor per PASID and
 * four-level tables in an array behind its walk port. A read of that memory takes one event, as one of a
 * memory model does; what it translated is completed at once. One transaction is in flight.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/smmu/smmu.h"
#include "models/smmu/spec.h"
#include "models/vmsa/vmsa.h"
#include "sim/cli/bench.h"
#include "sim/cli/cli.h"
#include "sim/config/param.h"

#define REG_BASE  UINT64_C(0x40000000)
#define MEM_BYTES (16u << 20)
#define STRTAB	  UINT64_C(0x10000) /* linear */
#define CMDQ	  UINT64_C(0x20000)
#define EVTQ	  UINT64_C(0x28000)
#define CDTAB	  UINT64_C(0x40000) /* linear */
#define TABLES	  UINT64_C(0x80000) /* the PGD, then the tables in the order of their making */
#define STREAM_ID 5u
#define PASID	  3u
#define VA_BASE	  UINT64_C(0x7f0012345000)
#define READ_NS	  80

#define WALK_PAGES 4096u
#define READS	   64u

struct translator {
	struct smmu_params params;
	struct smmu *smmu;
	struct stats *stats;
	struct bench_figures *figures;
	unsigned char *mem;
	uint64_t tables_end;
	uint32_t pages;
	uint64_t warm, left; /* transactions before and in the measurement */
	uint64_t random;
	struct sim_txn txn;
	uint64_t data;
	/* the SMMU's own reads: a ring, since all take the same time */
	struct read {
		struct sim_event event;
		struct sim_txn *txn;
		struct translator *owner;
	} reads[READS];
	unsigned int next_read;
	struct sim_thread *thread; /* which programs the registers */
	bool done;		   /* an access to a register */
	bool measuring, failed;
	double counted_walks;
};

static uint64_t *mem64(struct translator *t, uint64_t addr)
{
	return (uint64_t *)(void *)(t->mem + addr);
}

/* ---- memory behind the SMMU --------------------------------------------------------------------- */

static void read_done(void *arg)
{
	struct read *read = arg;
	struct sim_txn *txn = read->txn;
	void *where = read->owner->mem + txn->addr;

	if (txn->cmd == SIM_READ)
		memcpy(txn->data, where, txn->len);
	else
		memcpy(where, txn->data, txn->len);
	sim_txn_complete(txn, SIM_OK);
}

static void walk_request(void *target, struct sim_txn *txn)
{
	struct translator *t = target;
	struct read *read = &t->reads[t->next_read++ % READS];

	if (txn->addr + txn->len > MEM_BYTES) {
		sim_txn_complete(txn, SIM_DECERR);
		return;
	}
	read->txn = txn;
	sim_event_after(&read->event, SIM_NS(READ_NS));
}

static void downstream_request(void *target, struct sim_txn *txn)
{
	(void)target;
	sim_txn_complete(txn, SIM_OK);
}

/* ---- tables ------------------------------------------------------------------------------------- */

static void map_page(struct translator *t, uint64_t va, uint64_t pa)
{
	const struct vmsa_regime regime = {.txsz = 16, .granule_bits = 12, .output_bits = 48};
	uint64_t table = TABLES;

	for (int level = 0; level < 3; level++) {
		uint64_t *desc = mem64(t, table + (va >> (39 - 9 * level) & 511) * 8);

		if (!*desc) {
			*desc = vmsa_encode_table(&regime, t->tables_end, 0);
			t->tables_end += 4096;
		}
		table = *desc & BITS(47, 12);
	}
	*mem64(t, table + (va >> 12 & 511) * 8) =
		vmsa_encode_leaf(&regime, 3, pa, VMSA_ATTR_AF | VMSA_ATTR_AP_USER | VMSA_ATTR_NG);
}

static void write_tables(struct translator *t)
{
	uint64_t *ste = mem64(t, STRTAB + STREAM_ID * 64u);
	uint64_t *cd = mem64(t, CDTAB + PASID * 64u);

	ste[0] = STE_0_V | FIELD_PREP(STE_0_CONFIG, STE_CONFIG_S1) | CDTAB |
		 FIELD_PREP(STE_0_S1CDMAX, 4);
	cd[0] = CD_0_V | CD_0_AA64 | CD_0_R | CD_0_A | CD_0_ASET | CD_0_EPD1 | 16 |
		FIELD_PREP(CD_0_IPS, 5) | FIELD_PREP(CD_0_ASID, 1);
	cd[1] = TABLES;
	cd[3] = 0xff;
	t->tables_end = TABLES + 4096;
	for (uint32_t page = 0; page < t->pages; page++)
		map_page(t, VA_BASE + page * UINT64_C(4096), UINT64_C(0x80000000) + page * 4096u);
}

/* ---- registers ---------------------------------------------------------------------------------- */

static void mmio_done(struct sim_txn *txn)
{
	struct translator *t = txn->owner;

	t->done = true;
	sim_thread_wake(t->thread);
}

static void mmio(struct translator *t, uint32_t offset, enum sim_cmd cmd, void *data, uint32_t len)
{
	struct sim_txn txn = {
		.addr = REG_BASE + offset,
		.len = len,
		.cmd = cmd,
		.data = data,
		.done = mmio_done,
		.owner = t,
	};

	t->done = false;
	smmu_mmio_request(t->smmu, &txn);
	while (!t->done)
		sim_thread_block();
}

static void write64(struct translator *t, uint32_t offset, uint64_t value)
{
	mmio(t, offset, SIM_WRITE, &value, 8);
}

static void write32(struct translator *t, uint32_t offset, uint32_t value)
{
	mmio(t, offset, SIM_WRITE, &value, 4);
}

static void enable(struct translator *t)
{
	uint32_t ack;

	write64(t, REG_STRTAB_BASE, STRTAB | STRTAB_BASE_RA);
	write32(t, REG_STRTAB_BASE_CFG, 6);
	write64(t, REG_CMDQ_BASE, CMDQ | 4);
	write64(t, REG_EVENTQ_BASE, EVTQ | 4);
	write32(t, REG_CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
	do
		mmio(t, REG_CR0ACK, SIM_READ, &ack, 4);
	while (!(ack & CR0_SMMUEN));
}

/* ---- transactions ------------------------------------------------------------------------------- */

static double walks(const struct translator *t)
{
	double value = 0;

	stats_get(t->stats, "smmu.walks", &value);
	return value;
}

static uint32_t next_page(struct translator *t)
{
	/* the pages in turn while the caches are filled, then random ones */
	if (t->warm)
		return (uint32_t)(--t->warm % t->pages);
	t->random = t->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->random >> 33) % t->pages);
}

static void send(struct translator *t)
{
	if (!t->warm && !t->measuring) {
		t->measuring = true;
		t->counted_walks = walks(t);
		meter_begin(&t->figures->meter);
	}
	t->txn.addr = VA_BASE + next_page(t) * UINT64_C(4096);
	smmu_request(t->smmu, &t->txn);
}

/* Sends the next one: there is no thread in what is measured. */
static void on_done(struct sim_txn *txn)
{
	struct translator *t = txn->owner;

	t->failed |= txn->response != SIM_OK;
	if (t->measuring && !--t->left)
		meter_end(&t->figures->meter);
	else
		send(t);
}

static void start(void *arg)
{
	struct translator *t = arg;

	t->thread = sim_thread_self();
	enable(t);
	t->txn = (struct sim_txn){
		.len = 8,
		.cmd = SIM_READ,
		.data = &t->data,
		.stream_id = STREAM_ID,
		.ssv = true,
		.substream_id = PASID,
		.done = on_done,
		.owner = t,
	};
	send(t);
}

/* Caches before and beside the TLB, in SMMUs that have them: off, to measure the TLB and whole walks. */
static int turn_off(struct param_set *set, const char *name, struct param_error *error)
{
	static const char *const caches[] = {
		"smmu.micro_tlb_entries",
		"smmu.walk_cache_l0_entries",
		"smmu.walk_cache_l1_entries",
		"smmu.walk_cache_l2_entries",
	};
	char setting[64];

	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		if (!param_format(set, caches[i], setting, sizeof(setting)))
			continue;
		snprintf(setting, sizeof(setting), "%s=0", caches[i]);
		if (param_assign(set, name, setting, error))
			return -1;
	}
	return 0;
}

static int set_params(struct translator *t, const struct bench_case *which)
{
	const struct param_group group = {"smmu", smmu_param_descs, smmu_param_count, &t->params};
	struct param_set *set = param_set_new(&group, 1);
	struct param_error error;
	char setting[64];
	int bad;

	snprintf(setting, sizeof(setting), "smmu.tlb_entries=%u", which->number);
	bad = turn_off(set, which->name, &error) || param_assign(set, which->name, setting, &error);
	param_set_free(set);
	return bad ? cli_user_error("%s", error.text) : 0;
}

static void create(struct translator *t)
{
	const struct smmu_config config = {
		.params = &t->params,
		.reg_base = REG_BASE,
		.downstream = {downstream_request, t},
		.walk_port = {walk_request, t},
		.stats = t->stats,
	};

	for (unsigned int i = 0; i < READS; i++) {
		t->reads[i].owner = t;
		sim_event_init(&t->reads[i].event, read_done, &t->reads[i]);
	}
	t->mem = calloc(1, MEM_BYTES);
	if (!t->mem)
		abort();
	write_tables(t);
	t->smmu = smmu_create(&config);
}

/* What is measured is what the case says: all hits, or (but for chance) all walks. */
static int check(struct translator *t, const struct bench_case *which, uint64_t operations,
		 bool expect_walks)
{
	const double walked = walks(t) - t->counted_walks;

	if (t->failed || t->left)
		return cli_user_error("bench: %s: a translation failed", which->name);
	if (expect_walks ? walked < 0.9 * (double)operations : walked > 0.01 * (double)operations)
		return cli_user_error("bench: %s: %.0f walks in %llu translations", which->name,
				      walked, (unsigned long long)operations);
	return 0;
}

static int translate(const struct bench_case *which, uint64_t operations, uint32_t pages,
		     struct bench_figures *figures, bool expect_walks)
{
	struct translator *t = calloc(1, sizeof(*t));
	int status;

	if (!t)
		abort();
	t->figures = figures;
	t->pages = pages;
	t->warm = 2 * (uint64_t)pages;
	t->left = operations;
	t->stats = stats_new();
	status = set_params(t, which);
	if (!status) {
		create(t);
		sim_thread_start("bench", start, t);
		sim_run(NULL);
		status = check(t, which, operations, expect_walks);
		figures->operations = (double)operations;
		stats_free(t->stats);
		smmu_destroy(t->smmu);
		free(t->mem);
	}
	free(t);
	return status;
}

/* A quarter of the TLB is in use: sets do not overflow, and the host's caches see a working set that grows with it. */
int bench_translation_hit(const struct bench_case *which, uint64_t operations,
			  struct bench_figures *figures)
{
	return translate(which, operations, which->number / 4, figures, false);
}

int bench_translation_walk(const struct bench_case *which, uint64_t operations,
			   struct bench_figures *figures)
{
	return translate(which, operations, WALK_PAGES, figures, true);
}

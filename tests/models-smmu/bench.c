/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/models-smmu/bench.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory behind the ports ------------------------------------------------------------- */

struct mem_op {
	struct bench *bench;
	struct mem_op *next;
	struct sim_txn *txn;
	struct sim_event event;
	bool ok;
};

static bool mem_copy(struct bench *b, struct sim_txn *txn)
{
	if (txn->addr + txn->len > MEM_BYTES)
		return false;
	if (txn->cmd == SIM_READ)
		memcpy(txn->data, b->mem + txn->addr, txn->len);
	else
		memcpy(b->mem + txn->addr, txn->data, txn->len);
	return true;
}

static void mem_done(void *arg)
{
	struct mem_op *op = arg;
	struct sim_txn *txn = op->txn;
	struct bench *b = op->bench;
	bool ok = txn->cmd == SIM_READ ? op->ok : mem_copy(b, txn);

	op->next = b->free_ops;
	b->free_ops = op;
	sim_txn_complete(txn, ok ? SIM_OK : SIM_DECERR);
}

static void mem_start(struct bench *b, struct sim_txn *txn)
{
	struct mem_op *op = b->free_ops;
	bool command = txn->addr >> 12 == CMDQ >> 12;

	if (op)
		b->free_ops = op->next;
	else
		op = malloc(sizeof(*op));
	op->bench = b;
	op->txn = txn;
	op->ok = txn->cmd == SIM_READ && mem_copy(b, txn);
	sim_event_init(&op->event, mem_done, op);
	sim_event_after(&op->event, command && b->cmdq_latency ? b->cmdq_latency : b->mem_latency);
}

static void walk_request(void *target, struct sim_txn *txn)
{
	struct bench *b = target;

	b->walk_reads += txn->cmd == SIM_READ;
	if (txn->addr >> 12 == b->abort_page >> 12)
		sim_txn_complete(txn, SIM_SLVERR);
	else
		mem_start(b, txn);
}

static void downstream_request(void *target, struct sim_txn *txn)
{
	struct bench *b = target;

	b->downstream++;
	b->last_pa = txn->addr;
	if (b->downstream_at_once) {
		sim_txn_complete(txn, SIM_OK);
	} else if (b->hold_downstream) {
		b->held_since[b->held_count] = sim_now();
		b->held[b->held_count++] = txn;
	} else {
		waits_add(txn->waits, WAIT_MEMORY, b->mem_latency);
		mem_start(b, txn);
	}
}

void bench_release(struct bench *b, unsigned int count)
{
	ck_assert_uint_le(count, b->held_count);
	for (unsigned int i = 0; i < count; i++) {
		waits_add(b->held[i]->waits, WAIT_LINK, sim_now() - b->held_since[i]);
		waits_add(b->held[i]->waits, WAIT_MEMORY, b->mem_latency);
		mem_start(b, b->held[i]);
	}
	b->held_count -= count;
	memmove(b->held, b->held + count, b->held_count * sizeof(b->held[0]));
	memmove(b->held_since, b->held_since + count, b->held_count * sizeof(b->held_since[0]));
}

static void irq_pulse(void *target, unsigned int line)
{
	struct bench *b = target;

	b->irqs[line]++;
}

static void sev(void *arg)
{
	struct bench *b = arg;

	b->sevs++;
}

/* ---- the run ----------------------------------------------------------------------------- */

static struct {
	struct bench bench;
	void (*script)(struct bench *b);
	bool finished;
} run;

static void run_thread(void *arg)
{
	struct bench *b = arg;

	run.script(b);
	run.finished = true;
}

static void params_default(struct smmu_params *params)
{
	struct smmu_params p = {
		.sid_bits = 16,
		.ssid_bits = 16,
		.cmdq_log2 = 8,
		.evtq_log2 = 7,
		.priq_log2 = 7,
		.stall_max = 64,
		.oas = 5,
		.strtab_2lvl = true,
		.cd_2lvl = true,
		.cohacc = true,
		.tlb_entries = 64,
		.ste_cache_entries = 8,
		.cd_cache_entries = 16,
		.walk_slots = 6,
		.micro_tlb_slots = 1,
		.translation_slots = 64,
		.merge_misses = true,
		.cmdq_fetch_entries = 8,
		.tlb_hit_ps = 5000,
		.cmd_ns = 10,
		.mmio_ns = 20,
		.update_ns = 50,
	};

	*params = p;
}

void bench_run(void (*script)(struct bench *b), void (*adjust)(struct smmu_params *params))
{
	struct bench *b = &run.bench;
	struct smmu_config config = {0};

	params_default(&b->params);
	if (adjust)
		adjust(&b->params);
	b->mem = calloc(1, MEM_BYTES);
	b->mem_latency = SIM_NS(80);
	b->abort_page = ~UINT64_C(0);
	b->stats = stats_new();
	b->life = life_new(b->stats, 0);
	config.params = &b->params;
	config.reg_base = REG_BASE;
	config.downstream = (struct sim_port){downstream_request, b};
	config.walk_port = (struct sim_port){walk_request, b};
	config.eventq_irq = (struct sim_irq){irq_pulse, b, IRQ_EVENTQ};
	config.priq_irq = (struct sim_irq){irq_pulse, b, IRQ_PRIQ};
	config.gerror_irq = (struct sim_irq){irq_pulse, b, IRQ_GERROR};
	config.cmdq_sync_irq = (struct sim_irq){irq_pulse, b, IRQ_CMDQ_SYNC};
	config.sev = sev;
	config.sev_arg = b;
	config.life = b->life;
	config.stats = b->stats;
	b->smmu = smmu_create(&config);
	run.script = script;
	sim_thread_start("test", run_thread, b);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert(run.finished);
	ck_assert(smmu_idle(b->smmu));
	ck_assert_uint_eq(life_get_open(b->life).faults, 0);
	ck_assert_double_eq(metric(b, "life.misplaced_stamps"), 0);
	life_free(b->life);
	stats_free(b->stats);
	smmu_destroy(b->smmu);
	while (b->free_ops) {
		struct mem_op *op = b->free_ops;

		b->free_ops = op->next;
		free(op);
	}
	free(b->mem);
}

double metric(struct bench *b, const char *name)
{
	double value = -1;

	ck_assert_msg(stats_get(b->stats, name, &value), "%s", name);
	return value;
}

/* ---- transactions ------------------------------------------------------------------------ */

struct waiter {
	struct sim_txn txn;
	bool done;
	struct sim_thread *thread;
};

static void waiter_done(struct sim_txn *txn)
{
	struct waiter *w = txn->owner;

	w->done = true;
	sim_thread_wake(w->thread);
}

static void mmio(struct bench *b, uint32_t offset, enum sim_cmd cmd, void *data, uint32_t len)
{
	struct waiter w = {.thread = sim_thread_self()};

	w.txn = (struct sim_txn){
		.addr = REG_BASE + offset,
		.len = len,
		.cmd = cmd,
		.data = data,
		.done = waiter_done,
		.owner = &w,
	};
	smmu_mmio_request(b->smmu, &w.txn);
	while (!w.done)
		sim_thread_block();
	ck_assert_int_eq(w.txn.response, SIM_OK);
}

uint32_t reg_read32(struct bench *b, uint32_t offset)
{
	uint32_t value;

	mmio(b, offset, SIM_READ, &value, 4);
	return value;
}

void reg_write32(struct bench *b, uint32_t offset, uint32_t value)
{
	mmio(b, offset, SIM_WRITE, &value, 4);
}

uint64_t reg_read64(struct bench *b, uint32_t offset)
{
	uint64_t value;

	mmio(b, offset, SIM_READ, &value, 8);
	return value;
}

void reg_write64(struct bench *b, uint32_t offset, uint64_t value)
{
	mmio(b, offset, SIM_WRITE, &value, 8);
}

static void write_and_wait(struct bench *b, uint32_t reg, uint32_t ack, uint32_t value)
{
	reg_write32(b, reg, value);
	for (int i = 0; reg_read32(b, ack) != value; i++)
		ck_assert_int_lt(i, 1000);
}

void cr0_set(struct bench *b, uint32_t value)
{
	write_and_wait(b, REG_CR0, REG_CR0ACK, value);
}

void irq_ctrl_set(struct bench *b, uint32_t value)
{
	write_and_wait(b, REG_IRQ_CTRL, REG_IRQ_CTRLACK, value);
}

static void access_done(struct sim_txn *txn)
{
	struct access *a = txn->owner;

	a->done = true;
	a->done_at = sim_now();
	ck_assert_uint_eq(waits_sum(&a->waits), a->done_at - a->started_at);
}

void access_start(struct bench *b, struct access *a, uint32_t sid, int ssid, uint64_t va,
		  enum sim_cmd cmd)
{
	a->done = false;
	a->txn.addr = va;
	a->txn.len = 8;
	a->txn.cmd = cmd;
	a->txn.data = a->data;
	a->txn.stream_id = sid;
	a->txn.ssv = ssid >= 0;
	a->txn.substream_id = ssid >= 0 ? (uint32_t)ssid : 0;
	a->txn.done = access_done;
	a->txn.owner = a;
	a->txn.waits = &a->waits;
	waits_clear(&a->waits);
	a->started_at = sim_now();
	smmu_request(b->smmu, &a->txn);
}

bool access_wait(struct access *a, sim_time limit)
{
	sim_time end = sim_now() + limit;

	while (!a->done && sim_now() < end)
		sim_thread_sleep(SIM_NS(1));
	return a->done;
}

enum sim_response access_do(struct bench *b, struct access *a, uint32_t sid, int ssid, uint64_t va,
			    enum sim_cmd cmd)
{
	access_start(b, a, sid, ssid, va, cmd);
	ck_assert(access_wait(a, SIM_US(10)));
	return a->txn.response;
}

/* ---- tables ------------------------------------------------------------------------------ */

uint64_t *mem64(struct bench *b, uint64_t addr)
{
	ck_assert_uint_lt(addr, MEM_BYTES);
	return (uint64_t *)(void *)(b->mem + addr);
}

void ste_set(struct bench *b, uint32_t sid, uint64_t dw0, uint64_t dw1)
{
	uint64_t *ste = mem64(b, STRTAB + sid * 64u);

	ste[0] = dw0;
	ste[1] = dw1;
}

void ste_stage1(struct bench *b, uint32_t sid, unsigned int cdmax, unsigned int s1dss)
{
	ste_set(b, sid,
		STE_0_V | FIELD_PREP(STE_0_CONFIG, STE_CONFIG_S1) | CDTAB |
			FIELD_PREP(STE_0_S1CDMAX, cdmax),
		FIELD_PREP(STE_1_S1DSS, s1dss));
}

uint64_t space_pgd(uint32_t space)
{
	return PGD + space * 0x10000u;
}

void cd_set(struct bench *b, uint32_t index, uint64_t extra)
{
	uint64_t *cd = mem64(b, CDTAB + index * 64u);

	cd[0] = CD_DEFAULT | FIELD_PREP(CD_0_ASID, 100 + index) | extra;
	cd[1] = space_pgd(index);
	cd[3] = 0xff;
}

/* Tables of a space are taken from behind its PGD, one page each. */
void map(struct bench *b, uint32_t space, uint64_t va, uint64_t pa, int level, uint64_t attributes)
{
	const struct vmsa_regime regime = {.txsz = 16, .granule_bits = 12, .output_bits = 48};
	uint64_t table = space_pgd(space);

	for (int l = 0; l < level; l++) {
		uint64_t *desc = mem64(b, table + (va >> (39 - 9 * l) & 511) * 8);

		if (!*desc) {
			uint64_t next = space_pgd(space) + 0x1000;

			while (*mem64(b, next + 0xff8)) /* the last descriptor marks a used page */
				next += 0x1000;
			*mem64(b, next + 0xff8) = 1u << 10;
			*desc = vmsa_encode_table(&regime, next, 0);
		}
		table = *desc & BITS(47, 12);
	}
	*mem64(b, table + (va >> (39 - 9 * level) & 511) * 8) =
		vmsa_encode_leaf(&regime, level, pa, attributes);
}

void unmap(struct bench *b, uint32_t space, uint64_t va)
{
	uint64_t table = space_pgd(space);

	for (int l = 0; l < 3; l++)
		table = *mem64(b, table + (va >> (39 - 9 * l) & 511) * 8) & BITS(47, 12);
	*mem64(b, table + (va >> 12 & 511) * 8) = 0;
}

/* ---- queues ------------------------------------------------------------------------------ */

void bench_start(struct bench *b)
{
	reg_write64(b, REG_STRTAB_BASE, STRTAB | STRTAB_BASE_RA);
	reg_write32(b, REG_STRTAB_BASE_CFG, 6);
	reg_write32(b, REG_CR2, CR2_PTM | CR2_RECINVSID | CR2_E2H);
	reg_write64(b, REG_CMDQ_BASE, CMDQ | CMDQ_LOG2);
	reg_write64(b, REG_EVENTQ_BASE, EVTQ | EVTQ_LOG2);
	irq_ctrl_set(b, IRQ_CTRL_EVENTQ | IRQ_CTRL_GERROR);
	cr0_set(b, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
}

static uint32_t pointer_inc(uint32_t pointer, unsigned int log2)
{
	return (pointer + 1) & ((2u << log2) - 1);
}

void command_put(struct bench *b, uint64_t dw0, uint64_t dw1)
{
	uint64_t *cmd = mem64(b, CMDQ + (b->cmdq_prod & ((1u << CMDQ_LOG2) - 1)) * CMD_BYTES);

	cmd[0] = dw0;
	cmd[1] = dw1;
	b->cmdq_prod = pointer_inc(b->cmdq_prod, CMDQ_LOG2);
}

void commands_ring(struct bench *b)
{
	reg_write32(b, REG_CMDQ_PROD, b->cmdq_prod);
}

void command(struct bench *b, uint64_t dw0, uint64_t dw1)
{
	command_put(b, dw0, dw1);
	commands_ring(b);
}

bool commands_consumed(struct bench *b)
{
	for (int i = 0; i < 400; i++)
		if (reg_read32(b, REG_CMDQ_CONS) == b->cmdq_prod)
			return true;
	return false;
}

void command_sync(struct bench *b, uint64_t dw0, uint64_t dw1)
{
	command_put(b, dw0, dw1);
	command(b, CMD_SYNC, 0);
	ck_assert(commands_consumed(b));
}

unsigned int events_waiting(struct bench *b)
{
	uint32_t prod = reg_read32(b, REG_EVENTQ_PROD) & ~(uint32_t)Q_OVERFLOW;

	return (prod - b->evtq_cons) & ((2u << EVTQ_LOG2) - 1);
}

void event_take(struct bench *b, uint64_t record[4])
{
	for (int i = 0; !events_waiting(b); i++)
		ck_assert_int_lt(i, 200);
	memcpy(record, mem64(b, EVTQ + (b->evtq_cons & ((1u << EVTQ_LOG2) - 1)) * EVENT_BYTES),
	       EVENT_BYTES);
	b->evtq_cons = pointer_inc(b->evtq_cons, EVTQ_LOG2);
	reg_write32(b, REG_EVENTQ_CONS,
		    b->evtq_cons | (reg_read32(b, REG_EVENTQ_CONS) & (uint32_t)Q_OVERFLOW));
}

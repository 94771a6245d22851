/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "rig.h"

struct rig rig;

/* ---- the memory ------------------------------------------------------------------------------------ */

struct pending {
	struct sim_event event;
	struct sim_txn *txn;
	sim_time arrived;
	struct pending *next;
};

static struct pending *free_pending, *stalled_pending;

static bool within(const struct sim_txn *txn, uint64_t from, uint64_t to)
{
	return txn->addr < to && txn->addr + txn->len > from;
}

/* Some of the access's time: what is left over is for the accelerator to account for. */
static void memory_attribute(struct pending *p)
{
	sim_time took = sim_now() - p->arrived;

	if (!rig.attribute || !p->txn->waits)
		return;
	waits_add(p->txn->waits, WAIT_TRANSLATION, took / 2);
	waits_add(p->txn->waits, WAIT_BANDWIDTH, took / 5);
}

static void memory_end(struct sim_txn *txn, enum sim_response response)
{
	if (txn->addr >= RIG_DATA)
		rig.data_outstanding--;
	else
		rig.ring_outstanding--;
	if (response == SIM_OK && txn->cmd == SIM_WRITE)
		memcpy(rig.ram + txn->addr, txn->data, txn->len);
	else if (response == SIM_OK)
		memcpy(txn->data, rig.ram + txn->addr, txn->len);
	sim_txn_complete(txn, response);
}

static enum sim_response memory_response(const struct sim_txn *txn)
{
	if (txn->addr >= RIG_RAM_BYTES || txn->addr + txn->len > RIG_RAM_BYTES)
		return SIM_DECERR;
	if (rig.fail_writes_only && txn->cmd != SIM_WRITE)
		return SIM_OK;
	return within(txn, rig.fail_from, rig.fail_to) ? SIM_SLVERR : SIM_OK;
}

static void memory_event(void *arg)
{
	struct pending *p = arg;
	struct sim_txn *txn = p->txn;

	p->next = free_pending;
	free_pending = p;
	memory_attribute(p);
	memory_end(txn, memory_response(txn));
}

/* What every access must be, whatever the test is about. */
static void memory_check(const struct sim_txn *txn)
{
	bool data = txn->addr >= RIG_DATA;

	rig_assert(txn->len >= 1);
	rig_assert(txn->addr / 4096 == (txn->addr + txn->len - 1) / 4096);
	rig_assert(txn->stream_id == RIG_STREAM_ID);
	rig_assert(txn->requester == 5);
	rig_assert(txn->ats == SIM_ATS_UNTRANSLATED);
	if (!data) {
		rig_assert(!txn->ssv);
		return;
	}
	rig_assert(txn->len <= rig.params.dma_burst_bytes);
	if (txn->ssv)
		rig_assert(txn->substream_id != 0);
	if (txn->len > rig.longest_burst)
		rig.longest_burst = txn->len;
	if (txn->cmd == SIM_READ)
		rig.data_reads++;
	else
		rig.data_writes++;
	if (++rig.data_outstanding > rig.data_max)
		rig.data_max = rig.data_outstanding;
}

static uint64_t jitter_state = 1;

static sim_time memory_delay(void)
{
	if (!rig.jitter)
		return rig.delay;
	jitter_state = jitter_state * 6364136223846793005u + 1442695040888963407u;
	return rig.delay + (jitter_state >> 33) % rig.jitter;
}

static void memory_request(void *target, struct sim_txn *txn)
{
	struct pending *p = free_pending;

	(void)target;
	memory_check(txn);
	if (txn->addr < RIG_DATA && ++rig.ring_outstanding > rig.ring_max)
		rig.ring_max = rig.ring_outstanding;
	if (p)
		free_pending = p->next;
	else
		p = calloc(1, sizeof(*p));
	p->txn = txn;
	p->arrived = sim_now();
	if (within(txn, rig.stall_from, rig.stall_to)) {
		rig.stalled++;
		p->next = stalled_pending;
		stalled_pending = p;
		return;
	}
	if (rig.immediate) {
		memory_event(p);
		return;
	}
	sim_event_init(&p->event, memory_event, p);
	sim_event_after(&p->event, memory_delay());
}

void rig_release(enum sim_response response)
{
	struct pending *p = stalled_pending;

	stalled_pending = NULL;
	rig.stall_from = rig.stall_to = 0;
	while (p) {
		struct pending *next = p->next;
		struct sim_txn *txn = p->txn;

		p->next = free_pending;
		free_pending = p;
		rig.stalled--;
		waits_add(txn->waits, WAIT_PAGE_FAULT, sim_now() - p->arrived);
		memory_end(txn, response);
		p = next;
	}
}

/* ---- interrupts and stamps ------------------------------------------------------------------------- */

static void irq_pulse(void *target, unsigned int line)
{
	(void)target;
	if (line == 0)
		rig.eq_irqs++;
	else
		rig.aeq_irqs++;
}

/* In place of the ledger's. */
void life_request_stamp(struct life *life, unsigned int device, unsigned int queue,
			unsigned int index, enum request_stage stage, sim_time at)
{
	(void)life;
	rig_assert(device == 3);
	rig_assert(at == sim_now());
	if (queue == 0 && index == 0 && rig.stamps < sizeof(rig.stages))
		rig.stages[rig.stamps++] = (uint8_t)stage;
	if (stage == REQUEST_DOORBELL && index < RIG_STAMPED)
		rig.rung[queue][index] = at;
	if (stage == REQUEST_COMPLETED && index < RIG_STAMPED)
		rig.completed_at[queue][index] = at;
	if (stage == REQUEST_COMPLETED && queue == 0 && rig.completions < 8192)
		rig.completion_order[rig.completions++] = (uint16_t)index;
	if (stage == REQUEST_FETCH && rig.fetches < 8192)
		rig.fetch_order[rig.fetches++] = queue;
}

void life_request_waits(struct life *life, unsigned int device, unsigned int queue,
			unsigned int index, const struct waits *waits)
{
	(void)life;
	rig_assert(device == 3);
	rig.vectors++;
	rig.last_waits = *waits;
	for (unsigned int cause = 0; cause < WAIT_CAUSE_COUNT; cause++)
		rig.waits.ps[cause] += waits->ps[cause];
	if (index < RIG_STAMPED && !rig.reuses_slots)
		rig_assert(waits_sum(waits) ==
			   rig.completed_at[queue][index] - rig.rung[queue][index]);
}

/* ---- the run ------------------------------------------------------------------------------------------ */

void rig_init(void)
{
	struct param_group group = {"accel", accel_param_descs, accel_param_count, &rig.params};

	for (size_t i = 0; i < group.count; i++) {
		const struct param_desc *d = &group.descs[i];
		void *field = (char *)&rig.params + d->offset;

		if (d->type == PARAM_U64)
			*(uint64_t *)field = d->def.u;
		else if (d->type == PARAM_U32)
			*(uint32_t *)field = (uint32_t)d->def.u;
	}
	rig.params.version = ACCEL_V3;
	rig.delay = SIM_NS(100);
	rig.ram = calloc(1, RIG_RAM_BYTES);
	rig.next_ring = 4096;
}

static void rig_body(void *arg)
{
	void (**body)(void) = arg;

	(*body)();
}

void rig_run(void (*body)(void))
{
	const struct accel_config config = {
		.name = "accel0",
		.reg_base = RIG_REG_BASE,
		.stream_id = RIG_STREAM_ID,
		.requester = 5,
		.dma_port = {.request = memory_request},
		.eq_irq = {.pulse = irq_pulse, .line = 0},
		.aeq_irq = {.pulse = irq_pulse, .line = 1},
		.life = (struct life *)&rig,
		.life_device = 3,
	};

	rig.accel = accel_new(&rig.params, &config);
	rig.stats = stats_new();
	accel_register_metrics(rig.accel, rig.stats, "accel");
	sim_thread_start("test", rig_body, &body);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	stats_free(rig.stats);
	accel_free(rig.accel);
	while (free_pending) {
		struct pending *next = free_pending->next;

		free(free_pending);
		free_pending = next;
	}
	free(rig.ram);
}

double metric(const char *name)
{
	double value = -1;

	ck_assert_msg(stats_get(rig.stats, name, &value), "%s", name);
	return value;
}

/* ---- the driver ----------------------------------------------------------------------------------------- */

static void mmio_done(struct sim_txn *txn)
{
	sim_thread_wake(txn->owner);
}

enum sim_response mmio(enum sim_cmd cmd, uint64_t offset, void *data, uint32_t bytes)
{
	struct sim_txn txn = {
		.addr = RIG_REG_BASE + offset,
		.len = bytes,
		.cmd = cmd,
		.data = data,
		.done = mmio_done,
		.owner = sim_thread_self(),
	};

	accel_mmio_request(rig.accel, &txn);
	sim_thread_block();
	return txn.response;
}

uint64_t mmio_read(uint64_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	rig_assert(mmio(SIM_READ, offset, &value, bytes) == SIM_OK);
	return value;
}

void mmio_write(uint64_t offset, uint64_t value, uint32_t bytes)
{
	rig_assert(mmio(SIM_WRITE, offset, &value, bytes) == SIM_OK);
}

void wait_ns(uint64_t ns)
{
	sim_thread_sleep(SIM_NS(ns));
}

int mailbox(uint32_t command, uint32_t queue, uint64_t addr, sim_time timeout)
{
	sim_time end = sim_now() + timeout;
	uint64_t value;

	mmio_write(0x308, addr >> 32, 4);
	mmio_write(0x300, command | 1u << 13 | (uint64_t)queue << 16 | (addr & 0xffffffff) << 32,
		   8);
	while ((value = mmio_read(0x300, 8)) & 1u << 13) {
		if (sim_now() > end)
			return -1;
		wait_ns(50);
	}
	return (int)(value >> 9 & 0xf);
}

void doorbell(uint32_t command, uint32_t queue, uint32_t index, uint32_t priority)
{
	uint64_t value = queue | (uint64_t)command << 12 | 0x5a5aull << 16 | (uint64_t)index << 32 |
			 (uint64_t)priority << 48;

	if (command >= DB_EQ)
		mmio_write(0x2000, value, 8);
	else if (rig.params.version == ACCEL_V2)
		mmio_write(QM_WINDOWS + 0x1000, value, 8);
	else
		mmio_write(QM_WINDOWS + queue * 0x10000ull + 0x1000, value, 8);
}

void enable(void)
{
	mmio_write(0x18, 1, 4);
}

uint64_t ring_alloc(uint64_t bytes)
{
	uint64_t addr = rig.next_ring;

	rig.next_ring += (bytes + 63) / 64 * 64;
	ck_assert_uint_le(rig.next_ring, RIG_DATA);
	memset(rig.ram + addr, 0, bytes);
	return addr;
}

int load_context(uint32_t command, uint32_t queue, uint64_t base, uint32_t w2, uint32_t w3,
		 uint32_t w4, uint32_t w5)
{
	uint32_t words[8] = {(uint32_t)base, (uint32_t)(base >> 32), w2, w3, w4, w5};

	memcpy(rig.ram + 64, words, sizeof(words));
	return mailbox(command, queue, 64, SIM_US(100));
}

struct rig_queue *queue_open(uint32_t number, uint32_t sq_depth, uint32_t cq_depth, uint32_t pasid)
{
	struct rig_queue *q = &rig.queues[number];

	*q = (struct rig_queue){.number = number, .sq_depth = sq_depth, .cq_depth = cq_depth};
	q->sq = ring_alloc(sq_depth * 64ull);
	q->cq = ring_alloc(cq_depth * 16ull);
	q->phase = true;
	ck_assert_int_eq(load_context(MB_CQC, number, q->cq, (cq_depth - 1) << 16, 0, 0, 0), 0);
	ck_assert_int_eq(load_context(MB_SQC, number, q->sq, (sq_depth - 1) << 16 | 6, number,
				      pasid ? pasid | 1u << 31 : 0, 0),
			 0);
	return q;
}

void eq_open(uint32_t command, uint64_t base, uint32_t depth)
{
	ck_assert_int_eq(load_context(command, 0, base, (depth - 1) << 16, 0, 0, 0), 0);
}

struct rig_sqe *sqe_at(const struct rig_queue *q, uint32_t index)
{
	return (struct rig_sqe *)(rig.ram + q->sq) + index;
}

uint32_t put(struct rig_queue *q, const struct rig_sqe *sqe)
{
	uint32_t index = q->tail;

	*sqe_at(q, index) = *sqe;
	q->tail = (index + 1) % q->sq_depth;
	return index;
}

uint32_t send(struct rig_queue *q, const struct rig_sqe *sqe)
{
	uint32_t index = put(q, sqe);

	doorbell(DB_SQ, q->number, q->tail, 0);
	return index;
}

bool receive(struct rig_queue *q, struct rig_cqe *cqe, sim_time timeout)
{
	const struct rig_cqe *entry = (struct rig_cqe *)(rig.ram + q->cq) + q->cq_head;
	sim_time end = sim_now() + timeout;

	while ((entry->phase & 1) != q->phase) {
		if (sim_now() >= end)
			return false;
		wait_ns(20);
	}
	*cqe = *entry;
	rig_assert(cqe->w0 == 0);
	rig_assert(cqe->w3 == 0);
	rig_assert(cqe->w6 == 0);
	rig_assert(cqe->queue == q->number);
	q->cq_head = (q->cq_head + 1) % q->cq_depth;
	if (!q->cq_head)
		q->phase = !q->phase;
	return true;
}

void free_cqes(struct rig_queue *q, bool arm)
{
	doorbell(DB_CQ, q->number, q->cq_head, arm);
}

bool wait_idle(sim_time timeout)
{
	sim_time end = sim_now() + timeout;

	while (!(mmio_read(0x1c, 4) & 1)) {
		if (sim_now() >= end)
			return false;
		wait_ns(50);
	}
	return true;
}

void fill(uint64_t addr, uint32_t bytes, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (uint32_t i = 0; i < bytes; i++) {
		x = x * 1664525u + 1013904223u;
		rig.ram[addr + i] = (uint8_t)(x >> 24);
	}
}

uint32_t load_le32_at(uint64_t addr)
{
	uint32_t value;

	memcpy(&value, rig.ram + addr, sizeof(value));
	return value;
}

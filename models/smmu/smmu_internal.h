/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SMMU's state, and what its files offer one another. State is grouped by the file that
 * changes it.
 */
#ifndef MODELS_SMMU_SMMU_INTERNAL_H
#define MODELS_SMMU_SMMU_INTERNAL_H

#include "models/smmu/assoc.h"
#include "models/smmu/smmu.h"
#include "models/smmu/spec.h"
#include "models/smmu/va_cache.h"
#include "models/vmsa/vmsa.h"
#include "sim/stats/resource.h"
#include "sim/stats/waits.h"

/* ---- decoded configuration --------------------------------------------------------------- */

struct smmu_ste {
	uint64_t s1ctxptr;
	uint8_t config, s1fmt, s1cdmax, s1dss;
	uint8_t privcfg, instcfg;
	bool s1stalld;
	enum smmu_world world;
};

struct smmu_cd {
	struct vmsa_regime regime[2]; /* TTB0, TTB1 */
	uint16_t asid;
	bool s, r, a;
};

/*
 * A StreamID and SubstreamID whose STE and CD are cached and translate: what a look-up needs to know
 * of them in one place. Not hardware but a short cut; good while neither cache changes.
 */
struct smmu_context {
	uint64_t generation; /* of the caches' contents */
	uint32_t sid, ssid;
	uint32_t ste, cd; /* their entries */
	uint16_t asid;
	uint8_t privcfg, instcfg;
	uint8_t tbi; /* bit 0: lower half, bit 1: upper */
	bool ssv;
	enum smmu_world world;
};

#define SMMU_CONTEXTS_LOG2 10

/* ---- a translation ----------------------------------------------------------------------- */

enum smmu_stage {
	STAGE_GLOBAL,
	STAGE_STE,
	STAGE_SUBSTREAM,
	STAGE_CD,
	STAGE_TLB,
	STAGE_WALK,
	STAGE_PERMISSION,
	STAGE_FORWARD,
};

/* Bytes first … last; empty if first > last. */
struct va_span {
	uint64_t first, last;
};

#define COUNTED_STE 1u
#define COUNTED_CD  2u
#define COUNTED_TLB 4u

struct smmu_translation;

struct translation_fifo {
	struct smmu_translation *head, **tail;
};

/* One client transaction from its arrival to its completion. */
struct smmu_translation {
	struct smmu *smmu;
	struct smmu_port *port;
	struct sim_txn *upstream;
	struct smmu_translation *next; /* in the pool, or in the one FIFO that it waits in */
	struct sim_event event;
	enum smmu_stage stage;
	bool holds_port_slot;
	enum wait_cause waits_for;    /* or WAIT_CAUSE_COUNT: not in the SMMU's hands */
	sim_time since;		      /* up to here its waits are accounted for */
	bool privileged, instruction; /* after the STE's overrides */

	/* uses configuration and translations that an invalidation may have to wait for */
	struct smmu_translation *older, *younger;
	uint64_t sequence;
	bool in_flight;

	struct smmu_ste ste;
	struct smmu_cd cd;
	uint32_t ssid; /* which CD: the SubstreamID, or 0 */
	uint64_t va;   /* canonical: without a tag byte */
	uint64_t pa;
	uint8_t permissions;

	/* the miss path */
	uint32_t slot;		  /* walk slot, or SLOT_NONE */
	bool stale_ste, stale_cd; /* invalidated since it was read: must not be cached */
	/* VAs invalidated since the walk began: for its ASID, for others */
	struct va_span stale_own, stale_global;
	struct smmu_translation *walker_next, *walker_prev; /* of those that have a slot */
	/* its walk can be shared: in the table of walks; those that share it */
	bool shareable;
	struct smmu_translation *share_next;
	struct translation_fifo sharers;
	uint8_t counted; /* lookups that the statistics have: COUNTED_… */
	sim_time walk_began;
	struct vmsa_walk walk;
	struct sim_txn fetch;
	uint64_t fetch_data[8];

	/* the fault path */
	uint64_t event_record[4];
	sim_time fault_time;
	uint32_t stag; /* or STAG_NONE */
	bool recorded; /* the stall event is visible */
	bool retried;  /* resumed, STAG not yet free */

	struct sim_txn out;
};

#define SLOT_NONE UINT32_MAX
#define STAG_NONE UINT32_MAX

/* Where the transactions of one upstream requester arrive. */
struct smmu_port {
	struct va_cache micro_tlb;
	sim_time *look_up_ends; /* a ring: when each of the latest look-ups ends */
	uint32_t look_up_next;
	uint32_t slots_free;
	struct translation_fifo slot_waiters;
	struct resource look_ups;
};

struct smmu_event {
	uint64_t record[4];
	struct smmu_translation *stalled; /* or NULL */
	struct smmu_event *next;
};

struct smmu_mmio {
	struct smmu *smmu;
	struct sim_txn *txn;
	struct sim_event event;
	struct smmu_mmio *next;
};

enum smmu_irq { SMMU_IRQ_EVENTQ, SMMU_IRQ_GERROR, SMMU_IRQ_CMDQ_SYNC, SMMU_IRQ_COUNT };

struct msi_config {
	uint64_t addr;
	uint32_t data, attributes;
};

struct smmu_msi {
	struct smmu *smmu;
	enum smmu_irq irq;
	struct sim_txn txn;
	uint32_t payload;
	bool busy, again;
};

/* An interrupt on its way to the wire or to the bus. */
struct smmu_irq_delay {
	struct smmu *smmu;
	enum smmu_irq irq;
	struct sim_event event;
};

enum cmdq_state {
	CMDQ_IDLE,
	CMDQ_FETCHING,
	CMDQ_EXECUTING,	 /* its time runs */
	CMDQ_SYNCING,	 /* a CMD_SYNC waits for what came before */
	CMDQ_SIGNALLING, /* a CMD_SYNC's MSI is being written */
};

#define CMDQ_FETCH_MAX (SIM_TXN_MAX_BYTES / CMD_BYTES)

#define WALK_CACHE_LEVELS 3 /* of tables: 0 … 2 */

struct smmu {
	struct smmu_params params;
	struct smmu_config config;

	/* registers (regs.c) */
	uint32_t idr[6], iidr, aidr;
	uint32_t cr0, cr0ack, cr1, cr2, gbpa, irq_ctrl, irq_ctrlack;
	uint32_t gbpa_pending;
	uint64_t strtab_base;
	uint32_t strtab_base_cfg;
	uint64_t disable_sequence; /* SMMUEN cleared: what came before must leave */
	struct sim_event cr0_event, irq_ctrl_event, gbpa_event;
	struct smmu_mmio *mmio_free, *mmio_all;
	uint32_t mmio_busy;

	/* errors and interrupts (irq.c) */
	uint32_t gerror, gerrorn;
	struct msi_config msi_config[SMMU_IRQ_COUNT];
	struct smmu_msi msi[SMMU_IRQ_COUNT];
	struct smmu_irq_delay irq_delay[SMMU_IRQ_COUNT];

	/* command queue (cmdq.c) */
	struct {
		uint64_t base;
		uint32_t prod, cons, error;
		enum cmdq_state state;
		uint32_t buffered, next; /* commands in the buffer, and the one to take */
		struct sim_event event;
		struct sim_txn fetch, msi;
		uint32_t msi_data;
		uint64_t buffer[CMDQ_FETCH_MAX * 2];
		uint64_t command[2];
		uint64_t sync_sequence;
		trace_track track, counter;
		struct resource resource;
	} cmdq;
	/* transactions numbered below it may use what was invalidated */
	uint64_t invalidation_sequence;

	/* event queue (evtq.c) */
	struct {
		uint64_t base;
		uint32_t prod, cons;
		uint32_t pending; /* accepted, not yet visible */
		bool writing;
		struct smmu_event *head, **tail, *free, *chunks;
		struct sim_txn write;
		uint64_t data[4];
		struct sim_event event; /* the record is ready to be written */
		trace_track track;
		struct resource resource;
	} evtq;

	/* ports (port.c) */
	struct smmu_port **ports;
	uint32_t port_count;
	struct smmu_port ***port_of;  /* by StreamID, in two levels; NULL: none yet */
	struct smmu_port *stray_port; /* of StreamIDs that cannot exist */
	struct resource translation_slots;

	/* configuration caches, TLB (ste.c, cd.c, tlb.c) */
	struct assoc ste_cache, cd_cache;
	struct smmu_ste *stes;
	struct smmu_cd *cds;
	uint64_t config_generation; /* changes with what they hold */
	struct smmu_context *contexts;
	struct va_cache tlb;

	/* walk slots (walk.c) */
	uint32_t *free_slots; /* a stack */
	trace_track *lanes;
	uint32_t slots_free, lane_count;
	struct translation_fifo slot_waiters;
	struct smmu_translation *walkers_first;
	bool slots_dispatching;
	struct resource walkers;
	struct va_cache walk_caches[WALK_CACHE_LEVELS];
	struct smmu_translation **shareable; /* walks by page */
	uint32_t shareable_mask;

	/* stalls (stall.c) */
	struct smmu_translation **stalls; /* by STAG */
	uint32_t *stag_ring;
	uint32_t stag_head, stags_free;
	struct translation_fifo
		unreported; /* faulted; wait for a STAG or for room in the event queue */
	uint64_t stalled;
	bool reporting;
	trace_track stall_counter;

	/* translations (translate.c) */
	struct smmu_translation *oldest, *youngest;
	uint64_t next_sequence;
	struct smmu_translation *translation_free;
	struct smmu_translation **translation_chunks;
	size_t translation_chunk_count;
	uint64_t inside;

	struct {
		uint64_t translations, bypassed, aborted, terminated_raz_wi;
		uint64_t tlb_hits, tlb_misses, ste_hits, ste_misses, cd_hits, cd_misses;
		uint64_t micro_hits, micro_misses, port_waits;
		uint64_t walks, walk_reads, walks_merged, slot_waits;
		uint64_t walk_cache_hits[WALK_CACHE_LEVELS], walk_cache_misses[WALK_CACHE_LEVELS];
		struct histogram walk_time;
		uint64_t events[EVENT_ID_COUNT], events_lost;
		uint64_t stalls_taken, stalls_waited, stalls_max, resumes_ignored;
		uint64_t commands[0x47], illegal_commands, syncs;
		uint64_t gerrors, interrupts, msis;
	} stats;

	struct {
		trace_name walk, va, ssid, event, commands[0x47], illegal;
	} names;
};

/* ---- regs.c ------------------------------------------------------------------------------ */

void smmu_regs_init(struct smmu *smmu);
void smmu_regs_destroy(struct smmu *smmu);
/* CR0ACK follows CR0 as far as what is under way allows. */
void smmu_regs_update_ack_now(struct smmu *smmu);

static inline void smmu_regs_update_ack(struct smmu *smmu)
{
	if (smmu->cr0 != smmu->cr0ack)
		smmu_regs_update_ack_now(smmu);
}

static inline unsigned int smmu_oas_bits(const struct smmu *smmu)
{
	return vmsa_ips_bits(smmu->params.oas);
}

/* An address that the SMMU may put on the bus. */
static inline bool smmu_address_ok(const struct smmu *smmu, uint64_t addr)
{
	return !(addr >> smmu_oas_bits(smmu));
}

/* Queue pointers have one bit more than the index: the wrap flag. */
static inline uint32_t queue_log2(uint64_t base, uint32_t max)
{
	uint32_t log2 = (uint32_t)FIELD_GET(Q_BASE_LOG2SIZE, base);

	return log2 < max ? log2 : max;
}

static inline uint32_t queue_used(uint32_t prod, uint32_t cons, uint32_t log2)
{
	return (prod - cons) & ((2u << log2) - 1);
}

/* The address of entry `pointer`; the base is aligned to the queue's size (§6.3.26). */
static inline uint64_t queue_entry(uint64_t base, uint32_t pointer, uint32_t log2, uint32_t bytes)
{
	uint64_t size = (uint64_t)bytes << log2;

	return (base & Q_BASE_ADDR & ~(size - 1)) +
	       (uint64_t)(pointer & ((1u << log2) - 1)) * bytes;
}

/* ---- irq.c ------------------------------------------------------------------------------- */

void smmu_irq_init(struct smmu *smmu);
/* If IRQ_CTRL enables it. */
void smmu_irq_raise(struct smmu *smmu, enum smmu_irq irq);
/* Activates an error that is not active, and says so by the GERROR interrupt. */
void smmu_gerror(struct smmu *smmu, uint64_t error);

static inline bool smmu_gerror_active(const struct smmu *smmu, uint64_t error)
{
	return (smmu->gerror ^ smmu->gerrorn) & error;
}

/* No interrupt is on its way, no MSI is being written. */
bool smmu_irq_idle(const struct smmu *smmu);
void smmu_irq_destroy(struct smmu *smmu);

/* ---- cmdq.c ------------------------------------------------------------------------------ */

void smmu_cmdq_init(struct smmu *smmu);
/* Something changed that may let the queue go on: PROD, CR0, GERRORN. */
void smmu_cmdq_kick(struct smmu *smmu);
/* PROD or CONS moved. */
void smmu_cmdq_count(struct smmu *smmu);
/* Forget what was fetched: software may rewrite it while the queue stands. */
void smmu_cmdq_discard(struct smmu *smmu);
/* The oldest transaction left: a waiting CMD_SYNC may be able to complete. */
void smmu_cmdq_sync_drained(struct smmu *smmu);

static inline void smmu_cmdq_drained(struct smmu *smmu)
{
	if (smmu->cmdq.state == CMDQ_SYNCING)
		smmu_cmdq_sync_drained(smmu);
}

const char *smmu_command_name(unsigned int opcode); /* NULL: none */

/* ---- evtq.c ------------------------------------------------------------------------------ */

void smmu_evtq_init(struct smmu *smmu);
void smmu_evtq_destroy(struct smmu *smmu);
/* True if a record would be accepted now. */
bool smmu_evtq_has_room(const struct smmu *smmu);
/*
 * Takes a record, or loses it if the queue is full or off. With `stalled`, only call it if
 * there is room.
 */
void smmu_evtq_push(struct smmu *smmu, const uint64_t record[4], struct smmu_translation *stalled);
void smmu_evtq_kick(struct smmu *smmu);
/* EVENTQEN was cleared, and no write is under way. */
void smmu_evtq_disabled(struct smmu *smmu);
/* The stalled transaction goes away: its record, if not yet written, is not to touch it. */
void smmu_evtq_forget(struct smmu *smmu, const struct smmu_translation *t);

/* ---- port.c ------------------------------------------------------------------------------ */

void smmu_ports_init(struct smmu *smmu);
void smmu_ports_destroy(struct smmu *smmu);
struct smmu_port *smmu_port_of_new(struct smmu *smmu, uint32_t sid);
void smmu_port_slot_await(struct smmu_translation *t);
void smmu_port_slot_pass_on(struct smmu_translation *t);

#define PORT_LEAF_BITS 8

static inline struct smmu_port *smmu_port_of(struct smmu *smmu, uint32_t sid)
{
	struct smmu_port **leaf =
		sid >> smmu->params.sid_bits ? NULL : smmu->port_of[sid >> PORT_LEAF_BITS];
	struct smmu_port *port = leaf ? leaf[sid & ((1u << PORT_LEAF_BITS) - 1)] : NULL;

	return port ? port : smmu_port_of_new(smmu, sid);
}

/* False: the translation waits, and begins once it has a slot. */
static inline bool smmu_port_slot_take(struct smmu_translation *t)
{
	if (!t->port->slots_free) {
		smmu_port_slot_await(t);
		return false;
	}
	t->port->slots_free--;
	resource_serve(&t->smmu->translation_slots, sim_now());
	t->holds_port_slot = true;
	return true;
}

static inline void smmu_port_slot_release(struct smmu_translation *t)
{
	if (!t->holds_port_slot)
		return;
	t->holds_port_slot = false;
	resource_release(&t->smmu->translation_slots, sim_now());
	if (t->port->slot_waiters.head)
		smmu_port_slot_pass_on(t);
	else
		t->port->slots_free++;
}

/*
 * When the look-up in the micro-TLB that is asked for now ends. All take the same time and are served
 * in order of arrival, so the one that begins next begins when the one that is micro_tlb_slots before
 * it has ended: no event is needed for it.
 */
static inline sim_time smmu_port_look_up(struct smmu_port *port, const struct smmu_params *params)
{
	sim_time now = sim_now(), *place = &port->look_up_ends[port->look_up_next];
	sim_time begin = *place > now ? *place : now;

	*place = begin + SIM_PS(params->micro_tlb_hit_ps);
	if (++port->look_up_next == params->micro_tlb_slots)
		port->look_up_next = 0;
	resource_add(&port->look_ups, SIM_PS(params->micro_tlb_hit_ps), begin - now);
	return *place;
}

/*
 * ---- ste.c, cd.c: find in the cache (NULL: not there; valid for this instant); fetch into it, and
 * then continue or end the translation
 */

const struct smmu_ste *smmu_ste_find(struct smmu_translation *t);
void smmu_ste_fetch(struct smmu_translation *t);
void smmu_ste_invalidate(struct smmu *smmu, uint32_t sid, unsigned int low_bits);

const struct smmu_cd *smmu_cd_find(struct smmu_translation *t, uint32_t ssid);
void smmu_cd_fetch(struct smmu_translation *t);
void smmu_cd_invalidate(struct smmu *smmu, uint32_t sid, uint32_t ssid);
/* All CDs of the stream. */
void smmu_cd_invalidate_stream(struct smmu *smmu, uint32_t sid);
/* Of the streams that a range of STEs names. */
void smmu_cd_invalidate_range(struct smmu *smmu, uint32_t sid, unsigned int low_bits);

/* ---- tlb.c ------------------------------------------------------------------------------- */

enum tlb_result { TLB_MISS, TLB_HIT, TLB_MICRO_HIT };

/* Looks t->va up, and counts; a hit sets t->pa and t->permissions. */
enum tlb_result smmu_tlb_find(struct smmu_translation *t, enum smmu_world world, uint16_t asid);
/* When its configuration is known, and maybe some time after smmu_tlb_find(): counts once. */
bool smmu_tlb_find_again(struct smmu_translation *t);
/*
 * What the walk found, for the TLB and the port's micro-TLB. False: it was invalidated meanwhile,
 * and may be used but not kept. *group and *entry are for other micro-TLBs.
 */
bool smmu_tlb_fill(struct smmu_translation *t, const struct vmsa_leaf *leaf, uint64_t *group,
		   struct va_entry *entry);
/* Forgets the entries that translate this address. */
void smmu_tlb_drop(struct smmu_translation *t);
void smmu_tlb_invalidate(struct smmu *smmu, const struct smmu_tlbi *tlbi);
/* Something of the 2^size_bits bytes around t->va was invalidated since the walk began. */
bool smmu_walk_stale(const struct smmu_translation *t, unsigned int size_bits, bool global);

/* ---- walk.c ------------------------------------------------------------------------------ */

void smmu_walk_init(struct smmu *smmu);
void smmu_walk_destroy(struct smmu *smmu);
/* False: the translation waits, and starts over once it has a slot. */
bool smmu_walk_slot_take(struct smmu_translation *t);
void smmu_walk_slot_pass_on(struct smmu_translation *t);

static inline void smmu_walk_slot_release(struct smmu_translation *t)
{
	if (t->slot != SLOT_NONE)
		smmu_walk_slot_pass_on(t);
}

/* Reads `len` bytes at `addr` into fetch_data, then calls done. */
void smmu_fetch(struct smmu_translation *t, uint64_t addr, uint32_t len,
		void (*done)(struct sim_txn *txn));
void smmu_walk(struct smmu_translation *t);
/* True: another translation's walk of the same page is under way, and answers this one, too. */
bool smmu_walk_share(struct smmu_translation *t);
/* What the walk reads was invalidated: from now on nobody may join it. */
void smmu_walk_unshare(struct smmu_translation *t);

/* ---- translate.c ------------------------------------------------------------------------- */

void smmu_translation_init(struct smmu *smmu);
void smmu_translation_destroy(struct smmu *smmu);
/* Goes on at t->stage. */
void smmu_translation_continue(struct smmu_translation *t);
/* Starts over as though it had just arrived (§4.7.1). */
void smmu_translation_restart(struct smmu_translation *t);
void smmu_translation_begin_use(struct smmu_translation *t);
void smmu_translation_end_use(struct smmu_translation *t);
/* Ends it: with an abort, or successfully, reads as zero and writes ignored. */
void smmu_translation_terminate(struct smmu_translation *t, bool abort);
/* Configuration errors: recorded, aborted. */
void smmu_translation_config_fault(struct smmu_translation *t, enum smmu_event_id id,
				   uint64_t fetch_addr);
/* Translation-related faults (§3.12): stall or terminate as the CD says. */
void smmu_translation_fault(struct smmu_translation *t, enum smmu_event_id id);
/* External abort on a translation table read. */
void smmu_translation_walk_abort(struct smmu_translation *t, uint64_t fetch_addr);

static inline enum vmsa_access smmu_access(const struct smmu_translation *t)
{
	if (t->upstream->cmd != SIM_READ)
		return VMSA_WRITE;
	return t->instruction ? VMSA_EXECUTE : VMSA_READ;
}

/* ---- stall.c ----------------------------------------------------------------------------- */

void smmu_stall_init(struct smmu *smmu);
void smmu_stall_destroy(struct smmu *smmu);
void smmu_stall(struct smmu_translation *t);
/* Gives STAGs and event queue room, as they come, to those that wait, in order. */
void smmu_stall_report(struct smmu *smmu);
void smmu_stall_resume(struct smmu *smmu, uint32_t sid, uint32_t stag, bool retry, bool abort);
/* Terminates with an abort: of one stream, or of all. */
void smmu_stall_terminate(struct smmu *smmu, const uint32_t *sid);
/* The retried transaction was translated, or ended: its STAG is free. */
void smmu_stag_release(struct smmu_translation *t, bool handled);

static inline void smmu_stall_end(struct smmu_translation *t, bool handled)
{
	if (t->stag != STAG_NONE)
		smmu_stag_release(t, handled);
}

/* ---- waits (sim/stats/waits.h) ----------------------------------------------------------- */

/* Up to now it waited for what it waited for; from now on for `cause`. */
static inline void smmu_wait(struct smmu_translation *t, enum wait_cause cause)
{
	waits_add(t->upstream->waits, t->waits_for, sim_now() - t->since);
	t->waits_for = cause;
	t->since = sim_now();
}

/* Up to now it waited; from now on it is not in the SMMU's hands. */
static inline void smmu_wait_ends(struct smmu_translation *t)
{
	if (t->waits_for == WAIT_CAUSE_COUNT)
		return;
	waits_add(t->upstream->waits, t->waits_for, sim_now() - t->since);
	t->waits_for = WAIT_CAUSE_COUNT;
}

/* ---- FIFOs ------------------------------------------------------------------------------- */

static inline void translation_fifo_init(struct translation_fifo *fifo)
{
	fifo->head = NULL;
	fifo->tail = &fifo->head;
}

static inline void translation_fifo_push(struct translation_fifo *fifo, struct smmu_translation *t)
{
	t->next = NULL;
	*fifo->tail = t;
	fifo->tail = &t->next;
}

static inline struct smmu_translation *translation_fifo_pop(struct translation_fifo *fifo)
{
	struct smmu_translation *t = fifo->head;

	fifo->head = t->next;
	if (!fifo->head)
		fifo->tail = &fifo->head;
	t->next = NULL;
	return t;
}

#endif

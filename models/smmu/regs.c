/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The register frame (SMMUv3 IHI 0070 §6): ID registers, CR0 and its acknowledgement, global
 * bypass, table and queue bases, interrupt control, global errors.
 *
 * Registers of features that IDR0 denies (PRI, ATOS, Secure state) read as zero and ignore writes.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>
#include <string.h>

static void derive_id_registers(struct smmu *smmu)
{
	const struct smmu_params *p = &smmu->params;

	smmu->idr[0] =
		(uint32_t)(IDR0_S1P | FIELD_PREP(IDR0_TTF, TTF_AARCH64) |
			   (p->cohacc ? IDR0_COHACC : 0) | (p->hyp ? IDR0_HYP : 0) | IDR0_ASID16 |
			   (p->msi ? IDR0_MSI : 0) | (p->sev ? IDR0_SEV : 0) | IDR0_VMID16 |
			   (p->cd_2lvl ? IDR0_CD2L : 0) | FIELD_PREP(IDR0_TTENDIAN, TTENDIAN_LE) |
			   FIELD_PREP(IDR0_STALL_MODEL, p->stall_model) |
			   FIELD_PREP(IDR0_ST_LEVEL, p->strtab_2lvl));
	smmu->idr[1] = (uint32_t)(FIELD_PREP(IDR1_SIDSIZE, p->sid_bits) |
				  FIELD_PREP(IDR1_SSIDSIZE, p->ssid_bits) |
				  FIELD_PREP(IDR1_PRIQS, p->priq_log2) |
				  FIELD_PREP(IDR1_EVENTQS, p->evtq_log2) |
				  FIELD_PREP(IDR1_CMDQS, p->cmdq_log2));
	smmu->idr[3] = p->ril ? (uint32_t)IDR3_RIL : 0;
	smmu->idr[5] =
		(uint32_t)(FIELD_PREP(IDR5_OAS, p->oas) | IDR5_GRAN4K |
			   FIELD_PREP(IDR5_STALL_MAX, p->stall_model == 1 ? 0 : p->stall_max));
	smmu->aidr = p->ril ? 2 : 1; /* SMMUv3.2 brought range invalidation */
}

/* ---- CR0 (§6.3.9): an update takes effect, then CR0ACK says so --------------------------- */

static bool drained_since(const struct smmu *smmu, uint64_t sequence)
{
	return !smmu->oldest || smmu->oldest->sequence >= sequence;
}

void smmu_regs_update_ack_now(struct smmu *smmu)
{
	uint32_t differs = smmu->cr0 ^ smmu->cr0ack;
	uint32_t cleared = differs & ~smmu->cr0, ack = smmu->cr0;

	if (sim_event_pending(&smmu->cr0_event))
		return;
	/* what a cleared bit switches off must have come to rest before it is acknowledged */
	if (cleared & CR0_SMMUEN && !drained_since(smmu, smmu->disable_sequence))
		ack |= (uint32_t)CR0_SMMUEN;
	if (cleared & CR0_CMDQEN && smmu->cmdq.state != CMDQ_IDLE)
		ack |= (uint32_t)CR0_CMDQEN;
	if (cleared & CR0_EVENTQEN && smmu->evtq.writing)
		ack |= (uint32_t)CR0_EVENTQEN;
	smmu->cr0ack = ack;
	if (cleared & ~ack & CR0_EVENTQEN)
		smmu_evtq_disabled(smmu);
	smmu_cmdq_kick(smmu);
	smmu_evtq_kick(smmu);
	smmu_stall_report(smmu);
}

static void cr0_updated(void *arg)
{
	struct smmu *smmu = arg;

	if (smmu->cr0ack & CR0_SMMUEN && !(smmu->cr0 & CR0_SMMUEN)) {
		smmu->disable_sequence = smmu->next_sequence;
		smmu_stall_terminate(smmu, NULL);
	}
	smmu_regs_update_ack(smmu);
}

static void cr0_write(struct smmu *smmu, uint32_t value)
{
	smmu->cr0 = value & (uint32_t)CR0_MASK;
	sim_event_after(&smmu->cr0_event, SIM_NS(smmu->params.update_ns));
}

static void irq_ctrl_updated(void *arg)
{
	struct smmu *smmu = arg;

	smmu->irq_ctrlack = smmu->irq_ctrl;
}

/*
 * GBPA changes only through a write with Update set, which stays set until it took effect
 * (§6.3.14).
 */
static void gbpa_write(struct smmu *smmu, uint32_t value)
{
	if (!(value & GBPA_UPDATE) || smmu->gbpa & GBPA_UPDATE)
		return;
	smmu->gbpa_pending = value & (uint32_t)GBPA_MASK;
	smmu->gbpa |= (uint32_t)GBPA_UPDATE;
	sim_event_after(&smmu->gbpa_event, SIM_NS(smmu->params.update_ns));
}

static void gbpa_updated(void *arg)
{
	struct smmu *smmu = arg;

	smmu->gbpa = smmu->gbpa_pending;
}

/* Acknowledged errors let their queue go on (§7.5). */
static void gerrorn_write(struct smmu *smmu, uint32_t value)
{
	uint32_t before = smmu->gerror ^ smmu->gerrorn;

	smmu->gerrorn = value & (uint32_t)GERROR_MASK;
	if (before & GERROR_CMDQ_ERR && !smmu_gerror_active(smmu, GERROR_CMDQ_ERR)) {
		smmu->cmdq.error = CERROR_NONE;
		smmu_cmdq_discard(smmu);
		smmu_cmdq_kick(smmu);
	}
	if (before & GERROR_EVENTQ_ABT_ERR && !smmu_gerror_active(smmu, GERROR_EVENTQ_ABT_ERR)) {
		smmu_evtq_kick(smmu);
		smmu_stall_report(smmu);
	}
}

/* ---- access ------------------------------------------------------------------------------ */

static uint32_t low(uint64_t value)
{
	return (uint32_t)value;
}

static uint32_t high(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

static uint32_t msi_read(const struct msi_config *msi, uint32_t word)
{
	switch (word) {
	case 0:
		return low(msi->addr);
	case 1:
		return high(msi->addr);
	case 2:
		return msi->data;
	default:
		return msi->attributes;
	}
}

static uint32_t reg_read(const struct smmu *smmu, uint32_t offset)
{
	switch (offset) {
	case REG_IDR0:
	case REG_IDR1:
	case REG_IDR2:
	case REG_IDR3:
	case REG_IDR4:
	case REG_IDR5:
		return smmu->idr[offset / 4];
	case REG_IIDR:
		return smmu->iidr;
	case REG_AIDR:
		return smmu->aidr;
	case REG_CR0:
		return smmu->cr0;
	case REG_CR0ACK:
		return smmu->cr0ack;
	case REG_CR1:
		return smmu->cr1;
	case REG_CR2:
		return smmu->cr2;
	case REG_GBPA:
		return smmu->gbpa;
	case REG_IRQ_CTRL:
		return smmu->irq_ctrl;
	case REG_IRQ_CTRLACK:
		return smmu->irq_ctrlack;
	case REG_GERROR:
		return smmu->gerror;
	case REG_GERRORN:
		return smmu->gerrorn;
	case REG_GERROR_IRQ_CFG0 ... REG_GERROR_IRQ_CFG2:
		return msi_read(&smmu->msi_config[SMMU_IRQ_GERROR],
				(offset - REG_GERROR_IRQ_CFG0) / 4);
	case REG_STRTAB_BASE:
		return low(smmu->strtab_base);
	case REG_STRTAB_BASE + 4:
		return high(smmu->strtab_base);
	case REG_STRTAB_BASE_CFG:
		return smmu->strtab_base_cfg;
	case REG_CMDQ_BASE:
		return low(smmu->cmdq.base);
	case REG_CMDQ_BASE + 4:
		return high(smmu->cmdq.base);
	case REG_CMDQ_PROD:
		return smmu->cmdq.prod;
	case REG_CMDQ_CONS:
		return smmu->cmdq.cons | low(FIELD_PREP(CMDQ_CONS_ERR, smmu->cmdq.error));
	case REG_EVENTQ_BASE:
		return low(smmu->evtq.base);
	case REG_EVENTQ_BASE + 4:
		return high(smmu->evtq.base);
	case REG_EVENTQ_PROD:
	case REG_EVENTQ_PROD_ALIAS:
		return smmu->evtq.prod;
	case REG_EVENTQ_CONS:
	case REG_EVENTQ_CONS_ALIAS:
		return smmu->evtq.cons;
	case REG_EVENTQ_IRQ_CFG0 ... REG_EVENTQ_IRQ_CFG2:
		return msi_read(&smmu->msi_config[SMMU_IRQ_EVENTQ],
				(offset - REG_EVENTQ_IRQ_CFG0) / 4);
	default:
		return 0;
	}
}

static void set_half(uint64_t *reg, bool upper, uint32_t value, uint64_t mask)
{
	uint64_t v = upper ? (*reg & UINT32_MAX) | (uint64_t)value << 32
			   : (*reg & ~(uint64_t)UINT32_MAX) | value;

	*reg = v & mask;
}

/* Guarded by the interrupt's enable; without IDR0.MSI the registers are RES0. */
static void msi_write(struct smmu *smmu, enum smmu_irq irq, uint64_t enable, uint32_t word,
		      uint32_t value)
{
	struct msi_config *msi = &smmu->msi_config[irq];

	if (!smmu->params.msi || (smmu->irq_ctrl | smmu->irq_ctrlack) & enable)
		return;
	switch (word) {
	case 0:
	case 1:
		set_half(&msi->addr, word == 1, value, MSI_CFG0_ADDR);
		break;
	case 2:
		msi->data = value;
		break;
	default:
		msi->attributes = value & (uint32_t)BITS(5, 0);
		break;
	}
}

static bool is_off(const struct smmu *smmu, uint64_t enable)
{
	return !((smmu->cr0 | smmu->cr0ack) & enable);
}

/*
 * Registers of the command and event queue: base and the SMMU's own pointer only while the
 * queue is off.
 */
static void queue_write(struct smmu *smmu, uint32_t offset, uint32_t value)
{
	const uint64_t base_mask = Q_BASE_RWA | Q_BASE_ADDR | Q_BASE_LOG2SIZE;
	const uint32_t pointer = (uint32_t)Q_PTR_MASK, flag = (uint32_t)Q_OVERFLOW;

	switch (offset) {
	case REG_CMDQ_BASE:
	case REG_CMDQ_BASE + 4:
		if (is_off(smmu, CR0_CMDQEN))
			set_half(&smmu->cmdq.base, offset != REG_CMDQ_BASE, value, base_mask);
		break;
	case REG_CMDQ_PROD:
		smmu->cmdq.prod = value & pointer;
		smmu_cmdq_kick(smmu);
		break;
	case REG_CMDQ_CONS:
		if (is_off(smmu, CR0_CMDQEN)) {
			smmu->cmdq.cons = value & pointer;
			smmu_cmdq_discard(smmu);
		}
		break;
	case REG_EVENTQ_BASE:
	case REG_EVENTQ_BASE + 4:
		if (is_off(smmu, CR0_EVENTQEN))
			set_half(&smmu->evtq.base, offset != REG_EVENTQ_BASE, value, base_mask);
		break;
	case REG_EVENTQ_PROD:
		if (is_off(smmu, CR0_EVENTQEN))
			smmu->evtq.prod = value & (pointer | flag);
		break;
	default:
		smmu->evtq.cons = value & (pointer | flag);
		smmu_evtq_kick(smmu);
		smmu_stall_report(smmu);
		break;
	}
}

static void strtab_write(struct smmu *smmu, uint32_t offset, uint32_t value)
{
	if (!is_off(smmu, CR0_SMMUEN))
		return;
	if (offset == REG_STRTAB_BASE_CFG)
		smmu->strtab_base_cfg =
			value & (uint32_t)(STRTAB_CFG_FMT | STRTAB_CFG_SPLIT | STRTAB_CFG_LOG2SIZE);
	else
		set_half(&smmu->strtab_base, offset != REG_STRTAB_BASE, value,
			 STRTAB_BASE_RA | STRTAB_BASE_ADDR);
}

static void reg_write(struct smmu *smmu, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case REG_CR0:
		cr0_write(smmu, value);
		break;
	case REG_CR1:
		smmu->cr1 = value & (uint32_t)CR1_MASK;
		break;
	case REG_CR2:
		if (is_off(smmu, CR0_SMMUEN))
			smmu->cr2 = value & (uint32_t)CR2_MASK;
		break;
	case REG_GBPA:
		gbpa_write(smmu, value);
		break;
	case REG_IRQ_CTRL:
		smmu->irq_ctrl = value & (uint32_t)IRQ_CTRL_MASK;
		sim_event_after(&smmu->irq_ctrl_event, SIM_NS(smmu->params.update_ns));
		break;
	case REG_GERRORN:
		gerrorn_write(smmu, value);
		break;
	case REG_GERROR_IRQ_CFG0 ... REG_GERROR_IRQ_CFG2:
		msi_write(smmu, SMMU_IRQ_GERROR, IRQ_CTRL_GERROR,
			  (offset - REG_GERROR_IRQ_CFG0) / 4, value);
		break;
	case REG_STRTAB_BASE ... REG_STRTAB_BASE_CFG:
		strtab_write(smmu, offset, value);
		break;
	case REG_EVENTQ_PROD_ALIAS:
	case REG_EVENTQ_CONS_ALIAS:
		queue_write(smmu, offset + 0x10000, value);
		break;
	case REG_CMDQ_BASE ... REG_EVENTQ_BASE + 4:
	case REG_EVENTQ_PROD:
	case REG_EVENTQ_CONS:
		queue_write(smmu, offset, value);
		break;
	case REG_EVENTQ_IRQ_CFG0 ... REG_EVENTQ_IRQ_CFG2:
		msi_write(smmu, SMMU_IRQ_EVENTQ, IRQ_CTRL_EVENTQ,
			  (offset - REG_EVENTQ_IRQ_CFG0) / 4, value);
		break;
	default:
		break; /* read-only, or RES0 */
	}
}

/* A 64-bit access is two 32-bit ones, the lower first. */
static enum sim_response mmio_access(struct smmu *smmu, struct sim_txn *txn)
{
	uint64_t offset = txn->addr - smmu->config.reg_base;
	unsigned char *data = txn->data;

	if ((txn->len != 4 && txn->len != 8) || offset % txn->len || offset >= SMMU_FRAME_BYTES)
		return SIM_SLVERR;
	for (uint32_t i = 0; i < txn->len; i += 4) {
		uint32_t value;

		if (txn->cmd == SIM_READ) {
			value = reg_read(smmu, (uint32_t)offset + i);
			memcpy(data + i, &value, sizeof(value));
		} else if (txn->cmd == SIM_WRITE) {
			memcpy(&value, data + i, sizeof(value));
			reg_write(smmu, (uint32_t)offset + i, value);
		} else {
			return SIM_SLVERR; /* no atomics on registers */
		}
	}
	return SIM_OK;
}

static void mmio_done(void *arg)
{
	struct smmu_mmio *mmio = arg;
	struct smmu *smmu = mmio->smmu;
	struct sim_txn *txn = mmio->txn;

	mmio->txn = NULL;
	mmio->next = smmu->mmio_free;
	smmu->mmio_free = mmio;
	smmu->mmio_busy--;
	sim_txn_complete(txn, mmio_access(smmu, txn));
}

/* The pool grows by chunks; a chunk's first element only links the chunks. */
#define MMIO_CHUNK 16

static void mmio_grow(struct smmu *smmu)
{
	struct smmu_mmio *chunk = calloc(MMIO_CHUNK, sizeof(*chunk));

	if (!chunk)
		abort();
	chunk[0].next = smmu->mmio_all;
	smmu->mmio_all = chunk;
	for (int i = 1; i < MMIO_CHUNK; i++) {
		chunk[i].smmu = smmu;
		sim_event_init(&chunk[i].event, mmio_done, &chunk[i]);
		chunk[i].next = smmu->mmio_free;
		smmu->mmio_free = &chunk[i];
	}
}

void smmu_mmio_request(void *target, struct sim_txn *txn)
{
	struct smmu *smmu = target;
	struct smmu_mmio *mmio;

	if (!smmu->mmio_free)
		mmio_grow(smmu);
	mmio = smmu->mmio_free;
	smmu->mmio_free = mmio->next;
	mmio->txn = txn;
	smmu->mmio_busy++;
	sim_event_after(&mmio->event, SIM_NS(smmu->params.mmio_ns));
}

void smmu_regs_init(struct smmu *smmu)
{
	derive_id_registers(smmu);
	smmu->gbpa = (uint32_t)(GBPA_INCOMING | (smmu->params.gbpa_abort ? GBPA_ABORT : 0));
	sim_event_init(&smmu->cr0_event, cr0_updated, smmu);
	sim_event_init(&smmu->irq_ctrl_event, irq_ctrl_updated, smmu);
	sim_event_init(&smmu->gbpa_event, gbpa_updated, smmu);
}

void smmu_regs_destroy(struct smmu *smmu)
{
	sim_event_cancel(&smmu->cr0_event);
	sim_event_cancel(&smmu->irq_ctrl_event);
	sim_event_cancel(&smmu->gbpa_event);
	while (smmu->mmio_all) {
		struct smmu_mmio *chunk = smmu->mmio_all;

		smmu->mmio_all = chunk[0].next;
		for (int i = 1; i < MMIO_CHUNK; i++)
			sim_event_cancel(&chunk[i].event);
		free(chunk);
	}
}

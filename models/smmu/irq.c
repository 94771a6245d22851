/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts and global errors (SMMUv3 IHI 0070 §3.18, §7.5).
 *
 * An interrupt is an MSI if the SMMU has MSIs and software gave an address, else an edge on a wire.
 * Edges while an MSI is being written become one more MSI after it. An interrupt takes irq_ns to the
 * wire or to its write; what is raised meanwhile is one with it, since nobody has seen it yet.
 */
#include "models/smmu/smmu_internal.h"

static const struct {
	uint64_t enable, abort_error;
} irq_traits[SMMU_IRQ_COUNT] = {
	[SMMU_IRQ_EVENTQ] = {IRQ_CTRL_EVENTQ, GERROR_MSI_EVENTQ_ABT_ERR},
	[SMMU_IRQ_GERROR] = {IRQ_CTRL_GERROR, GERROR_MSI_GERROR_ABT_ERR},
};

static void msi_send(struct smmu_msi *msi)
{
	struct smmu *smmu = msi->smmu;
	const struct msi_config *config = &smmu->msi_config[msi->irq];

	msi->busy = true;
	msi->payload = config->data;
	msi->txn.addr = config->addr;
	smmu->stats.msis++;
	sim_port_request(&smmu->config.walk_port, &msi->txn);
}

static void msi_written(struct sim_txn *txn)
{
	struct smmu_msi *msi = txn->owner;

	msi->busy = false;
	if (txn->response != SIM_OK)
		smmu_gerror(msi->smmu, irq_traits[msi->irq].abort_error);
	if (msi->again && !msi->busy) {
		msi->again = false;
		msi_send(msi);
	}
}

static void irq_send(struct smmu *smmu, enum smmu_irq irq)
{
	const struct sim_irq *wires[SMMU_IRQ_COUNT] = {
		[SMMU_IRQ_EVENTQ] = &smmu->config.eventq_irq,
		[SMMU_IRQ_GERROR] = &smmu->config.gerror_irq,
		[SMMU_IRQ_CMDQ_SYNC] = &smmu->config.cmdq_sync_irq,
	};
	struct smmu_msi *msi = &smmu->msi[irq];

	smmu->stats.interrupts++;
	if (!smmu->params.msi || !smmu->msi_config[irq].addr)
		sim_irq_pulse(wires[irq]);
	else if (msi->busy)
		msi->again = true;
	else
		msi_send(msi);
}

/* CMD_SYNC's interrupt has no enable: the command asks for it. */
static bool irq_enabled(const struct smmu *smmu, enum smmu_irq irq)
{
	return !irq_traits[irq].enable || smmu->irq_ctrlack & irq_traits[irq].enable;
}

static void irq_delay_over(void *arg)
{
	const struct smmu_irq_delay *delay = arg;

	if (irq_enabled(delay->smmu, delay->irq))
		irq_send(delay->smmu, delay->irq);
}

void smmu_irq_raise(struct smmu *smmu, enum smmu_irq irq)
{
	struct sim_event *event = &smmu->irq_delay[irq].event;

	if (!irq_enabled(smmu, irq))
		return;
	if (!smmu->params.irq_ns)
		irq_send(smmu, irq);
	else if (!sim_event_pending(event))
		sim_event_after(event, SIM_NS(smmu->params.irq_ns));
}

void smmu_gerror(struct smmu *smmu, uint64_t error)
{
	if (smmu_gerror_active(smmu, error))
		return;
	smmu->gerror ^= (uint32_t)error;
	smmu->stats.gerrors++;
	/* the failed MSI of the GERROR interrupt itself is left to be polled */
	if (error != GERROR_MSI_GERROR_ABT_ERR)
		smmu_irq_raise(smmu, SMMU_IRQ_GERROR);
}

bool smmu_irq_idle(const struct smmu *smmu)
{
	for (int i = 0; i < SMMU_IRQ_COUNT; i++)
		if (smmu->msi[i].busy || sim_event_pending(&smmu->irq_delay[i].event))
			return false;
	return true;
}

void smmu_irq_init(struct smmu *smmu)
{
	for (int i = 0; i < SMMU_IRQ_COUNT; i++) {
		struct smmu_msi *msi = &smmu->msi[i];
		struct smmu_irq_delay *delay = &smmu->irq_delay[i];

		delay->smmu = smmu;
		delay->irq = (enum smmu_irq)i;
		sim_event_init(&delay->event, irq_delay_over, delay);
		msi->smmu = smmu;
		msi->irq = (enum smmu_irq)i;
		msi->txn = (struct sim_txn){
			.len = sizeof(msi->payload),
			.cmd = SIM_WRITE,
			.data = &msi->payload,
			.privileged = true,
			.requester = smmu->config.requester,
			.done = msi_written,
			.owner = msi,
		};
	}
}

void smmu_irq_destroy(struct smmu *smmu)
{
	for (int i = 0; i < SMMU_IRQ_COUNT; i++)
		sim_event_cancel(&smmu->irq_delay[i].event);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts and global errors (SMMUv3 IHI 0070 §3.18, §7.5).
 *
 * An interrupt is an MSI if the SMMU has MSIs and software gave an address, else an edge on a wire.
 * Edges while an MSI is being written become one more MSI after it.
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

void smmu_irq_raise(struct smmu *smmu, enum smmu_irq irq)
{
	const struct sim_irq *wires[SMMU_IRQ_COUNT] = {
		[SMMU_IRQ_EVENTQ] = &smmu->config.eventq_irq,
		[SMMU_IRQ_GERROR] = &smmu->config.gerror_irq,
		[SMMU_IRQ_CMDQ_SYNC] = &smmu->config.cmdq_sync_irq,
	};
	struct smmu_msi *msi = &smmu->msi[irq];

	/* CMD_SYNC's interrupt has no enable: the command asks for it */
	if (irq_traits[irq].enable && !(smmu->irq_ctrlack & irq_traits[irq].enable))
		return;
	smmu->stats.interrupts++;
	if (!smmu->params.msi || !smmu->msi_config[irq].addr)
		sim_irq_pulse(wires[irq]);
	else if (msi->busy)
		msi->again = true;
	else
		msi_send(msi);
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
		if (smmu->msi[i].busy)
			return false;
	return true;
}

void smmu_irq_init(struct smmu *smmu)
{
	for (int i = 0; i < SMMU_IRQ_COUNT; i++) {
		struct smmu_msi *msi = &smmu->msi[i];

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

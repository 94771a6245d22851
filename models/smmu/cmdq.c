/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command queue (SMMUv3 IHI 0070 §3.5, §4, §7.1).
 *
 * Commands are fetched some at a time and take effect one at a time, in order; CONS moves past
 * each when it has. An invalidation takes effect at once on what is cached; what began before it
 * and may still use what it read is waited for by the next CMD_SYNC. A command that is illegal or
 * cannot be fetched stops the queue until GERRORN acknowledges it; what had been fetched is read
 * again then.
 *
 * Prefetch commands are accepted and bring nothing in. Addresses of a TLBI invalidate whatever
 * covers them, without regard to TTL: more than asked for, as the architecture allows. With Leaf set
 * the walk caches keep their tables.
 */
#include "models/smmu/smmu_internal.h"

#include <string.h>

enum command_result { COMMAND_DONE, COMMAND_ILLEGAL, COMMAND_WAIT };

static uint32_t cmdq_log2(const struct smmu *smmu)
{
	return queue_log2(smmu->cmdq.base, smmu->params.cmdq_log2);
}

/* What has been translated until now may use what is being invalidated. */
static void invalidated(struct smmu *smmu)
{
	smmu->invalidation_sequence = smmu->next_sequence;
}

/* ---- commands ---------------------------------------------------------------------------- */

static enum command_result cfgi_ste(struct smmu *smmu, const uint64_t *cmd)
{
	smmu_ste_invalidate(smmu, (uint32_t)FIELD_GET(CMD_0_SID, cmd[0]), 0);
	invalidated(smmu);
	return COMMAND_DONE;
}

static enum command_result cfgi_ste_range(struct smmu *smmu, const uint64_t *cmd)
{
	unsigned int range = (unsigned int)FIELD_GET(CMD_CFGI_1_RANGE, cmd[1]);

	smmu_ste_invalidate(smmu, (uint32_t)FIELD_GET(CMD_0_SID, cmd[0]), range + 1);
	invalidated(smmu);
	return COMMAND_DONE;
}

static enum command_result cfgi_cd(struct smmu *smmu, const uint64_t *cmd)
{
	smmu_cd_invalidate(smmu, (uint32_t)FIELD_GET(CMD_0_SID, cmd[0]),
			   (uint32_t)FIELD_GET(CMD_0_SSID, cmd[0]));
	invalidated(smmu);
	return COMMAND_DONE;
}

static enum command_result cfgi_cd_all(struct smmu *smmu, const uint64_t *cmd)
{
	smmu_cd_invalidate_stream(smmu, (uint32_t)FIELD_GET(CMD_0_SID, cmd[0]));
	invalidated(smmu);
	return COMMAND_DONE;
}

/* The bytes that a TLBI by address names: a page, or with IDR3.RIL and TG a range (§4.4.1.1). */
static void tlbi_range(const struct smmu *smmu, const uint64_t *cmd, struct smmu_tlbi *tlbi)
{
	unsigned int tg = (unsigned int)FIELD_GET(CMD_TLBI_1_TG, cmd[1]);
	uint64_t bytes = 4096;

	tlbi->first = cmd[1] & CMD_TLBI_1_VA;
	if (smmu->params.ril && tg) {
		unsigned int granule_bits = 10 + 2 * tg;
		unsigned int scale = (unsigned int)FIELD_GET(CMD_TLBI_0_SCALE, cmd[0]);

		bytes = (FIELD_GET(CMD_TLBI_0_NUM, cmd[0]) + 1) << (scale + granule_bits);
	}
	tlbi->last = tlbi->first + (bytes - 1);
	if (tlbi->last < tlbi->first)
		tlbi->last = UINT64_MAX;
}

static enum command_result tlbi(struct smmu *smmu, const uint64_t *cmd)
{
	enum smmu_opcode op = (enum smmu_opcode)FIELD_GET(CMD_0_OP, cmd[0]);
	bool el2 = op >= CMD_TLBI_EL2_ALL && op <= CMD_TLBI_EL2_VAA;
	struct smmu_tlbi scope = {
		.world = el2 ? WORLD_EL2_E2H : WORLD_NS_EL1,
		.asid = (uint16_t)FIELD_GET(CMD_TLBI_0_ASID, cmd[0]),
		.any_asid = op != CMD_TLBI_NH_ASID && op != CMD_TLBI_NH_VA &&
			    op != CMD_TLBI_EL2_ASID && op != CMD_TLBI_EL2_VA,
		.any_va = op == CMD_TLBI_NH_ALL || op == CMD_TLBI_NH_ASID ||
			  op == CMD_TLBI_EL2_ALL || op == CMD_TLBI_EL2_ASID ||
			  op == CMD_TLBI_NSNH_ALL,
		.last = UINT64_MAX,
	};

	if (el2 && !smmu->params.hyp)
		return COMMAND_ILLEGAL;
	if (!scope.any_va) {
		scope.leaf = cmd[1] & CMD_TLBI_1_LEAF;
		tlbi_range(smmu, cmd, &scope);
	}
	smmu_tlb_invalidate(smmu, &scope);
	if (el2 && op != CMD_TLBI_EL2_ASID) {
		scope.world = WORLD_EL2; /* has no ASIDs */
		scope.any_asid = true;
		smmu_tlb_invalidate(smmu, &scope);
	}
	invalidated(smmu);
	return COMMAND_DONE;
}

static enum command_result resume(struct smmu *smmu, const uint64_t *cmd)
{
	if (smmu->params.stall_model == 1)
		return COMMAND_ILLEGAL;
	smmu_stall_resume(smmu, (uint32_t)FIELD_GET(CMD_0_SID, cmd[0]),
			  (uint32_t)FIELD_GET(CMD_RESUME_1_STAG, cmd[1]), cmd[0] & CMD_RESUME_0_AC,
			  cmd[0] & CMD_RESUME_0_AB);
	return COMMAND_DONE;
}

static enum command_result stall_term(struct smmu *smmu, const uint64_t *cmd)
{
	uint32_t sid = (uint32_t)FIELD_GET(CMD_0_SID, cmd[0]);

	if (smmu->params.stall_model == 1)
		return COMMAND_ILLEGAL;
	smmu_stall_terminate(smmu, &sid);
	return COMMAND_DONE;
}

static bool sync_complete(const struct smmu *smmu)
{
	return !smmu->oldest || smmu->oldest->sequence >= smmu->cmdq.sync_sequence;
}

static enum command_result sync(struct smmu *smmu, const uint64_t *cmd)
{
	if (FIELD_GET(CMD_SYNC_0_CS, cmd[0]) > SYNC_CS_SEV)
		return COMMAND_ILLEGAL;
	smmu->cmdq.sync_sequence = smmu->invalidation_sequence;
	return COMMAND_WAIT;
}

static enum command_result prefetch(struct smmu *smmu, const uint64_t *cmd)
{
	(void)smmu;
	(void)cmd;
	return COMMAND_DONE;
}

static const struct {
	enum command_result (*execute)(struct smmu *smmu, const uint64_t *cmd);
	const char *name;
} commands[CMD_SYNC + 1] = {
	[CMD_PREFETCH_CONFIG] = {prefetch, "CMD_PREFETCH_CONFIG"},
	[CMD_PREFETCH_ADDR] = {prefetch, "CMD_PREFETCH_ADDR"},
	[CMD_CFGI_STE] = {cfgi_ste, "CMD_CFGI_STE"},
	[CMD_CFGI_STE_RANGE] = {cfgi_ste_range, "CMD_CFGI_STE_RANGE"},
	[CMD_CFGI_CD] = {cfgi_cd, "CMD_CFGI_CD"},
	[CMD_CFGI_CD_ALL] = {cfgi_cd_all, "CMD_CFGI_CD_ALL"},
	[CMD_TLBI_NH_ALL] = {tlbi, "CMD_TLBI_NH_ALL"},
	[CMD_TLBI_NH_ASID] = {tlbi, "CMD_TLBI_NH_ASID"},
	[CMD_TLBI_NH_VA] = {tlbi, "CMD_TLBI_NH_VA"},
	[CMD_TLBI_NH_VAA] = {tlbi, "CMD_TLBI_NH_VAA"},
	[CMD_TLBI_EL2_ALL] = {tlbi, "CMD_TLBI_EL2_ALL"},
	[CMD_TLBI_EL2_ASID] = {tlbi, "CMD_TLBI_EL2_ASID"},
	[CMD_TLBI_EL2_VA] = {tlbi, "CMD_TLBI_EL2_VA"},
	[CMD_TLBI_EL2_VAA] = {tlbi, "CMD_TLBI_EL2_VAA"},
	[CMD_TLBI_NSNH_ALL] = {tlbi, "CMD_TLBI_NSNH_ALL"},
	[CMD_RESUME] = {resume, "CMD_RESUME"},
	[CMD_STALL_TERM] = {stall_term, "CMD_STALL_TERM"},
	[CMD_SYNC] = {sync, "CMD_SYNC"},
};

const char *smmu_command_name(unsigned int opcode)
{
	return opcode <= CMD_SYNC ? commands[opcode].name : NULL;
}

/* ---- consumption ------------------------------------------------------------------------- */

/* Busy from the fetch of a command until CONS has moved past the last one that is there. */
static void cmdq_occupy(struct smmu *smmu)
{
	if (!smmu->cmdq.resource.busy)
		resource_serve(&smmu->cmdq.resource, sim_now());
}

static void cmdq_vacate(struct smmu *smmu)
{
	if (!smmu->cmdq.resource.busy)
		return;
	resource_release(&smmu->cmdq.resource, sim_now());
	smmu->cmdq.resource.served--; /* it counts commands */
}

void smmu_cmdq_count(struct smmu *smmu)
{
	struct resource *r = &smmu->cmdq.resource;
	uint32_t log2 = cmdq_log2(smmu);
	uint32_t used = queue_used(smmu->cmdq.prod, smmu->cmdq.cons, log2);

	resource_advance(r, sim_now());
	used = used < 1u << log2 ? used : 1u << log2;
	r->waiting = used > r->busy ? used - r->busy : 0;
	if (r->waiting > r->waiting_max)
		r->waiting_max = r->waiting;
	trace_count(smmu->cmdq.counter, sim_now(), used);
}

static void cmdq_rest(struct smmu *smmu)
{
	smmu->cmdq.state = CMDQ_IDLE;
	smmu_cmdq_kick(smmu);
	smmu_regs_update_ack(smmu);
}

/* The command has taken effect: CONS says so. */
static void cmdq_advance(struct smmu *smmu)
{
	uint32_t log2 = cmdq_log2(smmu);

	smmu->cmdq.cons = (smmu->cmdq.cons + 1) & ((2u << log2) - 1);
	smmu->cmdq.resource.served++;
	trace_end(smmu->cmdq.track, sim_now(), NULL);
}

/* CONS stays at the command, the queue stands until software acknowledges. */
static void cmdq_stop(struct smmu *smmu, uint32_t error)
{
	smmu->cmdq.error = error;
	smmu_cmdq_discard(smmu);
	smmu_gerror(smmu, GERROR_CMDQ_ERR);
	smmu->cmdq.state = CMDQ_IDLE;
	cmdq_vacate(smmu);
	smmu_cmdq_count(smmu);
	smmu_regs_update_ack(smmu);
}

static void sync_done(struct smmu *smmu)
{
	bool sev = FIELD_GET(CMD_SYNC_0_CS, smmu->cmdq.command[0]) == SYNC_CS_SEV;

	smmu->stats.syncs++;
	cmdq_advance(smmu);
	if (sev && smmu->params.sev && smmu->config.sev)
		smmu->config.sev(smmu->config.sev_arg);
	cmdq_rest(smmu);
}

static void sync_msi_written(struct sim_txn *txn)
{
	struct smmu *smmu = txn->owner;

	if (txn->response != SIM_OK)
		smmu_gerror(smmu, GERROR_MSI_CMDQ_ABT_ERR);
	sync_done(smmu);
}

/*
 * CONS moves after the MSI is visible: software may point the MSI at the command itself, and must
 * not reuse the entry before.
 */
static void sync_signal(struct smmu *smmu)
{
	const uint64_t *cmd = smmu->cmdq.command;
	uint64_t addr = cmd[1] & CMD_SYNC_1_MSIADDR;

	if (FIELD_GET(CMD_SYNC_0_CS, cmd[0]) != SYNC_CS_IRQ) {
		sync_done(smmu);
		return;
	}
	if (!smmu->params.msi || !addr) {
		sync_done(smmu);
		smmu_irq_raise(smmu, SMMU_IRQ_CMDQ_SYNC);
		return;
	}
	smmu->cmdq.state = CMDQ_SIGNALLING;
	smmu->cmdq.msi = (struct sim_txn){
		.addr = addr,
		.len = 4,
		.cmd = SIM_WRITE,
		.data = &smmu->cmdq.msi_data,
		.privileged = true,
		.requester = smmu->config.requester,
		.done = sync_msi_written,
		.owner = smmu,
	};
	smmu->cmdq.msi_data = (uint32_t)FIELD_GET(CMD_SYNC_0_MSIDATA, cmd[0]);
	smmu->stats.msis++;
	sim_port_request(&smmu->config.walk_port, &smmu->cmdq.msi);
}

void smmu_cmdq_sync_drained(struct smmu *smmu)
{
	if (sync_complete(smmu))
		sync_signal(smmu);
}

static void cmdq_execute(void *arg)
{
	struct smmu *smmu = arg;
	const uint64_t *cmd = smmu->cmdq.command;
	unsigned int op = (unsigned int)FIELD_GET(CMD_0_OP, cmd[0]);
	enum command_result result = COMMAND_ILLEGAL;

	/* SSec names the Secure state, which a Non-secure queue must not */
	if (op <= CMD_SYNC && commands[op].execute && !(cmd[0] & CMD_0_SSEC))
		result = commands[op].execute(smmu, cmd);
	switch (result) {
	case COMMAND_DONE:
		smmu->stats.commands[op]++;
		cmdq_advance(smmu);
		cmdq_rest(smmu);
		break;
	case COMMAND_WAIT:
		smmu->stats.commands[op]++;
		smmu->cmdq.state = CMDQ_SYNCING;
		smmu_cmdq_drained(smmu);
		break;
	case COMMAND_ILLEGAL:
		smmu->stats.illegal_commands++;
		trace_end(smmu->cmdq.track, sim_now(), NULL);
		cmdq_stop(smmu, CERROR_ILL);
		break;
	}
}

static void cmdq_take(struct smmu *smmu)
{
	uint32_t i = smmu->cmdq.next++;
	unsigned int op;

	smmu->cmdq.command[0] = smmu->cmdq.buffer[2 * i];
	smmu->cmdq.command[1] = smmu->cmdq.buffer[2 * i + 1];
	op = (unsigned int)FIELD_GET(CMD_0_OP, smmu->cmdq.command[0]);
	smmu->cmdq.state = CMDQ_EXECUTING;
	trace_begin(smmu->cmdq.track, TRACE_SMMU,
		    op <= CMD_SYNC && smmu->names.commands[op] ? smmu->names.commands[op]
							       : smmu->names.illegal,
		    sim_now(), NULL);
	sim_event_after(&smmu->cmdq.event, SIM_NS(smmu->params.cmd_ns));
}

static void cmdq_fetched(struct sim_txn *txn)
{
	struct smmu *smmu = txn->owner;

	if (txn->response != SIM_OK) {
		cmdq_stop(smmu, CERROR_ABT);
		return;
	}
	smmu->cmdq.buffered = txn->len / CMD_BYTES;
	smmu->cmdq.next = 0;
	cmdq_take(smmu);
}

/* As many commands as are there, up to the fetch size, the queue's end, and the 4 KiB boundary. */
static void cmdq_fetch(struct smmu *smmu, uint32_t available)
{
	uint32_t log2 = cmdq_log2(smmu);
	uint64_t addr = queue_entry(smmu->cmdq.base, smmu->cmdq.cons, log2, CMD_BYTES);
	uint32_t to_end = (1u << log2) - (smmu->cmdq.cons & ((1u << log2) - 1));
	uint32_t to_boundary = (uint32_t)(4096 - (addr & 4095)) / CMD_BYTES;
	uint32_t n = smmu->params.cmdq_fetch_entries;

	n = n < available ? n : available;
	n = n < to_end ? n : to_end;
	n = n < to_boundary ? n : to_boundary;
	smmu->cmdq.state = CMDQ_FETCHING;
	smmu->cmdq.buffered = 0;
	if (!smmu_address_ok(smmu, addr)) {
		cmdq_stop(smmu, CERROR_ABT);
		return;
	}
	smmu->cmdq.fetch.addr = addr;
	smmu->cmdq.fetch.len = n * CMD_BYTES;
	sim_port_request(&smmu->config.walk_port, &smmu->cmdq.fetch);
}

void smmu_cmdq_discard(struct smmu *smmu)
{
	smmu->cmdq.buffered = smmu->cmdq.next = 0;
}

/* How many commands are there to be consumed, if they may be. */
static uint32_t cmdq_available(const struct smmu *smmu)
{
	uint32_t log2 = cmdq_log2(smmu);
	uint32_t available = queue_used(smmu->cmdq.prod, smmu->cmdq.cons, log2);

	if (!(smmu->cr0 & smmu->cr0ack & CR0_CMDQEN) || smmu_gerror_active(smmu, GERROR_CMDQ_ERR))
		return 0;
	/* an impossible PROD: take it as full */
	return available < 1u << log2 ? available : 1u << log2;
}

void smmu_cmdq_kick(struct smmu *smmu)
{
	uint32_t available;

	if (smmu->cmdq.state != CMDQ_IDLE) {
		smmu_cmdq_count(smmu);
		return;
	}
	available = cmdq_available(smmu);
	if (available)
		cmdq_occupy(smmu);
	else
		cmdq_vacate(smmu);
	smmu_cmdq_count(smmu);
	if (!available)
		return;
	if (smmu->cmdq.next < smmu->cmdq.buffered)
		cmdq_take(smmu);
	else
		cmdq_fetch(smmu, available);
}

void smmu_cmdq_init(struct smmu *smmu)
{
	sim_event_init(&smmu->cmdq.event, cmdq_execute, smmu);
	resource_init(&smmu->cmdq.resource, 1);
	smmu->cmdq.fetch = (struct sim_txn){
		.cmd = SIM_READ,
		.data = smmu->cmdq.buffer,
		.privileged = true,
		.requester = smmu->config.requester,
		.done = cmdq_fetched,
		.owner = smmu,
	};
	smmu->cmdq.track = trace_track_add(smmu->config.track, "command queue", 1);
	smmu->cmdq.counter =
		trace_counter_add(smmu->config.track, "commands queued", "commands", 10);
	for (unsigned int op = 0; op <= CMD_SYNC; op++)
		if (commands[op].name)
			smmu->names.commands[op] = trace_intern(commands[op].name);
	smmu->names.illegal = trace_intern("illegal command");
}

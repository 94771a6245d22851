/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SMMU as a whole: parameters, creation, metrics.
 */
#include "models/smmu/smmu_internal.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const stall_models[] = {"optional", "none", "forced", NULL};
static const char *const oas_names[] = {"32", "36", "40", "42", "44", "48", NULL};

#define U32(field, ...)	 PARAM_U32_(smmu_params, field, __VA_ARGS__)
#define U64(field, ...)	 PARAM_U64_(smmu_params, field, __VA_ARGS__)
#define FLAG(field, ...) PARAM_BOOL_(smmu_params, field, __VA_ARGS__)

const struct param_desc smmu_param_descs[] = {
	U32(sid_bits, 16, 1, 24, "StreamID bits (IDR1.SIDSIZE)", "assumed"),
	U32(ssid_bits, 16, 0, 20, "SubstreamID bits (IDR1.SSIDSIZE)", "assumed"),
	U32(cmdq_log2, 8, 0, 19, "log2 of the largest command queue (IDR1.CMDQS); Linux needs 7",
	    "assumed"),
	U32(evtq_log2, 7, 0, 19, "log2 of the largest event queue (IDR1.EVENTQS)", "assumed"),
	U32(priq_log2, 7, 0, 19, "log2 of the largest PRI queue (IDR1.PRIQS)", "assumed"),
	PARAM_ENUM_(smmu_params, stall_model, "optional", stall_models,
		    "may faults stall (IDR0.STALL_MODEL)", "assumed"),
	U32(stall_max, 64, 1, 65535, "transactions that can be stalled at once (IDR5.STALL_MAX)",
	    "assumed"),
	PARAM_ENUM_(smmu_params, oas, "48", oas_names, "output address bits (IDR5.OAS)", "assumed"),
	FLAG(strtab_2lvl, true, "two-level stream tables (IDR0.ST_LEVEL)", "assumed"),
	FLAG(cd_2lvl, true, "two-level context descriptor tables (IDR0.CD2L)", "assumed"),
	FLAG(sev, false, "CMD_SYNC can wake a CPU from WFE (IDR0.SEV)", "assumed"),
	FLAG(msi, false, "interrupts and CMD_SYNC can be message-signalled (IDR0.MSI)", "assumed"),
	FLAG(hyp, false, "EL2 StreamWorlds (IDR0.HYP)", "assumed"),
	FLAG(cohacc, true, "coherent table and queue accesses (IDR0.COHACC)", "assumed"),
	FLAG(ril, false, "range invalidation (IDR3.RIL)", "assumed"),
	FLAG(gbpa_abort, false, "abort while disabled, out of reset (GBPA.ABORT)", "assumed"),
	U32(micro_tlb_entries, 32, 0, 65536,
	    "entries of each port's micro-TLB, one per page or block; 0 for none", "assumed"),
	U32(micro_tlb_slots, 8, 1, 65536, "look-ups in one micro-TLB at once", "assumed"),
	U32(translation_slots, 256, 1, 65536,
	    "transactions of one port in translation at once, stalled ones included", "assumed"),
	U32(tlb_entries, 1024, 1, 65536, "TLB entries, one per page or block", "assumed"),
	U32(ste_cache_entries, 64, 1, 65536, "cached stream table entries", "assumed"),
	U32(cd_cache_entries, 256, 1, 65536, "cached context descriptors", "assumed"),
	U32(walk_slots, 6, 1, 65536, "translations that can walk or fetch configuration at once",
	    "derived from pcie-bench data (an x86 IOMMU as proxy)"),
	U32(walk_cache_l0_entries, 0, 0, 65536, "cached table descriptors of level 0; 0 for none",
	    "assumed: without walk caches four reads take about the 290 ns of pcie-bench's proxy"),
	U32(walk_cache_l1_entries, 0, 0, 65536, "cached table descriptors of level 1; 0 for none",
	    "assumed: see walk_cache_l0_entries"),
	U32(walk_cache_l2_entries, 0, 0, 65536, "cached table descriptors of level 2; 0 for none",
	    "assumed: see walk_cache_l0_entries"),
	FLAG(merge_misses, true, "misses on a page that is being walked for share that walk",
	     "assumed"),
	U32(cmdq_fetch_entries, 8, 1, 256, "commands per read of the command queue", "assumed"),
	U64(micro_tlb_hit_ps, 1000, 0, 1000000000, "look-up in a port's micro-TLB", "assumed"),
	U64(tlb_hit_ps, 5000, 0, 1000000000,
	    "look-up in the TLB, after the micro-TLB; walk caches included", "assumed"),
	U64(cmd_ns, 10, 0, 1000000, "execution of a command, once fetched", "assumed"),
	U64(evtq_write_ns, 20, 0, 1000000, "making an event record, before it is written",
	    "assumed"),
	U64(irq_ns, 20, 0, 1000000, "from an interrupt's cause to its wire or MSI", "assumed"),
	U64(mmio_ns, 20, 0, 1000000, "register access inside the SMMU", "assumed"),
	U64(update_ns, 50, 0, 1000000, "effect of CR0, IRQ_CTRL and GBPA until acknowledged",
	    "assumed"),
};
const size_t smmu_param_count = sizeof(smmu_param_descs) / sizeof(smmu_param_descs[0]);

/* ---- metrics ----------------------------------------------------------------------------- */

static const char *const event_names[EVENT_ID_COUNT] = {
	[C_BAD_STREAMID] = "c_bad_streamid",
	[F_STE_FETCH] = "f_ste_fetch",
	[C_BAD_STE] = "c_bad_ste",
	[F_BAD_ATS_TREQ] = "f_bad_ats_treq",
	[F_STREAM_DISABLED] = "f_stream_disabled",
	[F_TRANSL_FORBIDDEN] = "f_transl_forbidden",
	[C_BAD_SUBSTREAMID] = "c_bad_substreamid",
	[F_CD_FETCH] = "f_cd_fetch",
	[C_BAD_CD] = "c_bad_cd",
	[F_WALK_EABT] = "f_walk_eabt",
	[F_TRANSLATION] = "f_translation",
	[F_ADDR_SIZE] = "f_addr_size",
	[F_ACCESS] = "f_access",
	[F_PERMISSION] = "f_permission",
};

static void register_named(struct smmu *smmu)
{
	struct stats *stats = smmu->config.stats;
	char name[64];

	for (unsigned int id = 0; id < EVENT_ID_COUNT; id++) {
		if (!event_names[id])
			continue;
		snprintf(name, sizeof(name), "smmu.events.%s", event_names[id]);
		stats_counter(stats, name, &smmu->stats.events[id], "events",
			      "events of this kind, lost ones included");
	}
	for (unsigned int op = 0; op <= CMD_SYNC; op++) {
		const char *command = smmu_command_name(op);
		size_t n;

		if (!command)
			continue;
		n = (size_t)snprintf(name, sizeof(name), "smmu.commands.");
		for (command += 4; *command; command++) /* without CMD_, in lower case */
			name[n++] = (char)(*command >= 'A' && *command <= 'Z' ? *command | 0x20
									      : *command);
		name[n] = 0;
		stats_counter(stats, name, &smmu->stats.commands[op], "commands",
			      "commands of this kind executed");
	}
}

static void register_resources(struct smmu *smmu)
{
	struct stats *stats = smmu->config.stats;

	resource_register(stats, "smmu.translation_slots", &smmu->translation_slots,
			  "transactions in translation at once, of all ports");
	resource_register(stats, "smmu.walkers", &smmu->walkers,
			  "translations that walk or fetch configuration at once");
	resource_register(stats, "smmu.cmdq", &smmu->cmdq.resource,
			  "consumption of the command queue");
	resource_register(stats, "smmu.evtq", &smmu->evtq.resource, "writing of event records");
}

static void register_metrics(struct smmu *smmu)
{
	const struct {
		const char *name;
		const uint64_t *value;
		const char *unit, *help;
	} counters[] = {
		{"smmu.translations", &smmu->stats.translations, "transactions",
		 "client transactions"},
		{"smmu.bypassed", &smmu->stats.bypassed, "transactions", "passed on untranslated"},
		{"smmu.aborted", &smmu->stats.aborted, "transactions", "ended with an abort"},
		{"smmu.terminated_raz_wi", &smmu->stats.terminated_raz_wi, "transactions",
		 "ended as reads of zero and ignored writes"},
		{"smmu.port_waits", &smmu->stats.port_waits, "transactions",
		 "found every translation slot of their port taken"},
		{"smmu.micro_tlb.hits", &smmu->stats.micro_hits, "lookups",
		 "micro-TLB hits on arrival or retry"},
		{"smmu.micro_tlb.misses", &smmu->stats.micro_misses, "lookups",
		 "micro-TLB misses on arrival or retry"},
		{"smmu.tlb.hits", &smmu->stats.tlb_hits, "lookups", "TLB hits on arrival or retry"},
		{"smmu.tlb.misses", &smmu->stats.tlb_misses, "lookups",
		 "TLB misses on arrival or retry"},
		{"smmu.ste_cache.hits", &smmu->stats.ste_hits, "lookups", "STE found in the cache"},
		{"smmu.ste_cache.misses", &smmu->stats.ste_misses, "lookups",
		 "STE not in the cache"},
		{"smmu.cd_cache.hits", &smmu->stats.cd_hits, "lookups", "CD found in the cache"},
		{"smmu.cd_cache.misses", &smmu->stats.cd_misses, "lookups", "CD not in the cache"},
		{"smmu.walks", &smmu->stats.walks, "walks", "translation table walks"},
		{"smmu.walk_reads", &smmu->stats.walk_reads, "reads", "descriptors read by walks"},
		{"smmu.walks_merged", &smmu->stats.walks_merged, "transactions",
		 "misses that shared another one's walk"},
		{"smmu.walk_cache_l0.hits", &smmu->stats.walk_cache_hits[0], "lookups",
		 "walks that began below a cached descriptor of level 0"},
		{"smmu.walk_cache_l0.misses", &smmu->stats.walk_cache_misses[0], "lookups",
		 "walks that found no descriptor of level 0, nor of a deeper one"},
		{"smmu.walk_cache_l1.hits", &smmu->stats.walk_cache_hits[1], "lookups",
		 "walks that began below a cached descriptor of level 1"},
		{"smmu.walk_cache_l1.misses", &smmu->stats.walk_cache_misses[1], "lookups",
		 "walks that found no descriptor of level 1, nor of a deeper one"},
		{"smmu.walk_cache_l2.hits", &smmu->stats.walk_cache_hits[2], "lookups",
		 "walks that began below a cached descriptor of level 2"},
		{"smmu.walk_cache_l2.misses", &smmu->stats.walk_cache_misses[2], "lookups",
		 "walks that found no descriptor of level 2"},
		{"smmu.walk_slot_waits", &smmu->stats.slot_waits, "transactions",
		 "misses that found every walk slot taken"},
		{"smmu.events_lost", &smmu->stats.events_lost, "events", "events not recorded"},
		{"smmu.stalls.taken", &smmu->stats.stalls_taken, "transactions",
		 "faults that stalled"},
		{"smmu.stalls.waited_for_stag", &smmu->stats.stalls_waited, "transactions",
		 "stalls that waited for a STAG or for room in the event queue"},
		{"smmu.stalls.max", &smmu->stats.stalls_max, "transactions",
		 "most stalled at once"},
		{"smmu.stalls.resumes_ignored", &smmu->stats.resumes_ignored, "commands",
		 "CMD_RESUME that named no stalled transaction"},
		{"smmu.commands.illegal", &smmu->stats.illegal_commands, "commands", "CERROR_ILL"},
		{"smmu.syncs", &smmu->stats.syncs, "commands", "CMD_SYNC completed"},
		{"smmu.gerrors", &smmu->stats.gerrors, "errors", "global errors activated"},
		{"smmu.interrupts", &smmu->stats.interrupts, "interrupts", "interrupts raised"},
		{"smmu.msis", &smmu->stats.msis, "writes", "MSIs written"},
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		stats_counter(smmu->config.stats, counters[i].name, counters[i].value,
			      counters[i].unit, counters[i].help);
	stats_histogram(smmu->config.stats, "smmu.walk_ns", &smmu->stats.walk_time,
			"translation table walks, first read to last");
	register_named(smmu);
	register_resources(smmu);
}

/* ---- life -------------------------------------------------------------------------------- */

static void *array(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

struct smmu *smmu_create(const struct smmu_config *config)
{
	struct smmu *smmu = array(1, sizeof(*smmu));

	smmu->params = *config->params;
	smmu->config = *config;
	smmu->config.params = &smmu->params;
	smmu_regs_init(smmu);
	smmu_irq_init(smmu);
	smmu_cmdq_init(smmu);
	smmu_evtq_init(smmu);
	assoc_init(&smmu->ste_cache, smmu->params.ste_cache_entries);
	smmu->stes = array(smmu->params.ste_cache_entries, sizeof(*smmu->stes));
	assoc_init(&smmu->cd_cache, smmu->params.cd_cache_entries);
	smmu->cds = array(smmu->params.cd_cache_entries, sizeof(*smmu->cds));
	va_cache_init(&smmu->tlb, smmu->params.tlb_entries);
	smmu_ports_init(smmu);
	smmu_walk_init(smmu);
	smmu_stall_init(smmu);
	smmu_translation_init(smmu);
	if (config->stats)
		register_metrics(smmu);
	return smmu;
}

void smmu_destroy(struct smmu *smmu)
{
	sim_event_cancel(&smmu->cmdq.event);
	smmu_translation_destroy(smmu);
	smmu_stall_destroy(smmu);
	smmu_walk_destroy(smmu);
	smmu_ports_destroy(smmu);
	va_cache_destroy(&smmu->tlb);
	free(smmu->cds);
	assoc_destroy(&smmu->cd_cache);
	free(smmu->stes);
	assoc_destroy(&smmu->ste_cache);
	smmu_evtq_destroy(smmu);
	smmu_irq_destroy(smmu);
	smmu_regs_destroy(smmu);
	free(smmu);
}

bool smmu_idle(const struct smmu *smmu)
{
	return !smmu->inside && smmu->cmdq.state == CMDQ_IDLE && !smmu->evtq.head &&
	       !smmu->mmio_busy && smmu_irq_idle(smmu);
}

unsigned int smmu_stalled(const struct smmu *smmu)
{
	return (unsigned int)smmu->stalled;
}

static bool cache_reaches(const struct va_cache *cache, uint64_t pa, uint64_t bytes, uint64_t *va)
{
	uint32_t i = va_cache_find_address(cache, pa, pa + bytes - 1);

	if (i != ASSOC_NONE)
		*va = cache->assoc.entries[i].key << cache->entries[i].size_bits;
	return i != ASSOC_NONE;
}

enum smmu_reach smmu_reaches(const struct smmu *smmu, uint64_t pa, uint64_t bytes, uint64_t *va)
{
	if (cache_reaches(&smmu->tlb, pa, bytes, va))
		return SMMU_REACH_TLB;
	for (uint32_t i = 0; i < smmu->port_count; i++)
		if (cache_reaches(&smmu->ports[i]->micro_tlb, pa, bytes, va))
			return SMMU_REACH_MICRO_TLB;
	for (const struct smmu_translation *t = smmu->oldest; t; t = t->younger) {
		if (t->stage != STAGE_FORWARD || t->pa >= pa + bytes ||
		    t->pa + t->upstream->len <= pa)
			continue;
		*va = t->upstream->addr;
		return SMMU_REACH_TRANSACTION;
	}
	return SMMU_REACH_NONE;
}

struct smmu_occupancy smmu_get_occupancy(const struct smmu *smmu)
{
	struct smmu_occupancy o = {
		.tlb = smmu->tlb.assoc.used,
		.ste_cache = smmu->ste_cache.used,
		.cd_cache = smmu->cd_cache.used,
		.walk_slots = smmu->params.walk_slots - smmu->slots_free,
		.inside = (unsigned int)smmu->inside,
	};

	for (uint32_t i = 0; i < smmu->port_count; i++)
		o.micro_tlbs += smmu->ports[i]->micro_tlb.assoc.used;
	for (int level = 0; level < WALK_CACHE_LEVELS; level++)
		o.walk_cache[level] = smmu->walk_caches[level].assoc.used;
	return o;
}

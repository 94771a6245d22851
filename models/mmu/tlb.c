/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLB: see tlb.h. An entry carries the sequence number of its installation. Maintenance of
 * everything or of an ASID notes the number at which it came; what was installed before is
 * dead. Dead entries are reused first.
 */
#include "models/mmu/tlb.h"

#include <stdlib.h>

#define ASIDS 65536u

static const uint8_t size_bits[TLB_SIZES] = {12, 21, 30};

static unsigned int kind_of(const struct tlb_entry *entry)
{
	unsigned int size = entry->size_bits == 12 ? 0 : entry->size_bits == 21 ? 1 : 2;

	return size + (entry->global ? TLB_SIZES : 0);
}

/* Neighbouring pages fall into neighbouring sets; ASIDs and kinds begin elsewhere. */
static uint32_t set_of(const struct tlb *tlb, unsigned int kind, uint16_t asid, uint64_t page)
{
	uint32_t offset = kind * 0x9e3779b1u;

	if (kind < TLB_SIZES)
		offset += asid * 0x85ebca6bu;
	return (uint32_t)((page + (offset >> 8)) % tlb->set_count);
}

static bool matches(const struct tlb_entry *entry, unsigned int kind, uint16_t asid, uint64_t page)
{
	return entry->page == page && kind_of(entry) == kind &&
	       (kind >= TLB_SIZES || entry->asid == asid);
}

static struct tlb_entry *find(const struct tlb *tlb, unsigned int kind, uint16_t asid,
			      uint64_t page)
{
	uint32_t set = set_of(tlb, kind, asid, page);

	for (uint32_t i = tlb->first_of_set[set]; i < tlb->first_of_set[set + 1]; i++) {
		struct tlb_entry *entry = &tlb->entries[i];

		if (matches(entry, kind, asid, page) && tlb_is_live(tlb, entry))
			return entry;
	}
	return NULL;
}

static struct tlb_entry *find_any_kind(const struct tlb *tlb, uint16_t asid, uint64_t va)
{
	for (unsigned int kind = 0; kind < TLB_KINDS; kind++) {
		if (!tlb->occupied[kind])
			continue;
		struct tlb_entry *entry = find(tlb, kind, asid, va >> size_bits[kind % TLB_SIZES]);

		if (entry)
			return entry;
	}
	return NULL;
}

const struct tlb_entry *tlb_lookup(struct tlb *tlb, uint16_t asid, uint64_t va)
{
	struct tlb_entry **recent = &tlb->recent[(va >> TLB_VPN_BITS) % TLB_RECENT];
	struct tlb_entry *entry = *recent;

	if (!entry || !tlb_translates(tlb, entry, asid, va)) {
		entry = find_any_kind(tlb, asid, va);
		if (!entry)
			return NULL;
		*recent = entry;
	}
	entry->used = ++tlb->sequence;
	return entry;
}

static struct tlb_entry *victim(const struct tlb *tlb, uint32_t set)
{
	struct tlb_entry *oldest = &tlb->entries[tlb->first_of_set[set]];

	for (uint32_t i = tlb->first_of_set[set]; i < tlb->first_of_set[set + 1]; i++) {
		struct tlb_entry *entry = &tlb->entries[i];

		if (!tlb_is_live(tlb, entry))
			return entry;
		if (entry->used < oldest->used)
			oldest = entry;
	}
	return oldest;
}

static void vacate(struct tlb *tlb, struct tlb_entry *entry)
{
	if (!entry->installed)
		return;
	tlb->occupied[kind_of(entry)]--;
	entry->installed = 0;
}

void tlb_install(struct tlb *tlb, const struct tlb_entry *from)
{
	unsigned int kind = kind_of(from);
	struct tlb_entry *entry = find(tlb, kind, from->asid, from->page);

	if (!entry)
		entry = victim(tlb, set_of(tlb, kind, from->asid, from->page));
	vacate(tlb, entry);
	*entry = *from;
	entry->installed = entry->used = ++tlb->sequence;
	tlb->occupied[kind]++;
}

/* ---- maintenance ------------------------------------------------------------------------- */

void tlb_invalidate_all(struct tlb *tlb)
{
	tlb->all_invalid = ++tlb->sequence;
	tlb->maintenance++;
}

void tlb_invalidate_asid(struct tlb *tlb, uint16_t asid)
{
	tlb->asid_invalid[asid] = ++tlb->sequence;
	tlb->maintenance++;
}

static void sweep(struct tlb *tlb, uint16_t asid, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; i < tlb->entry_count; i++) {
		struct tlb_entry *entry = &tlb->entries[i];

		if ((entry->global || entry->asid == asid) &&
		    entry->page >= first >> entry->size_bits &&
		    entry->page <= last >> entry->size_bits)
			vacate(tlb, entry);
	}
}

static void probe(struct tlb *tlb, unsigned int kind, uint16_t asid, uint64_t first, uint64_t last)
{
	for (uint64_t page = first; tlb->occupied[kind] && page <= last; page++) {
		struct tlb_entry *entry = find(tlb, kind, asid, page);

		if (entry)
			vacate(tlb, entry);
	}
}

void tlb_invalidate_range(struct tlb *tlb, uint16_t asid, uint64_t first, uint64_t last)
{
	tlb->maintenance++;
	/* whichever is the shorter way */
	if ((last >> TLB_VPN_BITS) - (first >> TLB_VPN_BITS) >= tlb->entry_count) {
		sweep(tlb, asid, first, last);
		return;
	}
	for (unsigned int kind = 0; kind < TLB_KINDS; kind++) {
		uint8_t bits = size_bits[kind % TLB_SIZES];

		probe(tlb, kind, asid, first >> bits, last >> bits);
	}
}

const struct tlb_entry *tlb_find_pa(const struct tlb *tlb, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; i < tlb->entry_count; i++) {
		const struct tlb_entry *entry = &tlb->entries[i];

		if (entry->installed && entry->pa <= last &&
		    entry->pa + ((UINT64_C(1) << entry->size_bits) - 1) >= first &&
		    tlb_is_live(tlb, entry))
			return entry;
	}
	return NULL;
}

uint64_t tlb_maintenance(const struct tlb *tlb)
{
	return tlb->maintenance;
}

/* ---- life -------------------------------------------------------------------------------- */

struct tlb *tlb_new(uint32_t entries, uint32_t ways)
{
	struct tlb *tlb = calloc(1, sizeof(*tlb));

	if (!tlb)
		return NULL;
	tlb->entry_count = entries;
	tlb->set_count = (entries + ways - 1) / ways;
	tlb->entries = calloc(entries, sizeof(*tlb->entries));
	tlb->first_of_set = calloc(tlb->set_count + 1u, sizeof(*tlb->first_of_set));
	tlb->asid_invalid = calloc(ASIDS, sizeof(*tlb->asid_invalid));
	if (!tlb->entries || !tlb->first_of_set || !tlb->asid_invalid) {
		tlb_free(tlb);
		return NULL;
	}
	for (uint32_t set = 0; set <= tlb->set_count; set++)
		tlb->first_of_set[set] = (uint32_t)((uint64_t)set * entries / tlb->set_count);
	return tlb;
}

void tlb_free(struct tlb *tlb)
{
	if (!tlb)
		return;
	free(tlb->entries);
	free(tlb->first_of_set);
	free(tlb->asid_invalid);
	free(tlb);
}

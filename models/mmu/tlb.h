/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set-associative TLB of pages of 4 KiB, 2 MiB and 1 GiB, keyed by (ASID or global, page,
 * size). Exact least-recently-used replacement within a set. One look-up per kind of entry in
 * use, whatever the number of entries; maintenance by ASID and of everything is one store.
 */
#ifndef MODELS_MMU_TLB_H
#define MODELS_MMU_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tlb_entry {
	uint64_t pa;		  /* of the page's first byte */
	uint64_t page;		  /* va >> size_bits */
	uint64_t installed, used; /* sequence numbers; installed 0: empty */
	uint16_t asid;
	bool global;
	uint8_t size_bits;
	uint8_t permissions; /* VMSA_MAY_… */
	int8_t level;
};

#define TLB_SIZES    3u
#define TLB_KINDS    (TLB_SIZES * 2) /* sizes, of one ASID and global */
#define TLB_VPN_BITS 12u
#define TLB_RECENT   16u

struct tlb {
	uint32_t entry_count, set_count;
	struct tlb_entry *entries;
	uint32_t *first_of_set;	      /* set_count + 1 */
	uint64_t occupied[TLB_KINDS]; /* entries of each kind, dead ones included */

	struct tlb_entry *recent[TLB_RECENT]; /* where a page was found last: a short cut only */

	uint64_t sequence;	/* of installations, uses and maintenance */
	uint64_t all_invalid;	/* when everything was last invalidated */
	uint64_t *asid_invalid; /* when each ASID was */
	uint64_t maintenance;
};

/*
 * entries ≥ 1 in sets of at most `ways`: exactly `entries` of them, spread evenly. NULL: no
 * host memory.
 */
struct tlb *tlb_new(uint32_t entries, uint32_t ways);
void tlb_free(struct tlb *tlb);

/* Counts as a use. NULL on a miss. Valid until the next call. */
const struct tlb_entry *tlb_lookup(struct tlb *tlb, uint16_t asid, uint64_t va);

static inline bool tlb_is_live(const struct tlb *tlb, const struct tlb_entry *entry)
{
	if (entry->installed <= tlb->all_invalid)
		return false;
	return entry->global || entry->installed > tlb->asid_invalid[entry->asid];
}

static inline bool tlb_translates(const struct tlb *tlb, const struct tlb_entry *entry,
				  uint16_t asid, uint64_t va)
{
	return entry->page == va >> entry->size_bits && (entry->global || entry->asid == asid) &&
	       tlb_is_live(tlb, entry);
}

/* As tlb_lookup() if the page was found lately; NULL, and no use, if it is not sure. */
static inline const struct tlb_entry *tlb_recent(struct tlb *tlb, uint16_t asid, uint64_t va)
{
	struct tlb_entry *entry = tlb->recent[(va >> TLB_VPN_BITS) % TLB_RECENT];

	if (!entry || !tlb_translates(tlb, entry, asid, va))
		return NULL;
	entry->used = ++tlb->sequence;
	return entry;
}

/* `entry`: all but the sequence numbers. Replaces one with the same key. */
void tlb_install(struct tlb *tlb, const struct tlb_entry *entry);

void tlb_invalidate_all(struct tlb *tlb);
void tlb_invalidate_asid(struct tlb *tlb, uint16_t asid);
/* Entries of the ASID and global ones that overlap [first, last]. */
void tlb_invalidate_range(struct tlb *tlb, uint16_t asid, uint64_t first, uint64_t last);

/* An entry that translates to any of the bytes [first, last], whatever its ASID; NULL: none. Takes time. */
const struct tlb_entry *tlb_find_pa(const struct tlb *tlb, uint64_t first, uint64_t last);

/* Number of maintenance operations so far. */
uint64_t tlb_maintenance(const struct tlb *tlb);

#endif

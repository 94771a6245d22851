/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set-associative TLB of pages of 4 KiB, 2 MiB and 1 GiB, keyed by (ASID or global, page,
 * size). Exact least-recently-used replacement within a set. One look-up per kind of entry in
 * use, whatever the number of entries; maintenance by ASID and of everything is one store.
 */
#ifndef MODELS_MMU_TLB_H
#define MODELS_MMU_TLB_H

#include <stdbool.h>
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

struct tlb;

/*
 * entries ≥ 1 in sets of at most `ways`: exactly `entries` of them, spread evenly. NULL: no
 * host memory.
 */
struct tlb *tlb_new(uint32_t entries, uint32_t ways);
void tlb_free(struct tlb *tlb);

/* Counts as a use. NULL on a miss. Valid until the next call. */
const struct tlb_entry *tlb_lookup(struct tlb *tlb, uint16_t asid, uint64_t va);

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

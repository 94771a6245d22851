/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMSAv8-64 stage 1 translation table format, once for all who walk it (the CPU's MMU, the
 * SMMU): pure functions over descriptors, without time and without memory. A walker asks for
 * the address of the next descriptor, reads it in its own way, and hands it back.
 *
 * Follows Arm DDI 0487 (J.a numbering): D8.2 translation process, D8.3 descriptor formats, D8.4
 * access permissions. Granules of 4, 16 and 64 KiB; 48-bit addresses, or 52 bits by `ds` (4 and
 * 16 KiB, FEAT_LPA2) and `lpa` (64 KiB, FEAT_LPA and FEAT_LVA). Little-endian descriptors.
 *
 * Not modelled: stage 2, security states other than the caller's own, permission indirection
 * (FEAT_S1PIE), 128-bit descriptors, dirty state by hardware. The contiguous bit is
 * reported and changes nothing, as the architecture allows.
 */
#ifndef MODELS_VMSA_VMSA_H
#define MODELS_VMSA_VMSA_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- descriptor fields (D8.3) ------------------------------------------------------------ */

#define VMSA_DESC_VALID UINT64_C(0x1)
#define VMSA_DESC_TABLE UINT64_C(0x2) /* levels above 3: a table; at level 3: a page */

/* lower and upper attributes of a block or page */
#define VMSA_ATTR_INDEX	     (UINT64_C(0x7) << 2)
#define VMSA_ATTR_NS	     (UINT64_C(1) << 5)
#define VMSA_ATTR_AP_USER    (UINT64_C(1) << 6) /* AP[1]: EL0 has access */
#define VMSA_ATTR_AP_RDONLY  (UINT64_C(1) << 7) /* AP[2]: nobody writes */
#define VMSA_ATTR_SH	     (UINT64_C(0x3) << 8)
#define VMSA_ATTR_AF	     (UINT64_C(1) << 10)
#define VMSA_ATTR_NG	     (UINT64_C(1) << 11)
#define VMSA_ATTR_DBM	     (UINT64_C(1) << 51)
#define VMSA_ATTR_CONTIGUOUS (UINT64_C(1) << 52)
#define VMSA_ATTR_PXN	     (UINT64_C(1) << 53)
#define VMSA_ATTR_UXN	     (UINT64_C(1) << 54) /* XN in a regime with one privilege level */

/* hierarchical attributes of a table descriptor (D8.4) */
#define VMSA_TABLE_PXN	     (UINT64_C(1) << 59)
#define VMSA_TABLE_UXN	     (UINT64_C(1) << 60)
#define VMSA_TABLE_AP_NOUSER (UINT64_C(1) << 61) /* APTable[0] */
#define VMSA_TABLE_AP_RDONLY (UINT64_C(1) << 62) /* APTable[1] */
#define VMSA_TABLE_NS	     (UINT64_C(1) << 63)

#define VMSA_FIELD_GET(mask, value)  (((value) & (mask)) >> __builtin_ctzll(mask))
#define VMSA_FIELD_PREP(mask, value) (((uint64_t)(value) << __builtin_ctzll(mask)) & (mask))

/* ---- regime ------------------------------------------------------------------------------ */

/* What the controls of one TTBR say: TCR_ELx and SCTLR_ELx of a CPU, or a context descriptor. */
struct vmsa_regime {
	uint64_t ttb;	      /* of the first table; bits below its alignment are ignored */
	uint8_t txsz;	      /* TxSZ: the region has 64 - TxSZ address bits */
	uint8_t granule_bits; /* 12, 14 or 16 */
	uint8_t output_bits;  /* IPS (or the OAS, if smaller), in bits: 32 … 52 */
	bool upper;	      /* the TTBR1 half: the bits above the region are ones */
	bool tbi;	      /* VA[63:56] are ignored */
	bool epd;	      /* EPDx: no walks */
	bool ds;	      /* 52-bit addresses with 4 and 16 KiB granules */
	bool lpa;	      /* 52-bit addresses with the 64 KiB granule */
	uint8_t tcr_sh;	    /* shareability of everything if ds, where SH is no descriptor field */
	bool hpd;	    /* HPDx: hierarchical permissions are ignored */
	bool ha;	    /* AF = 0 is no fault: the walker must set AF in the descriptor */
	bool affd;	    /* AF is ignored (CD.AFFD of an SMMU) */
	bool wxn;	    /* what is writable is not executable */
	bool pan;	    /* privileged data accesses to what EL0 may access fault */
	bool one_privilege; /* EL2 or EL3 without E2H: no unprivileged accesses exist */
};

/* IPS and PARange code (0 … 6) to bits; 0 for a reserved code. */
unsigned int vmsa_ips_bits(unsigned int code);

/*
 * TG0 encoding of TCR_EL1 and of a context descriptor (0, 1, 2) to granule_bits; 0 for the
 * reserved one.
 */
unsigned int vmsa_tg0_granule_bits(unsigned int tg0);
/* TG1 likewise: 1 is 16 KiB, 2 is 4 KiB, 3 is 64 KiB. */
unsigned int vmsa_tg1_granule_bits(unsigned int tg1);

/*
 * The smallest and the largest TxSZ of the regime's granule and address size (without
 * FEAT_TTST).
 */
unsigned int vmsa_txsz_min(const struct vmsa_regime *regime);
unsigned int vmsa_txsz_max(const struct vmsa_regime *regime);

/* granule_bits, output_bits and txsz have architected values. A walk of another regime faults. */
bool vmsa_regime_valid(const struct vmsa_regime *regime);

/* VA[55] selects the half: true is TTBR1. */
static inline bool vmsa_va_upper(uint64_t va)
{
	return (va >> 55) & 1;
}

/* ---- the walk ---------------------------------------------------------------------------- */

enum vmsa_fault {
	VMSA_FAULT_NONE,
	VMSA_FAULT_TRANSLATION,
	VMSA_FAULT_ADDRESS_SIZE,
	VMSA_FAULT_ACCESS_FLAG,
	VMSA_FAULT_PERMISSION,
	VMSA_FAULT_EXTERNAL, /* external abort on a table read: the walker's to report */
};

extern const char *const vmsa_fault_names[VMSA_FAULT_EXTERNAL + 1];

/* A block or page. Permissions are effective ones: hierarchical attributes are folded in. */
struct vmsa_leaf {
	uint64_t pa;	   /* of the first byte of the block */
	uint8_t size_bits; /* log2 of the block's bytes */
	int8_t level;
	uint8_t permissions; /* VMSA_MAY_… */
	uint8_t attr_index;  /* MAIR field */
	uint8_t sh;
	bool user;	/* effective AP[1] */
	bool read_only; /* effective AP[2] */
	bool uxn, pxn;	/* effective */
	bool af;	/* as in the descriptor; false needs `ha` or `affd` */
	bool ng;
	bool ns;
	bool dbm;
	bool contiguous;
};

/* The state between two descriptors. Small enough to copy into a walk cache. */
struct vmsa_walk {
	uint64_t va;
	uint64_t table;	   /* physical address of the table to read */
	int8_t level;	   /* of that table's descriptors; after a step, of what was decoded */
	uint8_t hierarchy; /* attributes gathered from table descriptors so far; opaque */
};

enum vmsa_step {
	VMSA_STEP_TABLE, /* the walk goes on: read vmsa_walk_descriptor() */
	VMSA_STEP_LEAF,
	VMSA_STEP_FAULT,
};

/* First level of the regime's walks: -1 … 3. */
int vmsa_start_level(const struct vmsa_regime *regime);

/*
 * Begins a walk. VMSA_FAULT_NONE, or the fault with walk->level 0: a translation fault if the
 * VA is outside the region or walks are disabled, an address size fault if the table's address
 * exceeds output_bits.
 */
enum vmsa_fault vmsa_walk_start(const struct vmsa_regime *regime, uint64_t va,
				struct vmsa_walk *walk);

/* Physical address of the 8-byte descriptor that comes next. */
uint64_t vmsa_walk_descriptor(const struct vmsa_regime *regime, const struct vmsa_walk *walk);

/*
 * Decodes that descriptor. TABLE: `walk` moved on. LEAF: *leaf is filled in. FAULT: *fault and
 * walk->level say which and where; for an access flag fault *leaf is filled in as well.
 * Permissions are not checked here.
 */
enum vmsa_step vmsa_walk_next(const struct vmsa_regime *regime, struct vmsa_walk *walk,
			      uint64_t descriptor, struct vmsa_leaf *leaf, enum vmsa_fault *fault);

static inline uint64_t vmsa_leaf_pa(const struct vmsa_leaf *leaf, uint64_t va)
{
	return leaf->pa | (va & ((UINT64_C(1) << leaf->size_bits) - 1));
}

/* ---- permissions (D8.4) ------------------------------------------------------------------ */

enum vmsa_access { VMSA_READ, VMSA_WRITE, VMSA_EXECUTE };

/* Bits of vmsa_leaf.permissions, so that a TLB entry needs no more than a byte. */
#define VMSA_MAY(access, privileged)                                                               \
	((uint8_t)(1u << ((unsigned int)(access) + ((privileged) ? 3u : 0u))))

static inline bool vmsa_permitted(uint8_t permissions, enum vmsa_access access, bool privileged)
{
	return permissions & VMSA_MAY(access, privileged);
}

/* ---- for those who build tables ---------------------------------------------------------- */

/* Bytes that one entry at this level maps, as a power of two. */
unsigned int vmsa_level_bits(const struct vmsa_regime *regime, int level);
/* True if a block (or at level 3, a page) descriptor exists at this level. */
bool vmsa_leaf_level(const struct vmsa_regime *regime, int level);

/* `attributes`: VMSA_TABLE_… */
uint64_t vmsa_encode_table(const struct vmsa_regime *regime, uint64_t next_table,
			   uint64_t attributes);
/* `attributes`: VMSA_ATTR_… */
uint64_t vmsa_encode_leaf(const struct vmsa_regime *regime, int level, uint64_t pa,
			  uint64_t attributes);

#ifdef __cplusplus
}
#endif
#endif

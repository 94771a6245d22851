/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMSAv8-64 stage 1 translation table format: see vmsa.h. Arm DDI 0487 J.a, D8.2 (process),
 * D8.3 (descriptors), D8.4 (permissions).
 */
#include "models/vmsa/vmsa.h"

#include <assert.h>
#include <stddef.h>

#define BITS_BELOW(n) ((UINT64_C(1) << (n)) - 1)
/* bits high … low, both included */
#define BITS(high, low) (BITS_BELOW((high) + 1) & ~BITS_BELOW(low))

/* where descriptors keep address bits 51:48 (lpa) and 51:50 (ds) */
#define OA_51_48_LPA BITS(15, 12)
#define OA_51_50_DS  BITS(9, 8)

/* struct vmsa_walk.hierarchy */
#define HIER_PXN    0x01
#define HIER_UXN    0x02
#define HIER_NOUSER 0x04
#define HIER_RDONLY 0x08
#define HIER_NS	    0x10

#define LAST_LEVEL 3

const char *const vmsa_fault_names[VMSA_FAULT_EXTERNAL + 1] = {
	[VMSA_FAULT_NONE] = "none",
	[VMSA_FAULT_TRANSLATION] = "translation",
	[VMSA_FAULT_ADDRESS_SIZE] = "address_size",
	[VMSA_FAULT_ACCESS_FLAG] = "access_flag",
	[VMSA_FAULT_PERMISSION] = "permission",
	[VMSA_FAULT_EXTERNAL] = "external_abort",
};

/* ---- regime ------------------------------------------------------------------------------ */

unsigned int vmsa_ips_bits(unsigned int code)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};

	return code < sizeof(bits) ? bits[code] : 0;
}

unsigned int vmsa_tg0_granule_bits(unsigned int tg0)
{
	static const uint8_t bits[] = {12, 16, 14};

	return tg0 < sizeof(bits) ? bits[tg0] : 0;
}

unsigned int vmsa_tg1_granule_bits(unsigned int tg1)
{
	static const uint8_t bits[] = {0, 14, 12, 16};

	return tg1 < sizeof(bits) ? bits[tg1] : 0;
}

static bool has_52_bits(const struct vmsa_regime *regime)
{
	return regime->granule_bits == 16 ? regime->lpa : regime->ds;
}

unsigned int vmsa_txsz_min(const struct vmsa_regime *regime)
{
	return has_52_bits(regime) ? 12 : 16;
}

unsigned int vmsa_txsz_max(const struct vmsa_regime *regime)
{
	(void)regime;
	return 39;
}

bool vmsa_regime_valid(const struct vmsa_regime *regime)
{
	if (regime->granule_bits != 12 && regime->granule_bits != 14 && regime->granule_bits != 16)
		return false;
	if (regime->output_bits < 32 || regime->output_bits > 52)
		return false;
	return regime->txsz >= vmsa_txsz_min(regime) && regime->txsz <= vmsa_txsz_max(regime);
}

/* ---- geometry (D8.2) --------------------------------------------------------------------- */

/* Address bits that one table resolves. */
static unsigned int index_bits(const struct vmsa_regime *regime)
{
	return regime->granule_bits - 3u;
}

static unsigned int region_bits(const struct vmsa_regime *regime)
{
	return 64u - regime->txsz;
}

unsigned int vmsa_level_bits(const struct vmsa_regime *regime, int level)
{
	return regime->granule_bits + index_bits(regime) * (unsigned int)(LAST_LEVEL - level);
}

int vmsa_start_level(const struct vmsa_regime *regime)
{
	unsigned int resolved = region_bits(regime) - regime->granule_bits;
	unsigned int levels = (resolved + index_bits(regime) - 1) / index_bits(regime);

	return LAST_LEVEL + 1 - (int)levels;
}

bool vmsa_leaf_level(const struct vmsa_regime *regime, int level)
{
	/* blocks: 4 KiB at 1 and 2, others at 2; one level higher with 52-bit addresses */
	int highest = regime->granule_bits == 12 ? 1 : 2;

	if (has_52_bits(regime))
		highest--;
	return level >= highest && level <= LAST_LEVEL;
}

static bool va_in_region(const struct vmsa_regime *regime, uint64_t va)
{
	uint64_t above = BITS(regime->tbi ? 55u : 62u, region_bits(regime));

	if (!regime->tbi)
		above |= UINT64_C(1) << 63;
	return (va & above) == (regime->upper ? above : 0);
}

static bool exceeds_output(const struct vmsa_regime *regime, uint64_t pa)
{
	return pa >> regime->output_bits;
}

/* The first table can be smaller than a granule and is aligned to its size. */
static uint64_t first_table(const struct vmsa_regime *regime, int level)
{
	unsigned int bits = region_bits(regime) - vmsa_level_bits(regime, level) + 3;

	if (bits < 6 && has_52_bits(regime))
		bits = 6;
	return regime->ttb & ~BITS_BELOW(bits);
}

/* Table or output address of a descriptor, in units of 1 << low_bits. */
static uint64_t descriptor_address(const struct vmsa_regime *regime, uint64_t descriptor,
				   unsigned int low_bits)
{
	uint64_t address = descriptor & BITS(47, regime->granule_bits);

	if (regime->granule_bits == 16) {
		if (regime->lpa)
			address |= VMSA_FIELD_GET(OA_51_48_LPA, descriptor) << 48;
	} else if (regime->ds) {
		address |= descriptor & BITS(49, 48);
		address |= VMSA_FIELD_GET(OA_51_50_DS, descriptor) << 50;
	}
	return address & ~BITS_BELOW(low_bits);
}

static uint64_t encode_address(const struct vmsa_regime *regime, uint64_t address)
{
	uint64_t descriptor = address & BITS(47, regime->granule_bits);

	if (regime->granule_bits == 16) {
		if (regime->lpa)
			descriptor |= VMSA_FIELD_PREP(OA_51_48_LPA, address >> 48);
	} else if (regime->ds) {
		descriptor |= address & BITS(49, 48);
		descriptor |= VMSA_FIELD_PREP(OA_51_50_DS, address >> 50);
	}
	return descriptor;
}

/* ---- permissions (D8.4) ------------------------------------------------------------------ */

static uint8_t may_if(bool permitted, enum vmsa_access access, bool privileged)
{
	if (!permitted)
		return 0;
	return VMSA_MAY(access, privileged);
}

static uint8_t one_privilege_permissions(const struct vmsa_regime *regime,
					 const struct vmsa_leaf *leaf)
{
	bool write = !leaf->read_only;
	bool execute = !leaf->uxn && !(regime->wxn && write);
	uint8_t permissions = 0;

	/* the caller's idea of privilege does not matter here */
	for (int privileged = 0; privileged <= 1; privileged++) {
		permissions |= may_if(true, VMSA_READ, privileged);
		permissions |= may_if(write, VMSA_WRITE, privileged);
		permissions |= may_if(execute, VMSA_EXECUTE, privileged);
	}
	return permissions;
}

static uint8_t effective_permissions(const struct vmsa_regime *regime, const struct vmsa_leaf *leaf)
{
	bool user_write = leaf->user && !leaf->read_only;
	bool priv_data = !(regime->pan && leaf->user);
	uint8_t permissions = 0;

	if (regime->one_privilege)
		return one_privilege_permissions(regime, leaf);
	permissions |= may_if(leaf->user, VMSA_READ, false);
	permissions |= may_if(user_write, VMSA_WRITE, false);
	/* execute-only is possible: AP[1] does not gate instruction fetches of EL0 */
	permissions |= may_if(!leaf->uxn && !(regime->wxn && user_write), VMSA_EXECUTE, false);
	permissions |= may_if(priv_data, VMSA_READ, true);
	permissions |= may_if(priv_data && !leaf->read_only, VMSA_WRITE, true);
	/* what EL0 may write, EL1 never executes */
	permissions |= may_if(!leaf->pxn && !user_write && !(regime->wxn && !leaf->read_only),
			      VMSA_EXECUTE, true);
	return permissions;
}

/* ---- the walk ---------------------------------------------------------------------------- */

enum vmsa_fault vmsa_walk_start(const struct vmsa_regime *regime, uint64_t va,
				struct vmsa_walk *walk)
{
	walk->va = va;
	walk->table = 0;
	walk->level = 0; /* what faults before any descriptor reports level 0 */
	walk->hierarchy = 0;
	if (!vmsa_regime_valid(regime) || regime->epd || !va_in_region(regime, va))
		return VMSA_FAULT_TRANSLATION;

	int level = vmsa_start_level(regime);
	uint64_t table = first_table(regime, level);

	if (exceeds_output(regime, table))
		return VMSA_FAULT_ADDRESS_SIZE;
	walk->table = table;
	walk->level = (int8_t)level;
	return VMSA_FAULT_NONE;
}

uint64_t vmsa_walk_descriptor(const struct vmsa_regime *regime, const struct vmsa_walk *walk)
{
	uint64_t va = walk->va & BITS_BELOW(region_bits(regime));
	uint64_t index = va >> vmsa_level_bits(regime, walk->level);

	/* the first table may resolve fewer bits; the region's mask has taken care of that */
	return walk->table + (index & BITS_BELOW(index_bits(regime))) * 8;
}

static uint8_t gather_hierarchy(const struct vmsa_regime *regime, uint64_t descriptor)
{
	uint8_t hierarchy = 0;

	if (descriptor & VMSA_TABLE_NS)
		hierarchy |= HIER_NS;
	if (regime->hpd)
		return hierarchy;
	if (descriptor & VMSA_TABLE_UXN)
		hierarchy |= HIER_UXN;
	if (descriptor & VMSA_TABLE_AP_RDONLY)
		hierarchy |= HIER_RDONLY;
	if (regime->one_privilege)
		return hierarchy;
	if (descriptor & VMSA_TABLE_PXN)
		hierarchy |= HIER_PXN;
	if (descriptor & VMSA_TABLE_AP_NOUSER)
		hierarchy |= HIER_NOUSER;
	return hierarchy;
}

static void decode_leaf(const struct vmsa_regime *regime, const struct vmsa_walk *walk,
			uint64_t descriptor, struct vmsa_leaf *leaf)
{
	uint8_t hierarchy = walk->hierarchy;
	bool ap_user = (descriptor & VMSA_ATTR_AP_USER) || regime->one_privilege;
	bool sh_in_regime = regime->granule_bits != 16 && regime->ds;

	leaf->size_bits = (uint8_t)vmsa_level_bits(regime, walk->level);
	leaf->pa = descriptor_address(regime, descriptor, leaf->size_bits);
	leaf->level = walk->level;
	leaf->attr_index = (uint8_t)VMSA_FIELD_GET(VMSA_ATTR_INDEX, descriptor);
	leaf->sh =
		sh_in_regime ? regime->tcr_sh : (uint8_t)VMSA_FIELD_GET(VMSA_ATTR_SH, descriptor);
	leaf->user = ap_user && !(hierarchy & HIER_NOUSER);
	leaf->read_only = (descriptor & VMSA_ATTR_AP_RDONLY) || (hierarchy & HIER_RDONLY);
	leaf->uxn = (descriptor & VMSA_ATTR_UXN) || (hierarchy & HIER_UXN);
	leaf->pxn = (descriptor & VMSA_ATTR_PXN) || (hierarchy & HIER_PXN);
	leaf->af = descriptor & VMSA_ATTR_AF;
	leaf->ng = descriptor & VMSA_ATTR_NG;
	leaf->ns = (descriptor & VMSA_ATTR_NS) || (hierarchy & HIER_NS);
	leaf->dbm = descriptor & VMSA_ATTR_DBM;
	leaf->contiguous = descriptor & VMSA_ATTR_CONTIGUOUS;
	leaf->permissions = effective_permissions(regime, leaf);
}

/* True if the valid descriptor is a block or page, false if it is a table. */
static bool is_leaf(const struct vmsa_walk *walk, uint64_t descriptor)
{
	return walk->level == LAST_LEVEL || !(descriptor & VMSA_DESC_TABLE);
}

/*
 * Bit 1 = 0 is a block where the level has blocks; at level 3, where a page has it set, it is
 * reserved.
 */
static bool is_invalid(const struct vmsa_regime *regime, const struct vmsa_walk *walk,
		       uint64_t descriptor)
{
	if (!(descriptor & VMSA_DESC_VALID))
		return true;
	if (descriptor & VMSA_DESC_TABLE)
		return false;
	return walk->level == LAST_LEVEL || !vmsa_leaf_level(regime, walk->level);
}

enum vmsa_step vmsa_walk_next(const struct vmsa_regime *regime, struct vmsa_walk *walk,
			      uint64_t descriptor, struct vmsa_leaf *leaf, enum vmsa_fault *fault)
{
	*fault = VMSA_FAULT_NONE;
	if (is_invalid(regime, walk, descriptor)) {
		*fault = VMSA_FAULT_TRANSLATION;
		return VMSA_STEP_FAULT;
	}
	if (!is_leaf(walk, descriptor)) {
		uint64_t next = descriptor_address(regime, descriptor, regime->granule_bits);

		if (exceeds_output(regime, next)) {
			*fault = VMSA_FAULT_ADDRESS_SIZE;
			return VMSA_STEP_FAULT;
		}
		walk->hierarchy |= gather_hierarchy(regime, descriptor);
		walk->table = next;
		walk->level++;
		return VMSA_STEP_TABLE;
	}

	decode_leaf(regime, walk, descriptor, leaf);
	if (exceeds_output(regime, leaf->pa))
		*fault = VMSA_FAULT_ADDRESS_SIZE;
	else if (!leaf->af && !regime->ha && !regime->affd)
		*fault = VMSA_FAULT_ACCESS_FLAG;
	return *fault == VMSA_FAULT_NONE ? VMSA_STEP_LEAF : VMSA_STEP_FAULT;
}

/* ---- for those who build tables ---------------------------------------------------------- */

uint64_t vmsa_encode_table(const struct vmsa_regime *regime, uint64_t next_table,
			   uint64_t attributes)
{
	return encode_address(regime, next_table) | attributes | VMSA_DESC_VALID | VMSA_DESC_TABLE;
}

uint64_t vmsa_encode_leaf(const struct vmsa_regime *regime, int level, uint64_t pa,
			  uint64_t attributes)
{
	uint64_t descriptor = attributes | VMSA_DESC_VALID;

	assert(vmsa_leaf_level(regime, level));
	if (regime->granule_bits != 16 && regime->ds)
		descriptor &= ~VMSA_ATTR_SH;
	descriptor |= encode_address(regime, pa & ~BITS_BELOW(vmsa_level_bits(regime, level)));
	return level == LAST_LEVEL ? descriptor | VMSA_DESC_TABLE : descriptor;
}

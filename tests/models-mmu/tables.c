/* SPDX-License-Identifier: BSD-3-Clause */
/* A small memory and page tables for tests: see tables.h. */
#include "tests/models-mmu/tables.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct vmsa_regime format = {.txsz = 16, .granule_bits = 12, .output_bits = 48};

static void answer(struct tables *tables, struct sim_txn *txn)
{
	if (txn->addr == tables->failing) {
		sim_txn_complete(txn, SIM_SLVERR);
		return;
	}
	if (txn->addr < TABLES_BASE || txn->addr >= TABLES_BASE + TABLES_PAGES * 4096) {
		sim_txn_complete(txn, SIM_DECERR);
		return;
	}
	memcpy(txn->data, tables_word(tables, txn->addr), 8);
	sim_txn_complete(txn, SIM_OK);
}

static struct tables *the_tables;

static void answer_later(void *arg)
{
	struct tables_read *read = arg;
	struct sim_txn *txn = read->txn;

	read->txn = NULL;
	answer(the_tables, txn);
}

static void request(void *target, struct sim_txn *txn)
{
	struct tables *tables = target;
	struct tables_read *read = tables->reads;

	ck_assert(txn->cmd == SIM_READ && txn->len == 8 && txn->addr % 8 == 0);
	tables->requester = txn->requester;
	tables->read_count++;
	if (tables->hook && tables->read_count == tables->hook_at)
		tables->hook(tables->hook_arg);
	if (tables->immediate) {
		answer(tables, txn);
		return;
	}
	while (read->txn)
		read++;
	read->txn = txn;
	sim_event_after(&read->event, TABLES_LATENCY);
}

void tables_init(struct tables *tables)
{
	memset(tables, 0, sizeof(*tables));
	the_tables = tables;
	for (unsigned int i = 0; i < sizeof(tables->reads) / sizeof(tables->reads[0]); i++)
		sim_event_init(&tables->reads[i].event, answer_later, &tables->reads[i]);
}

struct sim_port tables_port(struct tables *tables)
{
	return (struct sim_port){request, tables};
}

uint64_t tables_page(struct tables *tables)
{
	ck_assert_uint_lt(tables->pages, TABLES_PAGES);
	return TABLES_BASE + (uint64_t)tables->pages++ * 4096;
}

uint64_t *tables_word(struct tables *tables, uint64_t pa)
{
	return &tables->words[(pa - TABLES_BASE) / 8];
}

uint64_t tables_map(struct tables *tables, uint64_t root, uint64_t va, int level, uint64_t pa,
		    uint64_t attributes)
{
	uint64_t table = root;

	for (int at = 0;; at++) {
		unsigned int shift = vmsa_level_bits(&format, at);
		uint64_t where = table + (va >> shift & 511) * 8;
		uint64_t *descriptor = tables_word(tables, where);

		if (at == level) {
			*descriptor = vmsa_encode_leaf(&format, level, pa, attributes);
			return where;
		}
		if (!*descriptor)
			*descriptor = vmsa_encode_table(&format, tables_page(tables), 0);
		table = *descriptor & UINT64_C(0xfffffffff000);
	}
}

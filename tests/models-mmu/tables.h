/* SPDX-License-Identifier: BSD-3-Clause */
/* A small memory with a fixed latency behind a C port, and page tables in it. */
#ifndef TESTS_MODELS_MMU_TABLES_H
#define TESTS_MODELS_MMU_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "models/vmsa/vmsa.h"
#include "sim/engine/port.h"

#define TABLES_BASE    UINT64_C(0x80000000)
#define TABLES_PAGES   64u
#define TABLES_LATENCY SIM_NS(100)

struct tables_read {
	struct sim_event event;
	struct sim_txn *txn;
};

struct tables {
	uint64_t words[TABLES_PAGES * 512];
	unsigned int pages;	      /* in use */
	struct tables_read reads[64]; /* in flight */
	unsigned int read_count;      /* arrived so far */
	bool immediate;		      /* answer without delay */
	uint64_t failing;	      /* this address answers with an error; 0: none */
	uint16_t requester;	      /* of the last read */
	/* called when read number `hook_at` has arrived, counting from 1 */
	void (*hook)(void *arg);
	void *hook_arg;
	unsigned int hook_at;
};

void tables_init(struct tables *tables);
struct sim_port tables_port(struct tables *tables);

/* A zeroed table; its physical address. */
uint64_t tables_page(struct tables *tables);
uint64_t *tables_word(struct tables *tables, uint64_t pa);

/*
 * Maps va in the tree at `root` by a leaf at `level`, making the tables above it; returns the
 * descriptor's address.
 */
uint64_t tables_map(struct tables *tables, uint64_t root, uint64_t va, int level, uint64_t pa,
		    uint64_t attributes);

#endif

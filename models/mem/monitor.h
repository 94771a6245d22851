/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Monitors of memory lines: who waits for a write of which 64-byte line. A CPU that polls
 * sleeps on one instead of loading again and again.
 *
 * Kept per 4 KiB page with a mask of its watched lines, so that a write of a whole page costs
 * one look-up. Pooled; monitors fire in the order in which they were added.
 */
#ifndef MODELS_MEM_MONITOR_H
#define MODELS_MEM_MONITOR_H

#include <stdint.h>

#define MONITOR_LINE_BITS 6u
#define MONITOR_PAGE_BITS 12u

struct monitor_table;

struct monitor_table *monitor_table_new(void);
void monitor_table_free(struct monitor_table *table);

/*
 * fn(arg) is called once, when the line of pa is written. Returns an id for monitor_cancel(),
 * never 0.
 */
uint64_t monitor_add(struct monitor_table *table, uint64_t pa, void (*fn)(void *arg), void *arg);

/* No effect once it has fired or was cancelled: ids are not used again. */
void monitor_cancel(struct monitor_table *table, uint64_t id);

/*
 * Fires the monitors of the lines that [pa, pa + len) touches; len is at least 1. Returns their
 * number.
 */
unsigned int monitor_written(struct monitor_table *table, uint64_t pa, uint64_t len);

/* Monitors that wait at the moment. */
uint64_t monitor_count(const struct monitor_table *table);

#endif

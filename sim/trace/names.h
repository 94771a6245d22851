/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interned strings. They live as long as the program, so that a name that was interned before a
 * trace was opened, or during an earlier one, stays good.
 */
#ifndef SIM_TRACE_NAMES_H
#define SIM_TRACE_NAMES_H

#include <stdint.h>

/* Where an interned string is used: each has its own table in the trace, and its own first use. */
enum name_use { NAME_EVENT, NAME_KEY, NAME_USE_COUNT };

uint32_t names_intern(const char *string); /* ids count from 1 */
const char *names_text(uint32_t id);

/* A new trace: nothing has been sent. */
void names_reset(void);

/* Notes that the trace needs this name. It is then pending until names_take() hands it out, once.
 */
void names_need(uint32_t id, enum name_use use);
/* Whether any is pending, for any use. */
extern uint32_t names_pending;
/* The ids that are pending for one use, or NULL if there are none; valid until the next call of
 * names_need(). */
const uint32_t *names_take(enum name_use use, uint32_t *count);

#endif

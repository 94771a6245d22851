/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells AddressSanitizer, LeakSanitizer and Valgrind about the stacks that SystemC switches between.
 */
#ifndef SIM_ENGINE_FIBER_H
#define SIM_ENGINE_FIBER_H

/* Called on the host's main stack before the first switch. */
void fiber_init();

/* Called on the main stack after threads may have ended. */
void fiber_sync();

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* For the tests of models/mem: a test runs as a simulated thread and waits for its transactions. */
#ifndef TESTS_MODELS_MEM_HARNESS_H
#define TESTS_MODELS_MEM_HARNESS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/engine.h"
#include "sim/engine/port.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void run_on_thread(void (*body)(void *arg), void *arg)
{
	sim_thread_start("test", body, arg);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
}

struct probe {
	struct sim_txn txn;
	struct sim_thread *waiter;
	sim_time done_at;
	unsigned int completions;
};

static inline void probe_done(struct sim_txn *txn)
{
	struct probe *probe = txn->owner;

	probe->done_at = sim_now();
	probe->completions++;
	if (probe->waiter)
		sim_thread_wake(probe->waiter);
}

static inline void probe_send(struct probe *probe, const struct sim_port *port, enum sim_cmd cmd,
			      uint64_t addr, void *data, uint32_t len)
{
	*probe = (struct probe){
		.txn = {.addr = addr, .len = len, .cmd = cmd, .data = data, .done = probe_done}};
	probe->txn.owner = probe;
	sim_port_request(port, &probe->txn);
}

static inline enum sim_response probe_wait(struct probe *probe)
{
	probe->waiter = sim_thread_self();
	while (!probe->completions)
		sim_thread_block();
	probe->waiter = NULL;
	return probe->txn.response;
}

/* Sends, waits, and returns the response. */
static inline enum sim_response access_port(const struct sim_port *port, enum sim_cmd cmd,
					    uint64_t addr, void *data, uint32_t len)
{
	struct probe probe;

	probe_send(&probe, port, cmd, addr, data, len);
	return probe_wait(&probe);
}

static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif

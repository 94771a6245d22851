/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transactions and the ports that carry them.
 *
 * A model sends a transaction through a sim_port that it was given and learns of the end by the
 * transaction's completion callback. What is behind the port (a C function in a test, a pair of
 * TLM-2.0 sockets in a machine) is not its business. A transaction and its buffer belong to the
 * initiator; the target may use both from the request until it completes it, exactly once.
 */
#ifndef SIM_ENGINE_PORT_H
#define SIM_ENGINE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SIM_TXN_MAX_BYTES 4096u

enum sim_cmd {
	SIM_READ,
	SIM_WRITE,
	SIM_ATOMIC_CAS, /* data: expected then new, `len` bytes each; the old value comes back in place of the expected one */
	SIM_ATOMIC_ADD, /* data: operand; the old value comes back in its place */
	SIM_ATOMIC_SWAP, /* data: new; the old value comes back in its place */
};

enum sim_response {
	SIM_OK,
	SIM_SLVERR, /* the target refused (a device's error, an SMMU abort) */
	SIM_DECERR, /* nothing at that address */
};

/* Address type of a PCIe request (PCIe 6.0 §10.2.1). */
enum sim_ats { SIM_ATS_UNTRANSLATED, SIM_ATS_TRANSLATION_REQUEST, SIM_ATS_TRANSLATED };

struct waits;

struct sim_txn {
	/* set by the initiator */
	uint64_t addr;
	uint32_t len; /* bytes, 1 … SIM_TXN_MAX_BYTES; must not cross a 4 KiB boundary */
	enum sim_cmd cmd;
	void *data;	       /* len bytes (2 × len for a compare-and-swap) */
	uint32_t stream_id;    /* StreamID; meaningful upstream of an SMMU */
	uint32_t substream_id; /* SubstreamID = PASID; valid if ssv */
	bool ssv;
	bool privileged;
	bool instruction;
	enum sim_ats ats;
	uint16_t requester; /* who, for statistics: an index that the platform hands out */
	void (*done)(
		struct sim_txn *
			txn); /* completion callback, event context; may start another transaction */
	void *owner;	      /* the initiator's */
	struct waits *waits;  /* sim/stats/waits.h: who delays it adds why; may be NULL */
	/* set by the target before completion */
	enum sim_response response;
	/* free for whoever holds the transaction between request and completion */
	void *hop;
};

struct sim_port {
	void (*request)(void *target, struct sim_txn *txn);
	void *target;
};

/* The target may complete the transaction before this returns. */
static inline void sim_port_request(const struct sim_port *port, struct sim_txn *txn)
{
	port->request(port->target, txn);
}

static inline void sim_txn_complete(struct sim_txn *txn, enum sim_response response)
{
	txn->response = response;
	txn->done(txn);
}

/* An interrupt output. Level 1 then 0 is an edge; wired SMMU and accelerator interrupts here are edges (pulse). */
struct sim_irq {
	void (*pulse)(void *target, unsigned int line);
	void *target;
	unsigned int line;
};

static inline void sim_irq_pulse(const struct sim_irq *irq)
{
	if (irq->pulse)
		irq->pulse(irq->target, irq->line);
}

#ifdef __cplusplus
}
#endif
#endif

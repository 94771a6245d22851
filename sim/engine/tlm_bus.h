/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bus between modules: TLM-2.0 sockets around C ports (C++17, for sim/platform only).
 *
 * A sim_txn travels in a pooled generic payload with one sticky extension, non-blocking:
 * BEGIN_REQ, END_REQ on the return path, BEGIN_RESP, TLM_COMPLETED. All four phases, early
 * completion and annotated delays are accepted from modules that are not ours; an initiator that
 * lacks the extension gets the target's default attributes (StreamID, no SSV).
 */
#ifndef SIM_ENGINE_TLM_BUS_H
#define SIM_ENGINE_TLM_BUS_H

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "sim/engine/port.h"

namespace sim
{

/* The sticky extension: points at the transaction that the payload carries. */
struct txn_extension : tlm::tlm_extension<txn_extension> {
	sim_txn *txn = nullptr;
	tlm::tlm_extension_base *clone() const override;
	void copy_from(const tlm::tlm_extension_base &other) override;
};

/* C model → sockets: port() is what a model is given; the socket is bound to some target. */
class initiator_bridge : public sc_core::sc_module
{
      public:
	tlm_utils::simple_initiator_socket<initiator_bridge> socket;
	explicit initiator_bridge(sc_core::sc_module_name name);
	~initiator_bridge() override;
	sim_port port();

      private:
	struct impl;
	impl *impl_;
};

/* Sockets → C model: every payload that arrives becomes a request on `target`. */
class target_bridge : public sc_core::sc_module
{
      public:
	tlm_utils::simple_target_socket<target_bridge> socket;
	/* `defaults`: attributes of transactions from initiators without our extension (stream_id, ssv, requester are used). */
	target_bridge(sc_core::sc_module_name name, sim_port target,
		      const sim_txn &defaults = sim_txn{});
	~target_bridge() override;

      private:
	struct impl;
	impl *impl_;
};

} // namespace sim
#endif

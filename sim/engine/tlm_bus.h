/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bus between modules: TLM-2.0 sockets around C ports (C++17, for sim/platform only).
 *
 * A sim_txn travels in a pooled generic payload with one sticky extension, non-blocking:
 * BEGIN_REQ, END_REQ on the return path, BEGIN_RESP, TLM_COMPLETED. All four phases, early
 * completion and annotated delays are accepted from modules that are not ours; an initiator that
 * lacks the extension gets the target's default attributes (StreamID, no SSV).
 *
 * Reads and writes are plain generic payloads. Atomics have no TLM-2.0 command: they travel as
 * TLM_IGNORE_COMMAND and are only understood through the extension; a target that does not know it
 * leaves `served` unset, and the initiator sees SIM_SLVERR.
 *
 * Not supported: byte enables and streaming (answered with the payload's own error statuses), the
 * debug transport interface and DMI (refused, so that no module passes the timed path by).
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
	const sim_txn *txn = nullptr; /* the initiator's; nullptr between transactions */
	bool served = false;	      /* set by a target that understood the extension */
	tlm::tlm_extension_base *clone() const override;
	void copy_from(const tlm::tlm_extension_base &other) override;
};

/* C model → sockets: port() is what a model is given; the socket is bound to some target. */
class initiator_bridge : public sc_core::sc_module
{
public:
	tlm_utils::simple_initiator_socket<initiator_bridge> socket;
	explicit initiator_bridge(const sc_core::sc_module_name &name);
	~initiator_bridge() override;
	sim_port port();

private:
	struct impl;
	impl *impl_;
	tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
					   sc_core::sc_time &delay);
};

/*
 * Sockets → C model: every payload that arrives becomes a request on `target`. A payload that is
 * longer than a transaction may be, or that crosses a 4 KiB boundary, becomes several, in order.
 */
class target_bridge : public sc_core::sc_module
{
public:
	tlm_utils::simple_target_socket<target_bridge> socket;
	/*
	 * `defaults`: attributes of transactions from initiators without our extension (stream_id,
	 * substream_id, ssv, privileged, instruction, ats, requester are used).
	 */
	target_bridge(const sc_core::sc_module_name &name, sim_port target,
		      const sim_txn &defaults = sim_txn{});
	~target_bridge() override;

private:
	struct impl;
	impl *impl_;
	tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
					   sc_core::sc_time &delay);
	void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
};

} // namespace sim
#endif

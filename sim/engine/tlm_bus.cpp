/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLM-2.0 bridges (IEEE 1666-2011, base protocol, clause 15); see tlm_bus.h.
 *
 * Both sides keep the exclusion rules: one request, and one response, is in its phase per socket at
 * a time; others wait in a list in order of arrival. Between two of our bridges nothing ever
 * waits, because END_REQ comes with the return and BEGIN_RESP is answered by TLM_COMPLETED.
 */
#include "sim/engine/tlm_bus.h"

#include <algorithm>
#include <memory>
#include <vector>

using sc_core::sc_time;
using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

namespace sim
{

/* A module that is not ours may run at a new time before any event of ours has. */
static void catch_up_time()
{
	sim_current_time = sc_core::sc_time_stamp().value();
}

static bool is_atomic(sim_cmd cmd)
{
	return cmd != SIM_READ && cmd != SIM_WRITE;
}

tlm::tlm_extension_base *txn_extension::clone() const
{
	return new txn_extension(*this);
}

void txn_extension::copy_from(const tlm::tlm_extension_base &other)
{
	const auto &source = static_cast<const txn_extension &>(other);

	txn = source.txn;
	served = source.served;
}

/* ---- C model → sockets -------------------------------------------------------------------- */

namespace
{

struct packet : tlm_generic_payload {
	explicit packet(tlm::tlm_mm_interface *pool)
	    : tlm_generic_payload(pool), extension(new txn_extension), due()
	{
		set_extension(extension); /* sticky: deleted with the payload */
	}

	txn_extension *extension;
	sim_txn *txn = nullptr;
	bool accepted = false; /* its request phase is over */
	bool finished = false; /* the response has come, and may be due later */
	sim_event due;	       /* the response's annotated delay */
	packet *next_free = nullptr;
	void *bridge = nullptr;
};

tlm::tlm_command payload_command(sim_cmd cmd)
{
	if (is_atomic(cmd))
		return tlm::TLM_IGNORE_COMMAND;
	return cmd == SIM_READ ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND;
}

sim_response response_of(const packet &p)
{
	if (is_atomic(p.txn->cmd) && !p.extension->served)
		return SIM_SLVERR;
	if (p.is_response_ok())
		return SIM_OK;
	if (p.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE)
		return SIM_DECERR;
	return SIM_SLVERR;
}

void fill_payload(packet &p, sim_txn *txn)
{
	const uint32_t length = txn->cmd == SIM_ATOMIC_CAS ? 2 * txn->len : txn->len;

	p.txn = txn;
	p.accepted = false;
	p.finished = false;
	p.extension->txn = txn;
	p.extension->served = false;
	p.set_command(payload_command(txn->cmd));
	p.set_address(txn->addr);
	p.set_data_ptr(static_cast<unsigned char *>(txn->data));
	p.set_data_length(length);
	p.set_streaming_width(length);
	p.set_byte_enable_ptr(nullptr);
	p.set_dmi_allowed(false);
	p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

} // namespace

struct initiator_bridge::impl : tlm::tlm_mm_interface {
	initiator_bridge *bridge;
	bool request_phase = false;			     /* a request is not accepted yet */
	sim_txn *waiting = nullptr, *last_waiting = nullptr; /* linked through hop */
	sim_event pump;					     /* the request phase ends */
	std::vector<std::unique_ptr<packet>> packets;
	packet *free_packets = nullptr;

	explicit impl(initiator_bridge *owner) : bridge(owner)
	{
		sim_event_init(&pump, pump_fired, this);
	}

	~impl() override
	{
		sim_event_cancel(&pump);
		for (auto &p : packets)
			sim_event_cancel(&p->due);
	}

	/* tlm_mm_interface: the last reference to a payload is gone */
	void free(tlm_generic_payload *payload) override
	{
		auto *p = static_cast<packet *>(payload);

		p->reset(); /* extensions that others added for the way */
		p->next_free = free_packets;
		free_packets = p;
	}

	packet *take_packet()
	{
		packet *p = free_packets;

		if (p) {
			free_packets = p->next_free;
			return p;
		}
		packets.push_back(std::make_unique<packet>(this));
		p = packets.back().get();
		p->bridge = this;
		sim_event_init(&p->due, due_fired, p);
		return p;
	}

	static void request(void *target, sim_txn *txn)
	{
		auto *self = static_cast<impl *>(target);

		if (!self->request_phase && !self->waiting) {
			self->issue(txn);
			return;
		}
		txn->hop = nullptr;
		if (self->waiting)
			self->last_waiting->hop = txn;
		else
			self->waiting = txn;
		self->last_waiting = txn;
	}

	sim_txn *pop_waiting()
	{
		sim_txn *txn = waiting;

		waiting = static_cast<sim_txn *>(txn->hop);
		return txn;
	}

	static void pump_fired(void *arg)
	{
		auto *self = static_cast<impl *>(arg);

		self->request_phase = false;
		while (self->waiting && !self->request_phase)
			self->issue(self->pop_waiting());
	}

	void issue(sim_txn *txn)
	{
		packet *p = take_packet();
		tlm_phase phase = tlm::BEGIN_REQ;
		sc_time delay = sc_core::SC_ZERO_TIME;
		tlm_sync_enum status;

		fill_payload(*p, txn);
		p->acquire();
		p->acquire(); /* the response may come before the call returns */
		request_phase = true;
		status = bridge->socket->nb_transport_fw(*p, phase, delay);
		if (!p->finished)
			returned(p, status, phase, delay);
		/* the pool's free() is taken for the library's */
		p->release(); /* NOLINT(clang-analyzer-unix.Malloc) */
	}

	void returned(packet *p, tlm_sync_enum status, const tlm_phase &phase, const sc_time &delay)
	{
		if (status == tlm::TLM_COMPLETED) {
			request_accepted(p, sc_core::SC_ZERO_TIME);
			finish(p, delay);
		} else if (status == tlm::TLM_UPDATED && phase == tlm::END_REQ) {
			request_accepted(p, delay);
		} else if (status == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP) {
			tlm_phase end = tlm::END_RESP;
			sc_time when = delay;

			request_accepted(p, sc_core::SC_ZERO_TIME);
			p->finished = true;
			bridge->socket->nb_transport_fw(*p, end, when);
			finish(p, delay);
		}
	}

	void request_accepted(packet *p, const sc_time &delay)
	{
		if (p->accepted)
			return;
		p->accepted = true;
		if (delay == sc_core::SC_ZERO_TIME) {
			request_phase = false;
			if (waiting && !sim_event_pending(&pump))
				sim_event_at(&pump, sim_now());
		} else {
			sim_event_after(&pump, delay.value());
		}
	}

	void finish(packet *p, const sc_time &delay)
	{
		p->finished = true;
		if (delay == sc_core::SC_ZERO_TIME)
			complete(p);
		else
			sim_event_after(&p->due, delay.value());
	}

	static void due_fired(void *arg)
	{
		auto *p = static_cast<packet *>(arg);

		static_cast<impl *>(p->bridge)->complete(p);
	}

	void complete(packet *p)
	{
		sim_txn *txn = p->txn;
		sim_response response = response_of(*p);

		p->extension->txn = nullptr;
		p->release();
		sim_txn_complete(txn, response);
	}

	tlm_sync_enum backward(packet *p, const tlm_phase &phase, const sc_time &delay)
	{
		catch_up_time();
		if (phase == tlm::END_REQ) {
			request_accepted(p, delay);
		} else if (phase == tlm::BEGIN_RESP && !p->finished) {
			request_accepted(p, sc_core::SC_ZERO_TIME);
			finish(p, delay);
			return tlm::TLM_COMPLETED;
		}
		return tlm::TLM_ACCEPTED; /* also for phases of other protocols: ignorable */
	}
};

initiator_bridge::initiator_bridge(const sc_core::sc_module_name &name)
    : sc_module(name), socket("socket"), impl_(new impl(this))
{
	socket.register_nb_transport_bw(this, &initiator_bridge::nb_transport_bw);
}

initiator_bridge::~initiator_bridge()
{
	delete impl_;
}

sim_port initiator_bridge::port()
{
	return {impl::request, impl_};
}

tlm_sync_enum initiator_bridge::nb_transport_bw(tlm_generic_payload &payload, tlm_phase &phase,
						sc_time &delay)
{
	return impl_->backward(static_cast<packet *>(&payload), phase, delay);
}

/* ---- sockets → C model -------------------------------------------------------------------- */

namespace
{

/* A payload that the C model is at work on. */
struct slot {
	sim_txn txn; /* what the model sees */
	tlm_generic_payload *payload;
	uint32_t length; /* bytes in all */
	uint32_t offset; /* bytes done */
	bool blocking;	 /* a b_transport() waits for `finished` */
	bool requesting; /* inside the model's request function */
	bool chunk_done; /* … which has completed the transaction already */
	sim_event begin; /* the request's annotated delay */
	std::unique_ptr<sc_core::sc_event> finished;
	slot *next; /* free list or list of responses */
	void *bridge;
};

/* What we cannot do, answered with the status that the payload has for it. */
bool refuse(tlm_generic_payload &payload, const txn_extension *extension)
{
	tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;

	if (payload.get_byte_enable_ptr())
		status = tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
	else if (!payload.get_data_length() || !payload.get_data_ptr() ||
		 payload.get_streaming_width() < payload.get_data_length())
		status = tlm::TLM_BURST_ERROR_RESPONSE;
	else if (payload.get_command() == tlm::TLM_IGNORE_COMMAND &&
		 !(extension && extension->txn && is_atomic(extension->txn->cmd)))
		status = tlm::TLM_COMMAND_ERROR_RESPONSE;
	if (status == tlm::TLM_OK_RESPONSE)
		return false;
	payload.set_response_status(status);
	return true;
}

void set_response(tlm_generic_payload &payload, sim_response response)
{
	switch (response) {
	case SIM_OK:
		payload.set_response_status(tlm::TLM_OK_RESPONSE);
		break;
	case SIM_SLVERR:
		payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
		break;
	case SIM_DECERR:
		payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
		break;
	}
}

} // namespace

struct target_bridge::impl {
	target_bridge *bridge;
	sim_port target;
	sim_txn defaults;
	slot *responding = nullptr;			    /* in its response phase */
	bool sending = false;				    /* inside nb_transport_bw() */
	bool ended_early = false;			    /* … and END_RESP came meanwhile */
	sc_time end_delay;				    /* of that END_RESP */
	slot *waiting = nullptr, **waiting_tail = &waiting; /* responses, in order */
	sim_event pump;					    /* the response phase ends */
	std::vector<std::unique_ptr<slot>> slots;
	slot *free_slots = nullptr;

	impl(target_bridge *owner, sim_port to, const sim_txn &attributes)
	    : bridge(owner), target(to), defaults(attributes)
	{
		sim_event_init(&pump, pump_fired, this);
	}

	~impl()
	{
		sim_event_cancel(&pump);
		for (auto &s : slots)
			sim_event_cancel(&s->begin);
	}

	slot *take_slot()
	{
		slot *s = free_slots;

		if (s) {
			free_slots = s->next;
			return s;
		}
		slots.push_back(std::make_unique<slot>());
		s = slots.back().get();
		s->bridge = this;
		sim_event_init(&s->begin, begin_fired, s);
		return s;
	}

	slot *accept(tlm_generic_payload &payload, txn_extension *extension)
	{
		slot *s = take_slot();

		if (payload.has_mm())
			payload.acquire();
		s->payload = &payload;
		s->txn = extension && extension->txn ? *extension->txn : defaults;
		s->length = payload.get_data_length();
		s->offset = 0;
		s->blocking = false;
		if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
			s->length = s->txn.len; /* an atomic's operands are longer */
		else
			s->txn.cmd = payload.is_read() ? SIM_READ : SIM_WRITE;
		s->txn.done = chunk_completed;
		s->txn.owner = s;
		s->txn.hop = nullptr;
		if (extension)
			extension->served = true;
		return s;
	}

	void retire(slot *s)
	{
		if (s->payload->has_mm())
			s->payload->release();
		s->payload = nullptr;
		s->next = free_slots;
		free_slots = s;
	}

	/* Requests what is left, chunk by chunk; true if all of it was completed at once. */
	bool issue(slot *s)
	{
		do {
			const uint64_t addr = s->payload->get_address() + s->offset;
			const uint64_t room = SIM_TXN_MAX_BYTES - addr % SIM_TXN_MAX_BYTES;

			s->txn.addr = addr;
			s->txn.len = static_cast<uint32_t>(
				std::min<uint64_t>(s->length - s->offset, room));
			s->txn.data = s->payload->get_data_ptr() + s->offset;
			s->chunk_done = false;
			s->requesting = true;
			sim_port_request(&target, &s->txn);
			s->requesting = false;
			if (!s->chunk_done)
				return false;
		} while (!advance(s));
		return true;
	}

	/* A chunk is done: true if it was the last. */
	bool advance(slot *s)
	{
		s->offset += s->txn.len;
		if (s->txn.response == SIM_OK && s->offset < s->length)
			return false;
		set_response(*s->payload, s->txn.response);
		return true;
	}

	static void chunk_completed(sim_txn *txn)
	{
		auto *s = static_cast<slot *>(txn->owner);
		auto *self = static_cast<impl *>(s->bridge);

		if (s->requesting)
			s->chunk_done = true;
		else if (self->advance(s) || self->issue(s))
			self->respond(s);
	}

	static void begin_fired(void *arg)
	{
		auto *s = static_cast<slot *>(arg);
		auto *self = static_cast<impl *>(s->bridge);

		if (self->issue(s))
			self->respond(s);
	}

	void respond(slot *s)
	{
		if (s->blocking) {
			s->finished->notify();
		} else if (!responding && !waiting && !sim_event_pending(&pump)) {
			send(s);
		} else {
			s->next = nullptr;
			*waiting_tail = s;
			waiting_tail = &s->next;
		}
	}

	void send(slot *s)
	{
		tlm_phase phase = tlm::BEGIN_RESP;
		sc_time delay = sc_core::SC_ZERO_TIME;
		tlm_sync_enum status;

		responding = s;
		sending = true;
		ended_early = false;
		status = bridge->socket->nb_transport_bw(*s->payload, phase, delay);
		sending = false;
		if (ended_early)
			response_ended(end_delay);
		else if (status != tlm::TLM_ACCEPTED)
			response_ended(delay);
	}

	void response_ended(const sc_time &delay)
	{
		slot *s = responding;

		responding = nullptr;
		retire(s);
		if (waiting || delay != sc_core::SC_ZERO_TIME)
			sim_event_after(&pump, delay.value());
	}

	static void pump_fired(void *arg)
	{
		auto *self = static_cast<impl *>(arg);

		while (self->waiting && !self->responding && !sim_event_pending(&self->pump)) {
			slot *s = self->waiting;

			self->waiting = s->next;
			if (!self->waiting)
				self->waiting_tail = &self->waiting;
			self->send(s);
		}
	}

	tlm_sync_enum begin_request(tlm_generic_payload &payload, tlm_phase &phase,
				    const sc_time &delay)
	{
		auto *extension = payload.get_extension<txn_extension>();
		slot *s;

		if (refuse(payload, extension))
			return tlm::TLM_COMPLETED;
		s = accept(payload, extension);
		if (delay != sc_core::SC_ZERO_TIME) {
			sim_event_after(&s->begin, delay.value());
		} else if (issue(s)) {
			retire(s);
			return tlm::TLM_COMPLETED;
		}
		phase = tlm::END_REQ;
		return tlm::TLM_UPDATED;
	}

	tlm_sync_enum end_response(tlm_generic_payload &payload, const sc_time &delay)
	{
		if (!responding || responding->payload != &payload)
			return tlm::TLM_COMPLETED;
		if (sending) {
			ended_early = true;
			end_delay = delay;
		} else {
			response_ended(delay);
		}
		return tlm::TLM_COMPLETED;
	}

	void blocking_request(tlm_generic_payload &payload)
	{
		auto *extension = payload.get_extension<txn_extension>();
		slot *s;

		if (refuse(payload, extension))
			return;
		s = accept(payload, extension);
		s->blocking = true;
		if (!s->finished)
			s->finished = std::make_unique<sc_core::sc_event>();
		if (!issue(s))
			sc_core::wait(*s->finished);
		retire(s);
	}
};

target_bridge::target_bridge(const sc_core::sc_module_name &name, sim_port target,
			     const sim_txn &defaults)
    : sc_module(name), socket("socket"), impl_(new impl(this, target, defaults))
{
	socket.register_nb_transport_fw(this, &target_bridge::nb_transport_fw);
	socket.register_b_transport(this, &target_bridge::b_transport);
}

target_bridge::~target_bridge()
{
	delete impl_;
}

tlm_sync_enum target_bridge::nb_transport_fw(tlm_generic_payload &payload, tlm_phase &phase,
					     sc_time &delay)
{
	catch_up_time();
	if (phase == tlm::BEGIN_REQ)
		return impl_->begin_request(payload, phase, delay);
	if (phase == tlm::END_RESP)
		return impl_->end_response(payload, delay);
	return tlm::TLM_ACCEPTED; /* a phase of another protocol: ignorable */
}

void target_bridge::b_transport(tlm_generic_payload &payload, sc_time &delay)
{
	if (delay != sc_core::SC_ZERO_TIME)
		sc_core::wait(delay); /* the initiator's local time is ahead */
	delay = sc_core::SC_ZERO_TIME;
	catch_up_time();
	impl_->blocking_request(payload);
}

} // namespace sim

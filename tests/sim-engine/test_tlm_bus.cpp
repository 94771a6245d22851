/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLM-2.0 bridges: between C models, and towards modules of other people's making. Each test
 * is a process, and so a simulation, of its own.
 */
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "sim/engine/tlm_bus.h"

#include <check.h> /* last: its macro fail() is the name of a function of iostreams */

using sc_core::sc_module;
using sc_core::sc_module_name;
using sc_core::sc_time;
using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

static unsigned long allocations;

__attribute__((noinline)) void *operator new(size_t size)
{
	void *p = malloc(size);

	allocations++;
	if (!p)
		abort();
	return p;
}

__attribute__((noinline)) void operator delete(void *p) noexcept
{
	free(p);
}

__attribute__((noinline)) void operator delete(void *p, size_t) noexcept
{
	free(p);
}

static sc_time ns(double n)
{
	return sc_time(n, sc_core::SC_NS);
}

/* ---- C models ----------------------------------------------------------------------------- */

static std::string history; /* one word per step, with its time in ns */

static void note(const std::string &what)
{
	history += what + "@" + std::to_string(sc_core::sc_time_stamp().value() / 1000) + " ";
}

/* A memory that answers after a delay, or within the request if it is 0. */
struct memory {
	std::vector<unsigned char> bytes = std::vector<unsigned char>(65536);
	sim_time delay = 0;
	std::vector<sim_txn> seen;
	sim_response response = SIM_OK;
	struct pending {
		sim_event event;
		sim_txn *txn;
		memory *owner;
		bool busy;
	} slots[16] = {};

	sim_port port()
	{
		return {request, this};
	}

	void access(sim_txn *txn)
	{
		if (response != SIM_OK)
			return;
		if (txn->cmd == SIM_READ) {
			memcpy(txn->data, &bytes[txn->addr], txn->len);
		} else if (txn->cmd == SIM_WRITE) {
			memcpy(&bytes[txn->addr], txn->data, txn->len);
		} else if (txn->cmd == SIM_ATOMIC_CAS) {
			auto *data = static_cast<unsigned char *>(txn->data);
			std::vector<unsigned char> old(&bytes[txn->addr],
						       &bytes[txn->addr] + txn->len);

			if (!memcmp(old.data(), data, txn->len))
				memcpy(&bytes[txn->addr], data + txn->len, txn->len);
			memcpy(data, old.data(), txn->len);
		}
	}

	static void request(void *target, sim_txn *txn)
	{
		auto *self = static_cast<memory *>(target);

		if (self->seen.size() < 64)
			self->seen.push_back(*txn);
		if (!self->delay) {
			self->access(txn);
			sim_txn_complete(txn, self->response);
			return;
		}
		for (auto &slot : self->slots) {
			if (slot.busy)
				continue;
			slot.busy = true;
			slot.txn = txn;
			slot.owner = self;
			sim_event_init(&slot.event, respond, &slot);
			sim_event_after(&slot.event, self->delay);
			return;
		}
		ck_abort_msg("too many outstanding");
	}

	static void respond(void *arg)
	{
		auto *slot = static_cast<pending *>(arg);

		slot->busy = false;
		slot->owner->access(slot->txn);
		sim_txn_complete(slot->txn, slot->owner->response);
	}
};

/* Sends its transactions at time 0, all at once. */
struct initiator {
	sim_port port = {};
	std::vector<sim_txn> txns;
	sim_event start = {};
	bool done_inside = false, inside = false;

	explicit initiator(size_t count) : txns(count)
	{
		for (auto &txn : txns) {
			txn.done = done;
			txn.owner = this;
		}
		sim_event_init(&start, begin, this);
		sim_event_at(&start, 0);
	}

	static void begin(void *arg)
	{
		auto *self = static_cast<initiator *>(arg);

		self->inside = true;
		for (auto &txn : self->txns)
			sim_port_request(&self->port, &txn);
		self->inside = false;
	}

	static void done(sim_txn *txn)
	{
		auto *self = static_cast<initiator *>(txn->owner);

		self->done_inside = self->inside;
		note("done" + std::to_string(txn - self->txns.data()));
	}
};

static void set_access(sim_txn &txn, sim_cmd cmd, uint64_t addr, void *data, uint32_t len)
{
	txn.cmd = cmd;
	txn.addr = addr;
	txn.data = data;
	txn.len = len;
	txn.response = SIM_SLVERR;
}

/* ---- between C models --------------------------------------------------------------------- */

START_TEST(test_transaction_arrives_with_its_attributes)
{
	memory mem;
	initiator from(1);
	sim::initiator_bridge out("out");
	sim::target_bridge in("in", mem.port());
	uint32_t value = 0;
	sim_txn &txn = from.txns[0];

	out.socket.bind(in.socket);
	from.port = out.port();
	mem.delay = SIM_NS(30);
	mem.bytes[0x100] = 42;
	set_access(txn, SIM_READ, 0x100, &value, sizeof(value));
	txn.stream_id = 7;
	txn.substream_id = 99;
	txn.ssv = txn.privileged = true;
	txn.ats = SIM_ATS_TRANSLATED;
	txn.requester = 3;
	ck_assert_int_eq(sim_run(nullptr), SIM_RUN_IDLE);
	ck_assert_str_eq(history.c_str(), "done0@30 ");
	ck_assert_int_eq(txn.response, SIM_OK);
	ck_assert_uint_eq(value, 42);
	ck_assert_uint_eq(mem.seen[0].addr, 0x100);
	ck_assert_uint_eq(mem.seen[0].len, 4);
	ck_assert_uint_eq(mem.seen[0].stream_id, 7);
	ck_assert_uint_eq(mem.seen[0].substream_id, 99);
	ck_assert(mem.seen[0].ssv && mem.seen[0].privileged && !mem.seen[0].instruction);
	ck_assert_int_eq(mem.seen[0].ats, SIM_ATS_TRANSLATED);
	ck_assert_uint_eq(mem.seen[0].requester, 3);
}
END_TEST

START_TEST(test_target_may_complete_within_the_request)
{
	memory mem;
	initiator from(1);
	sim::initiator_bridge out("out");
	sim::target_bridge in("in", mem.port());
	uint32_t value = 0x11223344;

	out.socket.bind(in.socket);
	from.port = out.port();
	set_access(from.txns[0], SIM_WRITE, 0x20, &value, sizeof(value));
	sim_run(nullptr);
	ck_assert(from.done_inside);
	ck_assert_int_eq(from.txns[0].response, SIM_OK);
	ck_assert_uint_eq(mem.bytes[0x20], 0x44);
}
END_TEST

START_TEST(test_error_responses_come_back)
{
	static const sim_response responses[] = {SIM_SLVERR, SIM_DECERR};
	memory mem;
	initiator from(1);
	sim::initiator_bridge out("out");
	sim::target_bridge in("in", mem.port());
	uint32_t value = 0;

	out.socket.bind(in.socket);
	from.port = out.port();
	mem.delay = SIM_NS(1);
	mem.response = responses[_i];
	set_access(from.txns[0], SIM_READ, 0x20, &value, sizeof(value));
	sim_run(nullptr);
	ck_assert_int_eq(from.txns[0].response, responses[_i]);
}
END_TEST

START_TEST(test_compare_and_swap_passes)
{
	memory mem;
	initiator from(1);
	sim::initiator_bridge out("out");
	sim::target_bridge in("in", mem.port());
	uint64_t operands[2] = {5, 6};

	out.socket.bind(in.socket);
	from.port = out.port();
	mem.bytes[0x40] = 5;
	set_access(from.txns[0], SIM_ATOMIC_CAS, 0x40, operands, sizeof(operands[0]));
	sim_run(nullptr);
	ck_assert_int_eq(from.txns[0].response, SIM_OK);
	ck_assert_int_eq(mem.seen[0].cmd, SIM_ATOMIC_CAS);
	ck_assert_uint_eq(mem.seen[0].len, 8);
	ck_assert_uint_eq(operands[0], 5);
	ck_assert_uint_eq(mem.bytes[0x40], 6);
}
END_TEST

START_TEST(test_transactions_overlap_and_complete_in_order)
{
	memory mem;
	initiator from(4);
	sim::initiator_bridge out("out");
	sim::target_bridge in("in", mem.port());
	unsigned char bytes[4] = {};

	out.socket.bind(in.socket);
	from.port = out.port();
	mem.delay = SIM_NS(10);
	for (int i = 0; i < 4; i++) {
		mem.bytes[i] = static_cast<unsigned char>(10 + i);
		set_access(from.txns[i], SIM_READ, i, &bytes[i], 1);
	}
	sim_run(nullptr);
	ck_assert_str_eq(history.c_str(), "done0@10 done1@10 done2@10 done3@10 ");
	ck_assert_int_eq(bytes[3], 13);
}
END_TEST

/* Sends the next transaction from the completion of the last. */
struct chain {
	sim_port port;
	sim_txn txn;
	sim_event event;
	unsigned int left;
	unsigned long allocations_warm;
	uint64_t value;

	static void begin(void *arg)
	{
		auto *self = static_cast<chain *>(arg);

		sim_port_request(&self->port, &self->txn);
	}

	static void done(sim_txn *txn)
	{
		auto *self = static_cast<chain *>(txn->owner);

		if (self->left == 1000)
			self->allocations_warm = allocations;
		if (--self->left)
			sim_port_request(&self->port, txn);
		else
			self->allocations_warm = allocations - self->allocations_warm;
	}
};

START_TEST(test_nothing_is_allocated_after_warm_up)
{
	memory mem;
	sim::initiator_bridge out("out");
	sim::target_bridge in("in", mem.port());
	chain from = {};

	out.socket.bind(in.socket);
	mem.delay = SIM_NS(1);
	mem.seen.resize(64);
	from.port = out.port();
	from.left = 1100;
	set_access(from.txn, SIM_READ, 0x40, &from.value, sizeof(from.value));
	from.txn.done = chain::done;
	from.txn.owner = &from;
	sim_event_init(&from.event, chain::begin, &from);
	sim_event_at(&from.event, 0);
	sim_run(nullptr);
	ck_assert_uint_eq(from.left, 0);
	ck_assert_uint_eq(from.allocations_warm, 0);
}
END_TEST

/* ---- targets that are not ours ------------------------------------------------------------ */

/* Loosely timed: knows b_transport() alone. */
struct lt_memory : sc_module {
	tlm_utils::simple_target_socket<lt_memory> socket;
	unsigned char bytes[4096] = {};

	explicit lt_memory(sc_module_name name) : sc_module(name), socket("socket")
	{
		socket.register_b_transport(this, &lt_memory::b_transport);
	}

	void b_transport(tlm_generic_payload &payload, sc_time &delay)
	{
		note("access");
		sc_core::wait(ns(10));
		if (payload.get_address() + payload.get_data_length() > sizeof(bytes)) {
			payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
			return;
		}
		if (payload.is_read())
			memcpy(payload.get_data_ptr(), bytes + payload.get_address(),
			       payload.get_data_length());
		else if (payload.is_write())
			memcpy(bytes + payload.get_address(), payload.get_data_ptr(),
			       payload.get_data_length());
		payload.set_response_status(tlm::TLM_OK_RESPONSE);
		delay += ns(5);
	}
};

START_TEST(test_blocking_target)
{
	lt_memory mem("mem");
	initiator from(4);
	sim::initiator_bridge out("out");
	unsigned char write[2] = {1, 2}, read[2] = {};

	out.socket.bind(mem.socket);
	from.port = out.port();
	mem.bytes[9] = 77;
	set_access(from.txns[0], SIM_WRITE, 4, write, 2);
	set_access(from.txns[1], SIM_READ, 8, read, 2);
	set_access(from.txns[2], SIM_READ, 4095, read, 2);
	set_access(from.txns[3], SIM_ATOMIC_ADD, 4, write, 1);
	ck_assert_int_eq(sim_run(nullptr), SIM_RUN_IDLE);
	/* the socket accepts a request by its response: one at a time */
	ck_assert_str_eq(history.c_str(),
			 "access@0 done0@15 access@15 done1@30 access@30 done2@40 access@40 "
			 "done3@55 ");
	ck_assert_int_eq(from.txns[0].response, SIM_OK);
	ck_assert_int_eq(mem.bytes[5], 2);
	ck_assert_int_eq(from.txns[1].response, SIM_OK);
	ck_assert_int_eq(read[1], 77);
	ck_assert_int_eq(from.txns[2].response, SIM_DECERR);
	/* it said OK, but does not know what an atomic is */
	ck_assert_int_eq(from.txns[3].response, SIM_SLVERR);
}
END_TEST

enum at_style {
	AT_FOUR_PHASES,	     /* END_REQ after 2 ns, BEGIN_RESP after 7 ns, by calls of its own */
	AT_NESTED_RESPONSE,  /* BEGIN_RESP from within the request */
	AT_EARLY_COMPLETION, /* TLM_COMPLETED with an annotated delay of 6 ns */
	AT_EARLY_RESPONSE,   /* BEGIN_RESP on the return path, 4 ns ahead; wants END_RESP */
	AT_LATE_ACCEPT, /* END_REQ on the return path, 3 ns ahead; BEGIN_RESP 2 ns ahead at 7 ns */
};

struct at_target : sc_module {
	tlm_utils::simple_target_socket<at_target> socket;
	at_style style;
	struct step {
		at_target *owner;
		tlm_generic_payload *payload;
		sim_event accept, respond;
	} steps[4] = {};
	unsigned int count = 0;

	at_target(sc_module_name name, at_style how) : sc_module(name), socket("socket"), style(how)
	{
		socket.register_nb_transport_fw(this, &at_target::nb_transport_fw);
	}

	tlm_sync_enum nb_transport_fw(tlm_generic_payload &payload, tlm_phase &phase,
				      sc_time &delay)
	{
		if (phase == tlm::END_RESP) {
			note("end_resp");
			payload.release();
			return tlm::TLM_COMPLETED;
		}
		note("begin_req");
		payload.set_response_status(tlm::TLM_OK_RESPONSE);
		if (style == AT_EARLY_COMPLETION) {
			delay = ns(6);
			return tlm::TLM_COMPLETED;
		}
		payload.acquire();
		if (style == AT_EARLY_RESPONSE) {
			phase = tlm::BEGIN_RESP;
			delay = ns(4);
			return tlm::TLM_UPDATED;
		}
		if (style == AT_NESTED_RESPONSE) {
			respond(payload, 0);
			return tlm::TLM_ACCEPTED;
		}
		schedule(payload);
		if (style == AT_LATE_ACCEPT) {
			phase = tlm::END_REQ;
			delay = ns(3);
			return tlm::TLM_UPDATED;
		}
		return tlm::TLM_ACCEPTED;
	}

	void schedule(tlm_generic_payload &payload)
	{
		step &s = steps[count++ % 4];

		s.owner = this;
		s.payload = &payload;
		sim_event_init(&s.accept, accept_fired, &s);
		sim_event_init(&s.respond, respond_fired, &s);
		if (style == AT_FOUR_PHASES)
			sim_event_after(&s.accept, SIM_NS(2));
		sim_event_after(&s.respond, SIM_NS(7));
	}

	static void accept_fired(void *arg)
	{
		auto *s = static_cast<step *>(arg);
		tlm_phase phase = tlm::END_REQ;
		sc_time delay = sc_core::SC_ZERO_TIME;

		note("end_req");
		s->owner->socket->nb_transport_bw(*s->payload, phase, delay);
	}

	static void respond_fired(void *arg)
	{
		auto *s = static_cast<step *>(arg);

		s->owner->respond(*s->payload, s->owner->style == AT_LATE_ACCEPT ? 2 : 0);
	}

	void respond(tlm_generic_payload &payload, double ahead)
	{
		tlm_phase phase = tlm::BEGIN_RESP;
		sc_time delay = ns(ahead);

		note("begin_resp");
		ck_assert_int_eq(socket->nb_transport_bw(payload, phase, delay),
				 tlm::TLM_COMPLETED);
		payload.release();
	}
};

static const struct {
	at_style style;
	const char *history;
} at_cases[] = {
	{AT_FOUR_PHASES, "begin_req@0 end_req@2 begin_req@2 end_req@4 begin_resp@7 done0@7 "
			 "begin_resp@9 done1@9 "},
	{AT_NESTED_RESPONSE, "begin_req@0 begin_resp@0 done0@0 begin_req@0 begin_resp@0 done1@0 "},
	{AT_EARLY_COMPLETION, "begin_req@0 begin_req@0 done0@6 done1@6 "},
	{AT_EARLY_RESPONSE, "begin_req@0 end_resp@0 begin_req@0 end_resp@0 done0@4 done1@4 "},
	{AT_LATE_ACCEPT, "begin_req@0 begin_req@3 begin_resp@7 done0@9 begin_resp@10 done1@12 "},
};

START_TEST(test_approximately_timed_target)
{
	at_target target("target", at_cases[_i].style);
	initiator from(2);
	sim::initiator_bridge out("out");
	unsigned char bytes[2] = {};

	out.socket.bind(target.socket);
	from.port = out.port();
	set_access(from.txns[0], SIM_WRITE, 0, &bytes[0], 1);
	set_access(from.txns[1], SIM_WRITE, 1, &bytes[1], 1);
	ck_assert_int_eq(sim_run(nullptr), SIM_RUN_IDLE);
	ck_assert_str_eq(history.c_str(), at_cases[_i].history);
	ck_assert_int_eq(from.txns[0].response, SIM_OK);
	ck_assert_int_eq(from.txns[1].response, SIM_OK);
}
END_TEST

/* ---- initiators that are not ours --------------------------------------------------------- */

/* Loosely timed: a thread that calls b_transport(). */
struct lt_initiator : sc_module {
	tlm_utils::simple_initiator_socket<lt_initiator> socket;
	std::vector<unsigned char> data;
	uint64_t addr = 0;
	tlm::tlm_command command = tlm::TLM_READ_COMMAND;
	unsigned char *byte_enable = nullptr;
	tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;

	SC_HAS_PROCESS(lt_initiator);
	explicit lt_initiator(sc_module_name name) : sc_module(name), socket("socket")
	{
		SC_THREAD(run);
	}

	void run()
	{
		tlm_generic_payload payload;
		sc_time delay = ns(3);

		payload.set_command(command);
		payload.set_address(addr);
		payload.set_data_ptr(data.data());
		payload.set_data_length(static_cast<unsigned int>(data.size()));
		payload.set_streaming_width(static_cast<unsigned int>(data.size()));
		payload.set_byte_enable_ptr(byte_enable);
		socket->b_transport(payload, delay);
		sc_core::wait(delay);
		status = payload.get_response_status();
		note("returned");
	}
};

static sim_txn stream_five()
{
	sim_txn defaults = {};

	defaults.stream_id = 5;
	defaults.requester = 2;
	return defaults;
}

START_TEST(test_blocking_initiator_gets_the_default_attributes)
{
	memory mem;
	lt_initiator from("from");
	sim::target_bridge in("in", mem.port(), stream_five());

	from.socket.bind(in.socket);
	from.addr = 0x30;
	from.data.assign(8, 0);
	mem.delay = SIM_NS(20);
	mem.bytes[0x37] = 9;
	ck_assert_int_eq(sim_run(nullptr), SIM_RUN_IDLE);
	ck_assert_str_eq(history.c_str(), "returned@23 ");
	ck_assert_int_eq(from.status, tlm::TLM_OK_RESPONSE);
	ck_assert_int_eq(from.data[7], 9);
	ck_assert_uint_eq(mem.seen[0].stream_id, 5);
	ck_assert_uint_eq(mem.seen[0].requester, 2);
	ck_assert(!mem.seen[0].ssv);
}
END_TEST

/* Delay of the memory: 0 answers within the request. */
static const sim_time chunk_delays[] = {0, SIM_NS(10)};

START_TEST(test_long_payload_becomes_transactions_within_pages)
{
	memory mem;
	lt_initiator from("from");
	sim::target_bridge in("in", mem.port());

	from.socket.bind(in.socket);
	from.addr = 4000;
	from.command = tlm::TLM_WRITE_COMMAND;
	for (int i = 0; i < 9000; i++)
		from.data.push_back(static_cast<unsigned char>(i * 7));
	mem.delay = chunk_delays[_i];
	sim_run(nullptr);
	ck_assert_int_eq(from.status, tlm::TLM_OK_RESPONSE);
	ck_assert_uint_eq(mem.seen.size(), 4);
	ck_assert_uint_eq(mem.seen[0].len, 96);
	ck_assert_uint_eq(mem.seen[1].addr, 4096);
	ck_assert_uint_eq(mem.seen[1].len, 4096);
	ck_assert_uint_eq(mem.seen[3].len, 9000 - 96 - 2 * 4096);
	ck_assert_int_eq(memcmp(&mem.bytes[4000], from.data.data(), 9000), 0);
	ck_assert_str_eq(history.c_str(), _i ? "returned@43 " : "returned@3 ");
}
END_TEST

START_TEST(test_payload_that_cannot_be_carried_is_refused)
{
	memory mem;
	lt_initiator from("from");
	sim::target_bridge in("in", mem.port());
	unsigned char enable = 0xff;
	tlm::tlm_response_status expected;

	from.socket.bind(in.socket);
	from.data.assign(4, 0);
	if (_i == 0) {
		from.byte_enable = &enable;
		expected = tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
	} else if (_i == 1) {
		from.command = tlm::TLM_IGNORE_COMMAND;
		expected = tlm::TLM_COMMAND_ERROR_RESPONSE;
	} else {
		from.data.clear();
		expected = tlm::TLM_BURST_ERROR_RESPONSE;
	}
	sim_run(nullptr);
	ck_assert_int_eq(from.status, expected);
	ck_assert_uint_eq(mem.seen.size(), 0);
}
END_TEST

/* Approximately timed, with the response phase drawn out to 3 ns. */
struct at_initiator : sc_module, tlm::tlm_mm_interface {
	tlm_utils::simple_initiator_socket<at_initiator> socket;
	tlm_generic_payload payloads[2];
	unsigned char bytes[2] = {};
	sim_event end;
	tlm_generic_payload *ending = nullptr;
	unsigned int freed = 0;

	SC_HAS_PROCESS(at_initiator);
	explicit at_initiator(sc_module_name name) : sc_module(name), socket("socket")
	{
		socket.register_nb_transport_bw(this, &at_initiator::nb_transport_bw);
		SC_THREAD(run);
		sim_event_init(&end, end_fired, this);
	}

	void free(tlm_generic_payload *payload) override
	{
		payload->reset();
		freed++;
	}

	void run()
	{
		for (unsigned int i = 0; i < 2; i++) {
			tlm_phase phase = tlm::BEGIN_REQ;
			sc_time delay = ns(i ? 0 : 1);

			payloads[i].set_mm(this);
			payloads[i].acquire();
			payloads[i].set_command(tlm::TLM_READ_COMMAND);
			payloads[i].set_address(i);
			payloads[i].set_data_ptr(&bytes[i]);
			payloads[i].set_data_length(1);
			payloads[i].set_streaming_width(1);
			ck_assert_int_eq(socket->nb_transport_fw(payloads[i], phase, delay),
					 tlm::TLM_UPDATED);
			ck_assert(phase == tlm::END_REQ);
			sc_core::wait(ns(2));
		}
	}

	tlm_sync_enum nb_transport_bw(tlm_generic_payload &payload, tlm_phase &phase, sc_time &)
	{
		ck_assert(phase == tlm::BEGIN_RESP);
		ck_assert(!ending);
		note("begin_resp" + std::to_string(payload.get_address()));
		ending = &payload;
		sim_event_after(&end, SIM_NS(3));
		return tlm::TLM_ACCEPTED;
	}

	static void end_fired(void *arg)
	{
		auto *self = static_cast<at_initiator *>(arg);
		tlm_generic_payload *payload = self->ending;
		tlm_phase phase = tlm::END_RESP;
		sc_time delay = sc_core::SC_ZERO_TIME;

		note("end_resp");
		self->ending = nullptr;
		self->socket->nb_transport_fw(*payload, phase, delay);
		payload->release();
	}
};

START_TEST(test_approximately_timed_initiator)
{
	memory mem;
	at_initiator from("from");
	sim::target_bridge in("in", mem.port());

	from.socket.bind(in.socket);
	mem.delay = SIM_NS(10);
	mem.bytes[0] = 8;
	mem.bytes[1] = 9;
	ck_assert_int_eq(sim_run(nullptr), SIM_RUN_IDLE);
	ck_assert_str_eq(history.c_str(), "begin_resp0@11 end_resp@14 begin_resp1@14 end_resp@17 ");
	ck_assert_int_eq(from.bytes[0], 8);
	ck_assert_int_eq(from.bytes[1], 9);
	ck_assert_uint_eq(from.freed, 2);
}
END_TEST

/* A router of other people's making: passes payloads on, with another address. */
struct router : sc_module {
	tlm_utils::simple_target_socket<router> in;
	tlm_utils::simple_initiator_socket<router> out;

	explicit router(sc_module_name name) : sc_module(name), in("in"), out("out")
	{
		in.register_nb_transport_fw(this, &router::forward);
		out.register_nb_transport_bw(this, &router::backward);
	}

	tlm_sync_enum forward(tlm_generic_payload &payload, tlm_phase &phase, sc_time &delay)
	{
		if (phase == tlm::BEGIN_REQ)
			payload.set_address(payload.get_address() - 0x80000000u);
		return out->nb_transport_fw(payload, phase, delay);
	}

	tlm_sync_enum backward(tlm_generic_payload &payload, tlm_phase &phase, sc_time &delay)
	{
		return in->nb_transport_bw(payload, phase, delay);
	}
};

START_TEST(test_router_between_our_models)
{
	memory mem;
	initiator from(1);
	sim::initiator_bridge out("out");
	router middle("middle");
	sim::target_bridge in("in", mem.port());
	unsigned char value = 0;

	out.socket.bind(middle.in);
	middle.out.bind(in.socket);
	from.port = out.port();
	mem.delay = SIM_NS(10);
	mem.bytes[6] = 66;
	set_access(from.txns[0], SIM_READ, 0x80000006u, &value, 1);
	from.txns[0].stream_id = 12;
	sim_run(nullptr);
	ck_assert_int_eq(from.txns[0].response, SIM_OK);
	ck_assert_int_eq(value, 66);
	ck_assert_uint_eq(mem.seen[0].addr, 6);
	ck_assert_uint_eq(mem.seen[0].stream_id, 12);
	ck_assert_uint_eq(from.txns[0].addr, 0x80000006u);
}
END_TEST

int main()
{
	Suite *suite = suite_create("tlm_bus");
	TCase *ours = tcase_create("between C models");
	TCase *others = tcase_create("with other modules");
	SRunner *runner;
	int failed;

	tcase_add_test(ours, test_transaction_arrives_with_its_attributes);
	tcase_add_test(ours, test_target_may_complete_within_the_request);
	tcase_add_loop_test(ours, test_error_responses_come_back, 0, 2);
	tcase_add_test(ours, test_compare_and_swap_passes);
	tcase_add_test(ours, test_transactions_overlap_and_complete_in_order);
	tcase_add_test(ours, test_nothing_is_allocated_after_warm_up);
	tcase_add_test(others, test_blocking_target);
	tcase_add_loop_test(others, test_approximately_timed_target, 0,
			    sizeof(at_cases) / sizeof(at_cases[0]));
	tcase_add_test(others, test_blocking_initiator_gets_the_default_attributes);
	tcase_add_loop_test(others, test_long_payload_becomes_transactions_within_pages, 0, 2);
	tcase_add_loop_test(others, test_payload_that_cannot_be_carried_is_refused, 0, 3);
	tcase_add_test(others, test_approximately_timed_initiator);
	tcase_add_test(others, test_router_between_our_models);
	suite_add_tcase(suite, ours);
	suite_add_tcase(suite, others);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy: a closed loop of requests on one or more queues.
 *
 * Each queue keeps `inflight` requests going until its share of `requests` is done. A request's source and destination are
 * either warm (touched and filled by the CPU before, used again and again) or fresh (pages of its own that
 * nobody has touched, so that the device faults them in). With `verify` each result is compared with what it must be,
 * through the page table, at no simulated cost.
 */
#include <asm-generic/unistd.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/config/param.h"
#include "workloads/background.h"
#include "workloads/libwd/umem.h"
#include "workloads/libwd/wd.h"
#include "workloads/workloads.h"

#define PAGE_BYTES	   4096u
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define FILL_DESTINATION   0xa5
#define SEVERAL_QUEUES_POLL_NS                                                                     \
	1000 /* one line can be watched at a time: look at the other queues this often */
#define DESTINATION_LAG                                                                            \
	50 /* a request's source and destination are rarely both fresh: zeros prove little */
#define ARENA_SLACK	 8192u
#define PRIORITY_URGENT	 7u
#define RING_ENTRY_BYTES 80u /* SQE and CQE */

enum copy_operation { OPERATION_COPY, OPERATION_CRC32C };
enum copy_channel { CHANNEL_SHARED, CHANNEL_MMIO };
enum copy_poll { POLL_SPIN, POLL_SLEEP, POLL_IRQ };

struct copy_params {
	uint64_t requests;
	uint64_t bytes;
	uint32_t inflight, queues, threads, processes, batch;
	uint32_t source_fresh_percent, destination_fresh_percent;
	uint32_t operation, poll;
	uint32_t channel;
	uint32_t urgent_queues;
	uint32_t poll_sleep_ns;
	uint32_t load_threads, load_busy_percent, load_period_us;
	bool verify;
};

static struct copy_params params_values;

static const char *const operation_names[] = {"copy", "crc32c", NULL};
static const char *const channel_names[] = {"shared", "mmio", NULL};
static const char *const poll_names[] = {"spin", "sleep", "irq", NULL};

static const struct param_desc params_table[] = {
	{.key = "requests",
	 .type = PARAM_U64,
	 .offset = offsetof(struct copy_params, requests),
	 .def.u = 20000,
	 .min = 1,
	 .max = 1e12,
	 .help = "requests of the whole run, spread over all queues",
	 .origin = "assumed"},
	{.key = "bytes",
	 .type = PARAM_U64,
	 .offset = offsetof(struct copy_params, bytes),
	 .def.u = 8192,
	 .min = 1,
	 .max = 16777216,
	 .help = "length of a request in bytes",
	 .origin = "uadk benchmark: 8 KiB blocks"},
	PARAM_U32_(copy_params, inflight, 64, 1, 65535, "requests in flight per queue", "assumed"),
	PARAM_U32_(copy_params, queues, 1, 1, 1024, "queues per thread", "assumed"),
	PARAM_U32_(copy_params, threads, 1, 1, 1024, "threads per process", "assumed"),
	PARAM_U32_(copy_params, processes, 1, 1, 4096,
		   "processes, each with an address space of its own", "assumed"),
	PARAM_U32_(copy_params, urgent_queues, 0, 0, 1024,
		   "the first queues of each thread, which ring with priority 7, the others with 0 "
		   "(for "
		   "accel.arbitration = priority)",
		   "assumed"),
	PARAM_U32_(copy_params, batch, 1, 1, 65535, "sends per doorbell", "assumed"),
	PARAM_U32_(copy_params, source_fresh_percent, 0, 0, 100,
		   "requests whose source nobody touched before, in percent", "assumed"),
	PARAM_U32_(copy_params, destination_fresh_percent, 0, 0, 100,
		   "requests whose destination nobody touched before, in percent", "assumed"),
	PARAM_ENUM_(copy_params, operation, "copy", operation_names, "what the engine does",
		    "assumed"),
	PARAM_ENUM_(copy_params, poll, "spin", poll_names,
		    "how a thread waits for completions: on the queue's memory, asleep for "
		    "poll_sleep_ns between looks, or in poll(2) for the interrupt",
		    "assumed"),
	PARAM_ENUM_(copy_params, channel, "shared", channel_names,
		    "how SQEs reach the device: in shared memory with a doorbell, or by stores to "
		    "its push "
		    "window (accel.push_entries)",
		    "assumed"),
	PARAM_U32_(copy_params, poll_sleep_ns, 1000, 1, 1000000000,
		   "with poll = sleep: what a thread that finds nothing asks nanosleep(2) for, in "
		   "ns; the "
		   "kernel adds its slack",
		   "Linaro/uadk benchmark: usleep(1)"),
	PARAM_U32_(copy_params, load_threads, 0, 0, 4096,
		   "threads of background load beside the requests", "assumed"),
	PARAM_U32_(copy_params, load_busy_percent, 100, 0, 100,
		   "share of its time that each thread of the load computes, in percent",
		   "assumed"),
	PARAM_U32_(copy_params, load_period_us, 1000, 1, 1000000,
		   "a thread of the load computes for its share of this and sleeps for the rest, "
		   "in us",
		   "assumed"),
	PARAM_BOOL_(copy_params, verify, true, "compare every result", "assumed"),
};

/* One queue's state; lives in the process's memory, worked on in a local copy. */
struct stream {
	uint64_t queue, messages;		  /* struct wd_queue, struct wd_msg[inflight] */
	uint64_t warm_source, warm_destination;	  /* two buffers and one per message */
	uint64_t fresh_source, fresh_destination; /* the next ones */
	uint64_t count, sent, received;
	uint64_t stride;  /* between buffers: whole pages */
	uint64_t waiting; /* uint32_t[inflight]: turns that found the ring full, to be sent later */
	uint32_t waiting_count;
	uint32_t inflight; /* at most; no more than there are requests */
};

/* What the threads of a process share. */
struct team {
	uint32_t running; /* threads that have not finished: a futex */
	uint32_t process;
};

struct member {
	uint64_t team;
	uint32_t thread;
};

/* ---- buffers ------------------------------------------------------------------------------------ */

/* Spreads `percent` of the requests evenly. */
static bool is_fresh(uint64_t sequence, uint64_t percent)
{
	return (sequence + 1) * percent / 100 != sequence * percent / 100;
}

/* At most so many of `count` requests in a row are fresh. */
static uint64_t fresh_count(uint64_t count, uint64_t percent)
{
	return count * percent / 100 + 1;
}

static void fill_page(uint64_t va, uint64_t seed)
{
	uint64_t page[PAGE_BYTES / 8];

	for (unsigned int i = 0; i < PAGE_BYTES / 8; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		page[i] = seed;
	}
	prog_write(va, page, sizeof(page));
}

static void warm_up(const struct stream *stream)
{
	uint8_t page[PAGE_BYTES];

	memset(page, FILL_DESTINATION, sizeof(page));
	for (uint64_t at = 0; at < stream->inflight * stream->stride; at += PAGE_BYTES) {
		fill_page(stream->warm_source + 2 * at, 2 * at + 1);
		fill_page(stream->warm_source + 2 * at + PAGE_BYTES, 2 * at + 2);
		prog_write(stream->warm_destination + at, page, sizeof(page));
	}
}

/* A producer's last touch: this request's number at both ends of its source. */
static void stamp_source(uint64_t source, uint64_t bytes, uint64_t sequence)
{
	if (bytes < 16)
		return;
	prog_store(source, sequence, 8);
	prog_store((source + bytes - 8) & ~7ull, sequence, 8);
}

/* ---- verification ---------------------------------------------------------------------------------- */

static uint32_t crc32c_update(uint32_t crc, const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
	}
	return crc;
}

static bool verify_copy(const struct wd_msg *msg)
{
	uint8_t source[PAGE_BYTES], destination[PAGE_BYTES];

	for (uint64_t at = 0; at < msg->length; at += PAGE_BYTES) {
		size_t bytes = msg->length - at < PAGE_BYTES ? msg->length - at : PAGE_BYTES;

		if (!prog_verify_read(source, msg->source + at, bytes) ||
		    !prog_verify_read(destination, msg->destination + at, bytes) ||
		    memcmp(source, destination, bytes))
			return false;
	}
	return true;
}

static bool verify_crc32c(const struct wd_msg *msg)
{
	uint8_t source[PAGE_BYTES];
	uint32_t crc = ~0u;

	for (uint64_t at = 0; at < msg->length; at += PAGE_BYTES) {
		size_t bytes = msg->length - at < PAGE_BYTES ? msg->length - at : PAGE_BYTES;

		if (!prog_verify_read(source, msg->source + at, bytes))
			return false;
		crc = crc32c_update(crc, source, bytes);
	}
	return msg->result == ~crc;
}

static void check_result(const struct wd_msg *msg, uint64_t number)
{
	if (msg->status != WD_SUCCESS)
		prog_mark_failure("queue %llu, request %llu: status 0x%x at address 0x%llx",
				  (unsigned long long)number, (unsigned long long)msg->cookie,
				  msg->status, (unsigned long long)msg->fault_address);
	else if (prog_param_bool("verify") &&
		 !(msg->op == WD_OP_COPY ? verify_copy(msg) : verify_crc32c(msg)))
		prog_mark_failure("queue %llu, request %llu: the result is wrong",
				  (unsigned long long)number, (unsigned long long)msg->cookie);
}

/* ---- one queue --------------------------------------------------------------------------------------- */

/*
 * A slot's turns alternate between its two warm sources, so that its destination never holds already what the next
 * copy must bring.
 */
static uint64_t choose_source(struct stream *stream, uint32_t turn)
{
	uint64_t source = stream->warm_source + turn * stream->stride;

	if (is_fresh(stream->sent, prog_param_u64("source_fresh_percent"))) {
		source = stream->fresh_source;
		stream->fresh_source += stream->stride;
	} else {
		stamp_source(source, prog_param_u64("bytes"), stream->sent + 1);
	}
	return source;
}

static uint64_t choose_destination(struct stream *stream, uint32_t turn)
{
	uint64_t destination = stream->warm_destination + turn / 2 * stream->stride;

	if (is_fresh(stream->sent + DESTINATION_LAG, prog_param_u64("destination_fresh_percent"))) {
		destination = stream->fresh_destination;
		stream->fresh_destination += stream->stride;
	}
	return destination;
}

/* `turn`: twice the slot, plus which of its two sources. False: not now, or never. */
static bool send_next(struct stream *stream, uint32_t turn)
{
	struct wd_msg *msg = (struct wd_msg *)(uintptr_t)stream->messages + turn / 2;
	struct wd_msg local = {
		.op = prog_param_enum("operation") == OPERATION_COPY ? WD_OP_COPY : WD_OP_CRC32C,
		.length = (uint32_t)prog_param_u64("bytes"),
		.user = turn,
		.cookie = stream->sent,
	};
	const struct stream before = *stream;
	int error;

	local.source = choose_source(stream, turn);
	local.destination = choose_destination(stream, turn);
	wd_msg_write(msg, &local);
	error = wd_send((struct wd_queue *)(uintptr_t)stream->queue, msg);
	if (!error) {
		stream->sent++;
		return true;
	}
	*stream = before; /* fresh buffers are still nobody's */
	if (error == -EBUSY) {
		STORE((uint32_t *)(uintptr_t)stream->waiting + stream->waiting_count++, turn);
		return false;
	}
	prog_mark_failure("request %llu could not be sent: error %d",
			  (unsigned long long)stream->sent, error);
	stream->count = stream->sent;
	return false;
}

/*
 * The ring's next entry may belong to a request that others have overtaken: what waits for it goes
 * first when one has ended.
 */
static void send_waiting(struct stream *stream)
{
	while (stream->waiting_count && stream->sent < stream->count) {
		uint32_t last = --stream->waiting_count;

		if (!send_next(stream, LOAD((uint32_t *)(uintptr_t)stream->waiting + last)))
			return;
	}
}

/* Takes a request that has ended and sends the next one in its place. */
static void take(struct stream *stream, void *req)
{
	struct wd_msg local;

	wd_msg_read(req, &local);
	stream->received++;
	check_result(&local, stream->queue);
	send_waiting(stream);
	if (stream->sent < stream->count)
		send_next(stream, local.user ^ 1);
}

static uint64_t stride_of(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool map_buffers(struct stream *stream)
{
	const uint64_t warm = (stream->inflight + 1) * stream->stride;
	const uint64_t sources = fresh_count(stream->count, prog_param_u64("source_fresh_percent"));
	const uint64_t destinations =
		fresh_count(stream->count, prog_param_u64("destination_fresh_percent"));

	stream->warm_source = umem_map(2 * warm);
	stream->warm_destination = umem_map(warm);
	stream->fresh_source = umem_map(sources * stream->stride);
	stream->fresh_destination = umem_map(destinations * stream->stride);
	return stream->warm_source && stream->warm_destination && stream->fresh_source &&
	       stream->fresh_destination;
}

static bool open_stream(struct stream *stream, struct umem *arena, uint64_t count, bool urgent)
{
	const uint32_t inflight = (uint32_t)smaller(prog_param_u64("inflight"), count);
	struct wd_queue *q = umem_alloc(arena, sizeof(*q), 64);
	int error;

	*stream = (struct stream){
		.queue = PROG_VA(q),
		.messages = PROG_VA(umem_alloc(arena, inflight * sizeof(struct wd_msg), 64)),
		.waiting = PROG_VA(umem_alloc(arena, inflight * sizeof(uint32_t), 64)),
		.count = count,
		.stride = stride_of(prog_param_u64("bytes")),
		.inflight = inflight,
	};
	if (!map_buffers(stream)) {
		prog_mark_failure("no memory for the buffers of a queue");
		return false;
	}
	wd_queue_init(q, operation_names[prog_param_enum("operation")]);
	STORE(&q->batch, prog_param_u64("batch"));
	STORE(&q->priority, urgent ? PRIORITY_URGENT : 0);
	STORE(&q->channel,
	      prog_param_enum("channel") == CHANNEL_MMIO ? WD_CHANNEL_MMIO : WD_CHANNEL_SHARED);
	error = wd_request_queue(q);
	if (error) {
		prog_mark_failure("no queue: error %d", error);
		return false;
	}
	warm_up(stream);
	return true;
}

static void first_sends(struct stream *stream)
{
	for (uint32_t slot = 0; slot < stream->inflight && stream->sent < stream->count; slot++)
		send_next(stream, 2 * slot);
	wd_flush((struct wd_queue *)(uintptr_t)stream->queue);
}

/* ---- a thread's queues --------------------------------------------------------------------------------- */

struct worker {
	struct stream *streams; /* in the process's memory */
	uint64_t sleep_time;	/* struct timespec, likewise */
	uint32_t queues;
	uint32_t poll;
};

static void stream_read(const struct worker *worker, uint32_t i, struct stream *local)
{
	prog_read(local, PROG_VA(&worker->streams[i]), sizeof(*local));
}

static void stream_write(const struct worker *worker, uint32_t i, const struct stream *local)
{
	prog_write(PROG_VA(&worker->streams[i]), local, sizeof(*local));
}

/* What is in flight on the queue will not come back. */
static void give_up(struct stream *stream, int error)
{
	prog_mark_failure("a queue died with requests in flight: error %d", error);
	stream->received = stream->sent;
}

/* Nothing has ended anywhere: waits on one queue. */
static void wait_on(const struct worker *worker, uint32_t i)
{
	struct stream stream;
	void *req;
	int result;

	stream_read(worker, i, &stream);
	if (worker->poll == POLL_SPIN) {
		wd_wait_line((struct wd_queue *)(uintptr_t)stream.queue,
			     worker->queues > 1 ? SEVERAL_QUEUES_POLL_NS : 0);
		return;
	}
	if (worker->poll == POLL_SLEEP) {
		prog_syscall(__NR_nanosleep, worker->sleep_time, 0, 0, 0, 0, 0);
		return;
	}
	result = wd_recv_sync((struct wd_queue *)(uintptr_t)stream.queue, &req);
	if (result == 1)
		take(&stream, req);
	else
		give_up(&stream, result);
	stream_write(worker, i, &stream);
}

/* Receives what there is. False once all queues are done or dead; *idle: a queue that nothing came from, if nothing came at all. */
static bool receive_all(const struct worker *worker, uint32_t *idle)
{
	bool open = false, progress = false;

	for (uint32_t i = 0; i < worker->queues; i++) {
		struct stream stream;
		void *req;
		int result;

		stream_read(worker, i, &stream);
		if (stream.received == stream.sent)
			continue;
		while ((result = wd_recv((struct wd_queue *)(uintptr_t)stream.queue, &req)) == 1) {
			take(&stream, req);
			progress = true;
		}
		if (result < 0)
			give_up(&stream, result);
		stream_write(worker, i, &stream);
		if (stream.received != stream.sent) {
			open = true;
			*idle = i;
		}
	}
	if (progress)
		*idle = UINT32_MAX;
	return open;
}

static uint64_t share(uint64_t index, uint64_t parts)
{
	const uint64_t requests = prog_param_u64("requests");

	return requests / parts + (index < requests % parts);
}

static bool open_all(const struct worker *worker, struct umem *arena, uint64_t worker_index,
		     uint64_t workers)
{
	const uint64_t all_queues = workers * worker->queues;

	for (uint32_t i = 0; i < worker->queues; i++) {
		struct stream stream;
		bool ok = open_stream(&stream, arena,
				      share(worker_index * worker->queues + i, all_queues),
				      i < prog_param_u64("urgent_queues"));

		stream_write(worker, i, &stream);
		if (!ok)
			return false;
	}
	return true;
}

/* nanosleep(2) takes seconds and nanoseconds. */
static uint64_t sleep_time_new(struct umem *arena)
{
	const uint64_t ns = prog_param_u64("poll_sleep_ns");
	uint64_t *time = umem_alloc(arena, 2 * sizeof(*time), 16);

	STORE(&time[0], ns / 1000000000u);
	STORE(&time[1], ns % 1000000000u);
	return PROG_VA(time);
}

static void run_worker(uint64_t worker_index, uint64_t workers)
{
	struct worker worker = {.queues = (uint32_t)prog_param_u64("queues"),
				.poll = prog_param_enum("poll")};
	const uint64_t per_queue =
		sizeof(struct stream) + sizeof(struct wd_queue) + 128 +
		prog_param_u64("inflight") * (sizeof(struct wd_msg) + sizeof(uint32_t)) +
		ARENA_SLACK;
	struct umem *arena = umem_new(worker.queues * per_queue + ARENA_SLACK);
	uint32_t idle = UINT32_MAX;

	if (!arena) {
		prog_mark_failure("no memory for a thread's queues");
		return;
	}
	worker.streams = umem_alloc(arena, worker.queues * sizeof(struct stream), 64);
	worker.sleep_time = sleep_time_new(arena);
	if (!open_all(&worker, arena, worker_index, workers))
		return;
	for (uint32_t i = 0; i < worker.queues; i++) {
		struct stream stream;

		stream_read(&worker, i, &stream);
		first_sends(&stream);
		stream_write(&worker, i, &stream);
	}
	while (receive_all(&worker, &idle))
		if (idle != UINT32_MAX)
			wait_on(&worker, idle);
	for (uint32_t i = 0; i < worker.queues; i++) {
		struct stream stream;

		stream_read(&worker, i, &stream);
		wd_release_queue((struct wd_queue *)(uintptr_t)stream.queue);
	}
	umem_free(arena);
}

/* ---- threads and processes -------------------------------------------------------------------------------- */

static void member_main(void *arg)
{
	const struct member *member = arg;
	struct team *team = (struct team *)(uintptr_t)LOAD(&member->team);
	const uint64_t threads = prog_param_u64("threads");

	run_worker(LOAD(&team->process) * threads + LOAD(&member->thread),
		   threads * prog_param_u64("processes"));
	prog_fetch_add(PROG_VA(&team->running), (uint64_t)-1, 4);
	prog_syscall(__NR_futex, PROG_VA(&team->running), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static void process_main(void *arg)
{
	const uint32_t threads = (uint32_t)prog_param_u64("threads");
	const size_t bytes = sizeof(struct team) + threads * sizeof(struct member) + 64;
	const uint64_t memory = umem_map(bytes);
	struct team *team = (struct team *)(uintptr_t)memory;
	struct member *members = (struct member *)(uintptr_t)(memory + 64);
	uint32_t running;

	if (!memory) {
		prog_mark_failure("no memory for a process's threads");
		return;
	}
	STORE(&team->running, threads);
	STORE(&team->process, (uintptr_t)arg);
	for (uint32_t i = 0; i < threads; i++) {
		STORE(&members[i].team, memory);
		STORE(&members[i].thread, i);
		if (i && prog_thread(member_main, &members[i]) < 0) {
			prog_mark_failure("thread %u could not be made", i);
			prog_fetch_add(PROG_VA(&team->running), (uint64_t)-1, 4);
		}
	}
	member_main(&members[0]);
	while ((running = LOAD(&team->running)))
		prog_syscall(__NR_futex, PROG_VA(&team->running), FUTEX_WAIT_PRIVATE, running, 0, 0,
			     0);
	umem_unmap(memory, bytes);
}

static void run_processes(uint64_t processes)
{
	uint64_t status_at;

	if (processes == 1) {
		process_main(NULL);
		return;
	}
	for (uint64_t i = 0; i < processes; i++)
		if (prog_fork(process_main, (void *)(uintptr_t)i) < 0)
			prog_mark_failure("process %llu could not be made", (unsigned long long)i);
	status_at = umem_map(sizeof(int));
	while (prog_syscall(__NR_wait4, (uint64_t)-1, status_at, 0, 0, 0, 0) > 0)
		if (LOAD((int *)(uintptr_t)status_at))
			prog_mark_failure("a process ended with wait status 0x%x",
					  (unsigned int)LOAD((int *)(uintptr_t)status_at));
}

static void copy_main(void *arg)
{
	const struct background_params load = {
		.threads = (uint32_t)prog_param_u64("load_threads"),
		.busy_percent = (uint32_t)prog_param_u64("load_busy_percent"),
		.period_us = (uint32_t)prog_param_u64("load_period_us"),
	};
	uint64_t background;

	(void)arg;
	prog_mark_expected(prog_param_u64("requests"));
	background = background_start(&load);
	run_processes(prog_param_u64("processes"));
	background_stop(background);
}

/* ---- before the run ------------------------------------------------------------------------------------------ */

static int refuse(char *error, size_t size, const char *key, uint64_t value, const char *why,
		  const char *allowed, uint64_t limit)
{
	snprintf(error, size, "workload.%s: %llu: %s (allowed: %s %llu)", key,
		 (unsigned long long)value, why, allowed, (unsigned long long)limit);
	return -1;
}

/* Bytes of RAM that buffers and rings come to need, near enough; as a double, since it may be any number. */
static double memory_needed(const struct workload_machine *machine, uint64_t queues)
{
	const struct copy_params *p = &params_values;
	const double ring = machine->queue_depth * (double)RING_ENTRY_BYTES;
	const double warm = 3.0 * (double)smaller(p->inflight, p->requests / queues + 1);
	const double fresh = (double)p->requests / 100 *
			     (p->source_fresh_percent + p->destination_fresh_percent);

	return ((double)queues * warm + fresh) * (double)stride_of(p->bytes) +
	       (double)queues * ring;
}

static int copy_check(const struct workload_machine *machine, char *error, size_t size)
{
	const struct copy_params *p = &params_values;
	const uint64_t queues = (uint64_t)p->queues * p->threads * p->processes;
	const uint64_t queues_there = (uint64_t)machine->queues * machine->accelerators;
	const uint64_t room = machine->ram_bytes / 8 * 7;

	if (p->inflight >= machine->queue_depth)
		return refuse(error, size, "inflight", p->inflight,
			      "one entry of a queue's ring stays free", "1 to",
			      machine->queue_depth - 1);
	if (p->channel == CHANNEL_MMIO && p->inflight > machine->push_entries)
		return refuse(error, size, "inflight", p->inflight,
			      "more than an accel.version v3 keeps of what is pushed to it",
			      "1 to accel.push_entries, which is", machine->push_entries);
	if (p->bytes > machine->request_bytes)
		return refuse(error, size, "bytes", p->bytes, "longer than accel.length_max_bytes",
			      "1 to", machine->request_bytes);
	if (queues > queues_there)
		return refuse(error, size, "queues", p->queues,
			      "times threads times processes are more than there are",
			      "in all 1 to", queues_there);
	if (memory_needed(machine, queues) > (double)room)
		return refuse(error, size, "requests", p->requests,
			      "the buffers do not fit into machine.ram_bytes", "in all bytes up to",
			      room);
	return 0;
}

const struct workload workload_copy = {
	.name = "copy",
	.help = "closed loop of copies (or CRC-32C) over queues, threads and processes; warm or "
		"first-touch buffers",
	.main = copy_main,
	.params = params_table,
	.param_count = sizeof(params_table) / sizeof(params_table[0]),
	.values = &params_values,
	.check = copy_check,
};

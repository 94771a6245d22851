/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger of requests and I/O page faults.
 *
 * A request is a slot of its queue's array, found by the index of its SQE; a fault is a pooled
 * record, found by (StreamID, STAG) through a hash. Both are spans (span.h). What a life counts for
 * is recorded when it ends, so that every sum is over the same set of lives.
 */
#include "sim/stats/life.h"

#include "sim/stats/alloc.h"
#include "sim/stats/keymap.h"
#include "sim/stats/span.h"

const char *const request_stage_names[REQUEST_STAGE_COUNT] = {
	[REQUEST_SEND] = "send",	 [REQUEST_SUBMITTED] = "submitted",
	[REQUEST_DOORBELL] = "doorbell", [REQUEST_FETCH] = "fetch",
	[REQUEST_FETCHED] = "fetched",	 [REQUEST_ENGINE] = "engine",
	[REQUEST_EXECUTED] = "executed", [REQUEST_COMPLETED] = "completed",
	[REQUEST_RECEIVED] = "received",
};

const char *const fault_stage_names[FAULT_STAGE_COUNT] = {
	[FAULT_DETECTED] = "detected", [FAULT_RECORDED] = "recorded",	[FAULT_DRIVER] = "driver",
	[FAULT_REPORTED] = "reported", [FAULT_WORKER] = "worker",	[FAULT_MM] = "mm",
	[FAULT_MM_DONE] = "mm_done",   [FAULT_RESPONDED] = "responded", [FAULT_RESUMED] = "resumed",
	[FAULT_RETRIED] = "retried",
};

_Static_assert(FAULT_STAGE_COUNT <= SPAN_STAGES_MAX && REQUEST_STAGE_COUNT <= SPAN_STAGES_MAX,
	       "a span has room for every stage");

/* Order of the ledger's tracks among their siblings. */
enum { RANK_QUEUES = 0, RANK_DEVICE_FAULTS = 1, RANK_FAULTS_OPEN = 900, RANK_OTHER_FAULTS = 901 };

enum request_state { REQUEST_NONE, REQUEST_OPEN, REQUEST_ABANDONED };

struct request {
	struct span span;
	struct waits waits; /* from DOORBELL to COMPLETED */
	enum request_state state;
};

struct queue {
	struct request *requests; /* by index of the SQE */
	unsigned int depth;
	bool open;
	unsigned int in_flight;
	char name[24];
	struct lanes lanes;
	trace_track occupancy;
};

struct device {
	struct queue **queues; /* NULL until first opened */
	unsigned int queue_count;
	trace_track track, queues_track;
};

struct fault {
	struct span span;
	uint32_t stream; /* index into streams */
};

struct stream {
	char name[32];
	struct lanes lanes;
};

struct life {
	trace_track root, faults_open;
	struct device *devices;
	unsigned int device_count;
	struct keymap fault_map, stream_map;
	struct fault *faults;
	struct stream **streams;
	uint32_t fault_capacity, stream_capacity;

	/* metrics */
	struct span_kind request, fault;
	struct histogram doorbell;
	uint64_t completed, errors, abandoned, bytes;
	sim_time first_send, last_received; /* of requests that ended */
	uint64_t doorbells;
	uint64_t stall_events, handled, aborted;
	uint64_t misplaced;
	uint64_t open_requests;

	struct {
		trace_name index, bytes, latency_ps, status;
		trace_name va, pasid, stag, stream_id, access;
	} keys;
};

/* ---- metrics ------------------------------------------------------------------------------ */

static double bytes_per_second(const void *arg)
{
	const struct life *life = arg;

	if (life->last_received <= life->first_send)
		return 0.0;
	return (double)life->bytes / ((double)(life->last_received - life->first_send) * 1e-12);
}

/* The parts of a span's time: `total` apart, one entry per stage after the first. */
static void register_stages(struct stats *stats, const struct span_kind *kind, const char *prefix,
			    const char *help)
{
	char name[96];

	for (unsigned int i = 1; i < kind->stages; i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, kind->stage_names[i]);
		stats_histogram(stats, name, &kind->stage[i], help);
		snprintf(name, sizeof(name), "%s.%s.sum_ps", prefix, kind->stage_names[i]);
		stats_counter(stats, name, &kind->stage[i].sum, "ps", help);
	}
}

static void register_requests(struct life *life, struct stats *stats)
{
	stats_counter(stats, "requests.completed", &life->completed, "1",
		      "requests received without an error");
	stats_counter(stats, "requests.errors", &life->errors, "1",
		      "requests received with an error");
	stats_counter(stats, "requests.abandoned", &life->abandoned, "1",
		      "requests sent whose queue was closed before they were received");
	stats_counter(stats, "requests.bytes", &life->bytes, "bytes", "payload of ended requests");
	stats_computed(stats, "throughput.bytes_per_s", bytes_per_second, life, "bytes/s",
		       "requests.bytes over the time from the first send to the last receive");
	stats_histogram(stats, "latency_ns", &life->request.total, "from send to receive");
	stats_counter(stats, "latency.sum_ps", &life->request.total.sum, "ps",
		      "sum of all latencies");
	stats_counter(stats, "doorbell.count", &life->doorbells, "1",
		      "ended requests whose doorbell reached the queue manager");
	stats_histogram(stats, "doorbell.latency_ns", &life->doorbell,
			"from the doorbell store to the queue manager");
	register_stages(stats, &life->request, "request_stage_ns",
			"part of the requests' latency: from the stage before to this one");
}

static void register_faults(struct life *life, struct stats *stats)
{
	stats_counter(stats, "faults.stall_events", &life->stall_events, "1",
		      "transactions stalled by a translation fault");
	stats_counter(stats, "faults.handled", &life->handled, "1",
		      "stalled transactions retried with success");
	stats_counter(stats, "faults.aborted", &life->aborted, "1",
		      "stalled transactions aborted or terminated");
	stats_histogram(stats, "fault_ns.total", &life->fault.total,
			"from the stall to the transaction's retry or end");
	stats_counter(stats, "fault_ns.total.sum_ps", &life->fault.total.sum, "ps",
		      "sum over all faults");
	register_stages(stats, &life->fault, "fault_ns",
			"part of the faults' time: from the stage before to this one");
	stats_counter(stats, "life.misplaced_stamps", &life->misplaced, "1",
		      "stamps out of order or for nothing that is open; 0 in a correct run");
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void intern_keys(struct life *life)
{
	life->keys.index = trace_intern("index");
	life->keys.bytes = trace_intern("bytes");
	life->keys.latency_ps = trace_intern("latency_ps");
	life->keys.status = trace_intern("status");
	life->keys.va = trace_intern("va");
	life->keys.pasid = trace_intern("pasid");
	life->keys.stag = trace_intern("stag");
	life->keys.stream_id = trace_intern("stream_id");
	life->keys.access = trace_intern("access");
}

struct life *life_new(struct stats *stats, trace_track root)
{
	struct life *life = must_calloc(1, sizeof(*life));

	life->root = root;
	life->first_send = SIM_TIME_NEVER;
	keymap_init(&life->fault_map);
	keymap_init(&life->stream_map);
	intern_keys(life);
	span_kind_init(&life->request, "request", request_stage_names, REQUEST_STAGE_COUNT,
		       TRACE_REQUEST);
	life->request.flow_from = REQUEST_SUBMITTED;
	life->request.flow_step = REQUEST_ENGINE;
	life->request.flow_to = REQUEST_EXECUTED;
	span_kind_init(&life->fault, "fault", fault_stage_names, FAULT_STAGE_COUNT, TRACE_FAULT);
	life->fault.flow_from = FAULT_DETECTED;
	life->fault.flow_step = FAULT_WORKER;
	life->fault.flow_to = FAULT_RESUMED;
	life->faults_open =
		trace_counter_add(root, "faults in progress", "count", RANK_FAULTS_OPEN);
	register_requests(life, stats);
	register_faults(life, stats);
	return life;
}

static void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	lanes_release(&queue->lanes);
	free(queue->requests);
	free(queue);
}

void life_free(struct life *life)
{
	if (!life)
		return;
	for (unsigned int d = 0; d < life->device_count; d++) {
		for (unsigned int q = 0; q < life->devices[d].queue_count; q++)
			queue_free(life->devices[d].queues[q]);
		free(life->devices[d].queues);
	}
	for (uint32_t i = 0; i < life->stream_map.used; i++) {
		lanes_release(&life->streams[i]->lanes);
		free(life->streams[i]);
	}
	free(life->devices);
	free(life->streams);
	free(life->faults);
	keymap_release(&life->fault_map);
	keymap_release(&life->stream_map);
	free(life);
}

unsigned int life_device_add(struct life *life, const char *name, unsigned int queues,
			     trace_track track)
{
	struct device *device;

	(void)name; /* the track has it */
	if (!life)
		return 0;
	life->devices = must_realloc(life->devices, life->device_count + 1, sizeof(*life->devices));
	device = &life->devices[life->device_count];
	*device = (struct device){
		.queues = must_calloc(queues, sizeof(*device->queues)),
		.queue_count = queues,
		.track = track,
		.queues_track = trace_track_add(track, "queues", RANK_QUEUES),
	};
	return life->device_count++;
}

/* ---- queues ------------------------------------------------------------------------------- */

static struct queue *find_queue(const struct life *life, unsigned int device, unsigned int queue)
{
	if (device >= life->device_count || queue >= life->devices[device].queue_count)
		return NULL;
	return life->devices[device].queues[queue];
}

static struct queue *queue_new(const struct device *device, unsigned int number)
{
	struct queue *queue = must_calloc(1, sizeof(*queue));
	int rank = 2 * (int)number;
	char counter[48];

	snprintf(queue->name, sizeof(queue->name), "queue %u", number);
	snprintf(counter, sizeof(counter), "queue %u in flight", number);
	lanes_init(&queue->lanes, device->queues_track, queue->name, rank);
	queue->occupancy = trace_counter_add(device->queues_track, counter, "count", rank + 1);
	return queue;
}

static void request_abandon(struct life *life, struct queue *queue, struct request *request,
			    sim_time at)
{
	struct trace_arg status = {
		.key = life->keys.status, .type = TRACE_ARG_STRING, .s = "abandoned"};
	struct trace_extra extra = {.args = &status, .arg_count = 1};

	if (at < span_last_time(&request->span))
		at = span_last_time(&request->span);
	span_drop(&request->span, &life->request, &queue->lanes, at, &extra);
	trace_count_add(queue->occupancy, at, -1);
	request->state = REQUEST_ABANDONED;
	queue->in_flight--;
	life->open_requests--;
	life->abandoned++;
}

static void queue_abandon_all(struct life *life, struct queue *queue, sim_time at)
{
	for (unsigned int i = 0; queue->in_flight && i < queue->depth; i++) {
		if (queue->requests[i].state == REQUEST_OPEN)
			request_abandon(life, queue, &queue->requests[i], at);
	}
}

void life_queue_open(struct life *life, unsigned int device, unsigned int queue_number,
		     unsigned int depth)
{
	struct queue **slot, *queue;

	if (!life || device >= life->device_count ||
	    queue_number >= life->devices[device].queue_count)
		return;
	slot = &life->devices[device].queues[queue_number];
	if (!*slot)
		*slot = queue_new(&life->devices[device], queue_number);
	queue = *slot;
	queue_abandon_all(life, queue, sim_now());
	if (depth != queue->depth) {
		free(queue->requests);
		queue->requests = must_calloc(depth, sizeof(*queue->requests));
		queue->depth = depth;
	} else {
		for (unsigned int i = 0; i < depth; i++)
			queue->requests[i].state = REQUEST_NONE;
	}
	queue->open = true;
}

void life_queue_close(struct life *life, unsigned int device, unsigned int queue_number,
		      sim_time at)
{
	struct queue *queue = life ? find_queue(life, device, queue_number) : NULL;

	if (!queue)
		return;
	queue_abandon_all(life, queue, at);
	queue->open = false;
}

/* ---- requests ----------------------------------------------------------------------------- */

static struct request *find_request(const struct queue *queue, unsigned int index)
{
	return queue && index < queue->depth ? &queue->requests[index] : NULL;
}

void life_request_send(struct life *life, unsigned int device, unsigned int queue_number,
		       unsigned int index, sim_time at)
{
	struct queue *queue;
	struct request *request;
	struct trace_arg arg;

	if (!life)
		return;
	queue = find_queue(life, device, queue_number);
	request = find_request(queue, index);
	if (!request || !queue->open) {
		life->misplaced++;
		return;
	}
	if (request->state ==
	    REQUEST_OPEN) { /* its slot is used again, though it was never received */
		life->misplaced++;
		request_abandon(life, queue, request, at);
	}
	arg = (struct trace_arg){.key = life->keys.index, .type = TRACE_ARG_U64, .u = index};
	request->state = REQUEST_OPEN;
	span_begin(&request->span, &life->request, &queue->lanes, at,
		   &(struct trace_extra){.args = &arg, .arg_count = 1});
	trace_count_add(queue->occupancy, at, 1);
	queue->in_flight++;
	life->open_requests++;
}

/* The open request that a stamp is for; NULL if there is none, which is counted unless it was
 * abandoned. */
static struct request *open_request(struct life *life, struct queue *queue, unsigned int index)
{
	struct request *request = find_request(queue, index);

	if (request && request->state == REQUEST_OPEN)
		return request;
	if (!request || request->state == REQUEST_NONE)
		life->misplaced++;
	return NULL;
}

void life_request_stamp(struct life *life, unsigned int device, unsigned int queue_number,
			unsigned int index, enum request_stage stage, sim_time at)
{
	struct queue *queue;
	struct request *request;

	if (!life)
		return;
	queue = find_queue(life, device, queue_number);
	request = open_request(life, queue, index);
	if (request && !span_stamp(&request->span, &life->request, &queue->lanes, stage, at))
		life->misplaced++;
}

void life_request_waits(struct life *life, unsigned int device, unsigned int queue_number,
			unsigned int index, const struct waits *waits)
{
	struct request *request;

	if (!life)
		return;
	request = find_request(find_queue(life, device, queue_number), index);
	if (request && request->state == REQUEST_OPEN)
		request->waits = *waits;
}

static void request_count(struct life *life, const struct span *span, uint64_t bytes, bool ok)
{
	life->bytes += bytes;
	if (ok)
		life->completed++;
	else
		life->errors++;
	if (span->stamps[REQUEST_SEND] < life->first_send)
		life->first_send = span->stamps[REQUEST_SEND];
	if (span_last_time(span) > life->last_received)
		life->last_received = span_last_time(span);
	if (!span_has(span, REQUEST_DOORBELL))
		return;
	life->doorbells++;
	if (span_has(span, REQUEST_SUBMITTED))
		histogram_record(&life->doorbell,
				 span->stamps[REQUEST_DOORBELL] - span->stamps[REQUEST_SUBMITTED]);
}

void life_request_received(struct life *life, unsigned int device, unsigned int queue_number,
			   unsigned int index, sim_time at, uint64_t bytes, bool ok)
{
	struct queue *queue;
	struct request *request;

	if (!life)
		return;
	queue = find_queue(life, device, queue_number);
	request = open_request(life, queue, index);
	if (!request)
		return;
	if (at < span_last_time(&request->span)) {
		life->misplaced++;
		at = span_last_time(&request->span);
	}
	const struct trace_arg args[] = {
		{.key = life->keys.bytes, .type = TRACE_ARG_U64, .u = bytes},
		{.key = life->keys.latency_ps,
		 .type = TRACE_ARG_U64,
		 .u = at - request->span.stamps[REQUEST_SEND]},
		{.key = life->keys.status, .type = TRACE_ARG_STRING, .s = ok ? "ok" : "error"},
	};
	span_end(&request->span, &life->request, &queue->lanes, at,
		 &(struct trace_extra){.args = args, .arg_count = 3});
	trace_count_add(queue->occupancy, at, -1);
	request_count(life, &request->span, bytes, ok);
	request->state = REQUEST_NONE;
	queue->in_flight--;
	life->open_requests--;
}

uint64_t life_request_flow(const struct life *life, unsigned int device, unsigned int queue_number,
			   unsigned int index)
{
	const struct request *request;

	if (!life)
		return 0;
	request = find_request(find_queue(life, device, queue_number), index);
	return request && request->state == REQUEST_OPEN ? request->span.flow : 0;
}

/* ---- faults ------------------------------------------------------------------------------- */

static uint32_t stream_add(struct life *life, uint32_t stream_id, trace_track parent, int rank,
			   bool own_device)
{
	uint32_t i = keymap_add(&life->stream_map, stream_id);
	struct stream *stream = must_calloc(1, sizeof(*stream));

	if (life->stream_map.capacity > life->stream_capacity) {
		life->stream_capacity = life->stream_map.capacity;
		life->streams =
			must_realloc(life->streams, life->stream_capacity, sizeof(struct stream *));
	}
	if (own_device)
		snprintf(stream->name, sizeof(stream->name), "faults");
	else
		snprintf(stream->name, sizeof(stream->name), "faults of stream %u", stream_id);
	lanes_init(&stream->lanes, parent, stream->name, rank);
	life->streams[i] = stream;
	return i;
}

void life_device_stream(struct life *life, unsigned int device, uint32_t stream_id)
{
	if (!life || device >= life->device_count ||
	    keymap_find(&life->stream_map, stream_id) != KEYMAP_NONE)
		return;
	stream_add(life, stream_id, life->devices[device].track, RANK_DEVICE_FAULTS, true);
}

static uint64_t fault_key(uint32_t stream_id, uint32_t stag)
{
	return (uint64_t)stream_id << 32 | stag;
}

static struct fault *find_fault(const struct life *life, uint64_t key)
{
	uint32_t i = keymap_find(&life->fault_map, key);

	return i == KEYMAP_NONE ? NULL : &life->faults[i];
}

static struct fault *fault_new(struct life *life, uint32_t stream_id, uint32_t stag)
{
	uint32_t i = keymap_add(&life->fault_map, fault_key(stream_id, stag));
	uint32_t stream = keymap_find(&life->stream_map, stream_id);

	if (life->fault_map.capacity > life->fault_capacity) {
		life->fault_capacity = life->fault_map.capacity;
		life->faults =
			must_realloc(life->faults, life->fault_capacity, sizeof(*life->faults));
	}
	if (stream == KEYMAP_NONE)
		stream = stream_add(life, stream_id, life->root, RANK_OTHER_FAULTS, false);
	life->faults[i].stream = stream;
	return &life->faults[i];
}

static struct lanes *fault_lanes(const struct life *life, const struct fault *fault)
{
	return &life->streams[fault->stream]->lanes;
}

/* The STAG is used again, though its fault has not ended: the old one is forgotten. */
static void fault_drop(struct life *life, struct fault *fault, uint64_t key, sim_time at)
{
	if (at < span_last_time(&fault->span))
		at = span_last_time(&fault->span);
	span_drop(&fault->span, &life->fault, fault_lanes(life, fault), at, NULL);
	trace_count_add(life->faults_open, at, -1);
	keymap_remove(&life->fault_map, key);
	life->misplaced++;
}

void life_fault_begin(struct life *life, const struct fault_info *info, sim_time at)
{
	struct fault *fault;
	uint64_t key;

	if (!life)
		return;
	const struct trace_arg args[] = {
		{.key = life->keys.va, .type = TRACE_ARG_POINTER, .u = info->va},
		{.key = life->keys.pasid, .type = TRACE_ARG_U64, .u = info->pasid},
		{.key = life->keys.stag, .type = TRACE_ARG_U64, .u = info->stag},
		{.key = life->keys.stream_id, .type = TRACE_ARG_U64, .u = info->stream_id},
		{.key = life->keys.access,
		 .type = TRACE_ARG_STRING,
		 .s = info->write ? "write" : "read"},
	};
	key = fault_key(info->stream_id, info->stag);
	fault = find_fault(life, key);
	if (fault)
		fault_drop(life, fault, key, at);
	fault = fault_new(life, info->stream_id, info->stag);
	life->stall_events++;
	span_begin(&fault->span, &life->fault, fault_lanes(life, fault), at,
		   &(struct trace_extra){.args = args, .arg_count = 5});
	trace_count_add(life->faults_open, at, 1);
}

void life_fault_stamp(struct life *life, uint32_t stream_id, uint32_t stag, enum fault_stage stage,
		      sim_time at)
{
	struct fault *fault;

	if (!life)
		return;
	fault = find_fault(life, fault_key(stream_id, stag));
	if (!fault || !span_stamp(&fault->span, &life->fault, fault_lanes(life, fault), stage, at))
		life->misplaced++;
}

void life_fault_end(struct life *life, uint32_t stream_id, uint32_t stag, sim_time at, bool handled)
{
	uint64_t key = fault_key(stream_id, stag);
	struct fault *fault;

	if (!life)
		return;
	fault = find_fault(life, key);
	if (!fault) {
		life->misplaced++;
		return;
	}
	if (at < span_last_time(&fault->span)) {
		life->misplaced++;
		at = span_last_time(&fault->span);
	}
	const struct trace_arg args[] = {
		{.key = life->keys.latency_ps,
		 .type = TRACE_ARG_U64,
		 .u = at - fault->span.stamps[FAULT_DETECTED]},
		{.key = life->keys.status,
		 .type = TRACE_ARG_STRING,
		 .s = handled ? "handled" : "aborted"},
	};
	span_end(&fault->span, &life->fault, fault_lanes(life, fault), at,
		 &(struct trace_extra){.args = args, .arg_count = 2});
	trace_count_add(life->faults_open, at, -1);
	if (handled)
		life->handled++;
	else
		life->aborted++;
	keymap_remove(&life->fault_map, key);
}

uint64_t life_fault_flow(const struct life *life, uint32_t stream_id, uint32_t stag)
{
	const struct fault *fault;

	if (!life)
		return 0;
	fault = find_fault(life, fault_key(stream_id, stag));
	return fault ? fault->span.flow : 0;
}

struct life_open life_get_open(const struct life *life)
{
	if (!life)
		return (struct life_open){0, 0};
	return (struct life_open){.requests = life->open_requests, .faults = life->fault_map.count};
}

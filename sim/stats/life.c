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
#include "sim/stats/attribution.h"
#include "sim/stats/keymap.h"
#include "sim/stats/resource.h"
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
	enum request_state state;
	bool sent_in_window; /* after the warm-up */
	bool has_waits;
	struct waits waits; /* the accelerator's part */
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

const char *const fault_part_names[FAULT_PART_COUNT] = {
	"prepare", "mmap_lock", "injected", "walk", "alloc", "zero", "copy", "pte", "other",
};

struct fault {
	uint64_t parts[FAULT_PART_COUNT]; /* ps */
	struct span span;
	bool at_driver;	 /* recorded, not yet handed on */
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
	struct resource driver; /* the thread that takes events one after another */
	struct histogram fault_part[FAULT_PART_COUNT]; /* of those that have one */
	uint64_t fault_part_sum[FAULT_PART_COUNT];     /* ps */
	struct histogram doorbell;
	struct measure measure;
	struct attribution attribution;
	uint64_t completed, errors, bytes;
	uint64_t left_out;
	uint64_t doorbells;
	uint64_t waits_missing, waits_mismatches;
	uint64_t stall_events, handled, aborted;
	uint64_t misplaced;
	uint64_t open_requests;

	void (*on_window)(void *arg, enum life_window_edge edge);
	void *on_window_arg;

	struct {
		trace_name index, bytes, latency_ps, status, waited_for, warm_up;
		trace_name va, pasid, stag, stream_id, access;
	} keys;
};

/* ---- metrics ------------------------------------------------------------------------------ */

/* Of the window, in seconds; 0 if it is empty. */
static double window_seconds(const struct measure *m)
{
	return m->open && m->last_received > m->from ? (double)(m->last_received - m->from) * 1e-12
						     : 0;
}

static double bytes_per_second(const void *arg)
{
	const struct measure *m = &((const struct life *)arg)->measure;
	const double seconds = window_seconds(m);

	return seconds > 0 ? (double)m->bytes / seconds : 0;
}

static double window_requests_per_second(const void *arg)
{
	const struct measure *m = &((const struct life *)arg)->measure;
	const double seconds = window_seconds(m);

	return seconds > 0 ? (double)m->requests / seconds : 0;
}

static double throughput_ci(const void *arg)
{
	return measure_throughput_ci(&((const struct life *)arg)->measure);
}

static double latency_ci_ns(const void *arg)
{
	return measure_latency_ci(&((const struct life *)arg)->measure) / 1000.0;
}

static uint64_t batches(const void *arg)
{
	return measure_batches(&((const struct life *)arg)->measure);
}

static double in_flight_mean(const void *arg)
{
	return measure_in_flight_mean(&((const struct life *)arg)->measure);
}

static double requests_per_second(const void *arg)
{
	const struct measure *m = &((const struct life *)arg)->measure;

	return m->last_received > m->first_send
		       ? (double)m->received / ((double)(m->last_received - m->first_send) * 1e-12)
		       : 0;
}

static uint64_t requests_wanted(const void *arg)
{
	return measure_requests_wanted(&((const struct life *)arg)->measure);
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
		stats_counter(stats, name, &kind->stage_sum[i], "ps", help);
	}
}

static void register_requests(struct life *life, struct stats *stats)
{
	struct measure *m = &life->measure;

	stats_counter(stats, "requests.sent", &m->sent, "1", "requests that programs sent");
	stats_counter(stats, "requests.completed", &life->completed, "1",
		      "requests received without an error");
	stats_counter(stats, "requests.errors", &life->errors, "1",
		      "requests received with an error");
	stats_counter(stats, "requests.abandoned", &m->abandoned, "1",
		      "requests sent whose queue was closed before they were received");
	stats_counter(stats, "requests.bytes", &life->bytes, "bytes", "payload of ended requests");
	stats_counter(stats, "requests.warm_up", &life->left_out, "1",
		      "received requests left out of distributions: sent before the warm-up ended");
	stats_computed_u64(stats, "requests.wanted", requests_wanted, life, "1",
			   "requests that figures to rely on take: max(2000, 20 x in flight)");
	stats_computed(stats, "requests.per_s", requests_per_second, life, "1/s",
		       "received requests over the time from the first send to the last receive");
	stats_computed(stats, "requests.in_flight_mean", in_flight_mean, life, "1",
		       "time average from the first send to the last receive");
	stats_counter(stats, "requests.in_flight_max", &m->in_flight_max, "1",
		      "most that were in flight at once");
	stats_computed(stats, "throughput.bytes_per_s", bytes_per_second, life, "bytes/s",
		       "bytes received in the measured window over its length");
	stats_computed(stats, "throughput.requests_per_s", window_requests_per_second, life, "1/s",
		       "requests received in the measured window over its length");
	stats_counter(stats, "throughput.requests", &m->requests, "1",
		      "requests received in the measured window");
	stats_computed(stats, "throughput.ci95_bytes_per_s", throughput_ci, life, "bytes/s",
		       "half width of the 95 % confidence interval, by batch means");
	stats_histogram(stats, "latency_ns", &life->request.total,
			"from send to receive, of measured requests");
	stats_counter(stats, "latency.sum_ps", &life->request.total_sum, "ps",
		      "sum of all latencies");
	stats_counter(stats, "latency.count", &m->received, "1", "requests in latency.sum_ps");
	stats_computed(stats, "latency.ci95_ns", latency_ci_ns, life, "ns",
		       "half width of the mean's 95 % confidence interval, by batch means");
	stats_computed_u64(stats, "latency.batches", batches, life, "1",
			   "batches behind the confidence intervals");
	stats_counter(stats, "doorbell.count", &life->doorbells, "1",
		      "ended requests whose doorbell reached the queue manager");
	stats_histogram(stats, "doorbell.latency_ns", &life->doorbell,
			"from the doorbell store to the queue manager");
	register_stages(stats, &life->request, "request_stage_ns",
			"part of the requests' latency: from the stage before to this one");
	attribution_register(&life->attribution, stats, &life->request.total);
}

static void register_fault_parts(struct life *life, struct stats *stats)
{
	char name[64];

	for (unsigned int i = 0; i < FAULT_PART_COUNT; i++) {
		snprintf(name, sizeof(name), "fault_parts.%s", fault_part_names[i]);
		stats_histogram(stats, name, &life->fault_part[i],
				"part of a fault handler's time, up to handle_mm_fault()'s end");
		snprintf(name, sizeof(name), "fault_parts.%s.sum_ps", fault_part_names[i]);
		stats_counter(stats, name, &life->fault_part_sum[i], "ps", "sum over all faults");
	}
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
	stats_counter(stats, "fault_ns.total.sum_ps", &life->fault.total_sum, "ps",
		      "sum over all faults");
	register_stages(stats, &life->fault, "fault_ns",
			"part of the faults' time: from the stage before to this one");
	register_fault_parts(life, stats);
	resource_init(&life->driver, 1);
	resource_register(
		stats, "faults.driver", &life->driver,
		"the driver's thread for I/O page faults, and the way of the interrupt to it");
	stats_counter(stats, "life.misplaced_stamps", &life->misplaced, "1",
		      "stamps out of order or for nothing that is open; 0 in a correct run");
	stats_counter(stats, "life.waits_missing", &life->waits_missing, "1",
		      "requests whose waits are told from their stages");
	stats_counter(stats, "life.waits_mismatches", &life->waits_mismatches, "1",
		      "requests whose waits do not sum to the latency; 0 in a correct run");
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void intern_keys(struct life *life)
{
	life->keys.index = trace_intern("index");
	life->keys.bytes = trace_intern("bytes");
	life->keys.latency_ps = trace_intern("latency_ps");
	life->keys.status = trace_intern("status");
	life->keys.waited_for = trace_intern("waited_for");
	life->keys.warm_up = trace_intern("warm_up");
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
	measure_init(&life->measure);
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

static void window_edge(const struct life *life, enum life_window_edge edge)
{
	if (life->on_window)
		life->on_window(life->on_window_arg, edge);
}

/* After the end of a request. */
static void window_may_end(const struct life *life)
{
	const struct measure *m = &life->measure;

	if (m->expected ? m->received + m->abandoned >= m->expected : !m->in_flight)
		window_edge(life, LIFE_WINDOW_END);
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
	measure_abandon(&life->measure, at);
	window_may_end(life);
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
	request->has_waits = false;
	request->sent_in_window = life->measure.open;
	if (measure_send(&life->measure, at) || life->measure.sent == 1)
		window_edge(life, LIFE_WINDOW_BEGIN);
	request->sent_in_window |= life->measure.open;
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
	request = open_request(life, find_queue(life, device, queue_number), index);
	if (!request)
		return;
	request->waits = *waits;
	request->has_waits = true;
}

/* What a stage's time counts for where nothing better is known. */
static const enum wait_cause stage_causes[REQUEST_STAGE_COUNT] = {
	[REQUEST_SUBMITTED] = WAIT_CPU,	   [REQUEST_DOORBELL] = WAIT_DOORBELL,
	[REQUEST_FETCH] = WAIT_QUEUE,	   [REQUEST_FETCHED] = WAIT_MEMORY,
	[REQUEST_ENGINE] = WAIT_ENGINE,	   [REQUEST_EXECUTED] = WAIT_COMPUTE,
	[REQUEST_COMPLETED] = WAIT_MEMORY, [REQUEST_RECEIVED] = WAIT_COMPLETION,
};

/* Adds the times of the stages for which `wanted` has a bit. */
static void add_stages(const struct span *span, unsigned int wanted, struct waits *waits)
{
	sim_time before = span->stamps[REQUEST_SEND];

	for (unsigned int stage = REQUEST_SUBMITTED; stage < REQUEST_STAGE_COUNT; stage++) {
		if (!span_has(span, stage))
			continue;
		if (wanted & 1u << stage)
			waits_add(waits, stage_causes[stage], span->stamps[stage] - before);
		before = span->stamps[stage];
	}
}

/* The request's whole vector: the accelerator's part and, from the stamps, the software's. */
static void request_waits(struct life *life, const struct request *request, struct waits *waits)
{
	static const unsigned int software =
		1u << REQUEST_SUBMITTED | 1u << REQUEST_DOORBELL | 1u << REQUEST_RECEIVED;
	const struct span *span = &request->span;

	if (request->has_waits) {
		*waits = request->waits;
		add_stages(span, software, waits);
		if (waits_sum(waits) == span_last_time(span) - span->stamps[REQUEST_SEND])
			return;
		life->waits_mismatches++;
	} else {
		life->waits_missing++;
	}
	waits_clear(waits);
	add_stages(span, ~0u, waits);
}

/* A request has ended: `waits` is its whole vector. */
static void request_count(struct life *life, const struct request *request,
			  const struct waits *waits, uint64_t bytes, bool ok)
{
	const struct span *span = &request->span;
	const sim_time latency = span_last_time(span) - span->stamps[REQUEST_SEND];

	life->bytes += bytes;
	if (ok)
		life->completed++;
	else
		life->errors++;
	if (span->unmeasured)
		life->left_out++;
	attribution_add(&life->attribution, waits, latency, !span->unmeasured);
	if (measure_receive(&life->measure, span_last_time(span), bytes, latency,
			    !span->unmeasured))
		window_edge(life, LIFE_WINDOW_BEGIN);
	window_may_end(life);
	if (!span_has(span, REQUEST_DOORBELL))
		return;
	life->doorbells++;
	if (span_has(span, REQUEST_SUBMITTED))
		histogram_record(&life->doorbell,
				 span->stamps[REQUEST_DOORBELL] - span->stamps[REQUEST_SUBMITTED]);
}

/* Ends the request's span; `waits` becomes its whole vector. */
static void request_end(struct life *life, struct queue *queue, struct request *request,
			sim_time at, uint64_t bytes, bool ok, struct waits *waits)
{
	struct span *span = &request->span;
	struct trace_arg args[5] = {
		{.key = life->keys.bytes, .type = TRACE_ARG_U64, .u = bytes},
		{.key = life->keys.latency_ps,
		 .type = TRACE_ARG_U64,
		 .u = at - span->stamps[REQUEST_SEND]},
		{.key = life->keys.status, .type = TRACE_ARG_STRING, .s = ok ? "ok" : "error"},
		{.key = life->keys.waited_for, .type = TRACE_ARG_STRING},
		{.key = life->keys.warm_up, .type = TRACE_ARG_STRING, .s = "left out"},
	};

	/* the last stage must be there before its time can be told apart */
	if (!span_has(span, REQUEST_RECEIVED))
		span_stamp(span, &life->request, &queue->lanes, REQUEST_RECEIVED, at);
	span->stamps[REQUEST_RECEIVED] = at;
	span->unmeasured = !measure_counts(&life->measure, request->sent_in_window);
	request_waits(life, request, waits);
	args[3].s = wait_cause_names[waits_largest(waits)];
	span_end(span, &life->request, &queue->lanes, at,
		 &(struct trace_extra){.args = args, .arg_count = span->unmeasured ? 5 : 4});
}

void life_request_received(struct life *life, unsigned int device, unsigned int queue_number,
			   unsigned int index, sim_time at, uint64_t bytes, bool ok)
{
	struct queue *queue;
	struct request *request;
	struct waits waits;

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
	request_end(life, queue, request, at, bytes, ok, &waits);
	trace_count_add(queue->occupancy, at, -1);
	request->state = REQUEST_NONE;
	queue->in_flight--;
	life->open_requests--;
	request_count(life, request, &waits, bytes, ok);
}

/* ---- what is measured --------------------------------------------------------------------- */

void life_expect(struct life *life, uint64_t requests)
{
	if (life)
		life->measure.expected = requests;
}

void life_set_warmup(struct life *life, struct warmup warmup)
{
	if (life)
		life->measure.warmup = warmup;
}

void life_on_window(struct life *life, void (*fn)(void *arg, enum life_window_edge edge), void *arg)
{
	if (!life)
		return;
	life->on_window = fn;
	life->on_window_arg = arg;
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
	memset(life->faults[i].parts, 0, sizeof(life->faults[i].parts));
	life->faults[i].at_driver = false;
	life->faults[i].stream = stream;
	return &life->faults[i];
}

static struct lanes *fault_lanes(const struct life *life, const struct fault *fault)
{
	return &life->streams[fault->stream]->lanes;
}

/* From the event record until it is handed on a fault is the driver's, which takes one after another. */
static void driver_begins(struct life *life, struct fault *fault, sim_time at)
{
	if (life->driver.busy)
		resource_wait(&life->driver, at);
	else
		resource_serve(&life->driver, at);
	fault->at_driver = true;
}

static void driver_ends(struct life *life, struct fault *fault, sim_time at)
{
	if (!fault->at_driver)
		return;
	fault->at_driver = false;
	resource_release(&life->driver, at);
	if (life->driver.waiting)
		resource_serve_waiter(&life->driver, at);
}

/* The STAG is used again, though its fault has not ended: the old one is forgotten. */
static void fault_drop(struct life *life, struct fault *fault, uint64_t key, sim_time at)
{
	if (at < span_last_time(&fault->span))
		at = span_last_time(&fault->span);
	driver_ends(life, fault, at);
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
	if (!fault ||
	    !span_stamp(&fault->span, &life->fault, fault_lanes(life, fault), stage, at)) {
		life->misplaced++;
		return;
	}
	if (stage == FAULT_RECORDED)
		driver_begins(life, fault, at);
	else if (stage >= FAULT_REPORTED)
		driver_ends(life, fault, at);
}

void life_fault_parts(struct life *life, uint32_t stream_id, uint32_t stag,
		      const uint64_t parts[FAULT_PART_COUNT])
{
	struct fault *fault = life ? find_fault(life, fault_key(stream_id, stag)) : NULL;

	if (!fault)
		return;
	for (unsigned int i = 0; i < FAULT_PART_COUNT; i++)
		fault->parts[i] = parts[i];
}

static void count_parts(struct life *life, const struct fault *fault)
{
	for (unsigned int i = 0; i < FAULT_PART_COUNT; i++) {
		if (!fault->parts[i])
			continue;
		life->fault_part_sum[i] += fault->parts[i];
		histogram_record(&life->fault_part[i], fault->parts[i]);
	}
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
	count_parts(life, fault);
	driver_ends(life, fault, at);
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

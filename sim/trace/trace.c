/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The trace: tracks, the window, the category filter.
 *
 * Events are encoded as far as possible when they arrive and then wait in the reorder buffer. In
 * the order of time, each passes through its track, which knows its open slices: so the window can
 * begin them where it begins and end them where it ends, and the end of a slice that was filtered
 * is filtered.
 */
#include "sim/trace/trace.h"

#include <assert.h>
#include <errno.h>

#include "sim/trace/names.h"
#include "sim/trace/reorder.h"
#include "sim/trace/writer.h"

const char *const trace_category_names[TRACE_CATEGORY_COUNT] = {
	[TRACE_CPU] = "cpu",	     [TRACE_KERNEL] = "kernel",	  [TRACE_IRQ] = "irq",
	[TRACE_REQUEST] = "request", [TRACE_ENGINE] = "engine",	  [TRACE_DMA] = "dma",
	[TRACE_SMMU] = "smmu",	     [TRACE_FAULT] = "fault",	  [TRACE_WALK] = "walk",
	[TRACE_MEMORY] = "memory",   [TRACE_COUNTER] = "counter",
};

bool trace_enabled;

#define ROOT_UUID	   1u
#define ROOT_NAME	   "svasim (simulated ns)"
#define EVENT_COUNTER_STEP 5 /* in the reorder buffer only: `value` is added to the counter */

struct open_slice {
	trace_name name;
	uint8_t category;
	bool dropped;	   /* by the filter or past the window: its end is dropped, too */
	struct pb payload; /* kept while the window has not begun */
};

struct track {
	trace_track parent;
	trace_name name, unit;
	enum track_kind kind;
	int rank;
	bool described;		 /* its descriptor has been written */
	struct open_slice *open; /* stack; memory of popped entries is kept for the next */
	uint32_t depth, open_capacity;
	bool counted, written; /* counter: has a value; the file has one */
	int64_t value, written_value;
};

static struct {
	struct trace_options options;
	struct writer writer;
	struct reorder reorder;
	struct track *tracks; /* tracks[id]; 0 is the root */
	uint32_t track_count, track_capacity;
	bool open;
	bool started, finished; /* the window */
	sim_time last;		/* of the latest event in the window */
	uint64_t flows;
	trace_name unnamed, clipped;
} trace;

/* ---- opening ------------------------------------------------------------------------------ */

int trace_parse_categories(const char *list, uint32_t *mask, const char **bad)
{
	uint32_t selected = 0;

	for (;;) {
		size_t length = strcspn(list, ",");
		unsigned int c;

		for (c = 0; c < TRACE_CATEGORY_COUNT; c++) {
			const char *name = trace_category_names[c];

			if (strlen(name) == length && strncmp(name, list, length) == 0)
				break;
		}
		if (c == TRACE_CATEGORY_COUNT) {
			*bad = list;
			return -1;
		}
		selected |= 1u << c;
		if (list[length] == '\0')
			break;
		list += length + 1;
	}
	*mask = selected;
	return 0;
}

static trace_track track_new(trace_track parent, const char *name, enum track_kind kind,
			     const char *unit, int rank)
{
	if (!trace.open)
		return 0;
	if (trace.track_count == trace.track_capacity) {
		trace.track_capacity = trace.track_capacity ? 2 * trace.track_capacity : 256;
		trace.tracks =
			must_realloc(trace.tracks, trace.track_capacity, sizeof(*trace.tracks));
	}
	assert(parent == 0 || parent < trace.track_count);
	trace.tracks[trace.track_count] = (struct track){
		.parent = parent,
		.name = names_intern(name),
		.unit = names_intern(unit),
		.kind = kind,
		.rank = rank,
	};
	return trace.track_count++;
}

int trace_open(const struct trace_options *options)
{
	assert(!trace.open);
	if (!options->path)
		return 0;
	if (options->from >= options->to) {
		errno = EINVAL;
		return -1;
	}
	memset(&trace, 0, sizeof(trace));
	if (writer_open(&trace.writer, options->path, trace_category_names, TRACE_CATEGORY_COUNT))
		return -1;
	trace.options = *options;
	if (trace.options.categories == 0)
		trace.options.categories = UINT32_MAX;
	reorder_init(&trace.reorder);
	trace.started = options->from == 0;
	trace.unnamed = names_intern("(unnamed)");
	trace.clipped = names_intern("clipped");
	trace.open = true;
	track_new(0, ROOT_NAME, TRACK_PLAIN, "", 0);
	trace_enabled = true;
	return 0;
}

trace_name trace_intern(const char *string)
{
	return names_intern(string);
}

trace_track trace_track_add(trace_track parent, const char *name, int rank)
{
	return track_new(parent, name, TRACK_PLAIN, "", rank);
}

trace_track trace_lane_add(trace_track parent, const char *name, int rank)
{
	return track_new(parent, name, TRACK_LANE, "", rank);
}

trace_track trace_counter_add(trace_track parent, const char *name, const char *unit, int rank)
{
	return track_new(parent, name, TRACK_COUNTER, unit ? unit : "count", rank);
}

uint64_t trace_flow_new(void)
{
	return trace_enabled ? ++trace.flows : 0;
}

/* ---- towards the file, in the order of time ------------------------------------------------- */

static uint64_t uuid_of(trace_track id)
{
	return ROOT_UUID + id;
}

/* A track appears in the file when it has its first event, its ancestors before it. */
static void describe(trace_track id)
{
	struct track *track = &trace.tracks[id];

	track->described = true;
	if (id != 0 && !trace.tracks[track->parent].described)
		describe(track->parent);
	writer_descriptor(&trace.writer, &(struct track_descriptor){
						 .uuid = uuid_of(id),
						 .parent_uuid = id ? uuid_of(track->parent) : 0,
						 .name = names_text(track->name),
						 .unit = names_text(track->unit),
						 .kind = track->kind,
						 .rank = track->rank,
					 });
}

static void write_event(enum event_type type, trace_track id, const struct open_slice *slice,
			sim_time at, const uint8_t *payload, size_t payload_bytes, bool clipped)
{
	struct event event = {
		.type = type,
		.track_uuid = uuid_of(id),
		.at = at,
		.payload = payload,
		.payload_bytes = payload_bytes,
	};

	if (slice) {
		event.name = slice->name;
		event.category = slice->category + 1u;
	}
	if (clipped) {
		names_need(trace.clipped, NAME_KEY);
		event.clipped_key = trace.clipped;
	}
	if (!trace.tracks[id].described)
		describe(id);
	writer_event(&trace.writer, &event);
}

static void write_counter(trace_track id, sim_time at)
{
	struct track *track = &trace.tracks[id];

	if (track->written && track->written_value == track->value)
		return;
	track->written = true;
	track->written_value = track->value;
	if (!track->described)
		describe(id);
	writer_event(&trace.writer, &(struct event){
					    .type = EVENT_COUNTER,
					    .track_uuid = uuid_of(id),
					    .at = at,
					    .value = track->value,
				    });
}

/* What is open when the window begins, begins there; counters have their value there. */
static void start_window(void)
{
	sim_time at = trace.options.from;

	trace.started = true;
	trace.last = at;
	for (trace_track id = 0; id < trace.track_count; id++) {
		struct track *track = &trace.tracks[id];

		if (track->counted)
			write_counter(id, at);
		for (uint32_t i = 0; i < track->depth; i++) {
			struct open_slice *slice = &track->open[i];

			if (!slice->dropped)
				write_event(EVENT_BEGIN, id, slice, at, slice->payload.data,
					    slice->payload.length, true);
		}
	}
}

static void finish_window(sim_time at)
{
	trace.finished = true;
	for (trace_track id = 0; id < trace.track_count; id++) {
		struct track *track = &trace.tracks[id];

		for (; track->depth; track->depth--) {
			if (!track->open[track->depth - 1].dropped)
				write_event(EVENT_END, id, NULL, at, NULL, 0, true);
		}
	}
}

static void on_begin(const struct reorder_record *r, const uint8_t *payload, bool in_window)
{
	struct track *track = &trace.tracks[r->track];
	struct open_slice *slice;

	if (track->depth == track->open_capacity) {
		uint32_t capacity = track->open_capacity ? 2 * track->open_capacity : 4;

		track->open = must_realloc(track->open, capacity, sizeof(*slice));
		memset(track->open + track->open_capacity, 0,
		       (capacity - track->open_capacity) * sizeof(*slice));
		track->open_capacity = capacity;
	}
	slice = &track->open[track->depth++];
	slice->name = r->name;
	slice->category = r->category;
	slice->dropped = !in_window || !(trace.options.categories & 1u << r->category);
	if (slice->dropped)
		return;
	if (trace.started) {
		write_event(EVENT_BEGIN, r->track, slice, r->at, payload, r->payload_bytes, false);
		return;
	}
	slice->payload.length = 0;
	pb_raw(&slice->payload, payload, r->payload_bytes);
}

static void on_end(const struct reorder_record *r, const uint8_t *payload)
{
	struct track *track = &trace.tracks[r->track];

	if (track->depth == 0) /* its beginning was before the trace's */
		return;
	track->depth--;
	if (trace.started && !track->open[track->depth].dropped)
		write_event(EVENT_END, r->track, NULL, r->at, payload, r->payload_bytes, false);
}

static void on_counter(const struct reorder_record *r, bool in_window)
{
	struct track *track = &trace.tracks[r->track];

	track->value = r->type == EVENT_COUNTER_STEP ? track->value + r->value : r->value;
	track->counted = true;
	/* steps add up in the order in which they are seen: one that comes too late counts from now */
	if (trace.started && in_window)
		write_counter(r->track, r->at > trace.last ? r->at : trace.last);
}

static void on_instant(const struct reorder_record *r, const uint8_t *payload)
{
	struct open_slice what = {.name = r->name, .category = r->category};

	write_event(EVENT_INSTANT, r->track, &what, r->at, payload, r->payload_bytes, false);
}

/* The window is [from, to): at `to` itself, slices still end. */
static void on_record(const struct reorder_record *record, const uint8_t *payload)
{
	struct reorder_record r = *record;
	bool in_window = r.at < trace.options.to;

	if (trace.finished)
		return;
	if (r.at > trace.options.to) {
		if (!trace.started)
			start_window();
		finish_window(trace.options.to);
		return;
	}
	if (!trace.started &&
	    (r.at > trace.options.from || (r.at == trace.options.from && r.type == EVENT_INSTANT)))
		start_window();
	if (trace.started && r.at < trace.options.from)
		r.at = trace.options.from; /* came too late to be sorted */
	if (trace.started && r.at > trace.last)
		trace.last = r.at;
	switch (r.type) {
	case EVENT_BEGIN:
		on_begin(&r, payload, in_window);
		break;
	case EVENT_END:
		on_end(&r, payload);
		break;
	case EVENT_INSTANT:
		if (trace.started && in_window)
			on_instant(&r, payload);
		break;
	default:
		on_counter(&r, in_window);
		break;
	}
}

/* ---- arrival ------------------------------------------------------------------------------ */

static bool selected(enum trace_category category)
{
	return trace.options.categories & 1u << category;
}

static void put_arg(struct pb *out, const struct trace_arg *arg)
{
	size_t annotation = pb_open(out, TRACK_EVENT_DEBUG_ANNOTATIONS);

	names_need(arg->key, NAME_KEY);
	pb_u64(out, DEBUG_ANNOTATION_NAME_IID, arg->key);
	switch (arg->type) {
	case TRACE_ARG_U64:
		pb_u64(out, DEBUG_ANNOTATION_UINT, arg->u);
		break;
	case TRACE_ARG_I64:
		pb_u64(out, DEBUG_ANNOTATION_INT, arg->u);
		break;
	case TRACE_ARG_POINTER:
		pb_u64(out, DEBUG_ANNOTATION_POINTER, arg->u);
		break;
	case TRACE_ARG_STRING:
		pb_string(out, DEBUG_ANNOTATION_STRING, arg->s ? arg->s : "");
		break;
	}
	pb_close(out, annotation);
}

static uint32_t put_payload(const struct trace_extra *extra)
{
	struct pb *out = &trace.reorder.payload;
	size_t before = out->length;

	if (!extra)
		return 0;
	if (extra->flow)
		pb_fixed64(out, TRACK_EVENT_FLOW_IDS, extra->flow);
	if (extra->flow_end)
		pb_fixed64(out, TRACK_EVENT_FLOW_ENDS, extra->flow_end);
	for (unsigned int i = 0; i < extra->arg_count; i++)
		put_arg(out, &extra->args[i]);
	return (uint32_t)(out->length - before);
}

static void push(struct reorder_record *record, const struct trace_extra *extra)
{
	if (record->track == 0 || record->track >= trace.track_count)
		return;
	record->payload_bytes = put_payload(extra);
	reorder_push(&trace.reorder, record);
	if (!reorder_full(&trace.reorder))
		return;
	reorder_drain(&trace.reorder, sim_now(), on_record);
	if (trace.finished) /* nothing that comes later is wanted */
		trace_enabled = false;
}

static trace_name event_name(trace_name name, enum trace_category category)
{
	if (name == 0)
		name = trace.unnamed;
	if (selected(category))
		names_need(name, NAME_EVENT);
	return name;
}

void trace_begin_(trace_track track, enum trace_category category, trace_name name, sim_time at,
		  const struct trace_extra *extra)
{
	struct reorder_record record = {
		.at = at,
		.track = track,
		.name = event_name(name, category),
		.type = EVENT_BEGIN,
		.category = (uint8_t)category,
	};

	push(&record, selected(category) ? extra : NULL);
}

void trace_end_(trace_track track, sim_time at, const struct trace_extra *extra)
{
	struct reorder_record record = {.at = at, .track = track, .type = EVENT_END};

	push(&record, extra);
}

void trace_instant_(trace_track track, enum trace_category category, trace_name name, sim_time at,
		    const struct trace_extra *extra)
{
	struct reorder_record record = {
		.at = at,
		.track = track,
		.name = event_name(name, category),
		.type = EVENT_INSTANT,
		.category = (uint8_t)category,
	};

	if (selected(category))
		push(&record, extra);
}

static void count(trace_track counter, sim_time at, int64_t value, uint8_t type)
{
	struct reorder_record record = {.at = at, .track = counter, .type = type, .value = value};

	if (selected(TRACE_COUNTER))
		push(&record, NULL);
}

void trace_count_(trace_track counter, sim_time at, int64_t value)
{
	count(counter, at, value, EVENT_COUNTER);
}

void trace_count_add_(trace_track counter, sim_time at, int64_t step)
{
	count(counter, at, step, EVENT_COUNTER_STEP);
}

/* ---- closing ------------------------------------------------------------------------------ */

static void tracks_free(void)
{
	for (trace_track id = 0; id < trace.track_count; id++) {
		struct track *track = &trace.tracks[id];

		for (uint32_t i = 0; i < track->open_capacity; i++)
			free(track->open[i].payload.data);
		free(track->open);
	}
	free(trace.tracks);
	trace.tracks = NULL;
	trace.track_count = trace.track_capacity = 0;
}

int trace_close(void)
{
	if (!trace.open)
		return 0;
	reorder_drain(&trace.reorder, SIM_TIME_NEVER, on_record);
	if (!trace.started && sim_now() >= trace.options.from)
		start_window();
	if (!trace.finished) {
		sim_time at = sim_now() > trace.last ? sim_now() : trace.last;

		if (trace.started)
			finish_window(at < trace.options.to ? at : trace.options.to);
	}
	trace_enabled = false;
	trace.open = false;
	reorder_free(&trace.reorder);
	tracks_free();
	return writer_close(&trace.writer);
}

struct trace_totals trace_get_totals(void)
{
	return (struct trace_totals){
		.packets = trace.writer.packets,
		.bytes = trace.writer.bytes + trace.writer.out.length,
		.slices = trace.writer.slices,
	};
}

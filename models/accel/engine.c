/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engines: what a request meets between its SQE and its completion. An engine works on a few requests at
 * once (jobs), so that the reads of one overlap the writes of another; its data path is one, and takes
 * bursts at bytes_per_cycle in the order in which they arrive, or for some engines in the order of address.
 *
 * Where an access fails, what lies before it is still done, what lies behind it is given up: bytes_done is
 * exactly the offset of the failed access that is nearest to the beginning.
 */
#include <stdlib.h>

#include "models/accel/accel_internal.h"

static void engine_dispatch(struct engine_type *type);

static struct accel *job_accel(const struct engine_job *job)
{
	return job->engine->type->accel;
}

/* ---- trace --------------------------------------------------------------------------------------- */

static void job_trace_begin(struct engine_job *job)
{
	const struct accel *accel = job_accel(job);

	if (!trace_enabled)
		return;

	const struct trace_arg args[] = {
		{.key = accel->trace.key_queue, .type = TRACE_ARG_U64, .u = job->request->qp->sqn},
		{.key = accel->trace.key_index, .type = TRACE_ARG_U64, .u = job->request->index},
		{.key = accel->trace.key_bytes,
		 .type = TRACE_ARG_U64,
		 .u = job->request->sqe.length},
	};
	const struct trace_extra extra = {.args = args, .arg_count = 3};

	trace_begin(job->track, TRACE_ENGINE, job->engine->type->trace_name, sim_now(), &extra);
}

static void job_trace_end(struct engine_job *job)
{
	const struct accel *accel = job_accel(job);

	if (!trace_enabled)
		return;

	const struct trace_arg arg = {
		.key = accel->trace.key_status, .type = TRACE_ARG_U64, .u = job->status};
	const struct trace_extra extra = {.args = &arg, .arg_count = 1};

	trace_end(job->track, sim_now(), &extra);
}

/* ---- a job's end ------------------------------------------------------------------------------------ */

static void engine_set_load(struct engine *engine, uint32_t load)
{
	link_remove(&engine->link);
	engine->load = load;
	list_append(&engine->type->by_load[load], &engine->link);
}

static void job_end(struct engine_job *job)
{
	struct engine *engine = job->engine;
	struct engine_type *type = engine->type;
	struct accel_request *request = job->request;

	job_trace_end(job);
	type->occupied_ps += sim_now() - job->taken_at;
	request->status = job->status;
	request->bytes_done = job->limit;
	request->fault_address = job->fault_address;
	request->result = type->ops->result ? type->ops->result(job) : 0;
	type->bytes += job->limit;
	if (!request->dropped)
		accel_stamp(type->accel, request->qp, request->index, REQUEST_EXECUTED);
	dma_job_forget(job);
	request->path = job->path;
	if (engine->compute_job == job)
		engine->compute_job = NULL;
	resource_release(&type->slots, sim_now());
	job->request = NULL;
	job->running = false;
	list_append(&engine->free_jobs, &job->link);
	engine_set_load(engine, engine->load - 1);
	queue_request_complete(request);
	engine_dispatch(type);
}

bool engine_wants_read(const struct engine_job *job)
{
	return job->running && job->next_offset < job->limit &&
	       job->chunk_count < job_accel(job)->params.engine_buffers;
}

static void job_continue(struct engine_job *job)
{
	if (!job->chunk_count && job->next_offset >= job->limit)
		job_end(job);
	else
		dma_read(job_accel(job), job);
}

/* ---- bursts ------------------------------------------------------------------------------------------- */

static bool chunk_given_up(const struct dma_chunk *chunk)
{
	return chunk->offset >= chunk->job->limit;
}

static void job_cut(struct engine_job *job, uint32_t limit)
{
	struct accel *accel = job_accel(job);
	struct link *next;

	job->limit = limit;
	dma_job_forget(job);
	for (struct link *link = job->chunks.next; link != &job->chunks; link = next) {
		struct dma_chunk *chunk = LINK_OWNER(link, struct dma_chunk, link);

		next = link->next;
		if (chunk_given_up(chunk) &&
		    (chunk->state == CHUNK_HELD || chunk->state == CHUNK_WRITE_WAIT))
			dma_chunk_release(accel, chunk);
	}
}

static void job_access_failed(struct engine_job *job, uint32_t offset, uint32_t status,
			      uint64_t addr)
{
	if (offset >= job->limit)
		return;
	job->status = status;
	job->fault_address = addr;
	job_cut(job, offset);
}

static void chunk_end(struct dma_chunk *chunk)
{
	struct engine_job *job = chunk->job;
	bool last = job->chunk_count == 1 && job->next_offset >= job->limit;

	/* its buffer allows the next read, or its end the request's */
	if (last || job->chunk_count == job_accel(job)->params.engine_buffers)
		job->path = chunk->path;
	dma_chunk_release(job_accel(job), chunk);
	job_continue(job);
}

void engine_chunk_computed(void *arg)
{
	struct dma_chunk *chunk = arg;
	struct engine_job *job = chunk->job;
	const struct engine_ops *ops = job->engine->type->ops;

	if (chunk_given_up(chunk)) {
		chunk_end(chunk);
		return;
	}
	if (ops->consume)
		ops->consume(job, chunk->data, chunk->bytes);
	if (ops->writes)
		dma_write(job_accel(job), chunk);
	else
		chunk_end(chunk);
}

/*
 * What the data path was busy with until then enabled this burst: its own request's path goes on from there,
 * another's was a wait for the engine.
 */
static void chunk_wait_for_data_path(struct dma_chunk *chunk)
{
	struct engine *engine = chunk->job->engine;

	if (engine->compute_free <= sim_now())
		engine->compute_free = sim_now();
	else if (engine->compute_job == chunk->job)
		chunk->path = engine->compute_path;
	else
		chunk->path.ps[WAIT_ENGINE] += engine->compute_free - sim_now();
}

static void chunk_compute(struct dma_chunk *chunk)
{
	struct engine *engine = chunk->job->engine;
	struct engine_type *type = engine->type;
	uint64_t cycles = (chunk->bytes + type->bytes_per_cycle - 1) / type->bytes_per_cycle;
	sim_time time = cycles * 1000000u / type->accel->params.engine_mhz;
	sim_time arrived = sim_now();

	chunk_wait_for_data_path(chunk);
	resource_add(&type->data_paths, time, engine->compute_free - arrived);
	chunk->path.ps[WAIT_COMPUTE] += time;
	engine->compute_free += time;
	engine->compute_job = chunk->job;
	engine->compute_path = chunk->path;
	type->busy_ps += time;
	chunk->state = CHUNK_COMPUTING;
	sim_event_at(&chunk->computed, engine->compute_free);
}

static bool engine_in_order(const struct engine *engine)
{
	return engine->type->ops->in_order ||
	       engine->type->accel->params.fault_blocks == ACCEL_BLOCKS_ENGINE;
}

/* Passes on what is there of the data, without a gap; `last`, just read, is what the rest of it waited for. */
static void job_compute_in_order(struct engine_job *job, const struct dma_chunk *last)
{
	const struct waits path = last->path;

	for (struct link *link = job->chunks.next; link != &job->chunks; link = link->next) {
		struct dma_chunk *chunk = LINK_OWNER(link, struct dma_chunk, link);

		if (chunk->state == CHUNK_READING)
			break;
		if (chunk->state != CHUNK_HELD)
			continue;
		chunk->path = path;
		chunk_compute(chunk);
	}
}

void engine_chunk_read(struct dma_chunk *chunk, bool ok)
{
	struct engine_job *job = chunk->job;

	if (!ok)
		job_access_failed(job, chunk->offset, SQE_STATUS_READ_FAILED, chunk->txn.addr);
	if (chunk_given_up(chunk)) {
		chunk_end(chunk);
		return;
	}
	if (!engine_in_order(job->engine)) {
		chunk_compute(chunk);
		return;
	}
	chunk->state = CHUNK_HELD;
	job_compute_in_order(job, chunk);
}

void engine_chunk_written(struct dma_chunk *chunk, bool ok)
{
	if (!ok)
		job_access_failed(chunk->job, chunk->offset + chunk->written,
				  SQE_STATUS_WRITE_FAILED, chunk->txn.addr);
	chunk_end(chunk);
}

/* ---- dispatch ------------------------------------------------------------------------------------------ */

static void job_start(void *arg)
{
	struct engine_job *job = arg;

	job->running = true;
	path_settle(&job->path, job->request->born, WAIT_COMPUTE);
	job_continue(job);
}

static void engine_take(struct engine *engine, struct accel_request *request)
{
	struct engine_type *type = engine->type;
	struct engine_job *job = LINK_OWNER(list_pop(&engine->free_jobs), struct engine_job, link);

	engine_set_load(engine, engine->load + 1);
	job->request = request;
	job->next_offset = 0;
	job->limit = request->sqe.length;
	job->status = SQE_STATUS_SUCCESS;
	job->fault_address = 0;
	job->taken_at = sim_now();
	path_settle(&request->path, request->born, WAIT_ENGINE);
	job->path = request->path;
	resource_serve_waiter(&type->slots, sim_now());
	type->taken++;
	if (type->ops->start)
		type->ops->start(job);
	accel_stamp(type->accel, request->qp, request->index, REQUEST_ENGINE);
	job_trace_begin(job);
	queue_request_started(request);
	sim_event_after(&job->start, SIM_NS(type->accel->params.engine_setup_ns));
}

static struct engine *engine_least_loaded(const struct engine_type *type)
{
	for (uint32_t load = 0; load < type->accel->params.engine_requests; load++) {
		if (!list_empty(&type->by_load[load]))
			return LINK_OWNER(type->by_load[load].next, struct engine, link);
	}
	return NULL;
}

static void engine_dispatch(struct engine_type *type)
{
	while (!list_empty(&type->waiting)) {
		struct engine *engine = engine_least_loaded(type);
		struct accel_request *request;

		if (!engine)
			return;
		request = LINK_OWNER(list_pop(&type->waiting), struct accel_request, link);
		request->waiting = false;
		engine_take(engine, request);
	}
}

void engine_submit(struct engine_type *type, struct accel_request *request)
{
	request->waiting = true;
	resource_wait(&type->slots, sim_now());
	list_append(&type->waiting, &request->link);
	engine_dispatch(type);
}

struct engine_type *engine_for_opcode(struct accel *accel, uint8_t opcode)
{
	for (unsigned int i = 0; i < ENGINE_TYPE_COUNT; i++) {
		struct engine_type *type = &accel->engines[i];

		if (type->ops->opcode == opcode && type->count)
			return type;
	}
	return NULL;
}

void engine_reset(struct accel *accel)
{
	for (unsigned int i = 0; i < ENGINE_TYPE_COUNT; i++) {
		struct engine_type *type = &accel->engines[i];

		for (uint32_t n = 0; n < type->count * accel->params.engine_requests; n++) {
			struct engine_job *job = &type->engines[0].jobs[n];

			if (!job->request)
				continue;
			job_cut(job, 0);
			/* one that has not begun ends when its set-up does */
			if (job->running)
				job_continue(job);
		}
	}
}

/* ---- setting up ------------------------------------------------------------------------------------------- */

static void engine_init_one(struct engine_type *type, struct engine *engine, uint32_t number,
			    struct engine_job *jobs)
{
	struct accel *accel = type->accel;
	char name[64];

	engine->type = type;
	engine->jobs = jobs;
	list_init(&engine->free_jobs);
	list_append(&type->by_load[0], &engine->link);
	snprintf(name, sizeof(name), "%s engine %u", type->ops->name, number);
	for (uint32_t n = 0; n < accel->params.engine_requests; n++) {
		struct engine_job *job = &jobs[n];

		job->engine = engine;
		list_init(&job->chunks);
		sim_event_init(&job->start, job_start, job);
		list_append(&engine->free_jobs, &job->link);
		job->track = trace_lane_add(accel->config.track, name, (int)(10 + number));
	}
}

static void engine_type_init(struct accel *accel, struct engine_type *type,
			     const struct engine_ops *ops, uint32_t count, uint32_t bytes_per_cycle)
{
	uint32_t jobs_each = accel->params.engine_requests;
	struct engine_job *jobs = accel_alloc_array(count * jobs_each + 1, sizeof(*jobs));

	type->accel = accel;
	type->ops = ops;
	type->count = count;
	type->bytes_per_cycle = bytes_per_cycle;
	type->trace_name = trace_intern(ops->name);
	type->engines = accel_alloc_array(count + 1, sizeof(*type->engines));
	type->by_load = accel_alloc_array(jobs_each + 1, sizeof(*type->by_load));
	type->engines[0].jobs = jobs;
	list_init(&type->waiting);
	resource_init(&type->data_paths, count);
	resource_init(&type->slots, count * jobs_each);
	type->slots.holds = true;
	for (uint32_t load = 0; load <= jobs_each; load++)
		list_init(&type->by_load[load]);
	for (uint32_t n = 0; n < count; n++)
		engine_init_one(type, &type->engines[n], n, &jobs[n * jobs_each]);
}

void engine_init(struct accel *accel)
{
	const struct accel_params *p = &accel->params;

	engine_type_init(accel, &accel->engines[ENGINE_COPY], &engine_copy_ops, p->engines_copy,
			 p->copy_bytes_per_cycle);
	engine_type_init(accel, &accel->engines[ENGINE_CRC32C], &engine_crc32c_ops,
			 p->engines_crc32c, p->crc32c_bytes_per_cycle);
}

void engine_free(struct accel *accel)
{
	for (unsigned int i = 0; i < ENGINE_TYPE_COUNT; i++) {
		struct engine_type *type = &accel->engines[i];

		for (uint32_t n = 0; n < type->count * accel->params.engine_requests; n++)
			sim_event_cancel(&type->engines[0].jobs[n].start);
		free(type->engines[0].jobs);
		free(type->engines);
		free(type->by_load);
	}
}

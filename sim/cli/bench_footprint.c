/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program for svasim bench: copies of 4 KiB between random pages of a large mapping. A sample of the
 * pages is touched by the CPU before the first request, so that none of them faults; the host backs
 * only what is touched.
 */
#include "sim/cli/bench.h"
#include "sim/config/param.h"
#include "workloads/libwd/umem.h"
#include "workloads/libwd/wd.h"

#define PAGE_BYTES   4096u
#define SAMPLE_PAGES 8192u /* of the sources, and as many of the destinations */

struct footprint_params {
	uint64_t requests, footprint_bytes;
	uint32_t inflight;
};

static struct footprint_params params_values;

static const struct param_desc params_table[] = {
	PARAM_U64_(footprint_params, requests, 20000, 1, 1000000000, "requests of the run",
		   "assumed"),
	PARAM_U64_(footprint_params, footprint_bytes, 8192, PAGE_BYTES, 1ULL << 44,
		   "mapped, half of it for sources, in bytes", "assumed"),
	PARAM_U32_(footprint_params, inflight, 64, 1, 1023, "requests in flight", "assumed"),
};

struct loop {
	uint64_t sources, destinations, pages; /* of each */
	struct wd_queue *queue;
	uint64_t requests, sent, received;
};

/* The n-th page of the sample (splitmix64's finaliser). */
static uint64_t page(const struct loop *loop, uint64_t base, uint64_t n)
{
	uint64_t z = n % SAMPLE_PAGES + base;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return base + (z ^ (z >> 31)) % loop->pages * PAGE_BYTES;
}

static void touch_sample(const struct loop *loop)
{
	for (uint64_t n = 0; n < SAMPLE_PAGES; n++) {
		prog_store(page(loop, loop->sources, n), n, 8);
		prog_store(page(loop, loop->destinations, n), n, 8);
	}
}

static void send(struct loop *loop, struct wd_msg *msg)
{
	const struct wd_msg local = {
		.op = WD_OP_COPY,
		.length = PAGE_BYTES,
		.source = page(loop, loop->sources, loop->sent),
		/* an odd stride: pairs do not repeat with the sample */
		.destination = page(loop, loop->destinations, loop->sent * 4099),
	};

	wd_msg_write(msg, &local);
	if (wd_send(loop->queue, msg))
		prog_mark_failure("a request could not be sent");
	loop->sent++;
}

static void run_loop(struct loop *loop, struct wd_msg *messages)
{
	for (uint64_t i = 0; i < prog_param_u64("inflight") && loop->sent < loop->requests; i++)
		send(loop, &messages[i]);
	while (loop->received < loop->requests) {
		struct wd_msg local;
		void *msg;
		int result = wd_recv(loop->queue, &msg);

		if (result < 0) {
			prog_mark_failure("the queue died");
			return;
		}
		if (!result) {
			wd_wait_line(loop->queue, 0);
			continue;
		}
		loop->received++;
		wd_msg_read(msg, &local);
		if (local.status != WD_SUCCESS)
			prog_mark_failure("a request failed: status 0x%x", local.status);
		if (loop->sent < loop->requests)
			send(loop, msg);
	}
}

static void footprint_main(void *arg)
{
	const uint64_t half = prog_param_u64("footprint_bytes") / 2;
	const uint64_t inflight = prog_param_u64("inflight");
	struct loop loop = {
		.pages = half < PAGE_BYTES ? 1 : half / PAGE_BYTES,
		.requests = prog_param_u64("requests"),
	};
	struct umem *arena = umem_new(inflight * sizeof(struct wd_msg) + 2 * PAGE_BYTES);

	(void)arg;
	prog_mark_expected(loop.requests);
	loop.sources = umem_map(loop.pages * PAGE_BYTES);
	loop.destinations = umem_map(loop.pages * PAGE_BYTES);
	if (!arena || !loop.sources || !loop.destinations) {
		prog_mark_failure("no memory");
		return;
	}
	loop.queue = umem_alloc(arena, sizeof(*loop.queue), 64);
	wd_queue_init(loop.queue, "copy");
	if (wd_request_queue(loop.queue)) {
		prog_mark_failure("no queue");
		return;
	}
	touch_sample(&loop);
	run_loop(&loop, umem_alloc(arena, inflight * sizeof(struct wd_msg), 64));
	wd_release_queue(loop.queue);
}

const struct workload bench_footprint = {
	.name = "footprint",
	.help = "copies between random pages",
	.main = footprint_main,
	.params = params_table,
	.param_count = sizeof(params_table) / sizeof(params_table[0]),
	.values = &params_values,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* CPU accesses: what a hit costs, what the lines cost that are elsewhere. See memory.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/mem/memory_internal.h"

enum access { ACCESS_LOAD, ACCESS_STORE, ACCESS_ATOMIC };

struct cpu *memory_cpu(struct memory *memory, unsigned int cpu)
{
	if (cpu >= memory->cpu_count) {
		memory->cpus = reallocarray(memory->cpus, cpu + 1, sizeof(*memory->cpus));
		if (!memory->cpus)
			abort(); /* the host is out of memory */
		memset(&memory->cpus[memory->cpu_count], 0,
		       (cpu + 1 - memory->cpu_count) * sizeof(*memory->cpus));
		memory->cpu_count = cpu + 1;
	}
	return &memory->cpus[cpu];
}

/* How much later than `from`, plus its own transfer, a booking ends. */
static sim_time wait_of(struct bandwidth_slot slot, sim_time from)
{
	return slot.end > from + slot.busy ? slot.end - slot.busy - from : 0;
}

/*
 * What the missing lines of a page cost beyond a hit. A load or an atomic operation waits for
 * the first; the rest overlap, as all do behind stores.
 */
static sim_time miss_cost(struct memory *memory, struct cpu *cpu, uint64_t page, enum access access,
			  const struct lines_found *found)
{
	const unsigned int node = memory_node(memory, page << LINES_PAGE_BITS);
	const sim_time far = memory->distance_ps[cpu->node][node];
	const struct {
		uint64_t lines;
		sim_time latency;
	} levels[] = {{found->llc, memory->llc_hit_ps + far},
		      {found->cpu, memory->snoop_ps + far},
		      {found->memory, memory->latency_ps + far}};
	struct bandwidth_client *client = bandwidth_client(memory->bandwidth, CLIENT_CPUS);
	sim_time sum = 0, first = 0, wait = 0;

	if (cpu->local < sim_now())
		cpu->local = sim_now();
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		sum += lines_count(levels[i].lines) * levels[i].latency;
		if (levels[i].lines && first < levels[i].latency)
			first = levels[i].latency;
	}
	if (found->llc | found->cpu) {
		const struct bandwidth_slot slot = bandwidth_book_steady(
			memory->bandwidth, client, memory_llc_pipe(memory, node),
			lines_count(found->llc | found->cpu) * MEMORY_LINE_BYTES);

		wait = wait_of(slot, cpu->local);
		bandwidth_used(&memory->llc, slot.busy, wait);
	}
	if (found->memory) {
		sim_time busy;
		const struct bandwidth_slot slot = memory_book_channels(
			memory, BOOK_CPU, client, node, page, found->memory, &busy);
		const sim_time queued = wait_of(slot, cpu->local);

		bandwidth_used(&memory->nodes[node].channels, busy, queued);
		if (wait < queued)
			wait = queued;
	}
	if (access == ACCESS_STORE)
		first = 0;
	const sim_time cost = first + (sum - first) / memory->params.cpu_misses + wait;

	cpu->local += cost;
	return cost;
}

/* Lines of [pa, pa + bytes), within a page, that it covers wholly. */
static uint64_t whole_lines(uint64_t pa, uint32_t bytes)
{
	const uint64_t from = (pa + MEMORY_LINE_BYTES - 1) & ~(uint64_t)(MEMORY_LINE_BYTES - 1);
	const uint64_t to = (pa + bytes) & ~(uint64_t)(MEMORY_LINE_BYTES - 1);

	return from < to ? lines_mask(from, (uint32_t)(to - from)) : 0;
}

static __attribute__((noinline)) sim_time page_miss(struct memory *memory, unsigned int cpu,
						    uint64_t pa, uint32_t bytes, enum access access)
{
	const uint64_t page = pa >> LINES_PAGE_BITS;
	const uint64_t mask = lines_mask(pa, bytes);
	struct lines_found found;

	if (access == ACCESS_LOAD)
		lines_cpu_load(memory->lines, cpu, page, mask, &found);
	else
		lines_cpu_store(memory->lines, cpu, page, mask,
				access == ACCESS_STORE ? whole_lines(pa, bytes) : 0, &found);
	memory->cpu_llc_hits += lines_count(found.llc);
	memory->cpu_llc_misses += lines_count(found.memory);
	memory->cpu_transfers += lines_count(found.cpu);
	if (!(found.llc | found.memory | found.cpu))
		return 0;
	return miss_cost(memory, memory_cpu(memory, cpu), page, access, &found);
}

/* What it costs that lines are not in the CPU's cache; 0 if they are. */
static sim_time misses_cost(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len,
			    enum access access)
{
	sim_time cost = 0;

	while (memory->cpu_front && len) {
		uint32_t piece = SIM_TXN_MAX_BYTES - (pa & (SIM_TXN_MAX_BYTES - 1));

		if (piece > len)
			piece = len;
		if (!lines_cpu_hit(memory->cpu_front, cpu, pa >> LINES_PAGE_BITS,
				   lines_mask(pa, piece), access != ACCESS_LOAD))
			cost += page_miss(memory, cpu, pa, piece, access);
		len -= piece;
		pa += piece;
	}
	return cost;
}

/* A whole access: its lines one after another, and those that are elsewhere. */
static __attribute__((noinline)) sim_time lines_cost(struct memory *memory, unsigned int cpu,
						     uint64_t pa, uint32_t len, enum access access)
{
	const uint64_t further = (pa + len - 1) / MEMORY_LINE_BYTES - pa / MEMORY_LINE_BYTES;
	const uint32_t first = access == ACCESS_LOAD ? memory->params.cpu_load_hit_ps
						     : memory->params.cpu_store_hit_ps;

	return first + further * memory->params.cpu_line_ps +
	       misses_cost(memory, cpu, pa, len, access);
}

/* Most accesses are of one word in one line that the CPU has. */
static inline bool word_hits(const struct memory *memory, unsigned int cpu, uint64_t pa,
			     uint32_t len, bool store)
{
	return len - 1 < 8 && pa % MEMORY_LINE_BYTES + len <= MEMORY_LINE_BYTES &&
	       memory->cpu_front &&
	       lines_cpu_hit(memory->cpu_front, cpu, pa >> LINES_PAGE_BITS,
			     UINT64_C(1) << pa / MEMORY_LINE_BYTES % PAGE_LINES, store);
}

static inline void copy_word(void *to, const void *from, uint32_t len)
{
	if (len == 8)
		memcpy(to, from, 8);
	else if (len == 4)
		memcpy(to, from, 4);
	else
		memcpy(to, from, len);
}

static sim_time load_cost(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len)
{
	memory->cpu_loads++;
	memory->cpu_bytes_loaded += len;
	return lines_cost(memory, cpu, pa, len, ACCESS_LOAD);
}

static sim_time store_cost(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len)
{
	memory->cpu_stores++;
	memory->cpu_bytes_stored += len;
	const sim_time cost = lines_cost(memory, cpu, pa, len, ACCESS_STORE);

	/* last: whoever is woken may touch the line */
	memory_notify(memory, pa, len);
	return cost;
}

static __attribute__((cold)) sim_time cpu_abort(struct memory *memory)
{
	memory->cpu_aborts++;
	return SIM_TIME_NEVER;
}

static __attribute__((noinline)) sim_time load(struct memory *memory, unsigned int cpu, uint64_t pa,
					       void *buf, const void *at, uint32_t len)
{
	if (!at)
		return cpu_abort(memory);
	if (!len)
		return 0;
	memcpy(buf, at, len);
	return load_cost(memory, cpu, pa, len);
}

static __attribute__((noinline)) sim_time
store(struct memory *memory, unsigned int cpu, uint64_t pa, const void *buf, void *at, uint32_t len)
{
	if (!at)
		return cpu_abort(memory);
	if (!len)
		return 0;
	memcpy(at, buf, len);
	return store_cost(memory, cpu, pa, len);
}

sim_time memory_cpu_load(struct memory *memory, unsigned int cpu, uint64_t pa, void *buf,
			 uint32_t len)
{
	const void *at = ram_host(memory->ram, pa, len);

	if (!at || !word_hits(memory, cpu, pa, len, false))
		return load(memory, cpu, pa, buf, at, len);
	copy_word(buf, at, len);
	memory->cpu_loads++;
	memory->cpu_bytes_loaded += len;
	return memory->params.cpu_load_hit_ps;
}

sim_time memory_cpu_store(struct memory *memory, unsigned int cpu, uint64_t pa, const void *buf,
			  uint32_t len)
{
	void *at = ram_host(memory->ram, pa, len);

	if (!at || !word_hits(memory, cpu, pa, len, true))
		return store(memory, cpu, pa, buf, at, len);
	copy_word(at, buf, len);
	memory->cpu_stores++;
	memory->cpu_bytes_stored += len;
	if (monitor_count(memory->monitors))
		memory_notify(memory, pa, len);
	return memory->params.cpu_store_hit_ps;
}

sim_time memory_cpu_atomic(struct memory *memory, unsigned int cpu, enum sim_cmd cmd, uint64_t pa,
			   void *data, uint32_t len)
{
	void *at = ram_host(memory->ram, pa, len);

	assert(cmd == SIM_ATOMIC_CAS || cmd == SIM_ATOMIC_ADD || cmd == SIM_ATOMIC_SWAP);
	if (!at || !memory_atomic_allowed(pa, len))
		return cpu_abort(memory);
	const sim_time cost =
		memory->params.cpu_atomic_ps + misses_cost(memory, cpu, pa, len, ACCESS_ATOMIC);

	memory->cpu_atomics++;
	if (memory_do_atomic(cmd, at, data, len))
		memory_notify(memory, pa, len);
	return cost;
}

sim_time memory_cpu_touch(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len,
			  bool store)
{
	if (!ram_host(memory->ram, pa, len))
		return cpu_abort(memory);
	if (!len)
		return 0;
	return store ? store_cost(memory, cpu, pa, len) : load_cost(memory, cpu, pa, len);
}

/* A page's lines, or some of them: when the last one is where it goes. */
static sim_time stream_page(struct memory *memory, uint64_t pa, uint32_t bytes)
{
	const uint64_t page = pa >> LINES_PAGE_BITS, mask = lines_mask(pa, bytes);
	const unsigned int node = memory_node(memory, pa);
	struct bandwidth_client *client = bandwidth_client(memory->bandwidth, CLIENT_CPUS);
	struct bandwidth_slot slot;
	sim_time end = 0, busy;

	if (memory->lines) {
		memory->stream_end = &end;
		lines_cpu_stream(memory->lines, page, mask);
		memory->stream_end = NULL;
	}
	if (memory->params.llc_kib) {
		slot = bandwidth_book_steady(memory->bandwidth, client,
					     memory_llc_pipe(memory, node), bytes);
		bandwidth_used(&memory->llc, slot.busy, wait_of(slot, sim_now()));
	} else {
		slot = memory_book_channels(memory, BOOK_CPU, client, node, page, mask, &busy);
		bandwidth_used(&memory->nodes[node].channels, busy, wait_of(slot, sim_now()));
	}
	return slot.end > end ? slot.end : end;
}

sim_time memory_cpu_stream(struct memory *memory, unsigned int cpu, uint64_t pa, uint64_t len)
{
	struct cpu *me = memory_cpu(memory, cpu);
	sim_time begin;

	if (!ram_host(memory->ram, pa, len))
		return cpu_abort(memory);
	if (me->local < sim_now())
		me->local = sim_now();
	begin = me->local;
	memory->cpu_stores += len / MEMORY_LINE_BYTES;
	memory->cpu_bytes_stored += len;
	for (uint64_t done = 0, piece; done < len; done += piece) {
		piece = SIM_TXN_MAX_BYTES - ((pa + done) & (SIM_TXN_MAX_BYTES - 1));
		if (piece > len - done)
			piece = len - done;
		const sim_time end = stream_page(memory, pa + done, (uint32_t)piece);

		if (me->local < end)
			me->local = end;
	}
	memory_notify(memory, pa, len);
	return me->local - begin;
}

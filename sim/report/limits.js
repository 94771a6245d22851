// SPDX-License-Identifier: BSD-3-Clause
// What bounds throughput and latency, from each point's own metrics and configuration. A bound that does not
// apply is null.

const MEAN_TIME = 1e12; // ps in a second

function bytesPerRequest(point) {
	return metric('throughput.bytes_per_s', point) / metric('throughput.requests_per_s', point);
}

const ENGINES = ['copy', 'crc32c'];
const BUS = Object.keys(data.metrics).filter((name) => /^memory\.requester\.accel\d+\.bytes_(read|written)$/.test(name));
const WITH_STAG = ['driver', 'reported', 'worker', 'mm', 'mm_done', 'responded', 'resumed'];
const HANDLER = ['mm', 'mm_done', 'responded'];

// Engines that did something; several kinds share a request's bytes, so that none of them bounds the sum.
function engineRate(point) {
	const used = ENGINES.filter((kind) => metric(`accel.engines.${kind}.bytes`, point) > 0);

	if (used.length !== 1)
		return null;
	const [kind] = used;
	const busy = metric(`accel.engine.${kind}.busy_ps`, point);

	return busy ? metric(`accel.engines.${kind}.bytes`, point) / busy * MEAN_TIME * metric(`accel.engine.${kind}.servers`, point)
		: null;
}

function memoryRate(point) {
	const peak = setting('memory.nodes', point) * setting('memory.channels', point) * setting('memory.channel_mb_s', point) * 1e6;
	const traffic = sumOf(BUS, point) / metric('requests.bytes', point);

	return traffic > 0 ? peak / traffic : null;
}

// Faults that can be answered in a second, as throughput.
function faultRate(point, servers, stages) {
	const faults = metric('fault_ns.total.count', point);
	const time = sumOf(stages.map((stage) => `fault_ns.${stage}.sum_ps`), point);
	const perRequest = faults / (metric('requests.completed', point) + metric('requests.errors', point));

	return faults && time ? servers / (time / faults) * MEAN_TIME / perRequest * bytesPerRequest(point) : null;
}

function walkRate(point) {
	const walks = metric('smmu.walk_ns.count', point);
	const ns = metric('smmu.walk_ns.mean', point);
	const perRequest = walks / (metric('requests.completed', point) + metric('requests.errors', point));

	return walks && ns ? setting('smmu.walk_slots', point) / ns * 1e9 / perRequest * bytesPerRequest(point) : null;
}

// `least` is the mean latency of the series' least loaded point.
function littleRate(point, least) {
	return least ? metric('requests.in_flight_max', point) / least * 1e9 * bytesPerRequest(point) : null;
}

const LIMITS = [
	{name: 'Engines', get: engineRate,
		formula: 'accel.engines.KIND.bytes ÷ accel.engine.KIND.busy_ps × accel.engine.KIND.servers',
		help: 'bytes of an engine’s busy second, times engines; only where one kind of engine works'},
	{name: 'Little', get: littleRate,
		formula: 'requests.in_flight_max ÷ least latency × bytes of a request',
		help: 'Little’s law: so many in flight complete at most that often; the least latency is the mean latency of the line’s first point'},
	{name: 'DRAM', get: memoryRate,
		formula: 'memory.nodes × memory.channels × memory.channel_mb_s × 10⁶ ÷ traffic',
		help: 'traffic: bytes that accelerators read and wrote in memory ÷ bytes of requests; what the last-level cache serves can be faster'},
	{name: 'Stalled transactions', get: (point) => faultRate(point, setting('smmu.stall_max', point), WITH_STAG),
		formula: 'smmu.stall_max ÷ mean time with a STAG ÷ faults per request × bytes of a request',
		help: 'the time from the event record to the retry'},
	{name: 'Fault workers', get: (point) => faultRate(point, setting('kernel.max_workers', point), HANDLER),
		formula: 'kernel.max_workers ÷ mean time of a handler ÷ faults per request × bytes of a request',
		help: 'the time of the stages mm, mm_done and responded'},
	{name: 'Walkers', get: walkRate,
		formula: 'smmu.walk_slots ÷ smmu.walk_ns.mean ÷ walks per request × bytes of a request',
		help: 'table walks that the SMMU can have in work'},
];

const LATENCY_LIMIT = {
	name: 'Little', formula: 'requests.in_flight_max × bytes of a request ÷ engines’ rate',
	help: 'so many in flight take at least as long as the engines need for them',
	get: (point) => {
		const rate = engineRate(point);

		return rate ? metric('requests.in_flight_max', point) * bytesPerRequest(point) / rate * 1e9 : null;
	},
};

// SPDX-License-Identifier: BSD-3-Clause
// The sweep: its dimensions (axes, zipped ones as one), its points, and quantities over them.

const data = JSON.parse(document.getElementById('data').textContent);

// A table's column holds one value per point, or one for all of them.
function cell(table, name, point) {
	const column = data[table][name];

	return Array.isArray(column) ? column[point] : column;
}

const SUFFIXES = {KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4};

// "8KiB" → 8192; NaN if it is no number.
function toNumber(text) {
	const match = /^([-+0-9.eE]+)\s*(KiB|MiB|GiB|TiB)?$/.exec(String(text).trim());

	return match ? Number(match[1]) * (SUFFIXES[match[2]] || 1) : NaN;
}

function sameValue(a, b) {
	return a !== undefined && a !== null && (String(a) === b || toNumber(a) === toNumber(b));
}

// "first touch of sources", "first touch of destinations" → "first touch of sources and destinations"
function joinLabels(labels) {
	const words = labels.map((label) => label.split(' '));
	let common = 0;

	while (words.every((list) => common < list.length - 1 && list[common] === words[0][common]))
		common++;
	return [...words[0].slice(0, common), words.map((list) => list.slice(common).join(' ')).join(' and ')].join(' ');
}

// Axes that change together are one dimension.
function makeDimension(axes) {
	const [first] = axes;
	const values = first.values.map((_, i) => {
		const texts = [...new Set(axes.map((axis) => axis.values[i]))];

		return {text: texts.map((text) => withUnit(text, first.unit)).join(' / '), number: toNumber(first.values[i]),
			parts: axes.map((axis) => axis.values[i])};
	});
	const numeric = first.scale !== 'category' && values.every((value) => Number.isFinite(value.number));
	const logarithmic = numeric && first.scale === 'log2' && values.every((value) => value.number > 0);

	return {
		axes, values, key: first.key, label: joinLabels(axes.map((axis) => axis.label || axis.key)), unit: first.unit,
		scale: logarithmic ? 'log2' : numeric ? 'linear' : 'category',
	};
}

function makeDimensions() {
	const groups = new Map();

	data.axes.forEach((axis, i) => {
		const key = axis.zip === null ? `axis ${i}` : `zip ${axis.zip}`;

		groups.set(key, [...(groups.get(key) || []), axis]);
	});
	return [...groups.values()].map(makeDimension).filter((dimension) => dimension.values.length > 1);
}

function positionOf(dimension, point) {
	return dimension.values.findIndex((value) => dimension.axes.every((axis, i) =>
		sameValue(cell('settings', axis.key, point) ?? cell('config', axis.key, point), value.parts[i])));
}

const dimensions = makeDimensions();

// A sweep without an axis still has points.
if (!dimensions.length)
	dimensions.push({axes: [], key: 'point', label: 'point', unit: '', scale: 'category',
		values: data.points.id.map((id) => ({text: String(id), number: id, parts: []}))});

const points = data.points.id.map((id, i) => ({
	i, id,
	status: data.points.status[i],
	exit: data.points.exit[i],
	error: data.points.error[i],
	repetition: data.points.repetition[i],
	seed: data.points.seed[i],
	at: dimensions.map((dimension) => (dimension.axes.length ? positionOf(dimension, i) : i)),
}));

const okPoints = points.filter((point) => point.status === 'ok');

// Repetitions of one place in the sweep.
const places = new Map();

for (const point of okPoints) {
	const key = point.at.join(',');

	places.set(key, [...(places.get(key) || []), point]);
}

const repeated = [...places.values()].some((list) => list.length > 1);

const OF_A_DISTRIBUTION = /^(.*)\.(mean|p50|p99|p999|max)$/;

// Null where a point has no such number; nothing has no mean.
function metric(name, point) {
	const value = name in data.metrics ? cell('metrics', name, point.i) : null;
	const [, distribution] = OF_A_DISTRIBUTION.exec(name) || [];

	if (distribution && `${distribution}.count` in data.metrics && !cell('metrics', `${distribution}.count`, point.i))
		return null;
	return typeof value === 'number' ? value : null;
}

function sumOf(names, point) {
	return names.reduce((sum, name) => sum + (metric(name, point) || 0), 0);
}

function setting(key, point) {
	return toNumber(cell('config', key, point.i) ?? cell('settings', key, point.i));
}

// What the metrics say at a place: the mean of its repetitions, and their range or the run's own confidence interval.
function valueAt(quantity, at) {
	const list = places.get(at.join(','));
	const values = (list || []).map(quantity.get).filter((value) => value !== null && Number.isFinite(value));

	if (!values.length)
		return null;
	const mean = values.reduce((a, b) => a + b, 0) / values.length;
	if (values.length > 1)
		return {mean, low: Math.min(...values), high: Math.max(...values)};
	const half = quantity.interval ? metric(quantity.interval, list[0]) || 0 : 0;

	return {mean, low: mean - half, high: mean + half};
}

const KNOWN = {
	'throughput.bytes_per_s': {label: 'Throughput', interval: 'throughput.ci95_bytes_per_s'},
	'latency_ns.mean': {label: 'Mean latency', interval: 'latency.ci95_ns'},
	'latency_ns.p50': {label: 'Median latency'},
	'latency_ns.p99': {label: '99th percentile of latency'},
	'latency_ns.p999': {label: '99.9th percentile of latency'},
	'latency_ns.max': {label: 'Longest latency'},
	'fault_ns.total.mean': {label: 'Mean time of a fault'},
};

function quantityOf(name) {
	const [unit, help] = data.help[name] || ['', ''];

	return {
		name, help, label: name, ...KNOWN[name],
		unit: name.endsWith('.utilisation') || name.endsWith('_share') ? 'share' : unit === '1' || unit === 'count' ? '' : unit,
		get: (point) => metric(name, point),
	};
}

// Names of metrics that differ somewhere: what can be drawn.
const metricNames = Object.keys(data.metrics).filter((name) =>
	Array.isArray(data.metrics[name]) && data.metrics[name].some((value) => typeof value === 'number'));

// All combinations of positions on the given dimensions, the last one fastest.
function combinations(list) {
	return list.reduce((all, values) => all.flatMap((head) => values.map((value) => [...head, value])), [[]]);
}

// SPDX-License-Identifier: BSD-3-Clause
// The charts: from what is chosen to the model that is drawn.

const state = {
	x: Math.max(0, dimensions.findIndex((dimension) => dimension.scale !== 'category')),
	hidden: dimensions.map(() => new Set()), // positions, by dimension
	theme: 'light',
	log: {}, // by card: is its y axis logarithmic? Without an entry its data decide
	limits: true,
	percentile: 'p50+p99',
	explore: ['fault_ns.total.mean', 'requests.in_flight_mean'].find((name) => metricNames.includes(name)) || metricNames[0],
	distribution: 'latency_ns',
	tail: false,
	cdfAt: null, // position on the x dimension; null: the middle
	stages: null, // one of STAGES; null: the first that has something
	line: null, // index of the line whose bars are shown; null: the first with many
	heat: {x: null, y: null, metric: 'throughput.bytes_per_s', at: null},
};

function currentTheme() {
	return THEMES[state.theme];
}

function visible(index) {
	return dimensions[index].values.map((_, i) => i).filter((i) => !state.hidden[index].has(i));
}

// The dimensions beside x: the first has colours, the second dashes.
function otherDimensions() {
	return dimensions.map((_, i) => i).filter((i) => i !== state.x);
}

function styleOf(theme, others, positions) {
	const [first, second] = others;
	const dimension = dimensions[first];

	return {
		colour: first === undefined ? theme.list[0]
			: colourOf(theme, positions[0], dimension.values.length, dimension.scale !== 'category'),
		dash: second === undefined ? [] : DASHES[positions[1] % DASHES.length],
	};
}

// One line per visible combination of the other dimensions' values.
function lines(theme) {
	const others = otherDimensions();

	return combinations(others.map(visible)).map((positions) => {
		const at = dimensions.map(() => 0);

		others.forEach((dimension, i) => (at[dimension] = positions[i]));
		return {
			at, ...styleOf(theme, others, positions),
			name: others.map((dimension, i) => dimensions[dimension].values[positions[i]].text).join(' · '),
		};
	});
}

function place(line, position) {
	return line.at.map((value, i) => (i === state.x ? position : value));
}

const LINES_AT_FIRST = 24; // more than that nobody can follow

function countLines() {
	return otherDimensions().reduce((product, i) => product * visible(i).length, 1);
}

// Of a sweep with many axes only the first and last values are shown to begin with, the last axis' first.
function hideSome() {
	for (const i of otherDimensions().reverse())
		if (countLines() > LINES_AT_FIRST)
			visible(i).slice(1, -1).forEach((position) => state.hidden[i].add(position));
}

// ---- scales

function axisLabel(text, unit) {
	return unit ? `${text} (${unit})` : text;
}

function xScale() {
	const dimension = dimensions[state.x], shown = visible(state.x);
	const most = Math.max(...dimension.values.map((value) => Math.abs(value.number)).filter(Number.isFinite), 0);
	const scale = dimension.scale === 'category' ? {divisor: 1, unit: ''} : scaleFor(dimension.unit, most);
	const coordinate = {
		log2: (value) => Math.log2(value.number), linear: (value) => value.number, category: (_, i) => i,
	}[dimension.scale];
	const at = dimension.values.map((value, i) => coordinate(value, i));
	const short = dimension.values.map((value) => (scale.unit ? number(value.number / scale.divisor) : value.text));
	const seen = shown.map((i) => at[i]);
	const [low, high] = [Math.min(...seen), Math.max(...seen)];
	const margin = (high - low || 1) * 0.025;

	return {
		at, short, low: low - margin, high: high + margin, label: axisLabel(dimension.label, scale.unit),
		ticks: (from, to) => shown.map((i) => ({at: at[i], text: short[i]})).filter((tick) => tick.at >= from - 1e-9 && tick.at <= to + 1e-9)
			.sort((a, b) => a.at - b.at),
	};
}

// What a value becomes on the y axis; null where there is no logarithm.
function yTransform(log) {
	return log ? (value) => (value > 0 ? Math.log10(value) : null) : (value) => value;
}

function yScale(log, values, label) {
	const high = Math.max(...values, 0), positive = values.filter((value) => value > 0);

	if (!log || !positive.length) {
		const low = Math.min(...values, 0);

		return {label, low: low * 1.06, high: high * 1.06 || 1, ticks: (from, to) => linearTicks(from, to, 6)};
	}
	const exponents = [Math.log10(Math.min(...positive)), Math.log10(high)];

	return {label, low: exponents[0] - 0.08, high: exponents[1] + 0.08, ticks: (from, to) => decadeTicks(from, to)};
}

// ---- lines over x

function pointsOf(line, quantity, x, scale, y) {
	return visible(state.x).map((position) => {
		const value = valueAt(quantity, place(line, position));
		const point = {position, x: x.at[position], text: x.short[position], y: null, value: null};

		if (!value)
			return point;
		const [mean, low, high] = [value.mean, value.low, value.high].map((one) => one / scale.divisor);

		return {...point, value: mean, y: y(mean), low: y(low), high: y(high), lowValue: low, highValue: high,
			shown: `${number(mean)} ${scale.unit}`.trim()};
	}).sort((a, b) => a.x - b.x);
}

function allValues(list, quantities) {
	return quantities.flatMap((quantity) => list.flatMap((line) => visible(state.x).map((position) =>
		(valueAt(quantity, place(line, position)) || {mean: 0}).mean)));
}

// The mean latency of a line's first point that has one.
function leastLatency(line) {
	const quantity = {get: (point) => metric('latency_ns.mean', point)};

	for (const position of dimensions[state.x].values.keys()) {
		const value = valueAt(quantity, place(line, position));

		if (value)
			return value.mean;
	}
	return null;
}

function sameCurve(a, b) {
	return a.every((point, i) => (point.value === null) === (b[i].value === null) &&
		(point.value === null || Math.abs(point.value - b[i].value) <= 0.02 * Math.abs(point.value)));
}

const OWN_LIMITS_MAX = 4; // with more lines than that each one's own limits would hide them

// A limit over x, once for lines that have it in common.
function limitGroups(limit, list, x, scale, y) {
	const groups = [];

	for (const line of list) {
		const least = leastLatency(line);
		const some = pointsOf(line, {get: (point) => limit.get(point, least)}, x, scale, y);
		const group = groups.find((one) => sameCurve(one.points, some));

		if (group)
			group.lines.push(line);
		else if (some.some((point) => point.y !== null))
			groups.push({lines: [line], points: some});
	}
	return groups;
}

const NEAR = 1.5; // a limit is drawn where it comes so close to its lines

// How close a limit comes to its lines: the least limit ÷ value.
function closeness(group, quantity, divisor) {
	return Math.min(...group.lines.flatMap((line) => visible(state.x).map((position) => {
		const value = valueAt(quantity, place(line, position));
		const limit = group.points.find((point) => point.position === position).value;

		return value && value.mean > 0 && limit !== null ? limit * divisor / value.mean : Infinity;
	})));
}

function addLimits(model, limits, quantity, list, x, scale, y, theme) {
	const far = [], own = [];

	for (const limit of limits) {
		const groups = limitGroups(limit, list, x, scale, y);
		const near = groups.filter((group) => closeness(group, quantity, scale.divisor) <= NEAR);
		const drawn = near.filter((group) => list.length <= OWN_LIMITS_MAX || group.lines.length > 1)
			.sort((a, b) => b.lines.length - a.lines.length).slice(0, OWN_LIMITS_MAX);

		if (groups.length && !near.length)
			far.push(`${limit.name} ${number(Math.min(...groups.map((group) => closeness(group, quantity, scale.divisor))))} × away`);
		if (drawn.length < near.length)
			own.push(limit.name);
		model.series.push(...drawn.map((group) => ({
			limit: true, label: limit.name, name: drawn.length > 1 ? `${limit.name}, ${group.lines[0].name}` : limit.name,
			colour: group.lines.length > 1 || list.length < 2 ? theme.limit : group.lines[0].colour, dash: [3, 3], width: 1.2,
			points: group.points,
		})));
	}
	return [
		model.series.some((series) => series.limit) ? 'Fine dashes: limits, by the formulas below.' : '',
		own.length ? `Limits that differ from line to line (${own.join(', ')}) appear when no more than ${OWN_LIMITS_MAX} lines are shown.` : '',
		far.length ? `Not near: ${far.join(', ')}.` : '',
	];
}

function wide(values) {
	const positive = values.filter((value) => value > 0);

	return positive.length > 0 && Math.max(...positive) / Math.min(...positive) > LOG_FROM;
}

const LOG_FROM = 50; // largest ÷ smallest value from which an axis is logarithmic by itself

function overX({name, title, quantities, limits = [], log: chosen}) {
	const theme = currentTheme(), list = lines(theme), x = xScale();
	const log = chosen ?? wide(allValues(list, quantities)), y = yTransform(log);
	const most = Math.max(0, ...allValues(list, quantities).map(Math.abs)), scale = scaleFor(quantities[0].unit, most);
	const model = {kind: 'lines', name, title, subtitle: subtitle(), x, log, series: []};

	quantities.forEach((quantity, i) => list.forEach((line) => model.series.push({
		label: i ? '' : line.name || quantity.short || quantity.label,
		name: [line.name, quantities.length > 1 || !line.name ? quantity.short || quantity.label : ''].filter(Boolean).join(' · '),
		colour: line.colour, dash: i ? DASHES[2] : line.dash, width: i ? 1.2 : 2, marks: !i,
		points: pointsOf(line, quantity, x, scale, y),
	})));
	const values = model.series.flatMap((series) => series.points.flatMap((p) => [p.value, p.highValue])).filter(Number.isFinite);

	if (!values.length)
		return {empty: 'No point has this.', log};
	const limited = state.limits ? limits : [];
	const notes = addLimits(model, limited, quantities[0], list, x, scale, y, theme);
	const close = model.series.filter((series) => series.limit).flatMap((series) => series.points.map((p) => p.value))
		.filter((value) => value !== null && value <= most / scale.divisor * NEAR);

	model.y = yScale(log, [...values, ...close], axisLabel(quantities[0].label, scale.unit));
	model.note = [list.length > 1 ? `Lines: ${otherDimensions().map((i) => dimensions[i].label).join(' · ')}.` : '', ...notes,
		repeated ? 'Points are means of repetitions, bars their range.' : quantities[0].interval ? 'Bars: 95 % confidence.' : '',
	].filter(Boolean).join(' ');
	return model;
}

// Of which sweep a picture is, and what its lines stand for.
function subtitle() {
	const others = otherDimensions().map((i) => dimensions[i].label);

	return `${data.meta.name || 'sweep'}${others.length ? `; lines: ${others.join(' · ')}` : ''}`;
}

const PERCENTILES = {
	'p50+p99': 'p50, p99 dotted', p50: 'p50', p99: 'p99', p999: 'p99.9', mean: 'mean', max: 'max',
};

function latencyModel() {
	const quantities = state.percentile.split('+').map((part) => ({...quantityOf(`latency_ns.${part}`), short: part}));

	quantities[0].label = quantities.length > 1 ? 'Latency' : quantities[0].label;
	return overX({name: 'latency', title: `Latency: ${PERCENTILES[state.percentile]}`, quantities, log: state.log.latency,
		limits: state.percentile === 'mean' ? [LATENCY_LIMIT] : []});
}

// ---- distributions

function cdfPosition() {
	const shown = visible(state.x);

	return shown.includes(state.cdfAt) ? state.cdfAt : shown[Math.floor(shown.length / 2)];
}

function cdfPoints(curve) {
	const [edges, shares] = curve;
	const y = state.tail ? (share) => (share < 1 ? Math.log10(1 - share) : null) : (share) => share;
	const known = edges.map((edge, i) => ({edge, share: shares[i]})).filter(({edge}) => edge > 0);

	return [{edge: known[0].edge, share: 0}, ...known].map(({edge, share}) => ({
		x: Math.log10(edge), text: edge, value: share, y: y(share), shown: `${number((state.tail ? 1 - share : share) * 100)} %`,
	}));
}

function cdfModel() {
	const theme = currentTheme(), column = data.histograms[state.distribution] || [], position = cdfPosition();
	const dimension = dimensions[state.x];
	const series = lines(theme).map((line) => {
		const [first] = places.get(place(line, position).join(',')) || [];
		const curve = first && column[first.i];

		return curve && curve[0].some((edge) => edge > 0) &&
			{label: line.name || state.distribution, colour: line.colour, dash: line.dash, width: 2, points: cdfPoints(curve)};
	}).filter(Boolean);

	if (!series.length)
		return {empty: 'No distribution of this was measured here.'};
	const xs = series.flatMap((one) => one.points.map((p) => p.x));
	const low = Math.min(...xs), high = Math.max(...xs), margin = (high - low) * 0.03 || 0.05;
	const title = `${state.distribution === 'latency_ns' ? 'Latency' : state.distribution} at ${dimension.label} ${dimension.values[position].text}`;

	return {
		kind: 'lines', steps: true, legend: true, name: `distribution-${state.distribution}`, title, subtitle: subtitle(), series,
		x: {label: 'time (ns, logarithmic)', low: low - margin, high: high + margin, textAt: (x) => quantityText(10 ** x, 'ns'),
			ticks: (from, to) => decadeTicks(from, to, (value) => quantityText(value, 'ns'))},
		y: state.tail
			? {label: 'share that takes longer', low: Math.max(-6, Math.min(...series.flatMap((one) => one.points.map((p) => p.y).filter(Number.isFinite))) - 0.1),
				high: 0.05, ticks: (from, to) => decadeTicks(from, to, (value) => `${Number((value * 100).toPrecision(2))} %`)}
			: {label: 'share that takes at most so long', low: 0, high: 1.02,
				ticks: (from, to) => linearTicks(from, to, 5, (value) => `${Math.round(value * 100)} %`)},
		note: `At ${dimension.label} ${dimension.values[position].text}. Buckets of the histograms are 1/64 wide.`,
	};
}

// ---- stages

// In the order in which they come; a stage ends at the point that it is named after.
const STAGE_TEXTS = {
	submitted: 'program, driver', doorbell: 'doorbell’s way', fetch: 'in the queue', fetched: 'SQE read', engine: 'waits for an engine',
	executed: 'engine', completed: 'CQE written', received: 'until it is seen',
	recorded: 'event record', driver: 'interrupt, thread', reported: 'driver', worker: 'waits for a worker', mm: 'handler',
	mm_done: 'handle_mm_fault', responded: 'CMD_RESUME', resumed: 'SMMU resumes', retried: 'translated again',
};
const ORDER = Object.keys(STAGE_TEXTS);

const STAGES = {
	faults: {label: 'Faults by stage', of: 'fault', names: stageNames('fault_ns').filter((name) => name !== 'total'),
		get: (name, point) => metric(`fault_ns.${name}.sum_ps`, point) / 1000 / metric('fault_ns.total.count', point),
		weight: (point) => metric('fault_ns.total.count', point)},
	requests: {label: 'Requests by stage', of: 'request', names: stageNames('request_stage_ns'),
		get: (name, point) => metric(`request_stage_ns.${name}.sum_ps`, point) / 1000 / metric('latency.count', point),
		weight: (point) => metric('latency.count', point)},
	waits: {label: 'What requests waited for', of: 'request', names: stageNames('waits'),
		get: (name, point) => metric(`waits.${name}.mean_ns`, point), weight: (point) => metric('latency.count', point)},
};

// In their order, as far as it is known; without those that are zero everywhere.
function stageNames(group) {
	const names = Object.keys(data.metrics).filter((name) => name.startsWith(`${group}.`) && name.endsWith('.sum_ps'))
		.filter((name) => okPoints.some((point) => metric(name, point) > 0)).map((name) => name.slice(group.length + 1, -7));

	return names.map((name) => ({name, rank: ORDER.indexOf(name)})).sort((a, b) => a.rank - b.rank).map(({name}) => name);
}

function stageKind() {
	return state.stages || Object.keys(STAGES).find((kind) => STAGES[kind].names.length) || 'requests';
}

function weightOf(kind, line) {
	return visible(state.x).reduce((sum, position) => sum + ((valueAt({get: STAGES[kind].weight}, place(line, position)) || {}).mean || 0), 0);
}

function stageLine(kind, list) {
	if (state.line !== null && state.line < list.length)
		return state.line;
	const weights = list.map((line) => weightOf(kind, line));

	return weights.findIndex((weight) => weight >= Math.max(...weights) / 2);
}

function stagesModel() {
	const kind = STAGES[stageKind()], theme = currentTheme(), list = lines(theme);
	const line = list[stageLine(stageKind(), list)], shown = visible(state.x), x = xScale();
	const means = kind.names.map((name) => shown.map((position) =>
		(valueAt({get: (point) => kind.get(name, point)}, place(line, position)) || {}).mean || 0));
	const sums = shown.map((_, i) => means.reduce((sum, values) => sum + values[i], 0));

	if (!kind.names.length || !Math.max(...sums))
		return {empty: `No ${kind.of}s here.`};
	const scale = scaleFor('ns', Math.max(...sums));
	const label = axisLabel(`mean time of a ${kind.of}`, scale.unit);

	return {
		kind: 'bars', name: stageKind(), title: `${kind.label}${line.name ? `: ${line.name}` : ''}`, subtitle: subtitle(),
		x: {label: x.label, texts: shown.map((position) => x.short[position])},
		y: {label, unit: scale.unit, high: Math.max(...sums) / scale.divisor * 1.08, ticks: (from, to) => linearTicks(from, to, 6)},
		stacks: kind.names.map((name, i) => ({label: name, text: [name, STAGE_TEXTS[name]].filter(Boolean).join(': '), colour: stageColour(theme, i, kind.names.length),
			values: means[i].map((value) => value / scale.divisor)})),
		note: kind.of === 'fault' ? 'Each stage ends at the point that it is named after; docs/traces.md defines them. They sum to the mean time from stall to retry.'
			: 'They sum to the mean latency of all requests, warm-up included.',
	};
}

// Neighbours in a stack must differ: every other colour is taken from the far half of the ramp.
function stageColour(theme, i, count) {
	const half = Math.ceil(count / 2);

	return mix(theme.ramp, ((i % 2 ? half : 0) + (i >> 1)) / Math.max(1, count - 1));
}

// ---- maps

function heatAxes() {
	const x = state.heat.x ?? state.x;
	const y = state.heat.y !== null && state.heat.y !== x ? state.heat.y : dimensions.findIndex((_, i) => i !== x);

	return {x, y};
}

// The other dimensions' positions in the map: chosen, else the last that is visible.
function heatAt(i) {
	return (state.heat.at || {})[i] ?? visible(i)[visible(i).length - 1];
}

function heatModel() {
	const {x, y} = heatAxes(), quantity = quantityOf(state.heat.metric);
	const fixed = dimensions.map((_, i) => i).filter((i) => i !== x && i !== y);
	const columns = visible(x), rows = visible(y);
	const means = rows.map((row) => columns.map((column) => {
		const at = dimensions.map((_, i) => (i === x ? column : i === y ? row : heatAt(i)));

		return (valueAt(quantity, at) || {mean: null}).mean;
	}));
	const known = means.flat().filter((value) => value !== null);

	if (!known.length)
		return {empty: 'No point has this.'};
	const scale = scaleFor(quantity.unit, Math.max(...known.map(Math.abs)));
	const at = fixed.map((i) => `${dimensions[i].label} ${dimensions[i].values[heatAt(i)].text}`).join(', ');

	return {
		kind: 'heat', name: `map-${quantity.name}`, title: `${quantity.label}${scale.unit ? ` in ${scale.unit}` : ''}${at ? `, ${at}` : ''}`,
		subtitle: data.meta.name, unit: scale.unit, text: number,
		x: {label: dimensions[x].label, texts: columns.map((i) => dimensions[x].values[i].text)},
		y: {label: dimensions[y].label, texts: rows.map((i) => dimensions[y].values[i].text)},
		values: means.map((row) => row.map((value) => (value === null ? null : value / scale.divisor))),
		low: Math.min(...known) / scale.divisor, high: Math.max(...known) / scale.divisor,
		note: `${quantity.label}${scale.unit ? ` in ${scale.unit}` : ''}${at ? `, ${at}` : ''}. ${quantity.help || ''}`,
	};
}

const RESOURCES_MAX = 14;
const WORTH_A_ROW = 0.005;

function utilisationModel() {
	const list = lines(currentTheme()), line = list[stageLine(stageKind(), list)];
	const shown = visible(state.x), x = xScale();
	const rows = Object.keys(data.metrics).filter((name) => name.endsWith('.utilisation')).map((name) => ({
		name: name.slice(0, -'.utilisation'.length),
		values: shown.map((position) => (valueAt(quantityOf(name), place(line, position)) || {mean: null}).mean),
	})).map((row) => ({...row, most: Math.max(...row.values)})).filter((row) => row.most >= WORTH_A_ROW)
		.sort((a, b) => a.most - b.most).slice(-RESOURCES_MAX);

	if (!rows.length)
		return {empty: 'Nothing was busy here.'};
	return {
		kind: 'heat', name: 'utilisation', title: `Utilisation of resources in %${line.name ? `: ${line.name}` : ''}`, subtitle: data.meta.name,
		unit: '%', text: (value) => (value !== null && value < 0.05 ? '0' : number(value)), height: Math.max(PLOT_HEIGHT, 60 + 22 * rows.length),
		x: {label: x.label, texts: shown.map((position) => x.short[position])}, y: {label: '', texts: rows.map((row) => row.name)},
		values: rows.map((row) => row.values.map((value) => (value === null ? null : value * 100))), low: 0, high: 100,
		note: 'Busy time ÷ (servers × time) in the measured window, in %. A slot or buffer is busy while it is held: it fills up when what comes after it is slow.',
	};
}

// SPDX-License-Identifier: BSD-3-Clause
// Tables: points, those that failed, validation, configuration, limits.

// The resource with the highest utilisation of a point.
function busiest(point) {
	let best = {name: '', value: -1};

	for (const name of Object.keys(data.metrics)) {
		if (!name.endsWith('.utilisation'))
			continue;
		const value = metric(name, point);

		if (value !== null && value > best.value)
			best = {name: name.slice(0, -'.utilisation'.length), value};
	}
	return best;
}

const STATUS_CLASS = {ok: 'good', failed: 'bad', timeout: 'bad', pending: 'warn'};

// {title, text: is it text?, value(point), show(value, point)}
function pointColumns() {
	const columns = [{title: 'point', value: (point) => point.id, show: String},
		{title: 'status', text: true, value: (point) => point.status, show: String, class: (value) => STATUS_CLASS[value]}];
	const ofMetric = (title, name) => {
		const {unit} = quantityOf(name);

		columns.push({title, value: (point) => metric(name, point), show: (value) => quantityText(value, unit)});
	};

	dimensions.forEach((dimension, i) => columns.push({
		title: dimension.label, value: (point) => (dimension.scale === 'category' ? valueText(i, point) : (dimension.values[point.at[i]] || {}).number),
		show: (_, point) => valueText(i, point), text: dimension.scale === 'category',
	}));
	if (new Set(points.map((point) => point.repetition)).size > 1)
		columns.push({title: 'repetition', value: (point) => point.repetition, show: String});
	ofMetric('throughput', 'throughput.bytes_per_s');
	ofMetric('p50', 'latency_ns.p50');
	ofMetric('p99', 'latency_ns.p99');
	ofMetric('faults', 'faults.stall_events');
	ofMetric('mean fault', 'fault_ns.total.mean');
	columns.push({title: 'busiest resource', text: true, value: (point) => busiest(point).name, show: String},
		{title: 'busy', value: (point) => busiest(point).value, show: (value) => (value < 0 ? '–' : `${number(value * 100)} %`)},
		{title: 'wall time', value: (point) => cell('host', 'wall_s', point.i) ?? null, show: (value) => (value === null ? '–' : `${number(value)} s`)});
	return columns;
}

function valueText(i, point) {
	return (dimensions[i].values[point.at[i]] || {text: '–'}).text;
}

const COMPARE = {
	'=': (a, b) => sameValue(a, b), '!=': (a, b) => !sameValue(a, b),
	'<': (a, b) => toNumber(a) < toNumber(b), '<=': (a, b) => toNumber(a) <= toNumber(b),
	'>': (a, b) => toNumber(a) > toNumber(b), '>=': (a, b) => toNumber(a) >= toNumber(b),
};

// What a name of the filter means for a point: its own fields, a parameter, a metric.
function lookUp(name, point) {
	if (['id', 'status', 'error', 'seed', 'repetition'].includes(name))
		return point[name];
	return cell('settings', name, point.i) ?? cell('config', name, point.i) ?? cell('metrics', name, point.i);
}

// Words that must all hold: NAME=VALUE, NAME<VALUE …, or a part of what the row says.
function matches(filter, point, rowText) {
	return filter.split(/\s+/).filter(Boolean).every((word) => {
		const [, name, operator, value] = /^([\w.]+)(!=|<=|>=|=|<|>)(.+)$/.exec(word) || [];

		return name ? COMPARE[operator](lookUp(name, point), value) : rowText.toLowerCase().includes(word.toLowerCase());
	});
}

function compareValues(a, b) {
	if (a === null || b === null || a === undefined || b === undefined)
		return (a ?? null) === null ? ((b ?? null) === null ? 0 : 1) : -1;
	return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}

function pointTable() {
	const columns = pointColumns();
	const order = {column: 0, down: false};
	const count = element('span', {class: 'note', id: 'point-count'});
	const filter = element('input', {class: 'filter', id: 'point-filter', type: 'search', placeholder: 'filter: 64, status=failed, workload.inflight>=16',
		'aria-label': 'filter of points', oninput: () => fill()});
	const head = columns.map((column, i) => element('th', {class: column.text ? 'text' : null, scope: 'col'}, element('button', {
		onclick: () => {
			order.down = order.column === i && !order.down;
			order.column = i;
			fill();
		},
	}, column.title)));
	const body = element('tbody');
	const rows = points.map((point) => {
		const values = columns.map((column) => column.value(point));
		const texts = columns.map((column, i) => column.show(values[i], point));
		const row = element('tr', {}, ...columns.map((column, i) => element('td',
			{class: [column.text ? 'text' : '', column.class ? column.class(values[i]) : ''].join(' ').trim() || null}, texts[i])));

		return {point, values, texts, row, text: `${texts.join(' ')} ${point.error || ''}`};
	});
	let shown = rows;

	function fill() {
		shown = rows.filter((row) => matches(filter.value, row.point, row.text))
			.sort((a, b) => compareValues(a.values[order.column], b.values[order.column]) * (order.down ? -1 : 1));
		head.forEach((th, i) => (i === order.column ? th.setAttribute('aria-sort', order.down ? 'descending' : 'ascending')
			: th.removeAttribute('aria-sort')));
		body.replaceChildren(...shown.map((row) => row.row));
		count.textContent = `${shown.length} of ${rows.length}`;
	}

	fill();
	return section('points', 'Points', element('div', {class: 'field'}, filter, count, element('button', {
		onclick: () => download(`${fileName()}-points.csv`, 'text/csv', csv([columns.map((column) => column.title),
			...shown.map((row) => row.values)])),
	}, 'CSV')), scrolled(element('table', {class: 'list'}, element('thead', {}, element('tr', {}, ...head)), body)));
}

function section(id, title, ...content) {
	return element('section', {id}, element('h2', {}, title), ...content);
}

function scrolled(node) {
	return element('div', {class: 'scroll'}, node);
}

// Rows of nodes or texts under titles; titles that begin with "<" are of text columns.
function plainTable(titles_, rows) {
	const text = titles_.map((title) => title.startsWith('<'));
	const kind = (i) => (text[i] ? 'text' : null);

	return scrolled(element('table', {class: 'list'},
		element('thead', {}, element('tr', {}, ...titles_.map((title, i) => element('th', {class: kind(i), scope: 'col'}, title.replace('<', ''))))),
		element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((value, i) =>
			(value instanceof Node ? value : element('td', {class: kind(i)}, value))))))));
}

function failedTable() {
	const failed = points.filter((point) => point.status === 'failed' || point.status === 'timeout');

	if (!failed.length)
		return null;
	return section('failed', `Points that failed: ${failed.length}`, plainTable(['point', '<status', 'exit status', '<settings', '<error'],
		failed.map((point) => [String(point.id), point.status, point.exit === null ? '–' : String(point.exit),
			dimensions.map((dimension, i) => `${dimension.key}=${valueText(i, point)}`).join(' '),
			element('td', {class: 'text wrap'}, point.error || '–')])));
}

function verdict(row) {
	if (row.low === null || row.high === null || row.simulated === null)
		return element('td', {class: 'text'}, 'no range');
	const good = row.simulated >= row.low && row.simulated <= row.high;

	return element('td', {class: `text ${good ? 'good' : 'bad'}`}, good ? '✓ within' : '✗ outside');
}

function validationTable() {
	if (!data.validation.length)
		return null;
	const value = (number_) => (number_ === null ? '–' : number(number_));
	const judged = data.validation.filter((row) => row.low !== null && row.high !== null && row.simulated !== null);
	const good = judged.filter((row) => row.simulated >= row.low && row.simulated <= row.high).length;

	return section('validation', `Validation: ${good} of ${judged.length} within their range`,
		element('p', {class: 'note'}, 'What is calibrated was used to choose parameters; the others are predictions.'),
		plainTable(['<case', '<row', '<quantity', '<unit', 'published', 'simulated', 'simulated ÷ published', 'range', '<result', '<kind', '<source'],
			data.validation.map((row) => [row.case, row.row, row.quantity, row.unit, value(row.published), value(row.simulated),
				row.published && row.simulated !== null ? number(row.simulated / row.published) : '–',
				`${value(row.low)} … ${value(row.high)}`, verdict(row), row.calibrated ? 'calibrated' : 'predicted',
				element('td', {class: 'text wrap'}, row.source || '')])));
}

function configTable() {
	const keys = Object.keys(data.config);
	const differing = keys.filter((key) => Array.isArray(data.config[key]));
	const common = keys.filter((key) => !Array.isArray(data.config[key]));
	const body = element('tbody');
	const filter = element('input', {class: 'filter', type: 'search', placeholder: 'filter', 'aria-label': 'filter of parameters', oninput: () => fill()});

	function fill() {
		body.replaceChildren(...common.filter((key) => key.includes(filter.value)).map((key) => element('tr', {},
			element('td', {class: 'text'}, element('code', {}, key)), element('td', {class: 'text'}, String(data.config[key])))));
	}

	fill();
	return section('configuration', 'Configuration', plainTable(['<differs', '<values'], differing.map((key) => [
		element('td', {class: 'text'}, element('code', {}, key)),
		element('td', {class: 'text wrap'}, [...new Set(data.config[key])].join(', '))])),
	element('details', {}, element('summary', {}, `Common to all points: ${common.length} parameters`), filter,
		scrolled(element('table', {class: 'list'}, body))),
	data.meta.sweep_file ? element('details', {}, element('summary', {}, 'The sweep’s file'), element('pre', {}, data.meta.sweep_file)) : null);
}

function limitTable() {
	const range = (limit) => {
		const values = okPoints.map((point) => limit.get(point, metric('latency_ns.mean', point))).filter((value) => value !== null && Number.isFinite(value));

		if (!values.length)
			return 'does not apply';
		const unit = limit === LATENCY_LIMIT ? 'ns' : 'bytes/s';
		const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => quantityText(value, unit));

		return limit.name === 'Little' && limit !== LATENCY_LIMIT ? 'by line' : low === high ? low : `${low} … ${high}`;
	};

	return section('limits', 'Limits in the charts', plainTable(['<limit', '<of', 'in this sweep', '<formula', '<meaning'],
		[...LIMITS, LATENCY_LIMIT].map((limit) => [limit.name, limit === LATENCY_LIMIT ? 'mean latency' : 'throughput', range(limit),
			element('td', {class: 'text wrap'}, element('code', {}, limit.formula)), element('td', {class: 'text wrap'}, limit.help)])));
}

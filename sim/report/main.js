// SPDX-License-Identifier: BSD-3-Clause
// The page: its head, what can be chosen, its cards; and what a browser or a test has to know about it.

function fileName() {
	return (data.meta.name || 'sweep').replace(/[^\w.-]+/g, '-');
}

function fail(error) {
	document.body.dataset.status = 'error';
	document.body.prepend(element('p', {class: 'bad', role: 'alert'}, `The report could not be drawn: ${error}`));
}

function count(status) {
	return points.filter((point) => point.status === status).length;
}

function fact(name, value, kind) {
	return value ? element('span', {class: kind}, `${name} `, element('b', {}, value)) : null;
}

function makeHead() {
	const {meta} = data;
	const failed = count('failed') + count('timeout');

	document.title = `${meta.name || 'sweep'} – svasim`;
	document.getElementById('head').append(
		element('div', {class: 'top'}, element('h1', {}, meta.name || 'Sweep'),
			element('button', {id: 'theme', 'aria-label': 'light or dark', onclick: toggleTheme}, '◐ light / dark')),
		element('p', {}, meta.description || ''),
		element('div', {class: 'facts'},
			fact('points', `${count('ok')} of ${points.length}`), fact('failed', failed ? String(failed) : '', 'bad'),
			fact('pending', count('pending') ? String(count('pending')) : '', 'warn'), fact('platform', meta.platform),
			fact('workload', meta.workload), fact('Linux', meta.kernel), fact('svasim', meta.svasim), fact('SystemC', meta.systemc),
			fact('compiler', [meta.compiler, meta.flags].filter(Boolean).join(' '))));
}

// ---- what can be chosen for all charts

function swatch(index, position) {
	const theme = currentTheme(), others = otherDimensions(), slot = others.indexOf(index);
	const dimension = dimensions[index];

	if (slot < 0 || slot > 1)
		return null;
	const colour = slot ? theme.text : colourOf(theme, position, dimension.values.length, dimension.scale !== 'category');
	const dash = slot ? DASHES[position % DASHES.length] : [];
	const span = element('span');

	span.innerHTML = `<svg width="22" height="8"><line x1="0" x2="22" y1="4" y2="4" stroke="${colour}" stroke-width="${slot ? 2 : 4}"` +
		` stroke-dasharray="${dash.join(' ')}"/></svg>`;
	return span.firstChild;
}

function chips(index) {
	const dimension = dimensions[index], hidden = state.hidden[index];

	return element('div', {class: 'chips', role: 'group', 'aria-label': dimension.label, 'data-dimension': dimension.key}, element('span', {}, `${dimension.label}:`),
		...dimension.values.map((value, position) => element('button', {
			class: 'chip', 'aria-pressed': String(!hidden.has(position)), title: 'click: show or hide; double click: only this one',
			onclick: () => {
				if (hidden.has(position))
					hidden.delete(position);
				else if (hidden.size < dimension.values.length - 1)
					hidden.add(position);
				update();
			},
			ondblclick: () => {
				dimension.values.forEach((_, i) => (i === position ? hidden.delete(i) : hidden.add(i)));
				update();
			},
		}, swatch(index, position), value.text)));
}

function field(name, node) {
	return element('label', {class: 'field'}, element('span', {}, name), node);
}

function makeControls() {
	document.getElementById('controls').replaceChildren(
		field('x axis', select(dimensions.map((dimension, i) => [String(i), dimension.label]), String(state.x), (value) => {
			state.x = Number(value);
			state.line = state.cdfAt = null;
			update();
		}, 'x axis')),
		...otherDimensions().map(chips), chips(state.x),
		state.hidden.some((hidden) => hidden.size) ? element('button', {id: 'show-all', onclick: () => {
			state.hidden.forEach((hidden) => hidden.clear());
			update();
		}}, 'show all') : '');
}

// ---- cards

function toggle(name, on, change) {
	return element('label', {class: 'field'}, element('input', {type: 'checkbox', checked: on ? '' : null, onchange: (event) => {
		change(event.target.checked);
		update();
	}}), name);
}

function logToggle(id, model) {
	return toggle('log', Boolean(model.log), (on) => (state.log[id] = on));
}

function chooser(options, chosen, key, label) {
	return select(options, chosen, (value) => {
		key(value);
		update();
	}, label);
}

function lineChooser() {
	const list = lines(currentTheme());

	return list.length < 2 ? null : chooser(list.map((line, i) => [String(i), line.name]), String(stageLine(stageKind(), list)),
		(value) => (state.line = Number(value)), 'line');
}

function dimensionOptions() {
	return dimensions.map((dimension, i) => [String(i), dimension.label]);
}

// A text field that knows the metrics' names.
function metricField(chosen, change, label) {
	const input = element('input', {value: chosen, list: 'metric-names', 'aria-label': label, size: 30, onchange: () => {
		if (metricNames.includes(input.value)) {
			change(input.value);
			update();
		} else {
			input.value = chosen;
		}
	}});

	return input;
}

function heatControls() {
	const {x, y} = heatAxes();
	const fixed = dimensions.map((_, i) => i).filter((i) => i !== x && i !== y);

	return [chooser(dimensionOptions(), String(x), (value) => (state.heat.x = Number(value)), 'across'),
		chooser(dimensionOptions().filter(([i]) => Number(i) !== x), String(y), (value) => (state.heat.y = Number(value)), 'up'),
		...fixed.map((i) => chooser(dimensions[i].values.map((value, position) => [String(position), value.text]), String(heatAt(i)),
			(value) => (state.heat.at = {...state.heat.at, [i]: Number(value)}), dimensions[i].label)),
		metricField(state.heat.metric, (name) => (state.heat.metric = name), 'metric of the map')];
}

const CARDS = [
	{id: 'throughput', title: 'Throughput', controls: (model) => [toggle('limits', state.limits, (on) => (state.limits = on)), logToggle('throughput', model)],
		model: () => overX({name: 'throughput', title: 'Throughput', quantities: [quantityOf('throughput.bytes_per_s')], limits: LIMITS,
			log: state.log.throughput})},
	{id: 'latency', title: 'Latency', model: latencyModel, controls: (model) => [
		chooser(Object.entries(PERCENTILES), state.percentile, (value) => (state.percentile = value), 'percentile'), logToggle('latency', model)]},
	{id: 'distribution', title: 'Distribution', model: cdfModel, controls: () => [
		chooser(Object.keys(data.histograms).map((name) => [name, name]), state.distribution, (value) => (state.distribution = value), 'distribution'),
		chooser(visible(state.x).map((i) => [String(i), `at ${dimensions[state.x].values[i].text}`]), String(cdfPosition()),
			(value) => (state.cdfAt = Number(value)), 'at'),
		toggle('tail', state.tail, (on) => (state.tail = on))]},
	{id: 'stages', title: 'Where the time goes', model: stagesModel, controls: () => [
		chooser(Object.entries(STAGES).map(([kind, {label: text}]) => [kind, text]), stageKind(), (value) => (state.stages = value), 'stages of'),
		lineChooser()]},
	{id: 'map', title: 'Map', model: heatModel, controls: heatControls, skip: dimensions.length < 2},
	{id: 'utilisation', title: 'Utilisation of resources', model: utilisationModel, controls: () => [lineChooser()]},
	{id: 'explore', title: 'Any metric', wide: true, controls: (model) => [metricField(state.explore, (name) => (state.explore = name), 'metric'), logToggle('explore', model)],
		model: () => {
			const model = overX({name: state.explore, title: state.explore, quantities: [quantityOf(state.explore)], log: state.log.explore});

			return {...model, note: [quantityOf(state.explore).help, model.note].filter(Boolean).join('. ')};
		}, skip: !metricNames.length},
].filter((card) => !card.skip);

const EXPORT_WIDTH = 760, EXPORT_HEIGHT = 440;

function exportSvg(model) {
	// on paper, whatever the screen's colours
	const chosen = state.theme;

	state.theme = 'light';
	const svg = chartSvg({...model.card.model(), exported: true}, THEMES.light, EXPORT_WIDTH, Math.max(EXPORT_HEIGHT, (model.height || 0) + 60));

	state.theme = chosen;
	return svg;
}

function exportButtons(model) {
	return element('span', {class: 'field'},
		element('button', {'data-export': 'svg', onclick: () =>
			download(`${fileName()}-${model.name}.svg`, 'image/svg+xml', exportSvg(model))}, 'SVG'),
		element('button', {'data-export': 'csv', onclick: () =>
			download(`${fileName()}-${model.name}.csv`, 'text/csv', chartCsv(model))}, 'CSV'));
}

function makeCard(card) {
	const node = element('section', {class: card.wide ? 'card wide' : 'card', id: card.id});

	document.getElementById('cards').append(node);
	return {card, node, plot: element('div', {class: 'plot'}), remove: () => {}};
}

function drawCard(place_) {
	const {card, node, plot} = place_;
	const model = Object.assign(card.model(), {card});
	const ready = !model.empty;

	place_.remove();
	node.replaceChildren(element('div', {class: 'bar'}, element('h2', {}, card.title), ...card.controls(model), element('span', {class: 'space'}),
		ready ? exportButtons(model) : ''),
	plot, model.note ? element('p', {class: 'note'}, model.note) : '');
	place_.remove = showChart(plot, model, currentTheme());
}

let drawn = [];

function update() {
	makeControls();
	drawn.forEach(drawCard);
}

// ---- light and dark

function setTheme(theme) {
	state.theme = theme;
	document.documentElement.dataset.theme = theme;
}

function toggleTheme() {
	setTheme(state.theme === 'dark' ? 'light' : 'dark');
	update();
}

function followSystem() {
	const dark = matchMedia('(prefers-color-scheme: dark)');

	setTheme(dark.matches ? 'dark' : 'light');
	dark.addEventListener('change', () => {
		setTheme(dark.matches ? 'dark' : 'light');
		update();
	});
}

function followSize() {
	let width = innerWidth, timer;

	addEventListener('resize', () => {
		clearTimeout(timer);
		timer = setTimeout(() => {
			if (innerWidth !== width)
				update();
			width = innerWidth;
		}, 150);
	});
}

function makeFoot() {
	document.getElementById('foot').append(element('p', {}, 'Made by svasim report. Drag over a chart to look closer, double-click to come back. ',
		'All times are simulated; the wall time is the host’s.'),
	element('details', {}, element('summary', {}, 'Licence of uPlot, which draws the lines'),
		element('pre', {}, document.getElementById('uplot-licence').textContent.trim())));
}

function start() {
	followSystem();
	makeHead();
	if (okPoints.length) {
		document.body.append(element('datalist', {id: 'metric-names'}, ...metricNames.map((name) => element('option', {value: name}))));
		hideSome();
		drawn = CARDS.map(makeCard);
		update();
		followSize();
	} else {
		document.getElementById('controls').remove();
		document.getElementById('cards').append(element('p', {}, 'No point of this sweep has results yet.'));
	}
	document.getElementById('tables').append(...[failedTable(), validationTable(), pointTable(), okPoints.length ? limitTable() : null, configTable()]
		.filter(Boolean));
	makeFoot();
	document.body.dataset.status = 'ready';
	document.body.dataset.loadMs = Math.round(performance.now());
}

addEventListener('error', (event) => fail(event.message));
start();

// SPDX-License-Identifier: BSD-3-Clause
// Lines on the screen, by uPlot: what can be pointed at and zoomed.

const PLOT_HEIGHT = 340;

function alignedData(model) {
	const xs = [...new Set(model.series.flatMap((series) => series.points.map((p) => p.x)))].sort((a, b) => a - b);
	const index = new Map(xs.map((x, i) => [x, i]));
	const columns = model.series.map((series) => {
		const column = new Array(xs.length).fill(undefined);

		for (const p of series.points)
			column[index.get(p.x)] = p.y;
		return column;
	});

	return [xs, ...columns];
}

function drawEndLabels(u, model) {
	const {ctx, bbox} = u, ratio = devicePixelRatio;
	const right = (bbox.left + bbox.width) / ratio, room = labelRoom(model);
	const place = (p) => ({x: u.valToPos(p.x, 'x', true) / ratio, y: u.valToPos(p.y, 'y', true) / ratio});
	const seen = {...model, x: {low: u.scales.x.min, high: u.scales.x.max}};

	ctx.save();
	ctx.scale(ratio, ratio);
	ctx.font = `12px ${FONT}`;
	ctx.textBaseline = 'middle';
	ctx.textAlign = 'left';
	for (const {series, from, at, beside} of placeLabels(seen, place, {right, top: bbox.top / ratio, bottom: (bbox.top + bbox.height) / ratio})) {
		ctx.fillStyle = ctx.strokeStyle = series.colour;
		if (beside) {
			ctx.fillText(series.label, beside.x - 8 - textWidth(series.label), beside.y - 8);
			continue;
		}
		ctx.globalAlpha = model.legend ? 1 : 0.5;
		ctx.lineWidth = model.legend ? 2 : 1;
		ctx.setLineDash(model.legend ? series.dash : []);
		ctx.beginPath();
		ctx.moveTo(from.x, from.y);
		ctx.lineTo(right + 12, at);
		ctx.stroke();
		ctx.globalAlpha = 1;
		ctx.fillText(shorten(series.label, room - 18), right + 15 + (model.legend ? LEGEND_ROOM : 0), at);
	}
	ctx.restore();
}

function drawWhiskers(u, model) {
	const {ctx} = u;

	ctx.save();
	ctx.lineWidth = devicePixelRatio;
	for (const series of model.series.filter((one) => one.marks)) {
		ctx.strokeStyle = series.colour;
		for (const p of series.points) {
			if (p.y === null || !(p.high > p.low))
				continue;
			const at = u.valToPos(p.x, 'x', true);

			ctx.beginPath();
			ctx.moveTo(at, u.valToPos(p.low, 'y', true));
			ctx.lineTo(at, u.valToPos(p.high, 'y', true));
			ctx.stroke();
		}
	}
	ctx.restore();
}

// A curve of steps has a value everywhere from its first point on.
function pointAt(model, series, x) {
	if (!model.steps)
		return series.points.find((p) => p.x === x);
	return series.points.findLast((p) => p.x <= x);
}

// The values under the cursor, the largest first.
function fillTip(tip, u, model) {
	const index = u.cursor.idx;

	if (index === null || index === undefined || u.cursor.left < 0) {
		tip.style.display = 'none';
		return;
	}
	const x = u.data[0][index];
	const rows = model.series.map((series) => ({series, p: pointAt(model, series, x)}))
		.filter(({p}) => p && p.y !== null).sort((a, b) => b.p.y - a.p.y).slice(0, 18);

	if (!rows.length) {
		tip.style.display = 'none';
		return;
	}
	const table = element('table');

	for (const {series, p} of rows) {
		const name = element('td', {}, series.name || series.label);

		name.style.color = series.colour;
		table.append(element('tr', {}, name, element('td', {}, p.shown)));
	}
	tip.replaceChildren(element('b', {}, `${model.x.label}: ${model.steps ? model.x.textAt(x) : rows[0].p.text}`), table);
	tip.style.display = 'block';
	const left = u.cursor.left + u.bbox.left / devicePixelRatio;
	const beyond = left + 20 + tip.offsetWidth > u.width;

	tip.style.left = `${beyond ? Math.max(0, left - tip.offsetWidth - 14) : left + 14}px`;
	tip.style.top = '8px';
}

function tickTexts(ticks, splits) {
	return splits.map((at) => (ticks.find((tick) => Math.abs(tick.at - at) < 1e-9) || {text: ''}).text);
}

function plotLines(container, model, theme, width) {
	const tip = element('div', {class: 'tip'});
	const axis = (scale, label_, more) => ({
		stroke: theme.dim, grid: {stroke: theme.grid, width: 1}, ticks: {show: false}, font: `12px ${FONT}`,
		label: label_, labelFont: `12px ${FONT}`, labelSize: 20, ...more,
	});
	const x = {
		splits: (u, i, low, high) => fitting(model.x.ticks(low, high), (at) => (at - low) / (high - low || 1) * (width - 250)).map((tick) => tick.at),
		values: (u, splits) => tickTexts(model.x.ticks(u.scales.x.min, u.scales.x.max), splits),
	};
	const y = {
		size: 52,
		splits: (u, i, low, high) => model.y.ticks(low, high).map((tick) => tick.at),
		values: (u, splits) => tickTexts(model.y.ticks(u.scales.y.min, u.scales.y.max), splits),
	};
	const options = {
		width, height: PLOT_HEIGHT, legend: {show: false}, padding: [10, labelRoom(model), 0, 0],
		cursor: {focus: {prox: 30}, points: {size: 7}, drag: {x: true, y: false}},
		focus: {alpha: 0.35},
		scales: {
			x: {time: false, range: (u, low, high) => (low === model.x.first && high === model.x.last ? [model.x.low, model.x.high] : [low, high])},
			y: {range: () => [model.y.low, model.y.high]},
		},
		axes: [axis('x', model.x.label, {size: 28, ...x}), axis('y', model.y.label, y)],
		series: [{}, ...model.series.map((series) => ({
			label: series.name || series.label, stroke: series.colour, width: series.width, dash: series.dash, spanGaps: true,
			points: {show: Boolean(series.marks), size: 5, fill: series.colour},
		}))],
		hooks: {
			draw: [(u) => drawWhiskers(u, model), (u) => drawEndLabels(u, model)],
			setCursor: [(u) => fillTip(tip, u, model)],
		},
	};
	const aligned = alignedData(model);

	model.x.first = aligned[0][0];
	model.x.last = aligned[0][aligned[0].length - 1];
	const plot = new uPlot(options, aligned, container);

	container.append(tip);
	return plot;
}

// What those who cannot see the picture are told, and tests.
function describe(model) {
	const parts = {lines: model.series, bars: model.stacks, heat: model.values}[model.kind];
	const limits = model.kind === 'lines' ? model.series.filter((series) => series.limit).map((series) => series.label) : [];

	return `${model.title}: ${parts.length - limits.length} ${{lines: 'lines', bars: 'stages', heat: 'rows'}[model.kind]}` +
		`${limits.length ? `, limits ${limits.join(', ')}` : ''}, over ${model.x.label}`;
}

// Shows a model; what it returns takes it away again.
function showChart(container, model, theme) {
	const width = Math.max(320, Math.floor(container.clientWidth));

	container.replaceChildren();
	container.setAttribute('role', 'group');
	container.setAttribute('aria-label', model.empty || describe(model));
	if (model.empty) {
		container.append(element('p', {class: 'note'}, model.empty));
		return () => {};
	}
	if (model.kind === 'lines') {
		const plot = plotLines(container, model, theme, width);

		return () => plot.destroy();
	}
	container.innerHTML = chartSvg(model, theme, width, model.height || PLOT_HEIGHT);
	return () => {};
}

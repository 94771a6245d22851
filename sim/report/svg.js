// SPDX-License-Identifier: BSD-3-Clause
// Charts as SVG: what is exported, and what bars and maps are on the screen. Coordinates of a chart's data are those
// of its scales; a logarithm has been taken before.

const FONT = 'system-ui, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif';
const LABEL_GAP = 14;
const LABELS_MAX = 16; // more lines than that cannot be told apart by labels at their ends

const ruler = document.createElement('canvas').getContext('2d');

function textWidth(text, size = 12) {
	ruler.font = `${size}px ${FONT}`;
	return ruler.measureText(text).width;
}

function shorten(text, width, size = 12) {
	let short = text;

	while (short.length > 1 && textWidth(short, size) > width)
		short = `${short.slice(0, -2)}…`;
	return short;
}

function escapeText(text) {
	return String(text).replace(/[&<>"]/g, (c) => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'})[c]);
}

function tag(name, attributes, content) {
	const text = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null)
		.map(([key, value]) => ` ${key}="${escapeText(typeof value === 'number' ? Number(value.toFixed(2)) : value)}"`).join('');

	return content === undefined ? `<${name}${text}/>` : `<${name}${text}>${content}</${name}>`;
}

function label(x, y, text, fill, more = {}) {
	return tag('text', {x, y, fill, 'font-size': 12, ...more}, escapeText(text));
}

function document_(width, height, theme, title, parts) {
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
		`font-family="${escapeText(FONT)}" role="img" aria-label="${escapeText(title)}">` +
		tag('rect', {width, height, fill: theme.back}) + parts.join('') + '</svg>';
}

function titles(model, theme, left) {
	if (!model.exported)
		return [];
	return [label(left, 20, model.title, theme.text, {'font-size': 15, 'font-weight': 600}),
		model.subtitle ? label(left, 37, model.subtitle, theme.dim) : ''];
}

// Where labels go that would like to be at `y`: as close as they can be, `gap` apart, between top and bottom.
function spread(wanted, top, bottom, gap) {
	const order = wanted.map((y, i) => ({y, i})).sort((a, b) => a.y - b.y);
	const at = [];
	let last = top - gap;

	for (const {y, i} of order)
		last = at[i] = Math.max(y, last + gap);
	last = bottom + gap;
	for (const {i} of order.reverse())
		last = at[i] = Math.min(at[i], last - gap);
	return at;
}

// The points of a line that can be seen.
function visiblePoints(series, {x, y}) {
	return series.points.filter((p) => p.y !== null && p.x >= x.low && p.x <= x.high && p.y <= y.high && p.y >= y.low);
}

// Labels at the ends of lines; limits are always labelled.
function endLabels(model) {
	const lines = model.series.filter((series) => series.label && !series.limit);

	return model.series.filter((series) => series.label && (series.limit || lines.length <= LABELS_MAX))
		.map((series) => ({series, seen: visiblePoints(series, model)})).filter(({seen}) => seen.length)
		.map(({series, seen}) => ({series, end: seen[seen.length - 1], before: seen[Math.max(0, seen.length - 2)]}));
}

const LEGEND_ROOM = 16;

/*
 * Where labels stand, and where the line to each begins: [{series, from: {x, y}, at: y}]. `place` gives a point's place.
 * A limit that leaves the picture has its label beside it, a point before: {series, beside: {x, y}}. Beside curves that all
 * end at the top stands a list with a piece of each line.
 */
function placeLabels(model, place, {right, top, bottom}) {
	const last = Math.max(...model.series.flatMap((series) => series.points.map((p) => p.x)).filter((x) => x <= model.x.high));
	const leaves = ({series, end}) => series.limit && end.x < last;
	const ends = endLabels(model).filter((one) => !leaves(one));

	if (model.legend)
		return ends.map(({series}, i) => ({series, from: {x: right + 28, y: top + 6 + LABEL_GAP * i}, at: top + 6 + LABEL_GAP * i}));
	const from = ends.map(({end}) => place(end));
	const at = spread(from.map(({y}) => y), top, bottom, LABEL_GAP);

	return [...ends.map(({series}, i) => ({series, from: {x: from[i].x + 4, y: from[i].y}, at: at[i]})),
		...endLabels(model).filter(leaves).map(({series, before}) => ({series, beside: place(before)}))];
}

function labelRoom(model) {
	return Math.min(190, 22 + (model.legend ? LEGEND_ROOM : 0) + Math.max(0, ...endLabels(model).map(({series}) => textWidth(series.label))));
}

// Ticks whose texts do not run into each other.
function fitting(ticks, place, room = 10) {
	let last = -Infinity;

	return ticks.filter((tick) => {
		const half = textWidth(tick.text) / 2, at = place(tick.at);

		if (at - half < last + room)
			return false;
		last = at + half;
		return true;
	});
}

function linesSvg(model, theme, width, height) {
	const left = 62, right = labelRoom(model), top = 50, bottom = height - 46;
	const {x, y} = model;
	const px = (value) => left + (value - x.low) / (x.high - x.low || 1) * (width - left - right);
	const py = (value) => bottom - (value - y.low) / (y.high - y.low || 1) * (bottom - top);
	const parts = titles(model, theme, 12);

	for (const tick of y.ticks(y.low, y.high))
		parts.push(tag('line', {x1: left, x2: width - right, y1: py(tick.at), y2: py(tick.at), stroke: theme.grid}),
			label(left - 7, py(tick.at) + 4, tick.text, theme.dim, {'text-anchor': 'end'}));
	for (const tick of fitting(x.ticks(x.low, x.high), px))
		parts.push(tag('line', {x1: px(tick.at), x2: px(tick.at), y1: top, y2: bottom, stroke: theme.grid}),
			label(px(tick.at), bottom + 17, tick.text, theme.dim, {'text-anchor': 'middle'}));
	parts.push(label((left + width - right) / 2, height - 10, x.label, theme.text, {'text-anchor': 'middle'}),
		tag('text', {transform: `translate(15 ${(top + bottom) / 2}) rotate(-90)`, fill: theme.text, 'font-size': 12, 'text-anchor': 'middle'},
			escapeText(y.label)));
	parts.push(tag('clipPath', {id: 'plot'}, tag('rect', {x: left - 4, y: top - 4, width: width - left - right + 8, height: bottom - top + 8})));
	for (const series of model.series) {
		const seen = series.points.filter((p) => p.y !== null);

		parts.push(tag('polyline', {'clip-path': 'url(#plot)', fill: 'none', stroke: series.colour, 'stroke-width': series.width,
			'stroke-dasharray': series.dash.length ? series.dash.join(' ') : null, 'stroke-linejoin': 'round',
			points: seen.map((p) => `${px(p.x).toFixed(1)},${py(p.y).toFixed(1)}`).join(' ')}));
		for (const p of series.marks ? seen : [])
			parts.push(tag('circle', {'clip-path': 'url(#plot)', cx: px(p.x), cy: py(p.y), r: 2.6, fill: series.colour}),
				p.high > p.low ? tag('line', {'clip-path': 'url(#plot)', x1: px(p.x), x2: px(p.x), y1: py(p.low), y2: py(p.high),
					stroke: series.colour}) : '');
	}
	const right_ = width - right;

	for (const {series, from, at, beside} of placeLabels(model, (p) => ({x: px(p.x), y: py(p.y)}), {right: right_, top, bottom}))
		parts.push(...(beside ? [label(beside.x - 8, beside.y - 4, series.label, series.colour, {'text-anchor': 'end'})] : [tag('path', {d: `M${from.x.toFixed(1)} ${from.y.toFixed(1)} L${right_ + 12} ${at.toFixed(1)}`, fill: 'none', stroke: series.colour,
			...(model.legend ? {'stroke-width': 2, 'stroke-dasharray': series.dash.join(' ') || null} : {'stroke-opacity': 0.5})}),
		label(right_ + 15 + (model.legend ? LEGEND_ROOM : 0), at + 4, shorten(series.label, right - 18), series.colour)]));
	return document_(width, height, theme, model.title, parts);
}

function barsSvg(model, theme, width, height) {
	const left = 62, top = model.exported ? 50 : 16, bottom = height - 46;
	const names = model.stacks.map((stack) => stack.text);
	const right = 26 + Math.max(...names.map((name) => textWidth(name)));
	const {x, y} = model;
	const slot = (width - left - right) / x.texts.length;
	const py = (value) => bottom - value / (y.high || 1) * (bottom - top);
	const parts = titles(model, theme, 12);
	const sums = x.texts.map(() => 0);

	for (const tick of y.ticks(0, y.high))
		parts.push(tag('line', {x1: left, x2: width - right, y1: py(tick.at), y2: py(tick.at), stroke: theme.grid}),
			label(left - 7, py(tick.at) + 4, tick.text, theme.dim, {'text-anchor': 'end'}));
	for (const stack of model.stacks)
		stack.values.forEach((value, i) => {
			if (!value)
				return;
			const from = py(sums[i]), to = py(sums[i] += value);

			parts.push(tag('rect', {x: left + slot * (i + 0.14), width: slot * 0.72, y: to, height: Math.max(0, from - to), fill: stack.colour},
				tag('title', {}, escapeText(`${x.texts[i]}: ${stack.label} ${number(value)} ${y.unit}`))));
		});
	const texts = x.texts.map((text, i) => ({at: i, text}));

	for (const tick of fitting(texts, (i) => left + slot * (i + 0.5)))
		parts.push(label(left + slot * (tick.at + 0.5), bottom + 17, tick.text, theme.dim, {'text-anchor': 'middle'}));
	x.texts.forEach((_, i) => {
		if (sums[i] && textWidth(number(sums[i])) < slot)
			parts.push(label(left + slot * (i + 0.5), py(sums[i]) - 5, number(sums[i]), theme.text, {'text-anchor': 'middle', 'font-size': 11}));
	});
	parts.push(label((left + width - right) / 2, height - 10, x.label, theme.text, {'text-anchor': 'middle'}),
		tag('text', {transform: `translate(15 ${(top + bottom) / 2}) rotate(-90)`, fill: theme.text, 'font-size': 12, 'text-anchor': 'middle'},
			escapeText(y.label)));
	parts.push(...barLabels(model, theme, {width, right, top, bottom, py}));
	return document_(width, height, theme, model.title, parts);
}

// Each stage's name beside the last bar, at its height.
function barLabels(model, theme, {width, right, top, bottom, py}) {
	const last = model.x.texts.length - 1;
	let sum = 0;
	const wanted = model.stacks.map((stack) => {
		const middle = sum + stack.values[last] / 2;

		sum += stack.values[last];
		return py(middle);
	});
	const at = spread(wanted, top + 4, bottom, LABEL_GAP);

	return model.stacks.flatMap((stack, i) => [
		tag('rect', {x: width - right + 8, y: at[i] - 5, width: 9, height: 9, fill: stack.colour}),
		label(width - right + 21, at[i] + 4, stack.text, theme.text)]);
}

function heatSvg(model, theme, width, height) {
	const {x, y} = model;
	const left = Math.min(240, 34 + Math.max(...y.texts.map((text) => textWidth(text)))), right = 14;
	const top = model.exported ? 50 : 8, bottom = height - 46;
	const w = (width - left - right) / x.texts.length, h = (bottom - top) / y.texts.length;
	const parts = titles(model, theme, 12);

	model.values.forEach((row, j) => row.forEach((value, i) => {
		const known = value !== null;
		const share = known && model.high > model.low ? (value - model.low) / (model.high - model.low) : 0;
		const fill = known ? mix(theme.heat, share) : theme.back;
		const at = {x: left + w * i + 1, y: bottom - h * (j + 1) + 1};
		const text = model.text(value);

		parts.push(tag('rect', {...at, width: w - 2, height: h - 2, fill, stroke: known ? null : theme.grid},
			tag('title', {}, escapeText(`${x.label} ${x.texts[i]}, ${y.texts[j]}: ${text} ${model.unit}`))));
		if (known && textWidth(text, 11.5) < w - 4 && h > 13)
			parts.push(label(at.x + w / 2 - 1, at.y + h / 2 + 3, text, textOn(fill),
				{'text-anchor': 'middle', 'font-size': 11.5, 'pointer-events': 'none'}));
	}));
	for (const tick of fitting(x.texts.map((text, i) => ({at: i, text})), (i) => left + w * (i + 0.5)))
		parts.push(label(left + w * (tick.at + 0.5), bottom + 17, tick.text, theme.dim, {'text-anchor': 'middle'}));
	y.texts.forEach((text, j) => parts.push(
		label(left - 6, bottom - h * (j + 0.5) + 4, shorten(text, left - (y.label ? 30 : 10)), theme.dim, {'text-anchor': 'end'})));
	parts.push(label((left + width - right) / 2, height - 10, x.label, theme.text, {'text-anchor': 'middle'}));
	if (y.label)
		parts.push(tag('text', {transform: `translate(15 ${(top + bottom) / 2}) rotate(-90)`, fill: theme.text, 'font-size': 12,
			'text-anchor': 'middle'}, escapeText(y.label)));
	return document_(width, height, theme, model.title, parts);
}

const SVG_OF = {lines: linesSvg, bars: barsSvg, heat: heatSvg};

function chartSvg(model, theme, width, height) {
	return SVG_OF[model.kind](model, theme, width, height);
}

function chartCsv(model) {
	const unit = (axis) => axis.label;

	if (model.kind === 'lines')
		return csv([['line', unit(model.x), unit(model.y), 'low', 'high'],
			...model.series.flatMap((series) => series.points.filter((p) => p.y !== null).map((p) =>
				[series.name || series.label, p.text, p.value, p.lowValue, p.highValue]))]);
	if (model.kind === 'bars')
		return csv([[model.x.label, ...model.stacks.map((stack) => `${stack.label} (${model.y.unit})`)],
			...model.x.texts.map((text, i) => [text, ...model.stacks.map((stack) => stack.values[i])])]);
	return csv([[`${model.y.label || 'name'} \\ ${model.x.label}`, ...model.x.texts],
		...model.y.texts.map((text, j) => [text, ...model.values[j]])]);
}

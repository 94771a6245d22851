// SPDX-License-Identifier: BSD-3-Clause
// Numbers and units as people write them, ticks, colours, and the DOM.

const STEPS = {
	ns: [[1, 'ns'], [1e3, 'µs'], [1e6, 'ms'], [1e9, 's']],
	us: [[1, 'µs'], [1e3, 'ms'], [1e6, 's']],
	ps: [[1, 'ps'], [1e3, 'ns'], [1e6, 'µs'], [1e9, 'ms'], [1e12, 's']],
	bytes: [[1, 'B'], [1e3, 'kB'], [1e6, 'MB'], [1e9, 'GB'], [1e12, 'TB']],
	'bytes/s': [[1, 'B/s'], [1e3, 'kB/s'], [1e6, 'MB/s'], [1e9, 'GB/s'], [1e12, 'TB/s']],
	'1/s': [[1, '/s'], [1e3, 'k/s'], [1e6, 'M/s']],
	share: [[0.01, '%']],
};

// {divisor, unit} for values up to `max`.
function scaleFor(unit, max) {
	const steps = STEPS[unit];

	if (!steps)
		return {divisor: 1, unit};
	const [divisor, name] = [...steps].reverse().find(([step]) => max >= step) || steps[0];

	return {divisor, unit: name};
}

// About three digits.
function number(value) {
	if (value === null || value === undefined || !Number.isFinite(value))
		return '–';
	const size = Math.abs(value);

	if (size >= 100 || value === 0)
		return Math.round(value).toLocaleString('en-US').replace(/,/g, '\u202f');
	return String(Number(value.toPrecision(3)));
}

function quantityText(value, unit) {
	if (value === null || value === undefined)
		return '–';
	const scale = scaleFor(unit, Math.abs(value));

	return `${number(value / scale.divisor)} ${scale.unit}`.trim();
}

// A sweep's own value: "5000" ns → "5 µs", "8KiB" stays.
function withUnit(text, unit) {
	const value = Number(text);

	if (!unit || text === '' || !Number.isFinite(value))
		return text;
	return value ? quantityText(value, unit) : `0 ${unit}`;
}

// ---- ticks: [{at, text}] in the scale's own coordinates

function linearTicks(low, high, about, text = number) {
	const raw = (high - low) / Math.max(1, about);
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
	const ticks = [];

	for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
		ticks.push({at: i * step, text: text(Number((i * step).toPrecision(12)))});
	return ticks;
}

// On a scale of decades: `low` and `high` are exponents.
function decadeTicks(low, high, text = number) {
	const ticks = [];
	const factors = high - low > 4 ? [1] : high - low > 1.5 ? [1, 3] : [1, 2, 3, 5, 7];

	for (let decade = Math.floor(low); decade <= Math.ceil(high); decade++)
		for (const factor of factors) {
			const at = decade + Math.log10(factor);

			if (at >= low - 1e-9 && at <= high + 1e-9)
				ticks.push({at, text: text(factor * 10 ** decade)});
		}
	return ticks;
}

// ---- colours

const THEMES = {
	light: {
		back: '#ffffff', text: '#1b1f27', dim: '#5b6472', grid: '#e6e9ee', limit: '#6b7280',
		ramp: ['#1f3fa8', '#6a1ea8', '#a8228f', '#d0405f', '#d9691f', '#b98900'],
		list: ['#1f5fbf', '#c8501e', '#1a8a5a', '#8d3fb5', '#b03060', '#8a6d00', '#0f8a9c', '#5b6472'],
		heat: ['#f2f6fc', '#a9c8ee', '#4f8fd0', '#1d5aa6', '#0c2f66'],
	},
	dark: {
		back: '#1c2026', text: '#e4e7ec', dim: '#9aa4b2', grid: '#2c323b', limit: '#9aa4b2',
		ramp: ['#7fa8ff', '#b48cff', '#e58be0', '#ff8fa3', '#ffab73', '#ffd24d'],
		list: ['#7fb0ff', '#ff9d6c', '#5cc998', '#c99aec', '#ff8fb0', '#e3c34a', '#5ccbd9', '#9aa4b2'],
		heat: ['#232932', '#23466e', '#2f72b0', '#6aa9e0', '#d3e7fa'],
	},
};

function mix(stops, share) {
	const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
	const from = Math.min(Math.floor(at), stops.length - 2);
	const channel = (stop, i) => parseInt(stops[stop].slice(1 + 2 * i, 3 + 2 * i), 16);
	const mixed = [0, 1, 2].map((i) =>
		Math.round(channel(from, i) + (channel(from + 1, i) - channel(from, i)) * (at - from)));

	return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

// Values that have an order get colours that have one.
function colourOf(theme, index, count, ordered) {
	if (ordered && count > 2)
		return mix(theme.ramp, index / (count - 1));
	return theme.list[index % theme.list.length];
}

// Dark text on light cells and the other way round.
function textOn(colour) {
	const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

	return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? '#14171c' : '#ffffff';
}

const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [12, 4]];

// ---- DOM

function element(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith('on'))
			node.addEventListener(name.slice(2), value);
		else if (value !== null && value !== undefined && value !== false)
			node.setAttribute(name, value);
	}
	node.append(...children.filter((child) => child !== null && child !== undefined));
	return node;
}

function select(options, chosen, onchange, label) {
	const node = element('select', {'aria-label': label, onchange: () => onchange(node.value)});

	for (const [value, text] of options)
		node.append(element('option', {value, selected: value === chosen ? '' : null}, text));
	return node;
}

function download(name, type, text) {
	const link = element('a', {download: name, href: URL.createObjectURL(new Blob([text], {type}))});

	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function csv(rows) {
	const field = (value) => {
		const text = value === null || value === undefined ? '' : String(value);

		return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
	};

	return rows.map((row) => row.map(field).join(',')).join('\n') + '\n';
}

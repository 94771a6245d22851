// SPDX-License-Identifier: BSD-3-Clause
// node engine.mjs ENGINE_DIR TRACE [--json] SQL...
// Loads TRACE into Perfetto's trace processor and prints the answer to each SQL: tab-separated with a header, or with --json
// one array of {columns, rows}. The engine's bundle expects a browser's worker; the replacements below give it 32-bit
// memory, the WASM as bytes, and let us hold its bridge.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import {pathToFileURL} from 'node:url';

const CHUNK_BYTES = 32 << 20;
const REPLACEMENTS = [
	['this.useMemory64 = hasMemory64Support();', 'this.useMemory64 = false;'],
	['locateFile: (s) => s,', 'locateFile: (s) => s, wasmBinary: globalThis.engineWasm,'],
	['const wasmBridge = new wasm_bridge_1.WasmBridge();',
		'const wasmBridge = globalThis.engineBridge = new wasm_bridge_1.WasmBridge();'],
	['onRuntimeInitialized: () => deferredRuntimeInitialized.resolve(),',
		'onRuntimeInitialized: () => { deferredRuntimeInitialized.resolve(); setTimeout(globalThis.engineReady, 0); },'],
];

function setGlobal(name, value) {
	Object.defineProperty(globalThis, name, {value, writable: true, configurable: true});
}

// The engine's chatter; what else it says on the console goes to standard error.
const CHATTER = /Unexpected QueryResult field|unsupported syscall|Loading trace|^\s*$/;

function muteChatter() {
	for (const method of ['log', 'info', 'warn', 'error']) {
		console[method] = (...args) => {
			const line = args.map((a) => (typeof a === 'string' ? a : JSON.stringify(a))).join(' ');
			if (!CHATTER.test(line))
				process.stderr.write(line + '\n');
		};
	}
}

async function startEngine(dir) {
	setGlobal('self', globalThis);
	setGlobal('WorkerGlobalScope', function () {});
	setGlobal('location', {href: pathToFileURL(dir).href + '/'});
	setGlobal('engineWasm', new Uint8Array(fs.readFileSync(path.join(dir, 'trace_processor.wasm'))));
	const ready = new Promise((resolve) => setGlobal('engineReady', resolve));
	muteChatter();

	let bundle = fs.readFileSync(path.join(dir, 'engine_bundle.node.js'), 'utf8');
	for (const [from, to] of REPLACEMENTS) {
		if (!bundle.includes(from))
			throw new Error(`the engine is not the pinned one: no "${from}"`);
		bundle = bundle.replace(from, to);
	}
	const {EngineBase} = await import(pathToFileURL(path.join(dir, 'engine.mjs')).href);
	vm.runInThisContext(bundle, {filename: 'engine_bundle.node.js'});

	const channel = new MessageChannel();
	globalThis.engineBridge.initialize(channel.port1);
	class Engine extends EngineBase {
		mode = 'WASM';
		id = 'trace-query';
		port = channel.port2;
		rpcSendRequestBytes(bytes) {
			this.port.postMessage(bytes);
		}
	}
	const engine = new Engine();
	channel.port2.onmessage = (message) => {
		if (message.data instanceof Uint8Array)
			engine.onRpcResponseBytes(message.data);
	};
	await ready;
	return engine;
}

async function load(engine, tracePath) {
	const trace = new Uint8Array(fs.readFileSync(tracePath));

	for (let at = 0; at < trace.length; at += CHUNK_BYTES)
		await engine.parse(trace.subarray(at, at + CHUNK_BYTES));
	await engine.notifyEof();
}

async function ask(engine, sql) {
	const result = await engine.query(sql);
	if (result.error())
		throw new Error(result.error());
	const columns = result.columns();
	const rows = [];
	for (const it = result.iter({}); it.valid(); it.next())
		rows.push(columns.map((column) => it.get(column)));
	return {columns, rows};
}

// 64-bit integers go out exactly
function toJson(value) {
	if (typeof value === 'bigint')
		return value.toString();
	if (Array.isArray(value))
		return `[${value.map(toJson).join(',')}]`;
	return JSON.stringify(value ?? null);
}

// A pipe takes a long answer in parts
function print(text) {
	const bytes = Buffer.from(text + '\n');
	for (let at = 0; at < bytes.length;) {
		try {
			at += fs.writeSync(1, bytes, at);
		} catch (error) {
			if (error.code !== 'EAGAIN')
				throw error;
		}
	}
}

const [engineDir, tracePath, ...rest] = process.argv.slice(2);
const asJson = rest.includes('--json');
const engine = await startEngine(engineDir);
await load(engine, tracePath);

let failed = 0;
const answers = [];
for (const sql of rest.filter((argument) => argument !== '--json')) {
	try {
		const {columns, rows} = await ask(engine, sql);
		answers.push(`{"columns":${toJson(columns)},"rows":${toJson(rows)}}`);
		if (!asJson)
			print([columns, ...rows].map((row) => row.map((v) => v ?? 'NULL').join('\t')).join('\n'));
	} catch (error) {
		failed = 1;
		console.error(`trace-query: ${error.message}\n  in: ${sql}`);
	}
}
if (asJson)
	print(`[${answers.join(',\n')}]`);
process.exit(failed);

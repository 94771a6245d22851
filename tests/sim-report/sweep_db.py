# SPDX-License-Identifier: BSD-3-Clause
"""Makes databases like those of svasim sweep (docs/sweeps.md), with figures that a test can work out itself."""
import itertools
import os
import sqlite3

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE axis(id INTEGER PRIMARY KEY, key TEXT NOT NULL, label TEXT NOT NULL, unit TEXT NOT NULL,
    scale TEXT NOT NULL CHECK(scale IN ('linear','log2','category')), zip_group INTEGER);
CREATE TABLE axis_value(axis INTEGER REFERENCES axis, position INTEGER, value TEXT NOT NULL,
    PRIMARY KEY(axis, position)) WITHOUT ROWID;
CREATE TABLE point(id INTEGER PRIMARY KEY, status TEXT NOT NULL CHECK(status IN ('pending','ok','failed','timeout')),
    exit_status INTEGER, error TEXT, repetition INTEGER NOT NULL, seed INTEGER NOT NULL);
CREATE TABLE setting(point INTEGER REFERENCES point, key TEXT, value TEXT NOT NULL, PRIMARY KEY(point, key)) WITHOUT ROWID;
CREATE TABLE config(point INTEGER REFERENCES point, key TEXT, value TEXT NOT NULL, PRIMARY KEY(point, key)) WITHOUT ROWID;
CREATE TABLE metric(point INTEGER REFERENCES point, name TEXT, value NOT NULL, PRIMARY KEY(point, name)) WITHOUT ROWID;
CREATE TABLE histogram(point INTEGER REFERENCES point, name TEXT, upper_ns REAL, count INTEGER NOT NULL,
    PRIMARY KEY(point, name, upper_ns)) WITHOUT ROWID;
CREATE TABLE host(point INTEGER PRIMARY KEY REFERENCES point, wall_s REAL NOT NULL, user_s REAL NOT NULL,
    max_rss_kib INTEGER NOT NULL);
CREATE TABLE validation(case_name TEXT, "row" TEXT, quantity TEXT, unit TEXT, published REAL, simulated REAL, low REAL,
    high REAL, calibrated INTEGER, source TEXT);
"""

REQUEST_BYTES = 4096
ENGINE_RATE = 8e9
FAULT_STAGES = {"recorded": 100, "driver": 2000, "reported": 300, "worker": 400, "mm": 50, "mm_done": 800, "responded": 20,
                "resumed": 500, "retried": 30}


def axis(key, values, label="", unit="", scale="linear", zip_group=None):
    return {"key": key, "values": [str(value) for value in values], "label": label, "unit": unit, "scale": scale,
            "zip_group": zip_group}


def figures(setting, repetition):
    """A queue of requests before engines: latency is 1 us until the engines are full; a fault adds its own."""
    inflight = float(setting.get("workload.inflight", 4))
    faults = float(setting.get("workload.destination_fresh_percent", 0)) / 100
    alone = 1000.0 + faults * (4200 + float(setting.get("kernel.fault.extra_ns", 0)))
    rate = min(inflight / alone * 1e9, ENGINE_RATE / REQUEST_BYTES) * (1 + 0.01 * (repetition - 1))
    latency = inflight / rate * 1e9
    metrics = {
        "duration_ps": 10 ** 10, "requests.sent": 2000, "requests.completed": 2000, "requests.errors": 0,
        "requests.bytes": 2000 * REQUEST_BYTES, "requests.in_flight_max": inflight, "requests.in_flight_mean": inflight,
        "requests.per_s": rate, "throughput.bytes_per_s": rate * REQUEST_BYTES, "throughput.requests_per_s": rate,
        "throughput.ci95_bytes_per_s": rate * REQUEST_BYTES * 0.01,
        "latency_ns.mean": latency, "latency_ns.p50": latency, "latency_ns.p99": 2 * latency, "latency_ns.p999": 3 * latency,
        "latency_ns.max": 4 * latency, "latency.count": 2000, "latency.sum_ps": 2000 * latency * 1000,
        "accel.engines.copy.bytes": 2000 * REQUEST_BYTES, "accel.engine.copy.servers": 4,
        "accel.engine.copy.busy_ps": 2000 * REQUEST_BYTES / (ENGINE_RATE / 4) * 1e12,
        "accel.engine.copy.utilisation": rate * REQUEST_BYTES / ENGINE_RATE,
        "memory.channels.utilisation": rate * REQUEST_BYTES / 1e11,
        "memory.requester.accel0.bytes_read": 2000 * REQUEST_BYTES, "memory.requester.accel0.bytes_written": 2000 * REQUEST_BYTES,
        "faults.stall_events": 2000 * faults, "fault_ns.total.count": 2000 * faults,
        "fault_ns.total.mean": sum(FAULT_STAGES.values()) if faults else 0,
        "fault_ns.total.sum_ps": 2000 * faults * sum(FAULT_STAGES.values()) * 1000,
        "waits.cpu.sum_ps": 2000 * 40 * 1000, "waits.cpu.mean_ns": 40, "waits.queue.sum_ps": 2000 * (latency - 40) * 1000,
        "waits.queue.mean_ns": latency - 40,
        "request_stage_ns.submitted.sum_ps": 2000 * 100 * 1000, "request_stage_ns.received.sum_ps": 2000 * (latency - 100) * 1000,
    }
    for stage, ns in FAULT_STAGES.items():
        metrics[f"fault_ns.{stage}.sum_ps"] = 2000 * faults * ns * 1000
    return metrics


CONFIG = {"platform": "kunpeng920", "workload": "copy", "memory.nodes": "1", "memory.channels": "8", "memory.channel_mb_s": "25600",
          "smmu.stall_max": "64", "smmu.walk_slots": "6", "kernel.max_workers": "256", "workload.bytes": "4096"}


class SweepDb:
    """`axes` are crossed, zipped ones change together; `at(point)` may change a point's row before it is written."""

    def __init__(self, folder, axes, repetitions=1, meta=None, status=None, histogram=None):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.path = os.path.join(folder, "sweep.sqlite")
        self.db = sqlite3.connect(self.path)
        self.db.executescript(SCHEMA)
        self.axes = axes
        self.points = []
        self.put_meta({"schema": "svasim-sweep-1", "name": "made-up", "description": "figures of a formula", "sweep_file": "axes: []\n",
                       "svasim": "0.1.0", "compiler": "12.2.0", "flags": "-O2", "kernel": "6.12.1", "systemc": "2.3.4",
                       "platform": "kunpeng920", "workload": "copy", **(meta or {})})
        self.put_axes()
        for setting in self.settings():
            for repetition in range(1, repetitions + 1):
                self.put_point(setting, repetition, status, histogram)
        self.db.commit()

    def put_meta(self, meta):
        self.db.executemany("INSERT INTO meta VALUES(?, ?)", [pair for pair in meta.items() if pair[1] is not None])

    def put_axes(self):
        for number, one in enumerate(self.axes, 1):
            self.db.execute("INSERT INTO axis VALUES(?, ?, ?, ?, ?, ?)",
                            (number, one["key"], one["label"], one["unit"], one["scale"], one["zip_group"]))
            self.db.executemany("INSERT INTO axis_value VALUES(?, ?, ?)",
                                [(number, position, value) for position, value in enumerate(one["values"])])

    def settings(self):
        groups = {}
        for number, one in enumerate(self.axes):
            groups.setdefault(one["zip_group"] or f"axis {number}", []).append(one)
        choices = [[{one["key"]: one["values"][i] for one in group} for i in range(len(group[0]["values"]))]
                   for group in groups.values()]
        for choice in itertools.product(*choices):
            yield {key: value for part in choice for key, value in part.items()}

    def put_point(self, setting, repetition, status, histogram):
        number = len(self.points) + 1
        state, exit_status, error = (status or (lambda _: ("ok", 0, None)))(number)
        self.points.append({"id": number, "setting": setting, "repetition": repetition, "status": state,
                            "metrics": figures(setting, repetition) if state == "ok" else {}})
        self.db.execute("INSERT INTO point VALUES(?, ?, ?, ?, ?, ?)", (number, state, exit_status, error, repetition, repetition))
        self.db.executemany("INSERT INTO setting VALUES(?, ?, ?)", [(number, *pair) for pair in setting.items()])
        self.db.executemany("INSERT INTO config VALUES(?, ?, ?)", [(number, *pair) for pair in {**CONFIG, **setting}.items()])
        if state != "ok":
            return
        metrics = self.points[-1]["metrics"]
        self.db.executemany("INSERT INTO metric VALUES(?, ?, ?)", [(number, *pair) for pair in metrics.items()])
        buckets = (histogram or default_histogram)(metrics)
        self.db.executemany("INSERT INTO histogram VALUES(?, ?, ?, ?)",
                            [(number, name, upper, count) for name, list_ in buckets.items() for upper, count in list_])
        self.db.execute("INSERT INTO host VALUES(?, 1.5, 1.25, 20000)", (number,))

    def execute(self, sql, *values):
        self.db.execute(sql, values)
        self.db.commit()
        return self


def default_histogram(metrics):
    latency = metrics["latency_ns.mean"]
    return {"latency_ns": [(latency, 1000), (1.5 * latency, 900), (2 * latency, 90), (4 * latency, 10)]}

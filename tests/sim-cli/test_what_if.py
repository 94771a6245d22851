#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""svasim run --what-if: what is predicted comes out.

With WHAT_IF_ALL=1 every change of every regime is run, not only those that the command runs itself: the
predicted best must be the measured best, or within 5 % of it, in 16 of 20 regimes.
"""
import os
import re
import unittest

import cli

FRESH = "workload.destination_fresh_percent"
REGIMES = (
    {"workload.inflight": 1},
    {"workload.inflight": 4},
    {"workload.inflight": 64},
    {"workload.inflight": 64, "workload.bytes": 64},
    {"workload.inflight": 8, "workload.bytes": 512},
    {"workload.inflight": 16, FRESH: 100},
    {"workload.inflight": 2, FRESH: 100},
    {"workload.inflight": 16, FRESH: 5},
    {"workload.inflight": 64, FRESH: 100, "accel.dma_burst_bytes": 4096},
    {"workload.inflight": 32, "memory.channels": 1, "memory.channel_mb_s": 2000, "memory.llc_kib": 0},
    {"workload.inflight": 32, "memory.latency_ns": 500, "memory.llc_kib": 0, "accel.dma_outstanding": 16},
    {"workload.inflight": 32, "smmu.tlb_entries": 8, "smmu.micro_tlb_entries": 4, "smmu.walk_slots": 1},
    {"workload.inflight": 32, "smmu.tlb_entries": 8, "smmu.micro_tlb_entries": 4, "smmu.walk_slots": 8},
    {"workload.inflight": 32, "accel.dma_outstanding": 4},
    {"workload.inflight": 32, "accel.engines_copy": 1, "accel.engine_requests": 1, "accel.copy_bytes_per_cycle": 16},
    {"workload.inflight": 8, "workload.poll": "irq", "workload.bytes": 1024},
    {"workload.inflight": 8, "workload.poll": "sleep", "workload.bytes": 1024},
    {"workload.inflight": 16, FRESH: 50, "smmu.stall_max": 2, "accel.dma_burst_bytes": 4096},
    {"workload.inflight": 16, "workload.threads": 4, "accel.copy_bytes_per_cycle": 64, "memory.channels": 1,
     "memory.channel_mb_s": 10000, "memory.llc_kib": 64},
    {"workload.inflight": 16, FRESH: 30, "accel.fault_blocks": "engine", "accel.dma_burst_bytes": 1024},
)
LINE = re.compile(r"  (\S+=\S+)\s*(?:, (\S+))?\s+was \S+\s+predicted\s+([+-][\d.]+) %(?:\s+measured\s+([+-][\d.]+) %)?")


def options(settings):
    return [word for key, value in settings.items() for word in ("-s", f"{key}={value}")]


class WhatIf(cli.CliTest):
    def what_if(self, settings):
        """Rows of settings, predicted gain, measured gain or None, in the order of their prediction."""
        result = self.svasim("run", "-c", "kunpeng920", "-w", "copy", "-o", self.path("base"), "--what-if",
                            "-s", "workload.requests=2000", *options(settings))
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [match.groups() for match in map(LINE.match, result.stdout.splitlines()) if match]
        self.assertGreater(len(rows), 5, result.stdout)
        return [([s for s in (a, b) if s], float(p), m and float(m)) for a, b, p, m in rows], result.stdout

    def measured(self, settings, change):
        base = cli.read_json(self.path("base"), "metrics.json")["requests"]["per_s"]
        result = self.svasim("run", "-c", "kunpeng920", "-w", "copy", "-o", self.path("one"), "-s",
                            "workload.requests=2000", *options(settings), *[w for s in change for w in ("-s", s)])
        self.assertEqual(result.returncode, 0, result.stderr)
        return 100 * (cli.read_json(self.path("one"), "metrics.json")["requests"]["per_s"] / base - 1)

    def test_it_names_what_limits(self):
        for settings, best in ((REGIMES[0], "workload.inflight=2"), (REGIMES[9], "memory.channels=2"),
                               (REGIMES[17], "smmu.stall_max=4")):
            rows, text = self.what_if(settings)
            self.assertEqual(rows[0][0][0], best, text)
            self.assertIn(f"what to change first: {best} ", text)
            self.assertGreater(rows[0][2], 80, text)

    def test_measured_is_what_a_run_gives(self):
        rows, text = self.what_if(REGIMES[10])
        for change, _, gain in rows[:3]:
            if gain is not None:
                self.assertAlmostEqual(self.measured(REGIMES[10], change), gain, delta=0.051, msg=text)

    def test_changes_are_of_the_run_as_it_is(self):
        rows, text = self.what_if({"workload.inflight": 8})
        changes = [change for change, _, _ in rows]
        self.assertIn(["workload.inflight=16"], changes, text)
        self.assertIn(["workload.threads=2", "workload.inflight=4"], changes, text)

    def test_predictions_fall(self):
        rows, text = self.what_if(REGIMES[5])
        predictions = [p for _, p, _ in rows]
        self.assertEqual(predictions, sorted(predictions, reverse=True), text)

    def test_a_workload_without_requests_is_refused(self):
        result = self.svasim("run", "-w", "load", "-o", self.path("out"), "--what-if")
        self.assert_status(result, 2)
        self.assert_one_line(result, "--what-if", "measured no requests")

    @unittest.skipUnless(os.environ.get("WHAT_IF_ALL"), "takes a minute")
    def test_the_predicted_best_is_the_best(self):
        good = 0
        for settings in REGIMES:
            rows, _ = self.what_if(settings)
            gains = [self.measured(settings, change) for change, _, _ in rows]
            hit = 100 + gains[0] >= 0.95 * (100 + max(gains))
            good += hit
            print(f"{'good' if hit else 'miss'}  {rows[0][0][0]:<36} {gains[0]:+7.1f} %  "
                  f"best {max(gains):+7.1f} %  {settings}")
        self.assertGreaterEqual(good, 16)


if __name__ == "__main__":
    cli.main()

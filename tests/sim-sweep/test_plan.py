#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""From axes to points: crossing, zipping, ranges, formulas, seeds."""
import os

import cli
import sweeping


def axis(key, how):
    return f"axes: [{{key: {key}, {how}}}]\n"


class Plan(sweeping.SweepTest):
    def values(self, key, how, of=None):
        return [point[of or key] for point in self.list_points(axis(key, how))]

    def test_values_in_their_final_form(self):
        self.assertEqual(self.values("workload.bytes", "values: [1, 4KiB, 0x10]"), ["1", "4096", "16"])
        self.assertEqual(self.values("workload.poll", "values: [irq, spin]"), ["irq", "spin"])
        self.assertEqual(self.values("workload.verify", "values: [yes, no]"), ["true", "false"])

    def test_ranges(self):
        self.assertEqual(self.values("workload.inflight", "range: {from: 1, to: 10, step: 3}"), ["1", "4", "7", "10"])
        self.assertEqual(self.values("workload.inflight", "range: {from: 1, to: 9, step: 3}"), ["1", "4", "7"])
        self.assertEqual(self.values("workload.inflight", "range: {from: 5, to: 5, step: 1}"), ["5"])
        self.assertEqual(self.values("workload.bytes", "range: {from: 1KiB, to: 2KiB, step: 512}"),
                         ["1024", "1536", "2048"])

    def test_powers_of_two(self):
        self.assertEqual(self.values("workload.inflight", "powers_of_two: {from: 1, to: 512}"),
                         [str(2 ** n) for n in range(10)])
        self.assertEqual(self.values("workload.bytes", "powers_of_two: {from: 4KiB, to: 16KiB}"),
                         ["4096", "8192", "16384"])

    def test_axes_are_crossed_and_the_last_changes_fastest(self):
        points = self.list_points("""
axes:
  - {key: workload.inflight, values: [1, 2]}
  - {key: workload.batch, values: [3, 4, 5]}
""")
        self.assertEqual([(p["workload.inflight"], p["workload.batch"]) for p in points],
                         [("1", "3"), ("1", "4"), ("1", "5"), ("2", "3"), ("2", "4"), ("2", "5")])

    def test_zipped_axes_change_together(self):
        points = self.list_points("""
axes:
  - zip:
      - {key: workload.inflight, values: [1, 2, 2]}
      - {key: workload.queues, values: [3, 4, 5]}
  - {key: workload.batch, values: [1, 2]}
  - zip:
      - {key: workload.source_fresh_percent, values: [0, 100]}
      - {key: workload.destination_fresh_percent, values: [10, 90]}
""")
        keys = ("inflight", "queues", "batch", "source_fresh_percent", "destination_fresh_percent")
        self.assertEqual([tuple(int(p[f"workload.{key}"]) for key in keys) for p in points],
                         [(i, q, b, s, d) for i, q in ((1, 3), (2, 4), (2, 5)) for b in (1, 2)
                          for s, d in ((0, 10), (100, 90))])

    def test_formulas(self):
        cases = {
            "max(2000, 20 * workload.inflight)": [2000, 2000, 4000],
            "20*workload.inflight-2*3": [14, 1994, 3994],
            "min(workload.inflight, 150, 4KiB) + 1": [2, 101, 151],
            "(workload.inflight + 1) / 1 * 2": [4, 202, 402],
            "floor(workload.inflight / 3) + ceil(0.5)": [1, 34, 67],
            "- (-7) + workload.bytes": [8199, 8199, 8199],
            "100 - 20 - 3": [77, 77, 77],
            "64 / 4 / 2": [8, 8, 8],
        }
        for formula, expected in cases.items():
            with self.subTest(formula=formula):
                text = axis("workload.inflight", "values: [1, 100, 200]") + f"derived: {{workload.requests: '{formula}'}}\n"
                self.assertEqual([int(p["workload.requests"]) for p in self.list_points(text)], expected)

    def test_a_formula_sees_what_was_derived_before_it(self):
        points = self.list_points("""
axes: [{key: workload.inflight, values: [3]}]
settings: {workload: {batch: 2}}
derived:
  workload.queues: workload.inflight * workload.batch
  workload.requests: workload.queues * 100
""")
        self.assertEqual(points[0]["workload.requests"], "600")

    def test_no_axes_are_one_point(self):
        self.assertEqual(self.list_points("settings: {workload.requests: 5}\n"), [{}])

    def test_repetitions_have_seeds_of_their_own(self):
        text = "settings: {workload.requests: 5}\naxes: [{key: workload.inflight, values: [1, 2]}]\nrepetitions: 2\n"
        for seed, first in (("seed: 7\n", 7), ("", 1)):
            with self.subTest(seed=seed):
                output = f"seed{first}"
                self.assert_status(self.sweep(text + seed, output=output), 0)
                self.assertEqual(self.query("SELECT id, repetition, seed FROM point", output=output),
                                 [(1, 1, first), (2, 2, first + 1), (3, 1, first), (4, 2, first + 1)])
                self.assertEqual(self.query("SELECT value FROM config WHERE key = 'machine.seed'", output=output),
                                 [(str(first),), (str(first + 1),)] * 2)

    def test_platforms_and_workloads_can_be_axes(self):
        self.write("tiny.yaml", "include: even-tinier.yaml\nmachine: {cpus: 3}\n")
        self.write("even-tinier.yaml", "machine.ram_bytes: 256MiB\n")
        result = self.sweep("""
axes:
  - {key: platform, values: [kunpeng920, tiny.yaml]}
  - {key: workload, values: [copy, load]}
""")
        self.assert_status(result, 0)
        self.assertEqual(self.query("SELECT key, value FROM setting WHERE point = 4 ORDER BY key"),
                         [("platform", "tiny.yaml"), ("workload", "load")])
        self.assertEqual(self.query("SELECT point, value FROM config WHERE key = 'machine.cpus'"),
                         [(1, "8"), (2, "8"), (3, "3"), (4, "3")])
        self.assertEqual(self.query("SELECT value FROM meta WHERE key IN ('platform', 'workload') ORDER BY key"),
                         [("kunpeng920, tiny.yaml",), ("copy, load",)])
        self.assertEqual(self.query("SELECT DISTINCT scale FROM axis"), [("category",)])

    def test_a_platform_file_is_relative_to_the_sweep_file(self):
        os.mkdir(self.path("below"))
        self.write("below/mine.yaml", "machine: {cpus: 2}\n")
        sweep = self.write("below/s.yaml", "platform: mine.yaml\nsettings: {workload.requests: 5}\n")
        self.assert_status(self.svasim("sweep", sweep, "-o", "out"), 0)
        self.assertEqual(self.query("SELECT value FROM config WHERE key = 'machine.cpus'"), [("2",)])

    def test_the_sweep_that_comes_with_svasim(self):
        result = self.svasim("sweep", os.path.join(cli.TREE, "sweeps", "inflight-fault.yaml"), "--list")
        self.assert_status(result, 0)
        lines = result.stdout.splitlines()[1:]
        self.assertEqual(len(lines), 120)
        for line in lines:
            point = dict(pair.split("=") for pair in line.split()[1:])
            inflight, requests = int(point["workload.inflight"]), int(point["workload.requests"])
            self.assertGreaterEqual(requests, max(2000, 20 * inflight))
            self.assertEqual(point["workload.source_fresh_percent"], point["workload.destination_fresh_percent"])


sweeping.main()

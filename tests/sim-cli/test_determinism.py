#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same inputs give the same bytes, wherever and however they are run; tracing changes no result."""
import os

import cli

BUSY = cli.settings(workload_processes=2, workload_threads=2, workload_queues=2, workload_inflight=4,
                    workload_destination_fresh_percent=20, workload_poll="irq")


class Determinism(cli.CliTest):
    def results(self, output="out"):
        return {name: cli.read_bytes(self.path(output, name)) for name in ("metrics.json", "histograms.json", "trace.pftrace")
                if os.path.exists(self.path(output, name))}

    def run_busy(self, output, *arguments, **options):
        self.assert_status(self.run_copy(*BUSY, *arguments, output=self.path(output), requests=200, **options), 0)
        return self.results(output)

    def assert_same(self, a, b):
        self.assertEqual(sorted(a), sorted(b))
        for name in a:
            self.assertTrue(a[name] == b[name], f"{name} differs")

    def test_the_same_run_again_and_elsewhere(self):
        first = self.run_busy("out", "--trace")
        self.assertEqual(len(first), 3)
        os.mkdir(self.path("elsewhere"))
        self.assert_same(first, self.run_busy("a/longer/name", "--trace", cwd=self.path("elsewhere"),
                                              env={**os.environ, "SOME_MORE_ENVIRONMENT": "x" * 5000}))
        self.assert_same(first, self.run_busy("fixed", "--trace", before=["setarch", "-R"]))
        self.assert_same(first, self.run_busy("out", "--trace"))

    def test_tracing_changes_no_result(self):
        traced = self.run_busy("traced", "--trace")["metrics.json"]
        for name, arguments in (("untraced", []),
                                ("window", ["--trace", "--trace-from", "500000", "--trace-to", "900000"]),
                                ("filtered", ["--trace", "--trace-categories", "request"])):
            with self.subTest(run=name):
                self.assertTrue(self.run_busy(name, *arguments)["metrics.json"] == traced)

    def test_a_seed_is_part_of_the_inputs(self):
        default = self.run_busy("default")
        self.assert_same(default, self.run_busy("one", *cli.settings(machine_seed=1)))
        self.assert_same(self.run_busy("a", *cli.settings(machine_seed=2)),
                         self.run_busy("b", *cli.settings(machine_seed=2)))


cli.main()

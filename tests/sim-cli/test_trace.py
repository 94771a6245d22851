#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Traces of real runs: Perfetto's trace processor and protoc read them, and they say what the metrics say."""
import os
import subprocess

import cli

TOOLS = os.path.join(cli.TREE, "tests", "trace-query")
BUSY = cli.settings(workload_processes=2, workload_threads=2, workload_queues=2, workload_inflight=4,
                    workload_source_fresh_percent=10, workload_destination_fresh_percent=10)


class Traces(cli.CliTest):
    def trace(self, *arguments, requests=200):
        self.assert_status(self.run_copy("--trace", *BUSY, *arguments, requests=requests), 0)

    def tool(self, name, *arguments):
        result = subprocess.run([os.path.join(TOOLS, name), *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=cli.TIMEOUT_S, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def check(self, *options):
        return self.tool("check-trace", *options, self.path("out", "trace.pftrace"), self.path("out", "metrics.json"))

    def check_schema(self):
        self.tool("check-schema", self.path("out", "trace.pftrace"))

    def test_traces_agree_with_the_metrics(self):
        for cpus in (1, 8):
            for poll in ("spin", "irq"):
                with self.subTest(cpus=cpus, poll=poll):
                    self.trace(*cli.settings(machine_cpus=cpus, workload_poll=poll))
                    self.assertIn("200 requests", self.check())
        self.check_schema()

    def test_a_window_is_a_trace(self):
        self.trace("--trace-from", "1000000", "--trace-to", "1200000")
        self.check("--window")
        self.check_schema()

    def test_a_window_after_the_end_is_a_trace_without_events(self):
        self.trace("--trace-from", "1000000000000", requests=1)
        self.tool("trace-query", self.path("out", "trace.pftrace"), "select count(*) from slice")

    def test_categories_are_a_trace(self):
        self.trace("--trace-categories", "request,fault")
        self.assertIn("200 requests", self.check())
        answer = self.tool("trace-query", self.path("out", "trace.pftrace"),
                           "select group_concat(distinct category) as c from slice")
        self.assertNotIn("kernel", answer)


cli.main()

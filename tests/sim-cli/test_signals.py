#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whatever ends a run, what it has come to is written."""
import os
import signal
import subprocess
import time

import cli

CHECK_TRACE = os.path.join(cli.TREE, "tests", "trace-query", "check-trace")


class Signals(cli.CliTest):
    def start(self, output):
        """A run that would take for ever, well under way."""
        command = [cli.SVASIM, "run", "-o", self.path(output), "--trace", "--trace-categories", "request,fault", "-s",
                   "workload.requests=1000000000"]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        deadline = time.monotonic() + cli.TIMEOUT_S
        trace = self.path(output, "trace.pftrace")
        while not os.path.exists(trace) or not os.path.getsize(trace):
            self.assertIsNone(run.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return run

    def interrupt(self, run, number):
        run.send_signal(number)
        out, err = run.communicate(timeout=cli.TIMEOUT_S)
        return subprocess.CompletedProcess(run.args, run.returncode, out, err)

    def test_what_there_is_gets_written(self):
        for output, number in (("int", signal.SIGINT), ("term", signal.SIGTERM)):
            with self.subTest(signal=number):
                result = self.interrupt(self.start(output), number)
                self.assert_status(result, 128 + number)
                self.assert_one_line(result, "interrupted", "of 1000000000 requests received")
                metrics = cli.read_json(self.path(output, "metrics.json"))
                self.assertEqual(metrics["finished"], 0)
                self.assertGreater(metrics["requests"]["completed"], 0)
                cli.read_json(self.path(output, "host.json"))
        check = subprocess.run([CHECK_TRACE, "--window", self.path("term", "trace.pftrace"),
                                self.path("term", "metrics.json")], check=False)
        self.assertEqual(check.returncode, 0)

    def test_a_bug_of_the_simulator_leaves_what_there_is(self):
        result = self.interrupt(self.start("abort"), signal.SIGABRT)
        self.assert_status(result, 3)
        self.assert_one_line(result, "a bug of the simulator", "of 1000000000 requests received")
        self.assertEqual(cli.read_json(self.path("abort", "metrics.json"))["finished"], 0)


cli.main()

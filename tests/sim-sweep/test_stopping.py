#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whatever stops a sweep or a point of it, the others' results stay, and --resume adds those that are missing."""
import os
import signal
import sqlite3
import subprocess
import time

import cli
import sweeping

# Eight points, each long enough to be caught at work.
LONG = """
name: long
platform: kunpeng920
settings: {workload.requests: 1500, workload.destination_fresh_percent: 20}
axes:
  - key: workload.inflight
    powers_of_two: {from: 8, to: 64}
  - key: workload.poll
    values: [spin, irq]
"""
# The second point never ends, the third fails, the fifth is refused when it starts.
MIXED = """
name: mixed
axes:
  - zip:
      - {key: workload.requests, values: [50, 1000000000, 51, 52, 53]}
      - {key: accel.engines_copy, values: [4, 4, 0, 4, 4]}
      - {key: machine.kernel_image, values: [kernel-linux-6.12, kernel-linux-6.12, kernel-linux-6.12, kernel-linux-6.12, frob]}
"""


class Stopping(sweeping.SweepTest):
    def ok(self, output="out"):
        """How many points are; 0 as long as there is no plan."""
        try:
            connection = sqlite3.connect(f"file:{self.path(output, 'sweep.sqlite')}?mode=ro", uri=True)
            try:
                return connection.execute("SELECT count(*) FROM point WHERE status = 'ok'").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.OperationalError:
            return 0

    def wait_for(self, condition):
        deadline = time.monotonic() + cli.TIMEOUT_S
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def processes(self, folder):
        """Of points in this folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                arguments = cli.read_bytes("/proc", pid, "cmdline").decode().split("\0")
            except OSError:
                continue
            if arguments[:2] == ["svasim", "run"] and any(a.startswith(folder) for a in arguments):
                found.append(int(pid))
        return found

    def finish(self, sweep):
        out, err = sweep.communicate(timeout=cli.TIMEOUT_S)
        return subprocess.CompletedProcess(sweep.args, sweep.returncode, out, err)

    def reference(self, text):
        self.assert_status(self.sweep(text, output="reference"), 0)
        return self.tables("reference")

    def test_resumed_after_sigkill_it_has_the_rows_of_one_that_was_never_stopped(self):
        sweep = self.start(LONG)
        self.wait_for(lambda: self.ok() >= 3)
        sweep.kill()
        sweep.communicate()
        before = dict(self.query("SELECT id, status FROM point"))
        done = [point for point, status in before.items() if status == "ok"]
        self.assertIn(len(done), range(3, 8))
        hosts = self.query(f"SELECT * FROM host WHERE point IN ({','.join(map(str, done))}) ORDER BY 1")
        result = self.sweep(LONG, "--resume")
        self.assert_status(result, 0)
        self.assertEqual(len(result.stderr.splitlines()), 8 - len(done), "what had results ran again")
        self.assertEqual(self.query(f"SELECT * FROM host WHERE point IN ({','.join(map(str, done))}) ORDER BY 1"), hosts)
        self.assert_same_tables(self.tables(), self.reference(LONG))
        self.assertEqual(cli.read_bytes(self.path("out", "sweep.csv")),
                         cli.read_bytes(self.path("reference", "sweep.csv")))

    def test_killed_at_any_moment(self):
        for n in range(60):
            sweep = self.start(sweeping.SMALL, "--resume", "-j", "2")
            time.sleep(0.004 * n)
            sweep.kill()
            sweep.communicate()
            if self.ok() == 6:
                break
        self.assert_status(self.sweep(sweeping.SMALL, "--resume"), 0)
        self.assert_same_tables(self.tables(), self.reference(sweeping.SMALL))

    def test_processes_of_a_killed_sweep_end_with_it(self):
        sweep = self.start("settings: {workload.requests: 1000000000}\naxes: [{key: workload.inflight, values: [1, 2]}]\n",
                           "-j", "2")
        folder = self.path("out", "points")
        self.wait_for(lambda: len(self.processes(folder)) == 2)
        sweep.kill()
        sweep.communicate()
        self.wait_for(lambda: not self.processes(folder))

    def test_signals(self):
        for output, number in (("int", signal.SIGINT), ("term", signal.SIGTERM), ("hup", signal.SIGHUP)):
            with self.subTest(signal=number):
                sweep = self.start(LONG, "-j", "2", output=output)
                self.wait_for(lambda name=output: self.ok(name) >= 2)
                sweep.send_signal(number)
                result = self.finish(sweep)
                self.assert_status(result, 128 + number)
                self.assertRegex(result.stderr.splitlines()[-1],
                                 rf"^svasim: .*{output}: interrupted by signal {number:d}, \d of 8 points .*--resume")
                self.assertEqual(self.processes(self.path(output)), [])
                self.assertEqual(set(self.statuses(output)), {"ok", "pending"})
                self.assert_status(self.sweep(LONG, "--resume", output=output), 0)
        self.assert_same_tables(self.tables("int"), self.reference(LONG))

    def test_points_that_fail_stop_no_other(self):
        result = self.sweep(MIXED, "--timeout", "1")
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, "mixed: 5 points, 2 ok, 2 failed, 1 timed out")
        rows = self.query("SELECT id, status, exit_status, error FROM point ORDER BY id")
        self.assertEqual([row[:3] for row in rows], [(1, "ok", 0), (2, "timeout", None), (3, "failed", 1), (4, "ok", 0),
                                                     (5, "failed", 2)])
        self.assertIsNone(rows[0][3])
        self.assertEqual(rows[1][3], "no end within 1 s")
        self.assertIn("no queue", rows[2][3])
        self.assertIn("frob", rows[4][3])
        for line in ("point 3, workload.requests=51 accel.engines_copy=0 machine.kernel_image=kernel-linux-6.12: failed",
                     "point 2, ", "timed out"):
            self.assertIn(line, result.stderr)
        self.assertEqual(self.query("SELECT DISTINCT point FROM metric"), [(1,), (4,)])
        self.assertEqual(len(self.query("SELECT * FROM host")), 5)

    def test_what_failed_runs_again_when_resumed(self):
        self.assert_status(self.sweep(MIXED, "--timeout", "1"), 1)
        before = self.tables()
        result = self.sweep(MIXED, "--timeout", "1", "--resume")
        self.assert_status(result, 1)
        self.assertEqual(len(result.stderr.splitlines()), 3)
        self.assert_same_tables(self.tables(), before)

    def test_a_point_that_is_killed_has_failed(self):
        sweep = self.start("settings: {workload.requests: 1000000000}\n")
        folder = self.path("out", "points")
        self.wait_for(lambda: self.processes(folder))
        os.kill(self.processes(folder)[0], signal.SIGKILL)
        self.assert_status(self.finish(sweep), 1)
        self.assertEqual(self.query("SELECT status, exit_status, error FROM point"),
                         [("failed", 137, "killed by signal 9 (Killed)")])

    def test_a_point_that_does_not_answer_is_made_to_end(self):
        sweep = self.start("settings: {workload.requests: 1000000000}\n", "--timeout", "1")
        folder = self.path("out", "points")
        self.wait_for(lambda: self.processes(folder))
        os.kill(self.processes(folder)[0], signal.SIGSTOP)
        self.assert_status(self.finish(sweep), 1)
        self.assertEqual(self.query("SELECT status FROM point"), [("timeout",)])

    def test_nothing_left_to_do(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        before = self.tables(leave_out=())
        os.unlink(self.path("out", "sweep.csv"))
        result = self.sweep(sweeping.SMALL, "--resume")
        self.assert_status(result, 0)
        self.assertEqual(result.stderr, "")
        self.assert_same_tables(self.tables(leave_out=()), before)
        self.assertTrue(os.path.exists(self.path("out", "sweep.csv")))


sweeping.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Where a sweep may write, and what happens when it cannot."""
import fcntl
import os
import resource
import shutil
import sqlite3
import subprocess
import unittest

import cli
import sweeping

KIBIBYTE = 1024
NOBODY = 65534


def limit_files(size):
    """For subprocess: files end at `size` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Output(sweeping.SweepTest):
    def test_the_default_folder(self):
        self.assert_status(self.svasim("sweep", self.write("s.yaml", "settings: {workload.requests: 5}\n")), 0)
        self.assertEqual(sorted(os.listdir(self.path("out", "sweep"))), ["points", "sweep.csv", "sweep.sqlite"])

    def test_an_earlier_sweep_is_not_touched(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        before = cli.read_bytes(self.path("out", "sweep.sqlite"))
        self.assert_refused(self.sweep(sweeping.SMALL), "-o: out: holds an earlier sweep", "--resume")
        self.assertEqual(cli.read_bytes(self.path("out", "sweep.sqlite")), before)

    def test_a_folder_with_other_files_is_not_taken(self):
        os.mkdir(self.path("out"))
        self.write("out/precious.txt", "mine")
        for arguments in ([], ["--resume"]):
            self.assert_refused(self.sweep(sweeping.SMALL, *arguments), "-o: out: holds other files")
        self.assertEqual(os.listdir(self.path("out")), ["precious.txt"])

    def test_resuming_what_never_began_begins(self):
        os.mkdir(self.path("out"))
        os.mkdir(self.path("out", "points"))
        self.write("out/sweep.sqlite", "")
        self.assert_status(self.sweep(sweeping.SMALL, "--resume"), 0)
        self.assertEqual(self.statuses(), ["ok"] * 6)

    def test_resuming_another_sweep_is_refused(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        before = cli.read_bytes(self.path("out", "sweep.sqlite"))
        result = self.sweep(sweeping.SMALL + "# a comment\n", "--resume")
        self.assert_refused(result, "out/sweep.sqlite: is of another version of the sweep file")
        self.assertEqual(cli.read_bytes(self.path("out", "sweep.sqlite")), before)

    def test_resuming_on_another_platform_is_refused(self):
        self.write("mine.yaml", "machine: {cpus: 2}\n")
        text = "platform: mine.yaml\nsettings: {workload.requests: 5}\n"
        self.assert_status(self.sweep(text), 0)
        self.assert_status(self.sweep(text, "--resume"), 0)
        self.write("mine.yaml", "machine: {cpus: 3}\n")
        self.assert_refused(self.sweep(text, "--resume"), "point 1 had another machine.cpus")

    def test_resuming_another_builds_sweep_is_refused(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        with sqlite3.connect(self.path("out", "sweep.sqlite")) as connection:
            connection.execute("UPDATE meta SET value = '1.0' WHERE key = 'compiler'")
        self.assert_refused(self.sweep(sweeping.SMALL, "--resume"), "was begun by another build of svasim")
        with sqlite3.connect(self.path("out", "sweep.sqlite")) as connection:
            connection.execute("UPDATE meta SET value = 'svasim-sweep-9' WHERE key = 'schema'")
        self.assert_refused(self.sweep(sweeping.SMALL, "--resume"), "not a sweep of this svasim", "svasim-sweep-1")

    def test_a_database_that_is_none(self):
        os.mkdir(self.path("out"))
        self.write("out/sweep.sqlite", "a text, long enough to be looked at as a database" * 100)
        self.assert_refused(self.sweep(sweeping.SMALL, "--resume"), "out/sweep.sqlite", "not a database")

    def test_one_sweep_at_a_time(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        folder = os.open(self.path("out"), os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        self.assert_refused(self.sweep(sweeping.SMALL, "--resume"), "-o: out: another sweep works in it")

    def test_places_that_are_no_folder(self):
        self.write("file", "")
        self.assert_refused(self.sweep(sweeping.SMALL, output="file"), "-o: file", "Not a directory")
        self.assert_refused(self.sweep(sweeping.SMALL, output="file/out"), "-o: file/out", "Not a directory")
        self.assert_refused(self.sweep(sweeping.SMALL, output="/proc/out"), "-o: /proc/out", "No such file")
        self.assert_refused(self.sweep(sweeping.SMALL, output="x" * 5000), "-o: xxx", "not a folder's name")


class Denied(sweeping.SweepTest):
    """As a user whom permissions stop: root is nobody here."""

    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o777)
        self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            self.svasim("--version", **self.user)
        except OSError as error:
            self.skipTest(f"cannot run as another user: {error}")

    def test_a_folder_that_cannot_be_written(self):
        os.mkdir(self.path("out"), 0o555)
        self.assert_refused(self.sweep(sweeping.SMALL, **self.user), "-o: out: Permission denied")
        self.assert_refused(self.sweep(sweeping.SMALL, output="out/new", **self.user), "-o: out/new: Permission denied")
        os.chmod(self.path("out"), 0o755)

    def test_a_database_that_cannot_be_written(self):
        self.assert_status(self.sweep(sweeping.SMALL, **self.user), 0)
        before = self.tables(leave_out=())
        os.chmod(self.path("out", "sweep.sqlite"), 0o444)
        self.assert_refused(self.sweep(sweeping.SMALL, "--resume", **self.user), "out/sweep.sqlite: read-only")
        self.assert_same_tables(self.tables(leave_out=()), before)


class FullDisk(sweeping.SweepTest):
    def assert_stopped(self, result, *words):
        """Exit status 2 and one line, after those of points that had been entered."""
        self.assert_status(result, 2)
        own = [line for line in result.stderr.splitlines() if line.startswith("svasim: ")]
        self.assertEqual(len(own), 1, result.stderr)
        for word in words:
            self.assertIn(word, own[0])
        self.assertEqual(result.stdout, "")

    def assert_resumes(self):
        before = [point for point, in self.query("SELECT id FROM point WHERE status = 'ok'")]
        hosts = dict((row[0], row) for row in self.query("SELECT * FROM host"))
        self.assert_status(self.sweep(sweeping.SMALL, "--resume"), 0)
        self.assert_status(self.sweep(sweeping.SMALL, output="reference"), 0)
        self.assert_same_tables(self.tables(), self.tables("reference"))
        for row in self.query("SELECT * FROM host"):
            if row[0] in before:
                self.assertEqual(row, hosts[row[0]], "what had a result ran again")

    def plan_bytes(self):
        """Size of the database before the first result, and with all."""
        self.assert_status(self.sweep(sweeping.SMALL, output="whole"), 0)
        whole = os.path.getsize(self.path("whole", "sweep.sqlite"))
        with sqlite3.connect(self.path("whole", "sweep.sqlite")) as connection:
            for table in ("metric", "histogram", "host"):
                connection.execute(f"DELETE FROM {table}")
        connection.execute("VACUUM")
        return os.path.getsize(self.path("whole", "sweep.sqlite")), whole

    def test_a_database_that_grows_too_large(self):
        plan, whole = self.plan_bytes()
        result = self.sweep(sweeping.SMALL, "-j", "1", preexec_fn=limit_files((plan + whole) // 2))
        self.assert_stopped(result, "out/sweep.sqlite: not written", "File too large")
        self.assertEqual(set(self.statuses()), {"ok", "pending"})
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.assert_resumes()

    def test_no_room_for_the_plan(self):
        result = self.sweep(sweeping.SMALL, preexec_fn=limit_files(8 * KIBIBYTE))
        self.assert_stopped(result, "out/sweep.sqlite: not written", "File too large")
        self.assert_status(self.sweep(sweeping.SMALL, "--resume"), 0)

    def test_no_room_for_a_points_results(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        with sqlite3.connect(self.path("out", "sweep.sqlite")) as connection:
            connection.execute("UPDATE point SET status = 'pending', exit_status = NULL WHERE id > 3")
            for table in ("metric", "histogram", "host"):
                connection.execute(f"DELETE FROM {table} WHERE point > 3")
        connection.close()
        result = self.sweep(sweeping.SMALL, "--resume", "-j", "1", preexec_fn=limit_files(4 * KIBIBYTE))
        self.assert_stopped(result, "point 4: ", "points/0004/metrics.json: not written: File too large")
        self.assertEqual(self.statuses(), ["ok"] * 3 + ["pending"] * 3)
        self.assert_resumes()

    def test_no_room_for_the_table(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        os.mkdir(self.path("out", "sweep.csv.tmp"))
        result = self.sweep(sweeping.SMALL, "--resume")
        self.assert_stopped(result, "out/sweep.csv: not written: Is a directory")
        self.assertEqual(self.statuses(), ["ok"] * 6)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "takes a file system of its own")
    def test_a_disk_that_is_full(self):
        os.mkdir(self.path("disk"))
        plan, whole = self.plan_bytes()
        size = (plan + whole) // 2 // KIBIBYTE
        sweep = self.write("s.yaml", sweeping.SMALL)
        # what there is afterwards is taken along, since the mount goes with its name space
        script = f"""mount -t tmpfs -o size={size}k none disk || exit 77
            {cli.SVASIM} sweep {sweep} -j 1 -o disk/out; status=$?; cp -r disk/out out; exit $status"""
        result = subprocess.run(["unshare", "--mount", "sh", "-c", script], cwd=self.dir, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=cli.TIMEOUT_S,
                                check=False)
        if result.returncode in (1, 77):
            self.skipTest(f"no file system of its own: {result.stderr}")
        self.assert_stopped(result, "not written", "full" if "sqlite" in result.stderr else "No space left")
        self.assertIn("pending", self.statuses())
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.write("test.yaml", sweeping.SMALL)
        self.assert_resumes()


sweeping.main()

# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of sweeps share: a small sweep, and its database as Python values."""
import os
import sqlite3
import subprocess

import cli

TABLES = ("meta", "axis", "axis_value", "point", "setting", "config", "metric", "histogram", "host", "validation")

# Six points that take a moment each.
SMALL = """
name: small
platform: kunpeng920
settings: {workload.bytes: 4KiB, workload.destination_fresh_percent: 50}
axes:
  - key: workload.inflight
    values: [1, 2, 4]
  - key: kernel.fault.extra_ns
    values: [0, 5000]
derived:
  workload.requests: 10 + 20 * workload.inflight
"""


class SweepTest(cli.CliTest):
    def sweep(self, text, *arguments, output="out", **options):
        """Runs a sweep of a file with this text."""
        return self.svasim("sweep", self.write("test.yaml", text), "-o", output, *arguments, **options)

    def start(self, text, *arguments, output="out"):
        command = [cli.SVASIM, "sweep", self.write("test.yaml", text), "-o", self.path(output), *arguments]
        sweep = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(sweep.kill)
        return sweep

    def list_points(self, text):
        """[{key: value}] as --list prints them."""
        result = self.sweep(text, "--list")
        self.assert_status(result, 0)
        return [dict(pair.split("=", 1) for pair in line.split()[1:] if "=" in pair)
                for line in result.stdout.splitlines()[1:]]

    def db(self, output="out"):
        connection = sqlite3.connect(f"file:{self.path(output, 'sweep.sqlite')}?mode=ro", uri=True)
        self.addCleanup(connection.close)
        return connection

    def query(self, sql, *parameters, output="out"):
        return self.db(output).execute(sql, parameters).fetchall()

    def tables(self, output="out", leave_out=("host",)):
        """{table: its rows, sorted}"""
        return {table: sorted(self.query(f"SELECT * FROM {table}", output=output), key=repr)
                for table in TABLES if table not in leave_out}

    def statuses(self, output="out"):
        return [status for status, in self.query("SELECT status FROM point ORDER BY id", output=output)]

    def assert_same_tables(self, a, b):
        for table, rows in a.items():
            self.assertEqual(rows, b[table], f"table {table}")

    def assert_file_error(self, text, line, *words):
        """Refused with one line that names the line of the file, before anything is written."""
        result = self.sweep(text)
        self.assert_refused(result, f"test.yaml:{line}: ", *words)
        self.assertFalse(os.path.exists(self.path("out")))


main = cli.main

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a sweep leaves behind: the database, the table, the points' own files."""
import csv
import os
import subprocess

import cli
import sweeping


class Results(sweeping.SweepTest):
    def test_the_database_tells_the_plan(self):
        self.assert_status(self.sweep(sweeping.SMALL + "description: one line\n"), 0)
        meta = dict(self.query("SELECT key, value FROM meta"))
        host = cli.read_json(self.path("out", "points", "0001", "host.json"))
        self.assertEqual(sorted(meta), ["compiler", "description", "flags", "kernel", "name", "platform", "schema",
                                        "svasim", "sweep_file", "systemc", "workload"])
        self.assertEqual((meta["schema"], meta["name"], meta["description"], meta["platform"], meta["workload"]),
                         ("svasim-sweep-1", "small", "one line", "kunpeng920", "copy"))
        with open(self.path("test.yaml"), encoding="utf-8") as file:
            self.assertEqual(meta["sweep_file"], file.read())
        for key in ("svasim", "compiler", "flags", "kernel", "systemc"):
            self.assertEqual(meta[key], host[key])
        self.assertEqual(self.query("SELECT * FROM axis ORDER BY id"),
                         [(1, "workload.inflight", "workload.inflight", "", "linear", None),
                          (2, "kernel.fault.extra_ns", "kernel.fault.extra_ns", "ns", "linear", None)])
        self.assertEqual(self.query("SELECT * FROM axis_value ORDER BY axis, position"),
                         [(1, 0, "1"), (1, 1, "2"), (1, 2, "4"), (2, 0, "0"), (2, 1, "5000")])
        self.assertEqual(self.query("SELECT * FROM point ORDER BY id"),
                         [(n, "ok", 0, None, 1, 1) for n in range(1, 7)])
        self.assertEqual(self.query("SELECT key, value FROM setting WHERE point = 4 ORDER BY key"),
                         [("kernel.fault.extra_ns", "5000"), ("workload.inflight", "2"), ("workload.requests", "50")])
        self.assertEqual(self.query("SELECT count(*) FROM validation"), [(0,)])

    def test_axes_have_labels_units_scales_and_groups(self):
        self.assert_status(self.sweep("""
settings: {workload.requests: 5}
axes:
  - {key: workload.bytes, label: length, unit: B, powers_of_two: {from: 1KiB, to: 4KiB}}
  - zip:
      - {key: kernel.wakeup_ns, values: [1, 2], scale: category}
      - {key: workload.poll, values: [irq, spin]}
"""), 0)
        self.assertEqual(self.query("SELECT * FROM axis ORDER BY id"),
                         [(1, "workload.bytes", "length", "B", "log2", None),
                          (2, "kernel.wakeup_ns", "kernel.wakeup_ns", "ns", "category", 1),
                          (3, "workload.poll", "workload.poll", "", "category", 1)])

    def test_the_configuration_is_whole(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        config = dict(self.query("SELECT key, value FROM config WHERE point = 4"))
        listed = [line for line in self.svasim("list", "params").stdout.split("\nworkload load\n")[0].splitlines()
                  if line and line[0] != " " and "." in line]
        self.assertEqual(sorted(config), sorted(listed + ["platform", "workload"]))
        self.assertEqual((config["workload.inflight"], config["workload.bytes"], config["accel.copy_bytes_per_cycle"]),
                         ("2", "4096", "2"))
        self.assertEqual((config["platform"], config["workload"]), ("kunpeng920", "copy"))

    def test_results_are_those_of_the_same_run_alone(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        run = self.run_copy("-c", "kunpeng920", *cli.settings(
            workload_bytes="4KiB", workload_destination_fresh_percent=50, workload_inflight=2), "-s",
                            "kernel.fault.extra_ns=5000", output="alone", requests=50)
        self.assert_status(run, 0)
        for name in ("metrics.json", "histograms.json"):
            self.assertEqual(cli.read_bytes(self.path("out", "points", "0004", name)),
                             cli.read_bytes(self.path("alone", name)))
        metrics = {name: value for name, value in cli.leaves(cli.read_json(self.path("alone", "metrics.json")))
                   if isinstance(value, (int, float))}
        self.assertEqual(dict(self.query("SELECT name, value FROM metric WHERE point = 4")), metrics)
        self.assertGreater(metrics["faults.handled"], 0)
        histograms = cli.read_json(self.path("alone", "histograms.json"))
        del histograms["schema"]
        self.assertEqual(self.query("SELECT name, upper_ns, count FROM histogram WHERE point = 4 ORDER BY 1, 2"),
                         sorted((name, upper, count) for name, rows in histograms.items() for upper, count in rows))

    def test_what_the_host_did_is_known(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        rows = self.query("SELECT * FROM host")
        self.assertEqual(len(rows), 6)
        for _, wall_s, user_s, max_rss_kib in rows:
            self.assertGreater(wall_s, 0)
            self.assertGreater(user_s, 0)
            self.assertGreater(max_rss_kib, 1000)

    def test_the_table_has_a_row_per_point(self):
        self.assert_status(self.sweep(sweeping.SMALL), 0)
        with open(self.path("out", "sweep.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["point"] for row in rows], [str(n) for n in range(1, 7)])
        self.assertEqual(list(rows[0])[:7], ["point", "status", "repetition", "seed", "workload.inflight",
                                             "kernel.fault.extra_ns", "workload.requests"])
        for row in rows:
            metrics = dict(self.query("SELECT name, value FROM metric WHERE point = ?", int(row["point"])))
            self.assertEqual({name: float(row[name]) for name in metrics}, metrics)

    def test_the_table_quotes_what_must_be(self):
        self.assert_status(self.sweep("""
settings: {workload.requests: 5}
axes: [{key: machine.kernel_command_line, values: ['a="b,c"', plain]}]
"""), 0)
        with open(self.path("out", "sweep.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["machine.kernel_command_line"] for row in rows], ['a="b,c"', "plain"])

    def test_points_at_a_time_change_nothing(self):
        for output, jobs in (("one", "1"), ("four", "4"), ("many", "99")):
            self.assert_status(self.sweep(sweeping.SMALL, "-j", jobs, output=output), 0)
        self.assert_same_tables(self.tables("one"), self.tables("four"))
        self.assert_same_tables(self.tables("one"), self.tables("many"))
        self.assertEqual(cli.read_bytes(self.path("one", "sweep.csv")), cli.read_bytes(self.path("many", "sweep.csv")))

    def test_lines_tell_how_it_goes(self):
        result = self.sweep(sweeping.SMALL)
        self.assertRegex(result.stdout, r"^small: 6 points, 6 ok, 0 failed, 0 timed out\n")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 6)
        self.assertRegex(lines[-1], r"^6 of 6: point \d, workload.inflight=\d .*: ok, \d+\.\d+ s$")

    def test_a_terminal_shows_a_bar(self):
        ours, theirs = os.openpty()
        sweep = subprocess.Popen([cli.SVASIM, "sweep", self.write("s.yaml", sweeping.SMALL), "-o", self.path("out")],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(sweep.wait(cli.TIMEOUT_S), 0)
        last = shown.decode().split("\r\033[K")
        self.assertEqual(last[1], f"[{'.' * 40}] 0 of 6 points")
        self.assertRegex(last[-2], rf"^\[{'#' * 40}\] 6 of 6 points, 0:00 left$")
        self.assertEqual(last[-1], "")
        self.assertRegex(shown.decode(), r"\[#+\.+\] [1-5] of 6 points, \d:\d\d left")

    def test_an_axis_of_seeds(self):
        self.assert_status(self.sweep("settings: {workload.requests: 5}\naxes: [{key: machine.seed, values: [3, 9]}]\n"), 0)
        self.assertEqual(self.query("SELECT seed FROM point ORDER BY id"), [(3,), (9,)])
        self.assertEqual(sorted(os.listdir(self.path("out", "points"))), ["0001", "0002"])


sweeping.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""svasim report: the file that it writes, and what it refuses."""
import json
import math
import os
import random
import re
import resource
import shutil
import sqlite3

import cli
from sweep_db import SweepDb, axis

INFLIGHT = axis("workload.inflight", [1, 2, 4, 8], "requests in flight", scale="log2")
FILE_BYTES_MAX = 2_000_000


class ReportTest(cli.CliTest):
    def make(self, axes=(INFLIGHT,), folder="sweep", **options):
        return SweepDb(self.path(folder), list(axes), **options)

    def report(self, *arguments, folder="sweep", **options):
        return self.svasim("report", self.path(folder), *arguments, **options)

    def page(self, name="sweep/report.html"):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def data(self, name="sweep/report.html"):
        return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', self.page(name), re.S).group(1))


class File(ReportTest):
    def test_one_file_that_refers_to_no_other(self):
        self.make()
        result = self.report()
        self.assert_status(result, 0)
        self.assertRegex(result.stdout, r"^\S+/sweep/report\.html: 4 of 4 points, \d+ kB\n$")
        page = self.page()
        self.assertTrue(page.startswith("<!doctype html>"))
        self.assertTrue(page.rstrip().endswith("</html>"))
        self.assertIsNone(re.search(r"<(script|img|iframe)[^>]*\ssrc=|<link\b|@import|url\(['\"h]", page))
        self.assertEqual(sorted(os.listdir(self.path("sweep"))), ["report.html", "sweep.sqlite"])

    def test_the_licence_of_the_library_is_in_it(self):
        self.make()
        self.report()
        for text in ("The MIT License", "Leon Sorokin", "The above copyright notice and this permission notice shall be included"):
            self.assertIn(text, self.page())

    def test_another_file_can_be_named(self):
        self.make()
        self.assert_status(self.report("-o", self.path("elsewhere.html")), 0)
        self.assertEqual(self.data("elsewhere.html")["schema"], "svasim-report-1")
        self.assertFalse(os.path.exists(self.path("sweep", "report.html")))

    def test_the_same_sweep_gives_the_same_bytes(self):
        self.make()
        self.report()
        first = self.page()
        self.report()
        self.assertEqual(self.page(), first)

    def test_metrics_are_those_of_the_database(self):
        db = self.make(axes=(INFLIGHT, axis("workload.destination_fresh_percent", [0, 100])))
        self.report()
        metrics = self.data()["metrics"]
        for point in db.points:
            for name, value in point["metrics"].items():
                column = metrics[name]
                got = column[point["id"] - 1] if isinstance(column, list) else column
                self.assertTrue(math.isclose(got, value, rel_tol=1e-5), f"{name}: {got} {value}")
        self.assertEqual(metrics["requests.sent"], 2000)  # the same everywhere: once

    def test_distributions_are_thinned_and_end_at_one(self):
        counts = [(float(10 + i), random.Random(i).randrange(1, 1000)) for i in range(5000)]
        self.make(histogram=lambda _: {"latency_ns": counts, "unknown": [(1.0, 1)]})
        self.report()
        histograms = self.data()["histograms"]
        self.assertEqual(list(histograms), ["latency_ns"])
        edges, shares = histograms["latency_ns"][0] if len(histograms["latency_ns"]) == 4 else histograms["latency_ns"]
        self.assertLess(len(edges), 300)
        self.assertEqual(edges[-1], 5009)
        self.assertEqual(shares[-1], 1)
        self.assertEqual(shares, sorted(shares))
        total, exact, passed = sum(count for _, count in counts), {}, 0
        for edge, count in counts:
            passed += count
            exact[edge] = passed / total
        for edge, share in zip(edges, shares):
            self.assertAlmostEqual(share, exact[edge], places=5)

    def test_text_of_users_stays_text(self):
        evil = "</script><script>alert(1)</script><!-- \u2028 \"quoted\" ü"
        self.make(meta={"name": evil, "description": evil, "sweep_file": evil})
        self.report()
        self.assertEqual(self.page().count("<script>"), 2)
        self.assertEqual(self.page().count("</script>"), 4)
        self.assertNotIn("<", json.dumps(self.data()["help"]))
        self.assertEqual(self.data()["meta"]["description"], evil)

    def test_text_that_is_no_utf8_does_not_end_it(self):
        db = self.make()
        db.execute("UPDATE meta SET value = CAST(x'61ff62' AS TEXT) WHERE key = 'name'")
        self.assert_status(self.report(), 0)
        self.assertEqual(self.data()["meta"]["name"], "a?b")

    def test_a_sweep_without_results_has_a_report(self):
        self.make(status=lambda _: ("pending", None, None))
        result = self.report()
        self.assert_status(result, 0)
        self.assertIn("0 of 4 points", result.stdout)

    def test_a_table_of_validation_may_be_missing(self):
        self.make().execute("DROP TABLE validation")
        self.assert_status(self.report(), 0)
        self.assertEqual(self.data()["validation"], [])

    def test_a_real_run_of_120_points_is_small(self):
        """All metrics and distributions of a real run, times 120, no two the same."""
        self.assert_status(self.run_copy("-s", "workload.destination_fresh_percent=10", requests=2000), 0)
        metrics = {name: value for name, value in cli.leaves(cli.read_json(self.path("out", "metrics.json")))
                   if isinstance(value, (int, float))}
        histograms = {name: value for name, value in cli.read_json(self.path("out", "histograms.json")).items() if isinstance(value, list)}
        db = self.make(axes=(axis("workload.inflight", range(1, 13)), axis("kernel.fault.extra_ns", range(10))), histogram=lambda _: {})
        noise = random.Random(1)
        db.execute("DELETE FROM metric")
        for point in range(1, 121):
            db.db.executemany("INSERT INTO metric VALUES(?, ?, ?)",
                              [(point, name, value * (1 + noise.random())) for name, value in metrics.items()])
            db.db.executemany("INSERT INTO histogram VALUES(?, ?, ?, ?)",
                              [(point, name, edge * (1 + point / 1000), count) for name, list_ in histograms.items() for edge, count in list_])
        db.db.commit()
        self.assert_status(self.report(), 0)
        self.assertGreater(len(self.data()["metrics"]), 300)
        self.assertLess(os.path.getsize(self.path("sweep", "report.html")), FILE_BYTES_MAX)


class Refusals(ReportTest):
    def test_what_has_no_report_is_refused(self):
        os.mkdir(self.path("empty"))
        os.mkdir(self.path("text"))
        self.write("text/sweep.sqlite", "this is not a database, however long it is; SQLite looks at the first hundred bytes or so" * 9)
        os.mkdir(self.path("other"))
        sqlite3.connect(self.path("other", "sweep.sqlite")).execute("CREATE TABLE t(a)")
        self.make(folder="newer").execute("UPDATE meta SET value = 'svasim-sweep-9' WHERE key = 'schema'")
        self.make(folder="none").execute("DELETE FROM meta WHERE key = 'schema'")
        self.make(folder="part").execute("DROP TABLE axis")
        cases = [
            ([], ["report: of what?", "svasim sweep"]),
            (["missing"], ["missing/sweep.sqlite", "No such file", "svasim sweep"]),
            (["empty"], ["empty/sweep.sqlite", "No such file"]),
            (["text"], ["text/sweep.sqlite", "not a database"]),
            (["other"], ["other/sweep.sqlite", "no such table: meta"]),
            (["newer"], ["schema: svasim-sweep-9", "allowed: svasim-sweep-1"]),
            (["none"], ["schema: none"]),
            (["part"], ["no such table: axis"]),
            (["x" * 5000], ["report: xxx"]),
            (["part", "other"], ["other", "one folder"]),
            (["--svg", "part"], ["--svg", "no such option"]),
        ]
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.svasim("report", *arguments), *words)
                self.assertEqual([name for name in os.listdir(self.dir) if name.endswith(".html")], [])

    def test_what_cannot_be_written_is_refused_and_what_was_there_stays(self):
        self.make()
        self.write("file", "")
        os.mkdir(self.path("folder"))
        for output, words in (("no/such/report.html", ["No such file"]), ("file/report.html", ["Not a directory"]),
                              ("folder", ["folder: not written", "directory"]), ("/dev/null/x", ["Not a directory"]),
                              ("y" * 300, ["File name too long"]), ("y" * 5000, ["File name too long"])):
            with self.subTest(output=output):
                self.assert_refused(self.report("-o", output), *words)
        self.assertEqual(sorted(os.listdir(self.dir)), ["file", "folder", "sweep"])

    def test_a_full_disk_leaves_the_report_that_was_there(self):
        self.make()
        self.report()
        before = self.page()
        result = self.report(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)))
        self.assert_refused(result, "report.html", "not written", "File too large")
        self.assertEqual(self.page(), before)
        self.assertEqual(sorted(os.listdir(self.path("sweep"))), ["report.html", "sweep.sqlite"])

    def test_a_sweep_that_was_cut_off_is_put_right(self):
        """A journal that is left beside the database takes back the transaction that was under way."""
        db = self.make()
        db.db.execute("PRAGMA cache_size = 1")
        db.db.execute("UPDATE meta SET value = 'half done' WHERE key = 'name'")
        db.db.execute("UPDATE config SET value = hex(zeroblob(4000))")  # more than fits the cache: it goes to the file
        os.mkdir(self.path("cut"))
        for name in ("sweep.sqlite", "sweep.sqlite-journal"):
            shutil.copy(self.path("sweep", name), self.path("cut", name))
        db.db.rollback()
        self.assert_status(self.report(folder="cut"), 0)
        self.assertEqual(self.data("cut/report.html")["meta"]["name"], "made-up")

    def test_a_folder_that_is_read_only_is_read(self):
        self.make()
        os.chmod(self.path("sweep", "sweep.sqlite"), 0o444)
        self.assert_status(self.report("-o", self.path("out.html")), 0)


cli.main()

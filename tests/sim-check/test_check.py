#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `svasim check` says of results, and of what cannot be compared."""
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import xml.etree.ElementTree

import cli

SWEEP = """
settings: {workload.requests: 20}
axes:
  - {key: workload.inflight, values: [1, 2]}
  - {key: machine.kernel_command_line, values: [plain, 'a="<&>"']}
"""


class CheckTest(cli.CliTest):
    @classmethod
    def setUpClass(cls):
        cls.cache = tempfile.mkdtemp(prefix="svasim-check-")
        cls.addClassCleanup(shutil.rmtree, cls.cache)
        for name, command in (("run", ["run", "-s", "workload.requests=50", "-s", "workload.destination_fresh_percent=50"]),
                              ("sweep", ["sweep", "sweep.yaml"])):
            with open(os.path.join(cls.cache, "sweep.yaml"), "w", encoding="utf-8") as file:
                file.write(SWEEP)
            subprocess.run([cli.SVASIM, *command, "-o", name], cwd=cls.cache, check=True, timeout=cli.TIMEOUT_S,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def setUp(self):
        super().setUp()
        for name in ("run", "sweep"):
            shutil.copytree(os.path.join(self.cache, name), self.path(name))
        self.assert_status(self.check("--update"), 0)

    def check(self, *arguments, folder="run", baseline="baseline.json", **options):
        return self.svasim("check", folder, "--baseline", baseline, *arguments, **options)

    def edit(self, name, change):
        """Changes a JSON file by change(tree)."""
        tree = cli.read_json(self.path(name))
        change(tree)
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(tree, file)

    def metric(self, name):
        return dict(cli.leaves(cli.read_json(self.path("run", "metrics.json"))))[name]

    def set_metric(self, name, value):
        """Of the run; None takes it away."""
        def change(tree):
            *above, last = name.split(".")
            for key in above:
                tree = tree.setdefault(key, {})
            if value is None:
                del tree[last]
            else:
                tree[last] = value
        self.edit("run/metrics.json", change)

    def scale(self, name, factor):
        value = self.metric(name)
        self.set_metric(name, round(value * factor) if isinstance(value, int) else value * factor)

    def set_baseline(self, key, value):
        self.edit("baseline.json", lambda tree: tree.update({key: value}))


class Comparing(CheckTest):
    def test_the_same_results_pass(self):
        result = self.check()
        self.assert_status(result, 0)
        self.assertRegex(result.stdout, r"^compared: \d{3,} metrics, points: 1, differences: 0\n$")
        self.assertEqual(result.stderr, "")

    def test_any_difference_is_told(self):
        self.set_metric("requests.completed", 51)
        self.set_metric("latency_ns.mean", self.metric("latency_ns.mean") * (1 - 1e-6))
        result = self.check()
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, r"(?m)^run\n  metric +baseline +now +change\n")
        self.assertRegex(result.stdout, r"(?m)^  requests.completed +50 +51 +\+2\.00 %$")
        self.assertRegex(result.stdout, r"(?m)^  latency_ns.mean +[\d.]+ +[\d.]+ +-1\.00e-04 %$")
        self.assertIn("differences: 2\n", result.stdout)

    def test_large_counts_are_exact(self):
        self.set_metric("duration_ps", 1 << 60)
        self.assert_status(self.check("--update"), 0)
        self.assert_status(self.check(), 0)
        self.set_metric("duration_ps", (1 << 60) + 1)
        self.assert_status(self.check(), 1)

    def test_what_was_zero(self):
        self.set_metric("requests.errors", 3)
        result = self.check()
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, r"(?m)^  requests.errors +0 +3 +from 0$")

    def test_metrics_that_are_gone_and_new_ones(self):
        self.set_metric("requests.completed", None)
        self.set_metric("brand.new", 5)
        result = self.check()
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, r"(?m)^  requests.completed +50 +- +gone$")
        self.assertIn("note: not in the baseline are 1 metrics, points: 0", result.stdout)
        self.set_metric("requests.completed", 50)
        self.assert_status(self.check(), 0)

    def test_many_differences_are_shortened(self):
        for name, value in list(cli.leaves(cli.read_json(self.path("run", "metrics.json")))):
            if name.startswith("smmu.") and isinstance(value, int):
                self.set_metric(name, value + 1)
        short, long = self.check(), self.check("--all")
        self.assert_status(short, 1)
        count = long.stdout.count("\n  smmu.")
        self.assertGreater(count, 40)
        self.assertEqual(short.stdout.count("\n  smmu."), 30)
        self.assertIn(f"and {count - 30} more (--all shows them)", short.stdout)


class Tolerances(CheckTest):
    def test_patterns_give_room(self):
        self.set_baseline("tolerances", [{"metrics": "latency_ns.*", "percent": 5}])
        self.scale("latency_ns.mean", 1.04)
        self.scale("latency_ns.p99", 0.96)
        self.assert_status(self.check(), 0)
        self.scale("latency_ns.mean", 1.02)
        result = self.check()
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, r"(?m)^  latency_ns.mean .* \+6\.08 %  \(allowed: 5 %\)$")
        self.assertNotIn("latency_ns.p99", result.stdout)

    def test_the_first_pattern_that_matches_counts(self):
        self.scale("latency_ns.mean", 1.04)
        narrow, wide = {"metrics": "latency_ns.mean", "percent": 1}, {"metrics": "*_ns.*", "percent": 5}
        self.set_baseline("tolerances", [narrow, wide])
        self.assert_status(self.check(), 1)
        self.set_baseline("tolerances", [wide, narrow])
        self.assert_status(self.check(), 0)

    def test_metrics_can_be_left_out(self):
        self.set_baseline("tolerances", [{"metrics": "smmu.*", "ignore": True}])
        self.set_metric("smmu.walks", 0)
        self.set_metric("smmu.tlb.hits", None)
        self.assert_status(self.check(), 0)

    def test_another_compiler_gives_times_room_and_counts_none(self):
        self.edit("run/host.json", lambda tree: tree.update(compiler="99.1"))
        times = ("latency_ns.mean", "duration_ps", "waits.compute.sum_ps", "requests.per_s", "throughput.bytes_per_s",
                 "requests.in_flight_mean", "accel.engine.copy.utilisation", "kernel.blocks", "accel.dma.busy_ps")
        for name in times:
            self.scale(name, 1.015)
        result = self.check()
        self.assert_status(result, 0)
        self.assertIn("note: made with compiler 99.1, not ", result.stdout)
        self.assertIn("times may differ by 2 %", result.stdout)
        for name in times:
            with self.subTest(time=name):
                before = self.metric(name)
                self.scale(name, 1.015)
                result = self.check()
                self.assert_status(result, 1)
                self.assertIn("(allowed: 2 %)", result.stdout)
                self.set_metric(name, before)
        for name in ("requests.completed", "smmu.walks", "faults.handled", "kernel.context_switches", "latency_ns.count"):
            with self.subTest(count=name):
                self.set_metric(name, self.metric(name) + 1)
                self.assert_status(self.check(), 1)
                self.set_metric(name, self.metric(name) - 1)
        self.set_baseline("time_tolerance_percent", 1)
        self.assert_status(self.check(), 1)

    def test_other_flags_and_kernels_count_too_and_versions_do_not(self):
        self.scale("duration_ps", 1.01)
        for key, status in (("flags", 0), ("kernel", 0), ("svasim", 1), ("systemc", 1)):
            with self.subTest(key=key):
                before = cli.read_json(self.path("run", "host.json"))
                self.edit("run/host.json", lambda tree, key=key: tree.update({key: "other"}))
                self.assert_status(self.check(), status)
                self.edit("run/host.json", lambda tree, before=before: tree.update(before))


class Updating(CheckTest):
    def test_the_file_is_stable_and_sorted(self):
        before = cli.read_bytes(self.path("baseline.json"))
        self.assert_status(self.check("--update"), 0)
        self.assertEqual(cli.read_bytes(self.path("baseline.json")), before)
        tree = json.loads(before)
        self.assertEqual((tree["schema"], tree["time_tolerance_percent"], tree["tolerances"]), ("svasim-baseline-1", 2, []))
        self.assertEqual(list(tree["points"]["run"]), sorted(tree["points"]["run"]))
        host = cli.read_json(self.path("run", "host.json"))
        self.assertEqual(tree["made_with"], {key: host[key] for key in ("compiler", "flags", "kernel", "svasim", "systemc")})
        self.assertGreater(before.count(b"\n"), len(tree["points"]["run"]))

    def test_what_the_user_wrote_stays(self):
        mine = {"tolerances": [{"metrics": "latency_ns.*", "percent": 5}], "time_tolerance_percent": 4, "comment": "mine"}
        for key, value in mine.items():
            self.set_baseline(key, value)
        self.set_metric("requests.completed", 51)
        result = self.check("--update")
        self.assert_status(result, 0)
        self.assertRegex(result.stdout, r"(?m)^  requests.completed +50 +51")
        self.assertIn("written: baseline.json", result.stdout)
        tree = cli.read_json(self.path("baseline.json"))
        self.assertEqual({key: tree[key] for key in mine}, mine)
        self.assertEqual(tree["points"]["run"]["requests.completed"], 51)
        self.assert_status(self.check(), 0)

    def test_an_update_that_cannot_be_written_leaves_the_file(self):
        before = cli.read_bytes(self.path("baseline.json"))
        self.set_metric("requests.completed", 51)
        result = self.check("--update", preexec_fn=lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))))
        self.assert_status(result, 2)
        self.assert_one_line(result, "baseline.json: not written: File too large")
        self.assertEqual(cli.read_bytes(self.path("baseline.json")), before)
        self.assertEqual(sorted(os.listdir(self.dir)), ["baseline.json", "run", "sweep"])


class Sweeps(CheckTest):
    def setUp(self):
        super().setUp()
        self.assert_status(self.check("--update", folder="sweep", baseline="sweep.json"), 0)

    def check_sweep(self, *arguments):
        return self.check(*arguments, folder="sweep", baseline="sweep.json")

    def sql(self, *statement):
        connection = sqlite3.connect(self.path("sweep", "sweep.sqlite"))
        with connection:
            connection.execute(*statement)
        connection.close()

    def test_points_are_named_by_their_settings(self):
        self.assert_status(self.check_sweep(), 0)
        self.assertEqual(sorted(cli.read_json(self.path("sweep.json"))["points"]),
                         [f"workload.inflight={n} machine.kernel_command_line={text}" for n in (1, 2)
                          for text in ('a="<&>"', "plain")])

    def test_a_point_that_differs(self):
        self.sql("UPDATE metric SET value = 7 WHERE point = 3 AND name = 'requests.completed'")
        result = self.check_sweep()
        self.assert_status(result, 1)
        self.assertIn("workload.inflight=2 machine.kernel_command_line=plain\n", result.stdout)
        self.assertIn("points: 4, differences: 1\n", result.stdout)

    def test_points_that_are_gone_and_new_ones(self):
        self.sql("UPDATE point SET status = 'failed' WHERE id = 2")
        result = self.check_sweep()
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, r'workload.inflight=1 machine.kernel_command_line=a="<&>"\n.*\n  no results of this point')
        self.assert_status(self.check_sweep("--update"), 0)
        self.sql("UPDATE point SET status = 'ok' WHERE id = 2")
        result = self.check_sweep()
        self.assert_status(result, 0)
        self.assertIn("points: 1 (--update adds them)", result.stdout)

    def test_repetitions_are_points(self):
        self.write("r.yaml", "settings: {workload.requests: 5}\nrepetitions: 2\n")
        self.assert_status(self.svasim("sweep", "r.yaml", "-o", "r"), 0)
        self.assert_status(self.check("--update", folder="r", baseline="r.json"), 0)
        self.assertEqual(list(cli.read_json(self.path("r.json"))["points"]), ["repetition 1", "repetition 2"])

    def test_junit(self):
        self.sql("UPDATE metric SET value = 7 WHERE point = 2 AND name IN ('requests.completed', 'requests.sent', 'smmu.walks')")
        self.assert_status(self.check_sweep("--junit", "junit.xml"), 1)
        root = xml.etree.ElementTree.parse(self.path("junit.xml")).getroot()
        suite = root.find("testsuite")
        cases = suite.findall("testcase")
        failed = [case for case in cases if case.find("failure") is not None]
        self.assertEqual([(case.get("classname"), case.get("name")) for case in failed],
                         [('workload.inflight=1 machine.kernel_command_line=a="<&>"', group) for group in ("requests", "smmu")])
        self.assertEqual((suite.get("tests"), suite.get("failures")), (str(len(cases)), "2"))
        self.assertEqual(len({case.get("classname") for case in cases}), 4)
        failure = failed[0].find("failure")
        self.assertEqual(failure.get("message"), "2 differ from the baseline")
        self.assertRegex(failure.text, r"requests\.completed +20 +7 +-65\.00 %")

    def test_junit_of_what_passes_and_of_a_point_that_is_gone(self):
        self.assert_status(self.check_sweep("--junit", "junit.xml"), 0)
        suite = xml.etree.ElementTree.parse(self.path("junit.xml")).getroot().find("testsuite")
        self.assertGreater(int(suite.get("tests")), 40)
        self.assertEqual(suite.get("failures"), "0")
        self.sql("UPDATE point SET status = 'timeout' WHERE id = 2")
        self.assert_status(self.check_sweep("--junit", "junit.xml"), 1)
        suite = xml.etree.ElementTree.parse(self.path("junit.xml")).getroot().find("testsuite")
        self.assertEqual(int(suite.get("failures")), int(suite.get("tests")) // 4)


class Refusals(CheckTest):
    def test_bad_baselines(self):
        cases = [
            ("", ["baseline.json:1: "]),
            ("{\n\"schema\": oops}", ["baseline.json:2: "]),
            ("{\"schema\": \"a\", \"schema\": \"b\"}", ["baseline.json:1: ", "schema"]),
            ("[]", ["schema: not there", "svasim-baseline-1"]),
            ("{}", ["schema: not there", "svasim-baseline-1"]),
            ({"schema": "svasim-baseline-9"}, ["schema: svasim-baseline-9", "allowed: svasim-baseline-1"]),
            ({"time_tolerance_percent": -1}, ["time_tolerance_percent: not a percentage"]),
            ({"tolerances": {}}, ["tolerances: not a list"]),
            ({"tolerances": [{"metrics": "*", "percent": 1}, {"metrics": "*"}]}, ["tolerances[1]: not a tolerance"]),
            ({"tolerances": [{"metrics": "*", "percent": -1}]}, ["tolerances[0]: not a tolerance"]),
            ({"tolerances": [{"metrics": "*", "percent": 1, "ignore": True}]}, ["tolerances[0]: not a tolerance"]),
            ({"tolerances": [{"metrics": 5, "percent": 1}]}, ["tolerances[0]: not a tolerance"]),
            ({"tolerances": ["latency"]}, ["tolerances[0]: not a tolerance"]),
            ({"points": []}, ["points"]),
            ({"made_with": 1}, ["made_with"]),
            ({"points": {"run": 5}}, ["run: not a point"]),
            ({"points": {"run": {"a": "5"}}}, ["a: not a number"]),
        ]
        for change, words in cases:
            with self.subTest(change=change):
                tree = {"schema": "svasim-baseline-1", "points": {}, "made_with": {}}
                text = change if isinstance(change, str) else json.dumps({**tree, **change})
                self.write("bad.json", text)
                for update in ([], ["--update"]):
                    self.assert_refused(self.check(*update, baseline="bad.json"), "bad.json", *[
                        word.replace("baseline.json:", "bad.json:") for word in words])
                with open(self.path("bad.json"), encoding="utf-8") as file:
                    self.assertEqual(file.read(), text)

    def test_files_and_folders_that_are_not_there(self):
        self.assert_refused(self.check(baseline="none.json"), "none.json: No such file or directory", "--update")
        self.assert_refused(self.check(folder="none"), "none: holds no results", "folder of a run or of a sweep")
        os.unlink(self.path("run", "host.json"))
        self.assert_refused(self.check(), "run/host.json")
        self.write("run/metrics.json", "{")
        self.assert_refused(self.check(), "run/metrics.json:1: ")
        self.write("sweep/sweep.sqlite", "no database, but long enough" * 200)
        self.assert_refused(self.check(folder="sweep"), "sweep/sweep.sqlite: not read", "not a database")

    def test_places_that_cannot_be_written(self):
        for option in ("--junit", "--baseline"):
            with self.subTest(option=option):
                result = self.svasim("check", "run", "--baseline", "baseline.json", option, "none/there",
                                     *(["--update"] if option == "--baseline" else []))
                self.assert_status(result, 2)
                self.assert_one_line(result, "none/there: not written: No such file or directory")

    def test_options(self):
        cases = [([], "check: no folder"), (["run"], "check: no --baseline"), (["run", "sweep"], "sweep: one folder too many"),
                 (["run", "--frob"], "no such option"), (["run", "--baseline"], "needs a value")]
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.svasim("check", *arguments), words)


cli.main()

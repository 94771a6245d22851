#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with a sweep is said before the first point runs, in one line that names the line of the file."""
import sweeping


class Errors(sweeping.SweepTest):
    def assert_cases(self, cases):
        for text, line, *words in cases:
            with self.subTest(text=text):
                self.assert_file_error(text, line, *words)

    def test_the_files_own_keys(self):
        self.assert_cases([
            ("", 1, "not a sweep file", "docs/sweeps.md"),
            ("[a]\n", 1, "not a sweep file"),
            ("name: x\nfrob: 1\n", 2, "frob: unknown key", "name, description, platform, workload, settings, axes"),
            ("name: x\nname: y\n", 2, "name: duplicate key, first on line 1"),
            ("name: [x]\n", 1, "name: [...]: not a text"),
            ("name: x\n---\nname: y\n", 3, "a second document", "one document"),
            ("name: x\n  y: z\n", 2, "not valid YAML"),
            ("name: {\n", 2, "not valid YAML"),
            ("repetitions: 0\n", 1, "repetitions: 0: not a whole number in the range", "1..10000"),
            ("repetitions: 1.5\n", 1, "repetitions: 1.5", "1..10000"),
            ("repetitions: many\n", 1, "repetitions: many", "1..10000"),
            ("seed: -1\n", 1, "seed: -1", "0..4294967295"),
            ("\nseed: 4294967295\nrepetitions: 2\n", 2, "machine.seed: 4294967296: out of range"),
            ("platform: frob\n", 1, "platform: frob: no such file or platform", "svasim list platforms"),
            ("platform: ./frob.yaml\n", 1, "platform: ./frob.yaml: no such file or platform"),
            ("platform: ''\n", 1, "platform"),
            ("workload: frob\n", 1, "workload: frob: no such workload", "svasim list workloads"),
            ("\nworkload: [copy]\n", 2, "workload: [...]: not a workload"),
            ("1: 2\n", 1, "1: unknown key"),
            ("[a]: 2\n", 1, "[...]: cannot be a key"),
        ])

    def test_axes(self):
        self.assert_cases([
            ("axes: workload.inflight\n", 1, "axes: workload.inflight: not a list"),
            ("axes:\n  - 5\n", 2, "axes: 5: not an axis"),
            ("axes:\n  - {values: [1]}\n", 2, "an axis without a key"),
            ("axes:\n  - {key: workload.inflight}\n", 2, "workload.inflight: an axis without values", "range"),
            ("axes:\n  - key: workload.inflight\n    valeus: [1]\n", 3, "valeus: unknown key", "key, values, range"),
            ("axes:\n  - key: workload.inflight\n    values: 7\n", 3, "values: 7: not a list"),
            ("axes:\n  - key: workload.inflight\n    values: []\n", 3, "values: no values"),
            ("axes:\n  - key: workload.inflight\n    values: [1, [2]]\n", 3, "values: [...]: not a value"),
            ("axes:\n  - key: workload.inflight\n    values: [1]\n    range: {from: 1, to: 2, step: 1}\n", 4,
             "range: the axis has values already"),
            ("axes:\n  - {key: workload.inflight, values: [1], scale: log}\n", 2, "scale: log", "linear, log2, category"),
            ("axes:\n  - key: workload.inflight\n    values:\n      - 1\n      - 2\n      - 1\n", 6,
             "workload.inflight: 1: stands twice"),
            ("axes:\n  - key: workload.bytes\n    values:\n      - 4096\n      - 4KiB\n", 5, "stands twice"),
        ])

    def test_ranges(self):
        def span(how):
            return f"axes:\n  - key: workload.inflight\n    {how}\n"

        self.assert_cases([
            (span("range: 1..5"), 3, "range: 1..5: not a range", "{from: A, to: B, step: C}"),
            (span("range: {from: 1, to: 5}"), 3, "range: incomplete", "step"),
            (span("range: {from: 5, to: 1, step: 1}"), 3, "to: less than from"),
            (span("range: {from: 1, to: 5, step: 0}"), 3, "step: not more than 0"),
            (span("range: {from: 1, to: 5, step: -1}"), 3, "step: not more than 0"),
            (span("range: {from: 1, to: 5, step: x}"), 3, "step: x: not a number"),
            (span("range: {from: 1, to: 5, step: 1, stop: 1}"), 3, "stop: unknown key"),
            (span("range: {from: 1, to: 1e12, step: 1}"), 3, "range: too many values"),
            (span("range: {from: 1, to: 2, step: 0.5}"), 3, "workload.inflight: 1.5: not a whole number"),
            (span("powers_of_two: {from: 3, to: 8}"), 3, "from: not a power of two"),
            (span("powers_of_two: {from: 2, to: 9}"), 3, "to: not a power of two"),
            (span("powers_of_two: {from: 0, to: 8}"), 3, "from: not a power of two"),
            (span("powers_of_two: {from: 8, to: 4}"), 3, "to: less than from"),
            (span("powers_of_two: {from: 8}"), 3, "powers_of_two: incomplete"),
        ])

    def test_zips(self):
        self.assert_cases([
            ("axes:\n  - zip: 5\n", 2, "zip: 5: not a group of axes"),
            ("axes:\n  - zip: [{key: workload.inflight, values: [1]}]\n", 2, "zip: [...]: not a group", "two or more"),
            ("axes:\n  - zip:\n    - {key: workload.inflight, values: [1, 2]}\n    - {key: workload.batch, values: [1]}\n",
             4, "workload.batch: 1 values beside 2"),
            ("axes:\n  - zip:\n    - {key: workload.inflight, values: [1, 1]}\n    - {key: workload.batch, values: [2, 2]}\n",
             3, "stands twice"),
        ])

    def test_parameters(self):
        self.assert_cases([
            ("settings: {workload.requets: 5}\n", 1, "workload.requets: 5: unknown key, did you mean workload.requests?"),
            ("settings:\n  smmu:\n    frobs: 5\n", 3, "smmu.frobs: 5: unknown key"),
            ("settings:\n  smmu: 5\n", 2, "smmu: 5: unknown key"),
            ("settings: 5\n", 1, "settings: 5: not a mapping"),
            ("settings:\n  workload.bytes: [1]\n", 2, "workload.bytes: [...]: not a value"),
            ("settings:\n  workload.bytes: -1\n", 2, "workload.bytes: -1: not a whole number", "1..16777216"),
            ("axes:\n  - key: workload.inflight\n    values:\n      - 1\n      - 0\n", 5,
             "workload.inflight: 0: out of range", "1..65535"),
            ("axes:\n  - {key: workload.poll, values: [spin, frob]}\n", 2, "workload.poll: frob", "spin, sleep, irq"),
            ("axes:\n  - {key: workload, values: [copy, frob]}\n", 2, "workload: frob: no such workload"),
            ("axes:\n  - {key: platform, values: [kunpeng920, frob]}\n", 2, "platform: frob: no such file or platform"),
            # a key of one workload only
            ("settings:\n  workload.inflight: 2\naxes:\n  - {key: workload, values: [copy, load]}\n", 2,
             "workload.inflight: 2: unknown key"),
        ])

    def test_keys_that_are_set_twice(self):
        self.assert_cases([
            ("settings: {workload.inflight: 1}\naxes:\n  - {key: workload.inflight, values: [1]}\n", 3,
             "workload.inflight: set twice, first on line 1"),
            ("settings:\n  workload: {inflight: 1}\n  workload.inflight: 2\n", 3, "set twice, first on line 2"),
            ("axes:\n  - {key: workload.inflight, values: [1]}\n  - {key: workload.inflight, values: [2]}\n", 3,
             "set twice, first on line 2"),
            ("axes:\n  - {key: workload.inflight, values: [1]}\nderived:\n  workload.inflight: 5\n", 4, "set twice"),
            ("workload: copy\naxes:\n  - {key: workload, values: [copy]}\n", 3, "workload: set twice, first on line 1"),
            ("platform: kunpeng920\naxes:\n  - {key: platform, values: [kunpeng920]}\n", 3, "platform: set twice"),
            ("seed: 5\nsettings: {machine.seed: 4}\n", 2, "machine.seed: set twice"),
            ("repetitions: 2\naxes:\n  - {key: machine.seed, values: [1, 2]}\n", 3, "machine.seed: repetitions change it"),
        ])

    def test_formulas(self):
        def formula(text):
            return f"derived:\n  workload.requests: '{text}'\n"

        allowed = "numbers, keys of parameters"
        self.assert_cases([
            (formula(text), 2, f"workload.requests: {text}: {wrong}", allowed) for text, wrong in (
                ("", "ends too early"), ("1 +", "ends too early"), ("max(1, 2", "a ) is missing"), ("(1", "a ) is missing"),
                ("1 2", "not a formula"), ("1)", "not a formula"), ("* 5", "not a formula"), ("avg(1, 2)", "no such function"),
                ("workload.frob", "names what is no parameter"), ("workload.poll", "names what is no parameter"),
                ("machine.kernel_image", "names what is no parameter"), ("1 / (2 - 2)", "divides by zero"),
                ("9e300 * 9e300", "out of range"), ("(" * 100, "nested too deeply"), ("x" * 300, "names what is no"))])
        self.assert_cases([
            (formula("1000 / 3"), 2, "workload.requests: 333.333333333333", "not a whole number", "1..1000000000000"),
            (formula("1 - 2"), 2, "workload.requests: -1: not a whole number"),
            ("derived:\n  workload.frob: 5\n", 2, "workload.frob: 5: unknown key"),
        ])

    def test_combinations_that_no_machine_can_have(self):
        self.assert_cases([
            ("axes:\n  - {key: accel.sq_depth, values: [16, 1024]}\n  - {key: workload.inflight, values: [8, 16]}\n", 3,
             "workload.inflight: 16", "in point 2: accel.sq_depth=16 workload.inflight=16"),
            ("axes:\n  - {key: workload.inflight, values: [8]}\nsettings:\n  machine.ram_bytes: 65MiB\n", 4,
             "machine.ram_bytes", "not a multiple of 2 MiB"),
            ("settings: {run.warmup: often}\n", 1, "run.warmup: often"),
        ])

    def test_too_many_points(self):
        axes = "".join(f"  - {{key: workload.{key}, range: {{from: 1, to: 1000, step: 1}}}}\n"
                       for key in ("inflight", "batch", "requests", "bytes", "queues", "threads", "processes"))
        self.assert_file_error(f"name: x\naxes:\n{axes}", 2, "axes: more than 100000 points")

    def test_an_error_in_the_platform_file_names_that_file(self):
        self.write("mine.yaml", "machine:\n  cpus: none\n")
        result = self.sweep("platform: mine.yaml\n")
        self.assert_refused(result, "mine.yaml:2: machine.cpus: none", "1..128")

    def test_files_that_are_none(self):
        self.assert_refused(self.svasim("sweep", "frob.yaml"), "frob.yaml: No such file or directory")
        self.assert_refused(self.svasim("sweep", self.dir), "Is a directory")
        with open(self.path("null.yaml"), "wb") as file:
            file.write(b"name: \0\n")
        self.assert_refused(self.svasim("sweep", "null.yaml"), "null.yaml: holds a null character")
        self.write("large.yaml", "# comment\n" * 110000)
        self.assert_refused(self.svasim("sweep", "large.yaml"), "large.yaml: too large")

    def test_options(self):
        self.write("s.yaml", "name: x\n")
        cases = [
            ([], ["sweep: no file", "svasim sweep --help"]),
            (["s.yaml", "t.yaml"], ["t.yaml: one file too many"]),
            (["s.yaml", "-j", "0"], ["-j: 0", "1..1024"]),
            (["s.yaml", "-j", "two"], ["-j: two", "1..1024"]),
            (["s.yaml", "-j", "9999"], ["-j: 9999", "1..1024"]),
            (["s.yaml", "--timeout", "-1"], ["--timeout: -1", "1..1000000"]),
            (["s.yaml", "--timeout", "1s"], ["--timeout: 1s", "1..1000000"]),
            (["s.yaml", "--frob"], ["--frob", "no such option"]),
            (["s.yaml", "-o", ""], ["-o: ", "not a folder's name"]),
        ]
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.svasim("sweep", *arguments), *words)

    def test_help(self):
        result = self.svasim("sweep", "--help")
        self.assert_status(result, 0)
        self.assertIn("Usage: svasim sweep [OPTION...] SWEEP.yaml", result.stdout)
        for option in ("--output", "--jobs", "--resume", "--timeout", "--list"):
            self.assertRegex(result.stdout, rf"(?m)^ +(-\w, )?{option}\b")


sweeping.main()

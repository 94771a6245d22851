#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Subcommands and their options, help, lists."""
import re

import cli


class Options(cli.CliTest):
    def test_bad_options_are_refused(self):
        cases = [
            (["frob"], ["frob", "no such command", "allowed: run, "]),
            (["run", "--frob"], ["--frob", "no such option", "--help"]),
            (["run", "-q"], ["-q", "no such option"]),
            (["run", "-vq"], ["-q", "no such option"]),
            (["run", "--trace=yes"], ["--trace=yes", "takes no value"]),
            (["run", "-s"], ["-s", "needs a value"]),
            (["run", "--output"], ["--output", "needs a value"]),
            (["run", "copy"], ["copy", "unexpected argument"]),
            (["run", "-w", "frob"], ["-w: frob", "no such workload", "svasim list workloads"]),
            (["run", "-w", ""], ["-w: ", "no such workload"]),
            (["run", "--trace", "--trace-from", "soon"], ["--trace-from: soon", "allowed: nanoseconds, 0.."]),
            (["run", "--trace", "--trace-from", "-5"], ["--trace-from: -5", "allowed"]),
            (["run", "--trace", "--trace-to", " 5"], ["--trace-to:  5", "allowed"]),
            (["run", "--trace", "--trace-to", "99999999999999999999"], ["--trace-to: 9999", "allowed"]),
            (["run", "--trace", "--trace-from", "500", "--trace-to", "500"], ["--trace-to: 500", "empty"]),
            (["run", "--trace", "--trace-categories", "cpu,frob,dma"], ["--trace-categories: frob:", "request, engine"]),
            (["run", "--trace", "--trace-categories", ""], ["--trace-categories", "allowed: cpu, kernel"]),
            (["run", "--trace-from", "500"], ["--trace-from", "--trace"]),
            (["list"], ["list", "allowed: workloads, platforms, params, metrics"]),
            (["list", "frob"], ["frob", "allowed: workloads, platforms, params, metrics"]),
            (["list", "params", "metrics"], ["list", "allowed"]),
            (["run", "-w", "two\nlines"], ["two lines"]),
        ]
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.svasim(*arguments), *words)

    def test_no_command_says_what_there_is(self):
        result = self.svasim()
        self.assert_status(result, 2)
        self.assertEqual(result.stdout, "")
        self.assertIn("Usage: svasim COMMAND", result.stderr)

    def test_help_goes_to_standard_output(self):
        for arguments in (["--help"], ["-h"], ["help"], ["run", "--help"], ["run", "-h"]):
            with self.subTest(arguments=arguments):
                result = self.svasim(*arguments)
                self.assert_status(result, 0)
                self.assertEqual(result.stderr, "")
                self.assertTrue(result.stdout.startswith("Usage: svasim"))

    def test_help_of_run_has_every_option(self):
        text = self.svasim("run", "--help").stdout
        for option in ("-c", "-w", "-s", "-o", "-v", "--trace", "--trace-from", "--trace-to", "--trace-categories"):
            self.assertRegex(text, rf"(?m)^ +(-\w, )?{option}\b|^  {option},")

    def test_version(self):
        result = self.svasim("--version")
        self.assert_status(result, 0)
        self.assertRegex(result.stdout, r"^svasim \d+\.\d+\.\d+\n$")

    def test_standard_output_that_is_full_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = cli.subprocess.run([cli.SVASIM, "list", "params"], stdout=full, stderr=cli.subprocess.PIPE,
                                        text=True, timeout=cli.TIMEOUT_S, check=False)
        self.assert_status(result, 2)
        self.assert_one_line(result, "standard output", "No space left")


class Lists(cli.CliTest):
    def test_workloads(self):
        self.assertRegex(self.svasim("list", "workloads").stdout, r"(?m)^copy +\w")

    def test_platforms(self):
        self.assertRegex(self.svasim("list", "platforms").stdout, r"(?m)^kunpeng920 +\w")

    def test_every_parameter_says_what_it_is(self):
        text = self.svasim("list", "params").stdout
        keys = re.findall(r"(?m)^([a-z]\S*\.\S+)\n    default .* \(allowed: .+\)\n    .+\n    origin: .+$", text)
        self.assertEqual(len(keys), text.count("\n    default "))
        for key in ("machine.cpus", "machine.seed", "kernel.fault.extra_ns", "workload.inflight"):
            self.assertEqual(keys.count(key), 1, key)

    def test_metrics_are_those_of_a_run(self):
        lines = self.svasim("list", "metrics").stdout.splitlines()
        listed = [line.split()[0] for line in lines]
        self.assert_status(self.run_copy(requests=5), 0)
        metrics = cli.read_json(self.path("out", "metrics.json"))
        self.assertEqual(sorted(listed), sorted(name for name, _ in cli.leaves(metrics)))
        for line in lines:
            self.assertGreater(len(line.split()), 1, f"{line}: nothing says what it is")


cli.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""svasim bench: every case runs and says what one operation of it costs."""
import json
import unittest

import cli

CASES = {"systemc", "engine", "copy", "copy-traced", "copy-verified", "queues-64", "queues-512", "footprint-4K", "footprint-64G", "hit-64", "hit-1024",
         "hit-65536", "walk"}
FEW = ["--operations", "2000"]


class Bench(cli.CliTest):
    def bench(self, *arguments):
        result = self.svasim("bench", *arguments)
        self.assert_status(result, 0)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def test_json_has_each_cases_cost(self):
        for name in sorted(CASES):
            case = json.loads(self.bench("--json", "--only", name, *FEW))[name]
            with self.subTest(case=name):
                self.assertGreater(case["operations"], 0)
                self.assertGreater(case["cpu_ns"], 0)
                self.assertEqual(case["events"] > 0, name != "systemc")
                self.assertIsNone(case["instructions"])
                self.assertEqual(case["trace_packets"] > 0, name == "copy-traced")

    def test_translations_take_the_events_of_their_memory(self):
        hit = json.loads(self.bench("--json", "--only", "hit-64", *FEW))["hit-64"]
        walk = json.loads(self.bench("--json", "--only", "walk", *FEW))["walk"]
        self.assertLessEqual(hit["events"], 1.01)
        self.assertLessEqual(walk["events"], 6.01)

    def test_table_has_a_row(self):
        self.assertRegex(self.bench("--only", "engine", *FEW), r"(?m)^engine +event +1\.0")

    def test_bad_options_are_refused(self):
        for arguments, words in ((["--only", "frob"], ["--only: frob", "no such case", "allowed"]),
                                 (["--operations", "0"], ["--operations: 0", "allowed"]),
                                 (["--operations", "many"], ["--operations: many", "allowed"]),
                                 (["frob"], ["frob", "unexpected argument"])):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.svasim("bench", *arguments), *words)


if cli.sanitized():
    unittest.skip("costs are of no use with sanitizers")(Bench)
cli.main()

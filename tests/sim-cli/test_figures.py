#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The figures of real runs: sums that come out, warm-up, invariants, and what the summary says of them."""
import cli

# What no machine has yet to say; all other invariants apply to a run with faults.
NOT_APPLICABLE_AT_MOST = 3


class Figures(cli.CliTest):
    def metrics(self, *arguments, requests=2000, **values):
        result = self.run_copy(*cli.settings(**values), *arguments, requests=requests)
        self.assert_status(result, 0)
        return cli.read_json(self.path("out", "metrics.json")), result.stdout

    def check_sums(self, metrics):
        total = metrics["latency"]["sum_ps"]
        self.assertEqual(sum(cause["sum_ps"] for cause in metrics["waits"].values()), total)
        self.assertEqual(sum(stage["sum_ps"] for stage in metrics["request_stage_ns"].values()), total)
        self.assertEqual(metrics["life"]["waits_mismatches"], 0)
        self.assertAlmostEqual(sum(cause["median_share"] for cause in metrics["waits"].values()), 1)

    def test_waits_and_stages_sum_to_the_latency(self):
        for values in ({"workload_inflight": 1}, {"workload_poll": "irq"}, {"workload_batch": 8},
                       {"workload_queues": 4, "workload_threads": 2},
                       {"workload_destination_fresh_percent": 20}, {"workload_operation": "crc32c"}):
            with self.subTest(**values):
                metrics, _ = self.metrics(requests=300, **values)
                self.check_sums(metrics)

    def test_invariants_are_checked_and_hold(self):
        metrics, _ = self.metrics(workload_destination_fresh_percent=20)
        self.assertGreaterEqual(metrics["invariants"]["held"], 15)
        self.assertEqual(metrics["invariants"]["violated"], 0)
        self.assertLessEqual(metrics["invariants"]["skipped"], NOT_APPLICABLE_AT_MOST)

    def test_warm_up_is_left_out_of_distributions_and_in_counts(self):
        cases = ((("auto", 100 + 15), ("none", 0), ("500", 500 + 15)))
        for warmup, left_out in cases:
            with self.subTest(warmup=warmup):
                metrics, _ = self.metrics(run_warmup=warmup, workload_inflight=16)
                self.assertEqual(metrics["requests"]["completed"], 2000)
                self.assertEqual(metrics["latency"]["count"], 2000)
                # sends and receives of one processor do not take place at one time
                self.assertAlmostEqual(metrics["requests"]["warm_up"], left_out, delta=2)
                self.assertEqual(metrics["latency_ns"]["count"], 2000 - metrics["requests"]["warm_up"])

    def test_warm_up_rules_that_are_none(self):
        for rule in ("", "some", "-1", "5%", "1e3", "99999999999999999999"):
            with self.subTest(rule=rule):
                self.assert_refused(self.run_copy(*cli.settings(run_warmup=rule)), "run.warmup",
                                    "allowed: auto, none, a number of requests")

    def test_throughput_of_a_long_run_is_known_well(self):
        metrics, text = self.metrics(workload_inflight=16)
        throughput = metrics["throughput"]
        self.assertLess(throughput["ci95_bytes_per_s"], 0.1 * throughput["bytes_per_s"])
        self.assertGreaterEqual(metrics["latency"]["batches"], 20)
        self.assertIn("±", text)

    def test_the_summary_warns_of_few_requests(self):
        self.assertIn("10 requests are few: figures to rely on take 2000", self.metrics(requests=10)[1])
        self.assertIn("take 5120", self.metrics(requests=4000, workload_inflight=256)[1])
        self.assertNotIn("are few", self.metrics(requests=2000, workload_inflight=16)[1])

    def test_the_summary_names_the_bottleneck(self):
        self.assertRegex(self.metrics()[1], r"(?m)^  bottleneck .*the median request waited for \w+ most")


cli.main()

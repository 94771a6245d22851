#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a run leaves behind, also when the disk is full, and its exit status."""
import json
import os
import resource
import subprocess

import cli

KIBIBYTE = 1024


def limit_files(size):
    """For subprocess: files end at `size` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Results(cli.CliTest):
    def test_metrics_of_a_small_run(self):
        self.assert_status(self.run_copy(requests=100), 0)
        metrics = cli.read_json(self.path("out", "metrics.json"))
        self.assertEqual(metrics["schema"], "svasim-metrics-1")
        self.assertEqual(metrics["workload"], "copy")
        self.assertEqual(metrics["finished"], 1)
        self.assertEqual(metrics["requests"]["completed"], 100)
        self.assertEqual(metrics["requests"]["errors"], 0)
        self.assertEqual(metrics["requests"]["bytes"], 100 * 8192)
        self.assertEqual(metrics["latency_ns"]["count"], 100)
        self.assertEqual(metrics["kernel"]["warnings"], 0)

    def test_host_json_says_what_ran_and_how_fast(self):
        self.assert_status(self.run_copy(), 0)
        host = cli.read_json(self.path("out", "host.json"))
        for key in ("svasim", "kernel", "systemc", "compiler", "flags", "build"):
            self.assertTrue(host[key], key)
        for key in ("wall_s", "requests_per_wall_s", "simulated_s_per_wall_s", "events", "thread_switches",
                    "max_rss_bytes"):
            self.assertGreater(host[key], 0, key)
        self.assertRegex(host["kernel"], r"^6\.12\.")

    def test_nothing_of_the_host_is_in_the_metrics(self):
        self.assert_status(self.run_copy(), 0)
        names = [name for name, _ in cli.leaves(cli.read_json(self.path("out", "metrics.json")))]
        self.assertEqual([name for name in names if "wall" in name or "compiler" in name], [])

    def test_histograms_are_those_behind_the_metrics(self):
        self.assert_status(self.run_copy(*cli.settings(workload_destination_fresh_percent=20)), 0)
        metrics = dict(cli.leaves(cli.read_json(self.path("out", "metrics.json"))))
        histograms = cli.read_json(self.path("out", "histograms.json"))
        self.assertEqual(histograms.pop("schema"), "svasim-histograms-1")
        for name in ("latency_ns", "fault_ns.total", "doorbell.latency_ns", "smmu.walk_ns"):
            self.assertGreater(len(histograms[name]), 1, name)
        # every distribution has one: what has quantiles is a distribution
        self.assertEqual(sorted(histograms), sorted(name[:-len(".p999")] for name in metrics if name.endswith(".p999")))
        for name, buckets in histograms.items():
            with self.subTest(histogram=name):
                self.assertEqual(sum(count for _, count in buckets), metrics[f"{name}.count"])
                self.assertTrue(all(count > 0 for _, count in buckets))
                edges = [upper for upper, _ in buckets]
                self.assertEqual(edges, sorted(set(edges)))
                self.assertEqual(edges[-1] if edges else 0, metrics[f"{name}.max"])

    def test_the_summary_is_for_people(self):
        result = self.run_copy()
        for word in ("Linux 6.12", "100 completed, 0 in error", "GB/s", "p99", "out/metrics.json"):
            self.assertIn(word, result.stdout)
        self.assertEqual(result.stderr, "")

    def test_a_workload_that_fails_ends_with_1_and_says_why(self):
        result = self.run_copy(*cli.settings(accel_engines_copy=0))
        self.assert_status(result, 1)
        self.assert_one_line(result, "no queue")
        self.assertEqual(cli.read_json(self.path("out", "metrics.json"))["requests"]["completed"], 0)

    def test_a_reader_of_the_summary_may_leave(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        with os.fdopen(write_end, "wb") as gone:
            result = subprocess.run([cli.SVASIM, "run", "-o", self.path("out"), "-s", "workload.requests=10"],
                                    stdout=gone, stderr=subprocess.PIPE, text=True, timeout=cli.TIMEOUT_S, check=False)
        self.assert_status(result, 2)
        self.assert_one_line(result, "standard output", "Broken pipe")
        self.assertEqual(cli.read_json(self.path("out", "metrics.json"))["requests"]["completed"], 10)


class FullDisk(cli.CliTest):
    def test_no_room_for_the_trace(self):
        os.mkdir(self.path("out"))
        os.symlink("/dev/full", self.path("out", "trace.pftrace"))
        result = self.run_copy("--trace")
        self.assert_status(result, 2)
        self.assert_one_line(result, "out/trace.pftrace", "incomplete", "No space left on device")
        self.assertNotIn("written", result.stdout)
        self.assertEqual(cli.read_json(self.path("out", "metrics.json"))["requests"]["completed"], 100)

    def test_a_trace_that_grows_too_large(self):
        result = self.run_copy("--trace", preexec_fn=limit_files(100 * KIBIBYTE))
        self.assert_status(result, 2)
        self.assert_one_line(result, "out/trace.pftrace", "incomplete", "File too large")
        self.assertEqual(cli.read_json(self.path("out", "metrics.json"))["requests"]["completed"], 100)
        self.assertEqual(os.path.getsize(self.path("out", "trace.pftrace")), 100 * KIBIBYTE)

    def test_no_room_for_the_metrics_keeps_the_earlier_ones(self):
        self.assert_status(self.run_copy(requests=1), 0)
        before = cli.read_bytes(self.path("out", "metrics.json"))
        result = self.run_copy(preexec_fn=limit_files(KIBIBYTE))
        self.assert_status(result, 2)
        self.assert_one_line(result, "out/metrics.json", "not written", "File too large")
        self.assertEqual(cli.read_bytes(self.path("out", "metrics.json")), before)
        json.loads(cli.read_bytes(self.path("out", "host.json")))
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["histograms.json", "host.json", "metrics.json"])


cli.main()

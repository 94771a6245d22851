#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The copy workload at the ends of its parameters: every request comes back, and right."""
import cli


class Copy(cli.CliTest):
    def check(self, requests, **values):
        with self.subTest(**values):
            result = self.run_copy(*cli.settings(**values), requests=requests)
            self.assert_status(result, 0)
            self.assertEqual(result.stderr, "")
            metrics = cli.read_json(self.path("out", "metrics.json"))
            self.assertEqual(metrics["requests"]["completed"], requests)
            return metrics

    def test_lengths(self):
        for length in (1, 7, 15, 16, 17, 64, 4095, 4096, 4097, 65536 + 1):
            for operation in ("copy", "crc32c"):
                metrics = self.check(10, workload_bytes=length, workload_operation=operation)
                self.assertEqual(metrics["requests"]["bytes"], 10 * length)

    def test_in_flight(self):
        self.check(1, workload_inflight=1)
        self.check(40, workload_inflight=1)
        self.check(5, workload_inflight=1023)
        self.check(3, workload_inflight=64, workload_queues=8)

    def test_a_ring_that_wraps_and_is_as_full_as_can_be(self):
        self.check(3000, workload_inflight=1023, workload_bytes=64)

    def test_a_small_ring_that_wraps_often(self):
        for inflight in (1, 2, 3):
            self.check(50, workload_inflight=inflight, workload_bytes=64,
                       machine_kernel_command_line="qm.qm_depth=4")
        self.check(20, workload_inflight=1, machine_kernel_command_line="qm.qm_depth=2")

    def test_requests_that_overtake_others_in_a_full_ring(self):
        self.check(400, workload_inflight=15, workload_bytes=4096, workload_destination_fresh_percent=20,
                   machine_kernel_command_line="qm.qm_depth=16")

    def test_batches_larger_than_what_is_in_flight(self):
        for poll in ("spin", "irq"):
            self.check(50, workload_inflight=3, workload_batch=8, workload_poll=poll)

    def test_everything_is_touched_first_by_the_device(self):
        metrics = self.check(64, workload_source_fresh_percent=100, workload_destination_fresh_percent=100)
        self.assertEqual(metrics["faults"]["ptes_installed"], 64 * 4)
        metrics = self.check(64, workload_source_fresh_percent=100, workload_operation="crc32c")
        self.assertEqual(metrics["faults"]["ptes_installed"], 64 * 2)

    def test_many_queues(self):
        self.check(1024, workload_threads=8, workload_queues=128, workload_inflight=1, workload_bytes=64)

    def test_many_processes(self):
        for poll in ("spin", "irq"):
            self.check(4000, workload_processes=64, workload_inflight=4, workload_poll=poll, workload_bytes=64)

    def test_threads_of_processes_with_several_queues(self):
        for poll in ("spin", "irq"):
            for cpus in (1, 8):
                self.check(200, workload_processes=2, workload_threads=2, workload_queues=2, workload_inflight=4,
                           workload_poll=poll, machine_cpus=cpus, workload_destination_fresh_percent=20)

    def test_other_machines(self):
        self.check(100, machine_accelerators=8, workload_queues=16, workload_inflight=2)
        self.check(100, accel_version="v2", workload_queues=2)
        self.check(20, machine_cpus=128, machine_ram_bytes="1TiB")
        self.check(20, machine_ram_bytes="64MiB")


cli.main()

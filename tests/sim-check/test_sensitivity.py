#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A change of 10 % of a parameter that matters does not go unseen, and nothing else is seen."""
import os

import cli

PLATFORM = "kunpeng920"
# Parameter and what it is on that platform.
PARAMETERS = {
    "memory.latency_ns": 82, "memory.llc_hit_ns": 30, "memory.llc_mb_s": 409600, "memory.cpu_load_hit_ps": 1600,
    "interconnect.device_request_ns": 95,
    "smmu.tlb_hit_ps": 5000, "smmu.micro_tlb_hit_ps": 1000, "smmu.evtq_write_ns": 20, "smmu.cmd_ns": 10,
    "accel.engine_mhz": 954, "accel.engine_setup_ns": 20, "accel.doorbell_ns": 10,
    "cpu.mmio_write_ns": 95, "cpu.poll_detect_ns": 40, "mmu.tlb_hit_ps": 400,
    "kernel.block_ps": 1500, "kernel.irq_entry_ns": 300, "kernel.context_switch_ns": 800, "kernel.zero_page_ns": 180,
    "kernel.pte_ns": 40, "kernel.wakeup_ns": 250,
    "workload.bytes": 8000, "workload.inflight": 20,
}


class Sensitivity(cli.CliTest):
    def run_with(self, output, *arguments):
        with open(os.path.join(cli.TREE, "tests", "baselines", "settings"), encoding="utf-8") as file:
            common = [line.strip() for line in file if not line.startswith("#")]
        settings = [argument for setting in common for argument in ("-s", setting)]
        self.assert_status(self.svasim("run", "-c", PLATFORM, "-o", output, *settings, *arguments), 0)

    def check(self, *arguments):
        return self.svasim("check", "out", "--baseline", "baseline.json", *arguments)

    def test_ten_percent_of_a_parameter_are_seen(self):
        self.assertGreaterEqual(len(PARAMETERS), 20)
        self.run_with("out")
        self.assert_status(self.check("--update"), 0)
        # the table above tells the truth, and a run is repeatable
        self.run_with("out", *[argument for key, value in PARAMETERS.items() for argument in ("-s", f"{key}={value}")])
        self.assert_status(self.check(), 0)
        for key, value in PARAMETERS.items():
            with self.subTest(parameter=key):
                self.run_with("out", "-s", f"{key}={round(value * 1.1)}")
                result = self.check()
                self.assert_status(result, 1)
                self.assertRegex(result.stdout, r"(?m)^  [a-z]\S+ .* [+-]\d")


cli.main()

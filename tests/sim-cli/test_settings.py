#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Parameters, from files and from the command line: each mistake is one line that says where, what, and what is allowed."""
import os

import cli

# text of the file → where the mistake is, and words that the line must have
FILES = [
    ("machine:\n  cpuss: 4\n", 2, ["machine.cpuss", "4", "unknown key", "did you mean machine.cpus?"]),
    ("frobnicate: 1\n", 1, ["frobnicate", "unknown key"]),
    ("machine:\n  cpus: 0\n", 2, ["machine.cpus", "0", "out of range", "allowed: 1..128"]),
    ("machine:\n  cpus: 129\n", 2, ["machine.cpus", "129", "allowed: 1..128"]),
    ("machine:\n  cpus: many\n", 2, ["machine.cpus", "many", "not a whole number", "allowed: 1..128"]),
    ("machine:\n  cpus: 1.5\n", 2, ["machine.cpus", "1.5", "allowed: 1..128"]),
    ("machine:\n  cpus: [1, 2]\n", 2, ["machine.cpus", "a list", "allowed: 1..128"]),
    ("machine:\n  cpus: {a: 1}\n", 2, ["machine.cpus", "a mapping", "allowed: 1..128"]),
    ("machine: 5\n", 1, ["machine", "5", "a group"]),
    ("accel:\n  version: v7\n", 2, ["accel.version", "v7", "allowed: v2, v3"]),
    ("workload:\n  verify: perhaps\n", 2, ["workload.verify", "perhaps", "allowed: true, false"]),
    ("machine:\n  cpus: 2\n  ram_bytes: 1GiB\n  cpus: 4\n", 4, ["machine.cpus", "duplicate key", "line 2"]),
    ("machine.cpus: 2\nmachine:\n  cpus: 4\n", 3, ["machine.cpus", "duplicate key", "line 1"]),
    ("machine:\n cpus: 2\n  ram: 3\n", 3, ["not valid YAML"]),
    ("include: nowhere.yaml\n", 1, ["include", "nowhere.yaml", "No such file"]),
]

# -s, the words that the line must have
SETTINGS = [
    ("machine.cpuss=4", ["-s", "machine.cpuss", "did you mean machine.cpus?"]),
    ("cpus=4", ["-s", "cpus", "did you mean machine.cpus?"]),
    ("machine.cpus=1e3", ["-s", "machine.cpus", "1e3", "allowed: 1..128"]),
    ("machine.cpus=-1", ["-s", "machine.cpus", "-1", "allowed: 1..128"]),
    ("machine.cpus=", ["-s", "machine.cpus", "allowed: 1..128"]),
    ("machine.cpus", ["-s", "machine.cpus"]),
    ("=4", ["-s"]),
    ("machine.ram_bytes=1", ["-s", "machine.ram_bytes", "allowed: 67108864..1099511627776"]),
    ("machine.ram_bytes=67108865", ["machine.ram_bytes", "67108865", "2 MiB"]),
    ("machine.kernel_image=nowhere", ["machine.kernel_image", "nowhere", "allowed"]),
    ("machine.kernel_image=../../bin/true", ["machine.kernel_image", "allowed"]),
    ("accel.depth_max=512", ["accel.depth_max", "512", "1024", "qm.qm_depth"]),
    ("machine.kernel_command_line=qm.qm_depth=1", ["rings have 1 entries", "allowed"]),
    ("workload.inflight=1024", ["workload.inflight", "1024", "allowed: 1 to 1023"]),
    ("workload.bytes=16777217", ["workload.bytes", "16777217", "allowed"]),
    ("workload.frob=1", ["workload.frob", "unknown key"]),
]


class Settings(cli.CliTest):
    def setUp(self):
        super().setUp()
        self.assert_status(self.run_copy("--trace", requests=1), 0)
        self.earlier = self.results()

    def results(self):
        return {name: cli.read_bytes(self.path("out", name)) for name in sorted(os.listdir(self.path("out")))}

    def refuse(self, arguments, *words):
        """Also: an earlier run's results stay as they are."""
        self.assert_refused(self.run_copy(*arguments, requests=1), *words)
        self.assertEqual(self.results(), self.earlier)

    def test_mistakes_in_files(self):
        for text, line, words in FILES:
            with self.subTest(text=text):
                path = self.write("bad.yaml", text)
                self.refuse(["-c", path], f"{path}:{line}: ", *words)

    def test_mistakes_in_an_included_file_are_named_there(self):
        self.write("inner.yaml", "\nmachine:\n  cpus: 0\n")
        path = self.write("outer.yaml", "include: inner.yaml\n")
        self.refuse(["-c", path], self.path("inner.yaml") + ":3: ", "machine.cpus")

    def test_mistakes_on_the_command_line(self):
        for setting, words in SETTINGS:
            with self.subTest(setting=setting):
                self.refuse(["-s", setting], *words)

    def test_missing_platforms(self):
        self.refuse(["-c", "nowhere"], "-c: nowhere", "no such file or platform", "svasim list platforms")
        self.refuse(["-c", "nowhere.yaml"], "-c: nowhere.yaml", "no such file or platform")
        self.refuse(["-c", self.dir], self.dir, "directory")
        self.refuse(["-c", ""], "-c: ", "allowed")

    def test_more_than_there_is(self):
        self.refuse(cli.settings(workload_queues=1024, workload_threads=2), "workload.queues", "allowed: in all 1 to 1024")
        self.refuse(cli.settings(machine_ram_bytes="64MiB", workload_inflight=1000, workload_bytes=65536,
                                 workload_requests=5000), "workload.requests", "machine.ram_bytes", "allowed")

    def test_a_host_without_room_is_the_users_to_mend(self):
        if cli.sanitized():
            self.skipTest("AddressSanitizer takes all address space itself")
        result = self.run_copy(*cli.settings(machine_ram_bytes="1TiB"),
                               before=["prlimit", f"--as={4 << 30}", "--"])
        self.assert_refused(result, "machine.ram_bytes", "Cannot allocate memory")
        self.assertEqual(self.results(), self.earlier)


class Precedence(cli.CliTest):
    def value_of(self, arguments, metric):
        self.assert_status(self.run_copy(*arguments, requests=3), 0)
        return dict(cli.leaves(cli.read_json(self.path("out", "metrics.json"))))[metric]

    def test_the_last_setting_wins_over_files(self):
        path = self.write("two.yaml", "workload:\n  bytes: 4096\n  inflight: 2\n")
        self.assertEqual(self.value_of(["-c", path], "requests.bytes"), 3 * 4096)
        self.assertEqual(self.value_of(["-s", "workload.bytes=64", "-c", path, "-s", "workload.bytes=128"],
                                       "requests.bytes"), 3 * 128)

    def test_a_platform_by_name_or_by_path(self):
        by_name = self.value_of(["-c", "kunpeng920"], "duration_ps")
        by_path = self.value_of(["-c", os.path.join(cli.TREE, "platforms", "kunpeng920.yaml")], "duration_ps")
        self.assertEqual(by_name, by_path)


cli.main()

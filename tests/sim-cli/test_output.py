#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Where a run may write: new or empty folders, and those of earlier runs."""
import os
import subprocess

import cli

RESULTS = ["histograms.json", "host.json", "metrics.json"]


class Output(cli.CliTest):
    def entries(self, name="out"):
        return sorted(os.listdir(self.path(name)))

    def test_folders_are_made(self):
        self.assert_status(self.run_copy(output="a/b//c/", requests=1), 0)
        self.assertEqual(self.entries("a/b/c"), RESULTS)

    def test_default_folder(self):
        self.assert_status(self.svasim("run", "-s", "workload.requests=1"), 0)
        self.assertEqual(self.entries("out/run"), RESULTS)

    def test_an_empty_folder_is_taken(self):
        os.mkdir(self.path("out"))
        self.assert_status(self.run_copy(requests=1), 0)
        self.assertEqual(self.entries(), RESULTS)

    def test_an_earlier_runs_folder_is_taken_and_what_else_is_in_it_kept(self):
        self.assert_status(self.run_copy("--trace", requests=1), 0)
        self.write("out/notes.txt", "mine")
        before = cli.read_bytes(self.path("out", "metrics.json"))
        self.assert_status(self.run_copy(requests=2), 0)
        self.assertNotEqual(cli.read_bytes(self.path("out", "metrics.json")), before)
        # the earlier trace does not belong to these metrics
        self.assertEqual(self.entries(), RESULTS + ["notes.txt"])

    def test_a_run_that_was_killed_leaves_a_folder_that_is_taken(self):
        os.mkdir(self.path("out"))
        self.write("out/trace.pftrace", "half of it")
        self.assert_status(self.run_copy(requests=1), 0)

    def test_a_folder_with_other_files_is_not_taken(self):
        os.mkdir(self.path("out"))
        self.write("out/precious.txt", "mine")
        self.assert_refused(self.run_copy("--trace", requests=1), "-o: out", "holds other files", "allowed")
        self.assertEqual(self.entries(), ["precious.txt"])

    def test_names_that_cannot_be_folders(self):
        self.write("file", "")
        for name, words in (
            ("", ["not a folder's name"]),
            ("file", ["file", "Not a directory"]),
            ("file/out", ["file/out", "Not a directory"]),
            ("/proc/svasim/out", ["/proc/svasim/out", "No such file"]),
            ("x" * 300, ["xxx", "File name too long"]),
            ("x/" * 2100, ["not a folder's name"]),
        ):
            with self.subTest(name=name[:40]):
                self.assert_refused(self.run_copy(output=name, requests=1), "-o: ", "allowed", *words)

    def without_override(self):
        """How to run a command that file permissions bind, as root's they are not."""
        if os.getuid() != 0:
            return []
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
        if subprocess.run([*command, "true"], check=False, stderr=subprocess.DEVNULL).returncode:
            self.skipTest("capabilities cannot be dropped here")
        return command

    def test_folders_without_permission(self):
        before = self.without_override()
        for mode in (0o555, 0o444, 0):
            with self.subTest(mode=oct(mode)):
                folder = self.path(f"locked{mode}")
                os.mkdir(folder)
                os.chmod(folder, mode)
                self.assert_refused(self.run_copy(output=folder, requests=1, before=before), "-o: ", folder,
                                    "Permission denied")
                os.chmod(folder, 0o755)
                self.assertEqual(os.listdir(folder), [])


cli.main()

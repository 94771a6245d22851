# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the command line share: running svasim in a folder of the test's own, and what a refusal is."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

SVASIM = os.environ["SVASIM"]
HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
TIMEOUT_S = 120


def sanitized():
    """Whether svasim is built with AddressSanitizer, which wants address space without limit."""
    with open(SVASIM, "rb") as file:
        return b"__asan_init" in file.read()


def settings(**values):
    """workload_inflight=3 → -s workload.inflight=3"""
    arguments = []
    for key, value in values.items():
        arguments += ["-s", f"{key.replace('_', '.', 1)}={value}"]
    return arguments


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def read_bytes(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def leaves(tree, prefix=""):
    """Every leaf of nested objects by its dotted name."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


class CliTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="svasim-cli-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def svasim(self, *arguments, before=(), **options):
        options.setdefault("cwd", self.dir)
        return subprocess.run([*before, SVASIM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False, **options)

    def run_copy(self, *arguments, output="out", requests=100, **options):
        return self.svasim("run", "-o", output, "-s", f"workload.requests={requests}", *arguments, **options)

    def assert_status(self, result, status):
        self.assertEqual(result.returncode, status, f"{result.args}\n{result.stdout}{result.stderr}")

    def assert_one_line(self, result, *words):
        """One line on stderr that holds these words."""
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("svasim: "), lines[0])
        for word in words:
            self.assertIn(word, lines[0])

    def assert_refused(self, result, *words):
        """The user's mistake: exit status 2, one line, and nothing else said."""
        self.assert_status(result, 2)
        self.assert_one_line(result, *words)
        self.assertEqual(result.stdout, "")


def main():
    unittest.main(verbosity=1)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""svasim open as a browser meets it: a page of the user interface's origin gets the trace, one of another does not."""
import http.server
import os
import re
import subprocess
import threading

import cli
from browser import Browser


class Silent(http.server.SimpleHTTPRequestHandler):
    """An empty page for any path: all that the test needs of a user interface."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html>")

    def log_message(self, *_):
        pass


class Fetch(cli.CliTest):
    def setUp(self):
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.ui = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
        self.addCleanup(self.ui.server_close)
        self.addCleanup(self.ui.shutdown)
        threading.Thread(target=self.ui.serve_forever, daemon=True).start()
        self.ui_port = self.ui.server_address[1]
        self.assert_status(self.run_copy("--trace"), 0)
        self.server = subprocess.Popen([cli.SVASIM, "open", "--port", "0", "--ui", f"http://127.0.0.1:{self.ui_port}", self.path("out")],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.communicate)
        self.addCleanup(self.server.kill)
        said = ""
        while "Ctrl-C" not in said:
            line = self.server.stdout.readline()
            self.assertTrue(line, f"it ended: {said}")
            said += line
        self.url = re.search(r"url=(http://127\.0\.0\.1:\d+/trace\.pftrace)", said).group(1)

    def fetched(self, origin):
        """How many bytes a page of this origin gets; None if the browser withholds them."""
        page = self.browser.open(origin + "/")
        return page.run(f"fetch('{self.url}').then((answer) => answer.ok ? answer.arrayBuffer() : Promise.reject())"
                        ".then((bytes) => bytes.byteLength, () => null)")

    def test_only_the_user_interface_gets_the_trace(self):
        self.assertEqual(self.fetched(f"http://127.0.0.1:{self.ui_port}"), os.path.getsize(self.path("out", "trace.pftrace")))
        self.assertIsNone(self.fetched(f"http://localhost:{self.ui_port}"))


cli.unittest.main(verbosity=1)

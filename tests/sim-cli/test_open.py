#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""svasim open: what a browser gets, who gets nothing, and what the link says."""
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import urllib.parse

import cli

UI = "https://ui.perfetto.dev"
TRACE_QUERY = os.path.join(cli.TREE, "tests", "trace-query", "trace-query")


class OpenTest(cli.CliTest):
    @classmethod
    def setUpClass(cls):
        cls.run_dir = cli.tempfile.mkdtemp(prefix="svasim-open-")
        cls.addClassCleanup(cli.shutil.rmtree, cls.run_dir)
        subprocess.run([cli.SVASIM, "run", "-o", cls.run_dir, "--trace", "-s", "workload.requests=2000", "-s",
                        "workload.destination_fresh_percent=2"], check=True, stdout=subprocess.DEVNULL,
                       timeout=cli.TIMEOUT_S)
        cls.trace = os.path.join(cls.run_dir, "trace.pftrace")

    def start(self, *arguments):
        """A server on a free port; its link is in self.link."""
        server = subprocess.Popen([cli.SVASIM, "open", "--port", "0", *arguments], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        said = ""
        while "Ends when" not in said and "Ctrl-C" not in said:
            line = server.stdout.readline()
            self.assertTrue(line, f"it ended: {said}")
            said += line
        self.link = re.search(r"^  (https?://\S+)$", said, re.M).group(1)
        self.port = int(re.search(r"url=http://127\.0\.0\.1:(\d+)/trace\.pftrace", self.link).group(1))
        return server

    def ask(self, method, target="/trace.pftrace", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=cli.TIMEOUT_S)
        self.addCleanup(connection.close)
        connection.request(method, target, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response, response.read()

    def say(self, text):
        """Raw bytes; the status that comes back, "" if nothing does."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=cli.TIMEOUT_S) as sock:
            sock.sendall(text)
            answer = b""
            while part := sock.recv(65536):
                answer += part
        return answer.split(b"\r\n")[0].decode()

    def link_args(self):
        return dict(urllib.parse.parse_qsl(self.link.split("#!/?")[1]))


class Serving(OpenTest):
    def test_the_user_interface_gets_the_trace(self):
        self.start(self.run_dir)
        response, body = self.ask("GET", Origin=UI)
        self.assertEqual(response.status, 200)
        self.assertEqual(body, cli.read_bytes(self.trace))
        self.assertEqual(response.getheader("Access-Control-Allow-Origin"), UI)
        self.assertEqual(response.getheader("Content-Length"), str(len(body)))
        self.assertEqual(response.getheader("Vary"), "Origin")
        self.assertEqual(self.ask("GET", "/trace.pftrace?again")[1], body)

    def test_head_says_what_get_would(self):
        self.start(self.trace)
        response, body = self.ask("HEAD")
        self.assertEqual((response.status, body), (200, b""))
        self.assertEqual(response.getheader("Content-Length"), str(os.path.getsize(self.trace)))

    def test_a_preflight_is_answered(self):
        self.start(self.trace)
        response, body = self.ask("OPTIONS", Origin=UI, Access_Control_Request_Method="GET",
                                  Access_Control_Request_Private_Network="true")
        self.assertEqual((response.status, body), (200, b""))
        self.assertEqual(response.getheader("Access-Control-Allow-Origin"), UI)
        self.assertIn("GET", response.getheader("Access-Control-Allow-Methods"))
        self.assertEqual(response.getheader("Access-Control-Allow-Private-Network"), "true")

    def test_others_get_nothing(self):
        self.start(self.trace)
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": UI + ".evil.example"},
                        {"Host": "evil.example"}, {"Host": f"evil.example:{self.port}"}):
            for method in ("GET", "HEAD", "OPTIONS"):
                with self.subTest(headers=headers, method=method):
                    response, body = self.ask(method, **headers)
                    self.assertEqual(response.status, 403)
                    self.assertLess(len(body), 100)

    def test_nothing_else_is_there(self):
        self.start(self.trace)
        for target in ("/", "/metrics.json", "/trace.pftrace/", "/../trace.pftrace", "/status", "//trace.pftrace"):
            with self.subTest(target=target):
                self.assertEqual(self.ask("GET", target)[0].status, 404)
        # the interface asks for a trace processor on this port first
        self.assertEqual(self.ask("POST", "/status", body=b"x" * 100, Origin=UI)[0].status, 404)
        response, _ = self.ask("POST", body=b"x" * 100)
        self.assertEqual(response.status, 405)
        self.assertEqual(response.getheader("Allow"), "GET, HEAD, OPTIONS")

    def test_what_is_no_request_is_refused(self):
        self.start(self.trace)
        for text in (b"\r\n\r\n", b"hello\r\n\r\n", b"GET /trace.pftrace\r\n\r\n", b"GET /x FTP/1.1\r\n\r\n",
                     b"get /trace.pftrace HTTP/1.1\r\n\r\n", b"GET \0 HTTP/1.1\r\n\r\n", b"A" * 40 + b" / HTTP/1.1\r\n\r\n"):
            with self.subTest(text=text):
                self.assertEqual(self.say(text), "HTTP/1.1 400 Bad Request")
        self.assertEqual(self.say(b"GET /trace.pftrace HTTP/1.1\r\nX: " + b"x" * 8192),
                         "HTTP/1.1 431 Request Header Fields Too Large")

    def test_a_request_may_come_in_pieces(self):
        self.start(self.trace)
        with socket.create_connection(("127.0.0.1", self.port), timeout=cli.TIMEOUT_S) as sock:
            for piece in (b"HEAD /trace", b".pftrace HT", b"TP/1.1\r\nhOsT:  LOCALHOST:%d \r\n\r" % self.port, b"\n"):
                sock.sendall(piece)
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_connections_that_say_nothing_are_no_hindrance(self):
        self.start(self.trace)
        for _ in range(40):
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=cli.TIMEOUT_S)
            self.addCleanup(sock.close)
        self.assertEqual(self.ask("GET")[0].status, 200)

    def test_a_new_run_is_served_without_a_new_start(self):
        copy = self.path("copy.pftrace")
        cli.shutil.copy(self.trace, copy)
        self.start(copy)
        with open(copy, "wb") as file:
            file.write(b"shorter")
        self.assertEqual(self.ask("GET")[1], b"shorter")
        os.remove(copy)
        self.assertEqual(self.ask("GET")[0].status, 404)

    def test_it_serves_this_machine_alone(self):
        server = self.start(self.trace)
        listening = []
        for table in ("tcp", "tcp6"):
            with open(f"/proc/{server.pid}/net/{table}", encoding="ascii") as file:
                listening += [line.split()[1] for line in file if line.split()[3] == "0A"]
        self.assertIn(f"0100007F:{self.port:04X}", listening)
        self.assertNotIn(f"00000000:{self.port:04X}", listening)


class Ending(OpenTest):
    def test_once_ends_when_the_trace_was_fetched(self):
        server = self.start(self.trace, "--once")
        self.assertEqual(self.ask("GET", "/")[0].status, 404)
        self.assertEqual(self.ask("HEAD")[0].status, 200)
        self.assertEqual(self.ask("OPTIONS")[0].status, 200)
        self.assertIsNone(server.poll())
        self.assertEqual(len(self.ask("GET")[1]), os.path.getsize(self.trace))
        self.assertEqual(server.wait(timeout=cli.TIMEOUT_S), 0)

    def test_a_signal_ends_it_in_order(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                server = self.start(self.trace)
                server.send_signal(number)
                self.assertEqual(server.wait(timeout=cli.TIMEOUT_S), 0)
                self.assertEqual(server.stderr.read(), "")

    def test_a_client_that_goes_away_does_not_end_it(self):
        large = self.path("large.pftrace")
        with open(large, "wb") as file:
            file.write(cli.read_bytes(self.trace) * 20)
        server = self.start(large, "--once")
        with socket.create_connection(("127.0.0.1", self.port), timeout=cli.TIMEOUT_S) as sock:
            sock.sendall(b"GET /trace.pftrace HTTP/1.1\r\n\r\n")
            sock.recv(1)
        self.assertEqual(len(self.ask("GET")[1]), os.path.getsize(large))
        self.assertEqual(server.wait(timeout=cli.TIMEOUT_S), 0)


class Link(OpenTest):
    def test_the_view_is_part_of_the_trace_and_its_tracks_exist(self):
        self.start(self.run_dir)
        args = self.link_args()
        self.assertTrue(self.link.startswith(f"{UI}/#!/?url=http://127.0.0.1:{self.port}/trace.pftrace&"))
        rows = json.loads(subprocess.run(
            [TRACE_QUERY, self.trace, "--json", "select distinct name from track", "select min(ts), max(ts) from slice"],
            stdout=subprocess.PIPE, check=True, timeout=cli.TIMEOUT_S).stdout)
        names = [row[0] for row in rows[0]["rows"]]
        first, last = (int(value) for value in rows[1]["rows"][0])
        self.assertLess(first, int(args["visStart"]))
        self.assertLess(int(args["visStart"]), int(args["visEnd"]))
        self.assertLess(int(args["visEnd"]), last)
        mean = cli.read_json(self.run_dir, "metrics.json")["latency_ns"]["mean"]
        self.assertAlmostEqual(int(args["visEnd"]) - int(args["visStart"]), 5 * mean, delta=10)
        for command in json.loads(args["startupCommands"]):
            self.assertIn(command["id"], ("dev.perfetto.PinTracksByRegex", "dev.perfetto.ExpandTracksByRegex"))
            pattern, = command["args"]
            # each alternative of the pattern names a track that a run with faults has
            for alternative in re.sub(r"^\^\(|\)\$$", "", pattern).split("|"):
                self.assertTrue(any(re.fullmatch(alternative, name) for name in names), f"{alternative}: {names}")

    def test_a_time_can_be_chosen(self):
        mean = cli.read_json(self.run_dir, "metrics.json")["latency_ns"]["mean"]
        for at, start in ((5000000, 5000000 - 2.5 * mean), (3, 0)):
            self.start(self.run_dir, "--at", str(at))
            args = self.link_args()
            self.assertAlmostEqual(int(args["visStart"]), start, delta=10)
            self.assertAlmostEqual(int(args["visEnd"]), start + 5 * mean, delta=10)

    def test_without_metrics_a_part_of_the_trace_is_shown(self):
        cli.shutil.copy(self.trace, self.path("alone.pftrace"))
        self.start(self.path("alone.pftrace"))
        self.assertIn("visStart", self.link_args())

    def test_a_compressed_trace_is_served_as_it_is(self):
        with gzip.open(self.path("trace.gz"), "wb") as file:
            file.write(cli.read_bytes(self.trace))
        self.start(self.path("trace.gz"))
        self.assertNotIn("visStart", self.link_args())
        self.assertEqual(self.ask("GET")[1], cli.read_bytes(self.path("trace.gz")))

    def test_another_user_interface_is_served_instead(self):
        ui = "http://localhost:10000"
        self.start(self.trace, "--ui", ui)
        self.assertTrue(self.link.startswith(ui + "/#!/?url="))
        self.assertEqual(self.ask("GET", Origin=ui)[0].getheader("Access-Control-Allow-Origin"), ui)
        self.assertEqual(self.ask("GET", Origin=UI)[0].status, 403)


class Refusals(OpenTest):
    def test_what_cannot_be_opened_is_refused(self):
        self.write("text", "no trace\n")
        self.write("empty", "")
        os.mkdir(self.path("folder"))
        cases = [
            ([], ["open: what?", "allowed: a trace"]),
            (["missing"], ["open: missing", "No such file"]),
            (["folder"], ["folder/trace.pftrace", "svasim run --trace"]),
            (["text"], ["text: not a trace"]),
            (["empty"], ["empty: not a trace"]),
            (["/dev/null"], ["/dev/null: not a trace"]),
            (["x" * 5000], ["open: xxx"]),
            ([self.trace, "text"], ["text", "one trace"]),
            (["--port", "65536", self.trace], ["--port: 65536", "0..65535"]),
            (["--port", "-1", self.trace], ["--port: -1"]),
            (["--port", "", self.trace], ["--port: "]),
            (["--at", "noon", self.trace], ["--at: noon", "nanoseconds"]),
            (["--ui", "ui.perfetto.dev", self.trace], ["--ui: ui.perfetto.dev", "https://HOST"]),
            (["--ui", "https://a/b", self.trace], ["--ui: https://a/b"]),
            (["--ui", "https://a\r\nSet-Cookie: b", self.trace], ["--ui: https://a"]),
        ]
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.svasim("open", *arguments), *words)

    def test_a_port_in_use_is_refused(self):
        self.start(self.trace)
        self.assert_refused(self.svasim("open", "--port", str(self.port), self.trace), f"--port: {self.port}", "in use",
                            "allowed: one that is free")


cli.main()

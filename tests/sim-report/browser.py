# SPDX-License-Identifier: BSD-3-Clause
"""Headless Chromium, driven over a pipe by the DevTools protocol: no port, no driver, no library."""
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

TIMEOUT_S = 60


class BrowserError(Exception):
    pass


class Browser:
    """One browser; open() shows a file, or what a URL names, in a new page."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            raise BrowserError("there is no chromium: ./setup installs it (Debian package chromium)")
        self.profile = tempfile.mkdtemp(prefix="svasim-browser-")
        commands, self.to = os.pipe()
        self.from_, answers = os.pipe()

        def pipes():  # the protocol's file descriptors are 3 and 4
            first, second = os.dup(commands), os.dup(answers)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--window-size=1440,2400", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, close_fds=False)
        os.close(commands)
        os.close(answers)
        self.buffer = b""
        self.number = 0
        self.events = []

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(timeout=10)
        except (BrowserError, subprocess.TimeoutExpired, OSError):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.from_)
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.from_], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self.from_, 1 << 20) if ready else b""
            if not part:
                raise BrowserError("chromium does not answer" if not ready else "chromium has ended")
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            answer = self.read(deadline)
            if answer.get("id") != self.number:
                self.events.append(answer)
            elif "error" in answer:
                raise BrowserError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, path, dark=False):
        return Page(self, path, dark)


class Page:
    """A file in a page of its own, loaded; everything that it complains about is in complaints()."""

    def __init__(self, browser, path, dark):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.dark(dark)
        self.call("Page.navigate", url=path if "://" in path else "file://" + os.path.abspath(path))
        deadline = time.monotonic() + TIMEOUT_S
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            if time.monotonic() > deadline:
                raise BrowserError(f"{path}: not loaded")
            time.sleep(0.02)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def dark(self, on):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def run(self, expression):
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError(result["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return result["result"].get("value")

    def complaints(self):
        """What was written to the console, was thrown, or was asked of a network."""
        self.run("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            params = event.get("params", {})
            if event["method"] == "Runtime.consoleAPICalled":
                found.append(f"console: {[arg.get('value') for arg in params['args']]}")
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(f"thrown: {params['exceptionDetails'].get('exception', {}).get('description')}")
            elif event["method"] == "Log.entryAdded":
                found.append(f"log: {params['entry']['text']}")
            elif event["method"] == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file:", "blob:", "data:")):
                found.append(f"network: {params['request']['url']}")
        return found

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

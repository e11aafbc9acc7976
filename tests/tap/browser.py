# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless browser of the viewers root, driven through chromedriver by the WebDriver protocol."""

import base64
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request

from lab import sandbox, toolroot
from lab.picture import ARGUMENTS

SECONDS = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window. @folder is /job for the pages that are opened."""

    def __init__(self, folder, width=1280, height=1600):
        argv = sandbox.argv(toolroot.viewers(), ["chromedriver", "--port=0"], [(folder, "/job", "ro")])
        self.driver = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.url = None
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.url = f"http://127.0.0.1:{found[1]}/session"
                break
        if not self.url:
            raise AssertionError("chromedriver did not start")
        # A browser whose messages nobody reads stops when the pipe is full.
        threading.Thread(target=self.driver.stdout.read, daemon=True).start()
        options = {"args": [*ARGUMENTS, f"--window-size={width},{height}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}}
        self.url += "/" + self._call("POST", "", wanted)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", "")
        finally:
            # Ends its namespace, and all that is in it; unshare ignores SIGTERM.
            self.driver.kill()
            self.driver.wait()

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as err:
            raise AssertionError(json.load(err)["value"]["message"].splitlines()[0]) from None

    def open(self, name):
        """Open a page of the folder, or a URL, and wait until it is loaded."""
        self._call("POST", "/url", {"url": name if "://" in name else f"file:///job/{name}"})

    def run(self, script, *arguments):
        """Value of a function body in the page; one that returns a promise is waited for."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, *arguments):
        """Waits until a function body gives something true, and returns that."""
        end = time.monotonic() + SECONDS
        while True:
            value = self.run(script, *arguments)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"never became true: {script}")
            time.sleep(0.05)

    def element(self, selector):
        return self._call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self._call("POST", f"/element/{self.element(selector)}/click", {})

    def keys(self, selector, text):
        self._call("POST", f"/element/{self.element(selector)}/value", {"text": text})

    def text(self, selector):
        return self._call("GET", f"/element/{self.element(selector)}/text")

    def resize(self, width, height, scale=1):
        """Lay the page out for a screen of this size; a window cannot be as narrow as a telephone."""
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}})

    def errors(self):
        """What the page's script and the browser complained of since the last call."""
        log = self._call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def screenshot(self):
        return base64.b64decode(self._call("GET", "/screenshot"))

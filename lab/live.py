# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a trace that is being written, served on the loopback address: PAGE= of make shell.

The page asks for /state once a second and for itself when that has changed. What it shows is made by tphbuf-trace from
the last megabytes of the trace, so neither this process nor the page grows with the trace.
"""

import errno
import http.server
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from lab import progress, sandbox, userspace

ADDRESS = "127.0.0.1"
# About 250,000 TLPs.
WINDOW = 32 << 20
CHUNK = 1 << 16


def wanted():
    """Port that PAGE= asks for, 0 for any free one, or None."""
    value = os.environ.get("PAGE") or "0"
    if value in ("0", "1"):
        return None if value == "0" else 0
    if not value.isdecimal() or not 1024 <= int(value) <= 65535:
        raise progress.StepError(f"PAGE={value}: expected 1 or a port from 1024 to 65535")
    return int(value)


def _window(trace):
    """First and last byte of the whole lines at the end of a trace."""
    with open(trace, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - WINDOW)
        if start:
            file.seek(start)
            start += len(file.readline())
        # A line that is being written is not shown yet.
        tail = max(start, end - CHUNK)
        file.seek(tail)
        return start, tail + file.read(end - tail).rfind(b"\n") + 1


def _copy(trace, start, end, pipe):
    """Write a part of a file to a pipe that may end before."""
    with open(trace, "rb") as file, pipe:
        file.seek(start)
        try:
            while start < end:
                data = file.read(min(CHUNK, end - start))
                pipe.write(data)
                start += len(data)
        except BrokenPipeError:
            pass


class Server:
    """Serves the page of the trace at @trace from a thread, from start() to stop(). @names: arguments of --name."""

    def __init__(self, root, trace, port, title, names=()):
        self.trace = trace
        words = ["/build/trace/tphbuf-trace", "page", "-o", "-", "--live", "--title", title]
        for name in names:
            words += ["--name", name]
        self._argv = sandbox.argv(root, [*words, "-"], userspace.binds("plain"))
        self._lock = threading.Lock()
        self._made = None
        self._folder = Path(tempfile.mkdtemp(prefix="tphbuf-page-"))
        try:
            self._server = http.server.ThreadingHTTPServer((ADDRESS, port), type("Bound", (_Handler,), {"live": self}))
        except OSError as err:
            shutil.rmtree(self._folder)
            if err.errno != errno.EADDRINUSE:
                raise
            raise progress.StepError(f"PAGE={port}: the port is in use; PAGE=1 takes a free one") from None
        self._server.daemon_threads = True
        self.authority = f"{ADDRESS}:{self._server.server_address[1]}"
        self.url = f"http://{self.authority}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def state(self):
        """Text that changes when the page does."""
        return str(_window(self.trace)[1]) if self.trace.is_file() else "0"

    def page(self):
        """The page as a file that is open; made anew when the trace has grown since."""
        with self._lock:
            path = self._folder / "page.html"
            window = _window(self.trace) if self.trace.is_file() else (0, 0)
            if window != self._made:
                self._make(window, path)
                self._made = window
            return open(path, "rb")

    def _make(self, window, path):
        part = path.with_suffix(".part")
        with open(part, "wb") as out, tempfile.TemporaryFile("w+") as errors:
            child = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=out, stderr=errors)
            if window[0] < window[1]:
                _copy(self.trace, *window, child.stdin)
            child.stdin.close()
            if child.wait():
                errors.seek(0)
                raise RuntimeError(errors.read(200).strip())
        part.rename(path)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Two addresses, for a browser on this machine."""

    live = None
    server_version = "tphbuf"
    sys_version = ""
    timeout = 10

    def do_GET(self):
        # A name that somebody else's server gives to this address is not answered.
        if self.headers.get("Host") not in (self.live.authority, self.live.authority.replace(ADDRESS, "localhost")):
            self.send_error(421)
        elif self.path == "/state":
            self._answer("text/plain", self.live.state().encode())
        elif self.path == "/":
            self._page()
        else:
            self.send_error(404)

    def _page(self):
        try:
            with self.live.page() as file:
                self._head("text/html; charset=utf-8", os.fstat(file.fileno()).st_size)
                shutil.copyfileobj(file, self.wfile, CHUNK)
        except RuntimeError as err:
            self.send_error(500, "the page cannot be made", str(err))

    def _head(self, kind, size):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def _answer(self, kind, data):
        self._head(kind, len(data))
        self.wfile.write(data)

    def log_message(self, *_):
        """The terminal belongs to the shell."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""A running tphbuf-endpoints, and what may be expected of it from outside."""
import atexit
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import vfio_user
from tap import equal

# The program under test; built with sanitizers unless somebody says otherwise.
PROGRAM = os.environ.get("TPHBUF_ENDPOINTS", "tphbuf-endpoints")

ACCELERATOR = "accelerator,name=acc,bdf=00:04.0"
DMA_ENGINE = "dma-engine,name=dma,bdf=00:05.0"
START_SECONDS = 30
STOP_SECONDS = 30
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:")
# Equal counts, 20 ms apart, of descriptors that nobody closes any more.
STANDS_STILL = 15


def environment():
    """Findings of a sanitizer end the program with a code of its own."""
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:allow_user_segv_handler=1"
    env["UBSAN_OPTIONS"] = "halt_on_error=1:exitcode=99:print_stacktrace=1"
    env["TSAN_OPTIONS"] = "exitcode=99"
    return env


def settles(count, want, what="descriptors"):
    """Waits until count() is @want: what a client leaves is closed by a thread, which may be late on a busy machine."""
    end = time.monotonic() + vfio_user.SECONDS
    got = count()
    while got != want and time.monotonic() < end:
        time.sleep(0.02)
        got = count()
    equal(got, want, what)


class Endpoints:
    """Starts the program in a folder of its own; stops it and checks how it ended."""

    def __init__(self, *devices, trace=False, arguments=(), directory=None):
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="tphbuf-")
        self.trace_path = os.path.join(self.directory, "trace.txt") if trace else None
        self.log_path = os.path.join(self.directory, "stderr.txt")
        command = [PROGRAM, "--dir", self.directory]
        if trace:
            command += ["--trace", self.trace_path]
        for device in devices:
            command += ["--device", device]
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command + list(arguments), stdout=subprocess.PIPE,
                                            stderr=log, env=environment())
        atexit.register(self._kill)
        self._wait_ready()

    def _kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()

    def _wait_ready(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else b""
        if line != b"ready\n":
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"not ready: {line!r}\n{self.log()}")

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _traceback):
        try:
            self.stop(check=kind is None)
        finally:
            if self.own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self, check=True):
        """SIGTERM; unless check is false the end must be a clean one."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM\n{self.log()}") \
                from None
        finally:
            self.process.stdout.close()
        if check:
            if code:
                raise AssertionError(f"exit code {code}\n{self.log()}")
            if SANITIZER.search(self.log()):
                raise AssertionError(f"sanitizer report\n{self.log()}")
            left = [name for name in os.listdir(self.directory) if name.endswith(".sock")]
            if left:
                raise AssertionError(f"sockets left behind: {left}")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_log(self, text, seconds=vfio_user.SECONDS):
        """Waits until standard error contains the text."""
        end = time.monotonic() + seconds
        while text not in self.log():
            if time.monotonic() > end:
                raise AssertionError(f"no {text!r} in the log:\n{self.log()}")
            time.sleep(0.01)

    def trace(self, until=None):
        """Lines of the trace; waits until one has a match of @until, for a thread writes it."""
        end = time.monotonic() + vfio_user.SECONDS
        while True:
            with open(self.trace_path, encoding="ascii") as trace:
                lines = [line for line in trace.read().splitlines(keepends=True) if line.endswith("\n")]
            if until is None or any(re.search(until, line) for line in lines) or time.monotonic() > end:
                return [line[:-1] for line in lines]
            time.sleep(0.01)

    def path(self, name):
        return os.path.join(self.directory, name + ".sock")

    def connect(self, name, **options):
        return vfio_user.Client(self.path(name), **options)

    def open_fds(self):
        """Open file descriptors of the process at this moment."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def fds(self):
        """Open file descriptors of the process, once it has closed what it is about to close. What
        the client of another device left may take some tenths of a second on a busy machine."""
        end, counts = time.monotonic() + 5, [self.open_fds()]
        while (len(counts) < STANDS_STILL or len(set(counts[-STANDS_STILL:])) > 1) and time.monotonic() < end:
            time.sleep(0.02)
            counts.append(self.open_fds())
        return counts[-1]

    def fds_with(self, *names):
        """Open file descriptors while a fresh client of each of these devices is connected.

        A new client is let in after everything of the one before is gone, so that two such counts
        can be compared.
        """
        clients = [self.connect(name) for name in names]
        for client in clients:
            client.device_info()
        count = self.fds()
        for client in clients:
            client.close()
        return count

    def alive(self):
        return self.process.poll() is None

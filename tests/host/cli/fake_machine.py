# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the command share: a fake /sys and /dev to run it on, and checks that are results.

Arguments of each program: tphbuf, tphbuf over a played system, maker of fake trees, source root.
"""
import os
import shutil
import subprocess
import sys
import time

import tap

TPHBUF, FAKE, MAKE_TREE, SOURCE = sys.argv[1:5]
BDF = "0000:00:03.0"
CDEV = "/dev/vfio/devices/vfio24"
PAGE = os.sysconf("SC_PAGESIZE")
BOUND = ["vfio-pci", "accel", f"{BDF},vfio-pci,3,3,120000"]
KERNEL_DRIVER = ["vfio-pci", "accel", f"{BDF},accel,3,3,120000"]


def ok(good, what, *details):
    if not good:
        for detail in details:
            tap.diag(repr(detail))
    return tap.result(good, what)


def same(got, want, what):
    return ok(got == want, what, f"got  {got!r}", f"want {want!r}")


class Tree:
    """A fake /sys and /dev; run() runs the command on it."""

    def __init__(self, *parts):
        done = subprocess.run([MAKE_TREE, *parts], check=True, capture_output=True, text=True)
        self.root = done.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.root)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def driver(self):
        try:
            return os.path.basename(os.readlink(self.path("sys/bus/pci/devices", BDF, "driver")))
        except FileNotFoundError:
            return None

    def environment(self, **errors):
        faults = " ".join(f"{name}={number}" for name, number in errors.items())
        return dict(os.environ, TPHBUF_FAKE_ROOT=self.root, TPHBUF_FAKE=faults)

    def command(self, verb, *args):
        return [FAKE, verb, "--sysroot", self.root, *args]

    def run(self, verb, *args, binary=FAKE, errors=None, **more):
        return subprocess.run([binary, verb, "--sysroot", self.root, *args], capture_output=True,
                              text=True, timeout=60, env=self.environment(**(errors or {})),
                              **more)


def one_line(done, code, wanted, what):
    """A failure: its exit code, and one line on standard error that has what is wanted."""
    same(done.returncode, code, f"{what}: exit code")
    lines = done.stderr.splitlines()
    ok(len(lines) == 1 and lines[0].startswith("tphbuf") and wanted in lines[0]
       and len(lines[0].split(": ", 1)[-1]) > 10,
       f"{what}: one line that says why", done.stderr, wanted)


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def run_tests(tests):
    """Run test functions, end the TAP stream and the program."""
    for test in tests:
        try:
            test()
        except Exception as error:  # the other tests still tell something
            ok(False, f"{test.__name__} ran to its end", error)
    sys.exit(tap.done())

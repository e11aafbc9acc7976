# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees when a command of the lab fails outside of a step, or a file cannot be written: one line."""

import contextlib
import errno
import io
import subprocess
import tempfile
from pathlib import Path

import tap
from lab import __main__ as lab
from lab import session


def _ended(action):
    """Exit status and output of a verb that does @action."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = lab.run(lambda args: action(), [])
    return status, out.getvalue().strip().splitlines()


def test_command():
    """a command that fails: what it was, its status and its last words"""
    status, lines = _ended(lambda: subprocess.run(["sh", "-c", "echo first >&2; echo last words >&2; exit 3"], check=True,
                                                  capture_output=True, text=True))
    tap.equal((status, len(lines)), (1, 1), f"status and lines, {lines}")
    for words in ("error:", "sh ...", "status 3", "last words"):
        tap.true(words in lines[0], f"no {words!r} in {lines[0]!r}")


def test_silent_command():
    """a command that fails and says nothing"""
    status, lines = _ended(lambda: subprocess.run(["false"], check=True))
    tap.equal((status, lines), (1, ["error: false ended with status 1"]), "status and line")


def test_file():
    """a file that cannot be written: its name"""
    def fail():
        raise OSError(errno.EACCES, "Permission denied", "/some/file")

    status, lines = _ended(fail)
    tap.equal((status, len(lines)), (1, 1), f"status and lines, {lines}")
    tap.true("/some/file" in lines[0], lines[0])


def test_boot():
    """a guest that hangs while it boots is ended before its suites have had their time; one that has booted is not"""
    def watched(*timeouts):
        with subprocess.Popen(["sleep", "60"]) as qemu:
            try:
                return session.watch(None, qemu, *timeouts)
            finally:
                qemu.kill()

    with tempfile.TemporaryDirectory() as folder:
        session.STARTED = Path(folder) / "script.log"
        tap.equal(watched(50, 0.1), "the guest had not booted after 0.1 s", "without a script")
        session.STARTED.touch()
        tap.equal(watched(0.3, 0.1), "the virtual machine was still running after 0.3 s", "with one")


if __name__ == "__main__":
    tap.run(globals())

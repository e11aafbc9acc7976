# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that is interrupted ends at once, says so in one line, and leaves no process and no half entry behind."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tap
from lab import PROJECT

SECONDS = 4
START = """
import sys, time
from pathlib import Path
from lab import __main__, cache, prepare, process, progress
here = Path(sys.argv[1])
def wait_for_lock():
    with cache.locked(here / "lock", "the lock of the test"):
        pass
def sleep():
    process.run(["sh", "-c", f"sleep 300 & echo $! >{here}/pid; echo $$ >{here}/shell; wait"], "interruption")
def fail():
    time.sleep(0.5)
    raise progress.StepError("failed on purpose")
def build(part):
    (part / "half").touch()
    sleep()
def verb(args):
"""


class _Run:
    """A verb of the lab, in a process of its own; @body is its Python code."""

    def __init__(self, folder, body):
        self.folder = folder
        code = START + "".join(f"    {line}\n" for line in body.splitlines()) + "sys.exit(__main__.run(verb, []))\n"
        self.child = subprocess.Popen([sys.executable, "-B", "-c", code, str(folder)], cwd=PROJECT,
                                      env={**os.environ, "TPHBUF_CACHE": str(folder / "cache")},
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def file(self, name):
        """Content of a file in the folder, once it is there."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if (self.folder / name).is_file() and (self.folder / name).read_text().endswith("\n"):
                return (self.folder / name).read_text().strip()
            time.sleep(0.02)
        self.child.kill()
        raise AssertionError(f"no {name}: {self.child.communicate()[0]}")

    def end(self, sign):
        """Send @sign and wait; returns exit status and output."""
        start = time.monotonic()
        if sign:
            self.child.send_signal(sign)
        try:
            output, _ = self.child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise AssertionError(f"still there 20 s after signal {sign}") from None
        tap.diag(output)
        tap.true(time.monotonic() - start < SECONDS, f"took {time.monotonic() - start:.1f} s")
        return self.child.returncode, output


def _gone(pid):
    """Whether a process has ended: nobody may have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def _interrupted(status, output):
    tap.equal(status, 130, "exit status")
    tap.equal([line for line in output.splitlines() if line and not line.startswith("waiting")], ["interrupted"], "output")


def test_children():
    """a child and what it started are gone, for Ctrl-C as for a kill"""
    for sign in (signal.SIGINT, signal.SIGTERM):
        with tempfile.TemporaryDirectory() as folder:
            run = _Run(Path(folder), "sleep()")
            pids = [run.file("pid"), run.file("shell")]
            _interrupted(*run.end(sign))
            tap.true(all(_gone(pid) for pid in pids), f"still there: {pids}")


def test_waiting():
    """waiting for another run ends"""
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = _Run(Path(folder), "wait_for_lock()")
        tap.equal(run.child.stdout.readline(), "waiting for another run that works on the lock of the test\n")
        _interrupted(*run.end(signal.SIGINT))


def test_threads():
    """work side by side ends, whatever each thread is at"""
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = _Run(Path(folder), "prepare._side_by_side(wait_for_lock, sleep)")
        pid = run.file("pid")
        _interrupted(*run.end(signal.SIGTERM))
        tap.true(_gone(pid), "the child is still there")


def test_failure():
    """the first that fails ends the others, and the run can go on with something else"""
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(Path(folder), "try:\n    prepare._side_by_side(sleep, fail)\nexcept progress.StepError as err:\n"
                   "    print(err.reason)\nprocess.run(['true'], 'interruption')\nprint('went on')\nreturn 0")
        status, output = run.end(None)
        tap.equal((status, output.splitlines()), (0, ["failed on purpose", "went on"]))
        tap.true(_gone(run.file("pid")), "the child is still there")


def test_entry():
    """a half entry of the cache is none, and the next run makes it"""
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(Path(folder), "cache.obtain('kind', {'a': 1}, build, keep=2)")
        run.file("pid")
        _interrupted(*run.end(signal.SIGINT))
        kind = Path(folder) / "cache/kind"
        tap.equal([path.suffix for path in kind.iterdir() if path.is_dir()], [".part"], "folders")
        run = _Run(Path(folder), "print(sorted(path.name for path in cache.obtain('kind', {'a': 1}, lambda part: None,"
                   " keep=2).iterdir()))")
        tap.equal(run.end(None), (0, "['inputs.json']\n"))
        tap.equal(len([path for path in kind.iterdir() if path.is_dir()]), 1, "folders")


if __name__ == "__main__":
    tap.run(globals())

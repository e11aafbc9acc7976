# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a long command with its output in a log file; a failure tells the last lines of it."""

import contextlib
import os
import re
import select
import signal
import subprocess
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from lab import PROJECT, progress

TAIL = 15
IDLE_INTERVAL = 0.2
GRACE = 5
LOGS = PROJECT / "build/log"

_children = set()
_lock = threading.Lock()
_stopping = threading.Event()


class _Signals:
    """Handler of the signals that end a run: KeyboardInterrupt, but never before a child that is being started is known."""

    def __init__(self):
        self.held = False
        self.came = False

    def __call__(self, _signal, _frame):
        self.came = True
        if not self.held:
            raise KeyboardInterrupt

    def __enter__(self):
        # Handlers run in the main thread only: another one is never interrupted.
        self.held = threading.current_thread() is threading.main_thread()

    def __exit__(self, *_):
        if self.held:
            self.held = False
            if self.came:
                raise KeyboardInterrupt


_signals = _Signals()


def processors():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def catch_signals():
    """Let Ctrl-C, a kill and a terminal that goes away raise KeyboardInterrupt."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _signals)


def start(argv, pipe_in=False, **options):
    """subprocess.Popen() in a session of its own, which stop_all() ends."""
    with _lock, _signals:
        sleep(0)
        child = subprocess.Popen(argv, stdin=subprocess.PIPE if pipe_in else subprocess.DEVNULL,
                                 start_new_session=True, **options)
        _children.add(child)
    return child


def stop(*children):
    """End children and all that they started: politely, so that make deletes what is half written, then for good."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        rest = [child for child in children if child.poll() is None]
        for child in rest:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, sign)
        end = time.monotonic() + GRACE
        for child in rest:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0, end - time.monotonic()) if sign == signal.SIGTERM else None)
    with _lock:
        _children.difference_update(children)


def sleep(seconds):
    """Wait, unless the run is being stopped: then raise KeyboardInterrupt, as in the main thread."""
    if _stopping.wait(seconds):
        raise KeyboardInterrupt


def stop_all():
    """End all children, and keep threads from starting more or from waiting on."""
    _stopping.set()
    with _lock:
        rest = list(_children)
    stop(*rest)


@contextlib.contextmanager
def threads(count):
    """A pool of threads. When the block fails or is interrupted, the threads' children are ended, and so they."""
    try:
        with ThreadPoolExecutor(count) as pool:
            try:
                yield pool
            except BaseException:
                stop_all()
                raise
    finally:
        # The threads have ended, and the caller may have other work to do.
        _stopping.clear()


def _reason(tail):
    """The line of a log that tells most about a failure."""
    for line in tail:
        if re.search(r"\b(error|fatal|E):", line, re.IGNORECASE):
            return line.strip()
    return tail[-1].strip() if tail else "it printed nothing"


def _lines(child, idle):
    """Lines of a child's output as they come; @idle() is called in between, a few times a second."""
    rest = b""
    while True:
        if idle:
            idle()
            if not select.select([child.stdout], [], [], IDLE_INTERVAL)[0]:
                continue
        block = os.read(child.stdout.fileno(), 1 << 16)
        if not block:
            break
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace") + "\n"
    if rest:
        yield rest.decode(errors="replace") + "\n"


def run(argv, log, watch=None, idle=None, cwd=None, env=None):
    """Run @argv to its end, output to build/log/@log.log, each line to @watch too; StepError on failure."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    tail = deque(maxlen=400)
    child = start(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, env=env)
    try:
        with open(path, "w", encoding="utf-8") as out:
            for line in _lines(child, idle):
                out.write(line)
                out.flush()
                tail.append(line.rstrip("\n"))
                if watch:
                    watch(line)
        status = child.wait()
    finally:
        stop(child)
    if status != 0:
        sleep(0)
        raise progress.StepError(_reason(list(tail)), log=path, tail=list(tail)[-TAIL:])


def foreground(argv):
    """Run @argv on this terminal; returns its exit status."""
    return subprocess.run(argv, check=False).returncode

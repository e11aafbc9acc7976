# SPDX-License-Identifier: GPL-2.0-or-later
"""What the person at the terminal sees of long work: one line a step, redrawn in place on a terminal,
plain lines otherwise."""

import contextlib
import os
import shutil
import sys
import threading
import time

TTY = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
COLOUR = TTY and not os.environ.get("NO_COLOR")
PLAIN_INTERVAL = 30

_lock = threading.RLock()
_active = []
_drawn = 0


class StepError(Exception):
    """A step failed: @reason in one line, @log a path or None, @tail the last lines of the log."""

    def __init__(self, reason, log=None, tail=()):
        super().__init__(reason)
        self.reason = reason
        self.log = log
        self.tail = list(tail)


def paint(text, colour):
    """@text in a colour (red, green, yellow, dim, bold), where the terminal has colours."""
    codes = {"red": 31, "green": 32, "yellow": 33, "dim": 2, "bold": 1}
    return f"\033[{codes[colour]}m{text}\033[0m" if COLOUR else text


def duration(seconds):
    """1.2 s, 34 s, 5 min 06 s"""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


class Unreachable(StepError):
    """The package mirror does not answer."""


class Step:
    """One step of the work; set @detail and @fraction (0..1) while it goes on."""

    def __init__(self, name):
        self.name = name
        self.detail = ""
        self.fraction = None
        self.start = time.monotonic()
        self.shown = self.start

    def status(self):
        words = [duration(time.monotonic() - self.start)]
        if self.fraction is not None:
            words.insert(0, f"{min(self.fraction, 1.0) * 100:3.0f} %")
        if self.detail:
            words.append(self.detail)
        return ", ".join(words)


def line(mark, name, status):
    return f"{mark} {name:<22} {status}"


def _draw():
    global _drawn
    out = ["\033[%dA" % _drawn if _drawn else ""]
    width = max(20, shutil.get_terminal_size().columns - 1) if TTY else 0
    for step in _active:
        out.append("\033[2K" + line(" ", step.name, step.status())[:width] + "\n")
    out.append("\033[J")
    _drawn = len(_active)
    sys.stdout.write("".join(out))
    sys.stdout.flush()


def _erase():
    global _drawn
    if _drawn:
        sys.stdout.write("\033[%dA\033[J" % _drawn)
        _drawn = 0


def say(text):
    """Print a line above the steps that are going on."""
    with _lock:
        _erase()
        print(text, flush=True)
        if TTY:
            _draw()


def _refresh():
    while True:
        time.sleep(0.2 if TTY else 1)
        with _lock:
            if not _active:
                return
            if TTY:
                _draw()
                continue
            now = time.monotonic()
            for step in _active:
                if now - step.shown >= PLAIN_INTERVAL:
                    step.shown = now
                    print(line(" ", step.name, step.status()), flush=True)


@contextlib.contextmanager
def quiet_step(name):
    """Show a step on a terminal while the block runs, and no more: the caller tells the outcome."""
    this = Step(name)
    with _lock:
        idle = not _active
        _active.append(this)
    if idle:
        threading.Thread(target=_refresh, daemon=True).start()
    try:
        yield this
    finally:
        with _lock:
            _erase()
            _active.remove(this)


@contextlib.contextmanager
def step(name):
    """Show a step while the block runs; the block may set .detail, which stays on the final line."""
    if not TTY:
        say(line(" ", name, "..."))
    start = time.monotonic()
    try:
        with quiet_step(name) as this:
            yield this
    except StepError:
        say(line(paint("✗", "red"), name, f"failed after {duration(time.monotonic() - start)}"))
        raise
    this.fraction = None
    say(line(paint("✓", "green"), name, this.status()))


def fail(error):
    """Tell of a StepError: the reason, the end of the log and where it is."""
    say(f"\n{paint('error:', 'red')} {error.reason}")
    for text in error.tail:
        say(paint(f"  | {text}", "dim"))
    if error.log:
        say(f"whole log: {error.log}")

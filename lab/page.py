# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a run: an HTML file that shows the trace in a browser, written by tphbuf-trace in the tool root."""

import os
import shutil
import subprocess

from lab import PROJECT, process, progress, sandbox, userspace

PAGE_FILE = PROJECT / "build/demo.html"
OPENERS = ("xdg-open", "sensible-browser")


def write(root, job, title, names, ignore=None):
    """Make the page from the trace in @job; @names are arguments of --name, @ignore a range (start, bytes) of bus
    addresses that the sender writes to for itself."""
    argv = ["/build/trace/tphbuf-trace", "page", "-o", "/job/page.html", "--title", title]
    for name in names:
        argv += ["--name", name]
    if ignore:
        argv += ["--ignore", f"0x{ignore[0]:x}:{ignore[1]}"]
    binds = [*userspace.binds("plain"), (job, "/job", "rw")]
    process.run(sandbox.argv(root, [*argv, "/job/trace.pcapng"], binds), "page")
    # Beside the figures, and there whole or not at all.
    part = PAGE_FILE.with_suffix(".part")
    shutil.move(job / "page.html", part)
    part.rename(PAGE_FILE)
    return PAGE_FILE


def show(path):
    """Open a page for the person at this machine; StepError says what to do where nothing can."""
    for opener in OPENERS:
        if shutil.which(opener):
            subprocess.Popen([opener, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
            return
    raise progress.StepError(f"nothing here opens a page in a browser: open {path} in yours")


def wanted():
    """Whether OPEN= asks for the page to be shown."""
    value = os.environ.get("OPEN") or "0"
    if value not in ("0", "1"):
        raise progress.StepError(f"OPEN={value}: expected 1, or nothing")
    return value == "1"

# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache of build results: one directory an entry, named by a hash of what the entry depends on.

An entry appears by rename, complete, or not at all. Every user of an entry holds a shared lock on it until
the process ends, so that pruning never takes away what another run works with.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import random
import shutil
import sys
from pathlib import Path

from lab import process, progress, sandbox

WAIT_SECONDS = (0.2, 0.5)
# MiB of disk that making an entry takes at most; of a tree with the objects of one kernel.
SPACE = {"root": 1600, "tree": 3200}
WORDS = {"root": "tool root", "tree": "kernel"}


def location():
    """Folder of the cache: $TPHBUF_CACHE, or tphbuf below $XDG_CACHE_HOME, or ~/.cache/tphbuf."""
    own = os.environ.get("TPHBUF_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base).absolute() / "tphbuf"


def digest(inputs):
    """Key of an entry: hash of a JSON-able description of all that it depends on."""
    text = json.dumps(inputs, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def files_digest(root, paths):
    """Hash of names and contents of files; @paths are relative to @root."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path).encode() + b"\0")
        total.update(hashlib.sha256((root / path).read_bytes()).digest())
    return total.hexdigest()


def _lock_file(path):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, FileNotFoundError) as err:
        raise progress.StepError(f"{err.filename}: no folder, and none can be made there: "
                                 "name another with TPHBUF_CACHE=") from None
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _until(attempt, what):
    """Repeat @attempt() until it does not raise BlockingIOError; returns its value. Says once that it waits.

    Polling, because a thread that waits in flock() would not notice that the run is being stopped.
    """
    told = False
    while True:
        with contextlib.suppress(BlockingIOError):
            return attempt()
        if not told:
            told = True
            print(f"waiting for another run that {what}", file=sys.stderr, flush=True)
        # Of two that wait in step, each could keep the other from the exclusive lock for ever.
        process.sleep(random.uniform(*WAIT_SECONDS))


@contextlib.contextmanager
def locked(path, what):
    """Hold the lock file @path, which guards @what, against all other runs."""
    fd = _lock_file(path)
    try:
        _until(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), f"works on {what}")
        yield
    finally:
        os.close(fd)


def exclusive(name):
    """Hold the lock @name of this cache against all other runs."""
    return locked(location() / f"{name}.lock", name)


def _lock_to_build(fd, path):
    """Lock an entry: shared when it is there, exclusively when it is to be built; returns whether it is.

    Another run that builds it keeps a shared lock afterwards: waiting for the exclusive one would take as long as
    that run works with the entry.
    """
    fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    if path.is_dir():
        return False
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return not path.is_dir()


def folder(name):
    """The folder @name of this cache, for a tool that keeps its own results apart by what they depend on."""
    path = location() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def obtain(kind, inputs, build, keep):
    """Return the entry for @inputs; when there is none, let @build(directory) fill a new one.

    The @keep most recently used entries of the kind survive, and all that are in use.
    """
    key = digest(inputs)
    path = location() / kind / key
    fd = _lock_file(path.with_suffix(".lock"))
    if _until(lambda: _lock_to_build(fd, path), f"makes {kind}/{key}"):
        part = path.with_suffix(".part")
        _tidy(part)
        _check_space(kind)
        part.mkdir()
        try:
            build(part)
            (part / "inputs.json").write_text(json.dumps(inputs, indent=1, sort_keys=True) + "\n")
            part.rename(path)
        except BaseException as err:
            # Deleting a kernel tree can take minutes. Who interrupts a run does not wait for it; the next run does it.
            if not isinstance(err, KeyboardInterrupt):
                remove(part)
            os.close(fd)
            raise
    os.utime(path)
    fcntl.flock(fd, fcntl.LOCK_SH)
    prune(kind, keep)
    return path


def _check_space(kind):
    """Better now than in the middle of the work, in the words of whatever tool meets the end of the disk first."""
    free = shutil.disk_usage(location()).free >> 20
    if free < SPACE.get(kind, 0):
        raise progress.StepError(f"{location()} has {free:,} MiB of free disk space, making the {WORDS[kind]} takes up to "
                                 f"{SPACE[kind]:,}: make room, or name another folder with TPHBUF_CACHE=")


def remove(path):
    """Delete a folder of the cache, whoever its files belong to inside the user's namespace."""
    if path.is_dir() and not path.is_symlink():
        try:
            shutil.rmtree(path)
        except PermissionError:
            sandbox.call(["rm", "-rf", "--", str(path)])
    elif path.exists() or path.is_symlink():
        path.unlink()


def _tidy(path):
    """Delete a folder; it may take long enough to be worth a word."""
    with progress.quiet_step("cache") as step:
        step.detail = f"deleting {path.parent.name}/{path.name}"
        remove(path)


def prune(kind, keep):
    """Delete entries of a kind beyond the @keep most recently used, and leftovers, unless a run holds them."""
    folders = [path for path in (location() / kind).iterdir() if path.is_dir()]
    entries = sorted((path for path in folders if path.suffix == ""), key=lambda path: path.stat().st_mtime)
    for path in entries[:-keep] + [path for path in folders if path.suffix == ".part"]:
        fd = _lock_file(path.with_suffix(".lock"))
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _tidy(path)
        except BlockingIOError:
            pass
        finally:
            os.close(fd)

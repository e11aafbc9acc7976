# SPDX-License-Identifier: GPL-2.0-or-later
"""make kernel-tree and make kernel-series are inverse: patches to commits to patches changes no byte."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import tap
from lab import kernel_source, series

tap.TEST_SECONDS = 280


@contextlib.contextmanager
def _tree(files):
    """(folder, pristine commit) of a git tree in which @files, patches and cover letters, are commits."""
    tree = kernel_source.obtain()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        base = series.repository(work, tree.original, series.touched(files))
        series.commit(work, files)
        yield work, base


def _exported(work, commits):
    """What a topic is exported as: dict from file name to bytes."""
    with tempfile.TemporaryDirectory() as target:
        series.export(work, commits, target)
        return {path.name: path.read_bytes() for path in Path(target).iterdir()}


def _check_same(work):
    """All topics are in the tree and come back byte for byte."""
    found = series.ranges(work)
    topics = series.topics()
    tap.equal(list(found), [topic.name for topic in topics], "topics")
    for topic in topics:
        back = _exported(work, found[topic.name])
        tap.equal(sorted(back), [path.name for path in topic.files], f"files of {topic.name}")
        for path in topic.files:
            tap.true(path.read_bytes() == back[path.name], f"{series.label(path)} comes back with other bytes: "
                     "'make kernel-tree' and 'make kernel-series' make it what it has to be")


def test_series():
    """each topic comes back byte for byte, list of patches and diffstat of the cover letter included"""
    with _tree(series.files()) as (work, _):
        _check_same(work)


def test_rebase():
    """a rebase keeps the cover letters, and so the borders of the topics"""
    with _tree(series.files()) as (work, base):
        series.git(work, "rebase", "-q", "--force-rebase", base)
        _check_same(work)


def test_moved():
    """a commit that is moved to another topic is exported there, and both cover letters count it"""
    first, second = [topic for topic in series.topics() if not topic.depends][:2]
    with _tree(first.files + second.files) as (work, base):
        cover = series.ranges(work)[second.name][0]
        order = [*series.git(work, "rev-list", "--reverse", f"{cover}..HEAD").split(), cover]
        series.git(work, "reset", "-q", "--hard", f"{cover}^")
        series.git(work, "cherry-pick", "--allow-empty", *order)
        found = series.ranges(work)
        tap.equal(found[second.name][0], found[second.name][1], "end of the second topic")
        moved = _exported(work, found[first.name])
    total = len(first.patches) + len(second.patches)
    tap.equal(len(moved), 1 + total, "files of the first topic")
    tap.true(f" ({total}):".encode() in moved[series.COVER], "the cover letter does not count the commits")


def test_notices():
    """a byte that git does not keep is noticed"""
    topic = series.topics()[0]
    with tempfile.TemporaryDirectory() as copies:
        files = [Path(shutil.copy(path, copies)) for path in topic.files]
        files[-1].write_bytes(files[-1].read_bytes() + b"-- \n2.47.3\n\n")
        with _tree(files) as (work, _):
            back = _exported(work, series.ranges(work)[topic.name])
        tap.true(back[files[-1].name] != files[-1].read_bytes(), "the signature came back")


if __name__ == "__main__":
    tap.run(globals())

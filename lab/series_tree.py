# SPDX-License-Identifier: GPL-2.0-or-later
"""make kernel-tree and make kernel-series: a git tree to work on the series in, and the way back."""

import filecmp
import os
import re
import shutil
import tempfile
from pathlib import Path

from lab import PROJECT, kernel_source, process, progress, series

TREE = PROJECT / "build/linux"
# What git keeps while commits are being moved.
UNFINISHED = ("rebase-merge", "rebase-apply", "sequencer", "CHERRY_PICK_HEAD")


def _setting(name):
    return series.git(TREE, "config", "--default", "", f"tphbuf.{name}").strip()


def _head(tree):
    return series.git(tree, "rev-parse", "HEAD").strip()


def _uncommitted(tree):
    return bool(series.git(tree, "status", "--porcelain", "--untracked-files=no").strip())


def _changed():
    """Whether the tree holds work that kernel-tree did not put there."""
    return _head(TREE) != _setting("tip") or _uncommitted(TREE)


def _create(tree):
    """A repository of the pristine tree; it appears complete or not at all."""
    part = TREE.with_name("linux.part")
    if part.exists():
        shutil.rmtree(part)
    with progress.step("kernel tree") as step:
        step.detail = "copying"
        process.run(["cp", "-a", str(tree.source), str(part)], "kernel-tree")
        for name in tree.state["absent"]:
            (part / name).unlink(missing_ok=True)
        for name in tree.state["replaced"]:
            shutil.copyfile(tree.originals / name, part / name)
        step.detail = "committing"
        series.git(part, "init", "-q", "-b", "tphbuf")
        series.git(part, "config", "core.looseCompression", "1")
        series.git(part, "add", "-A", "-f")
        series.git(part, "commit", "-q", "-m", f"Linux: pristine {tree.state['identity']}")
        series.git(part, "config", "tphbuf.base", series.git(part, "rev-parse", "HEAD").strip())
        series.git(part, "config", "tphbuf.tip", series.git(part, "rev-parse", "HEAD").strip())
        series.git(part, "config", "tphbuf.source", tree.state["identity"])
        part.rename(TREE)
        step.detail = ""


def _name(tree):
    """What a kernel is called in the folder of patches that differ: 7.2, or 7.3-rc."""
    text = (tree / "Makefile").read_text()
    version = kernel_source.makefile_version(text)
    return "%d.%d" % version[:2] + ("-rc" if re.search(r"^EXTRAVERSION = -rc", text, re.MULTILINE) else "")


def _write_own(tree, base):
    """The series on top of the commit @base in a git tree of the user's own, on no branch, so that nothing is lost."""
    if not base:
        raise progress.StepError(f"TREE={tree} needs BASE=, a commit of Linux 7.3.y without the series")
    if _uncommitted(tree):
        raise progress.StepError(f"{tree} has changes that are not committed")
    series.git(tree, "checkout", "-q", "--detach", base)
    series.commit(tree, series.for_kernel(series.files(), _name(tree)))
    print(f"{tree}: {len(series.patches())} patches on {base}, HEAD is detached")


def write_tree(_args):
    """Make build/linux: the pristine kernel as one commit, then each topic, its cover letter as an empty commit in front."""
    if os.environ.get("TREE"):
        _write_own(Path(os.environ["TREE"]).resolve(), os.environ.get("BASE"))
        return 0
    tree = kernel_source.obtain()
    TREE.parent.mkdir(parents=True, exist_ok=True)
    if TREE.exists() and (_changed() or _setting("source") != tree.state["identity"]):
        raise progress.StepError(f"{TREE} holds work of its own or another kernel: "
                                 "run 'make kernel-series' to keep its commits, or delete it")
    if not TREE.exists():
        _create(tree)
    series.git(TREE, "reset", "-q", "--hard", _setting("base"))
    series.commit(TREE, series.files())
    series.git(TREE, "config", "tphbuf.tip", _head(TREE))
    print(f"{TREE}: {len(series.patches())} patches in {len(series.topics())} topics on {tree.state['identity']}")
    print("Edit and commit there (git rebase -i works as usual), then run 'make kernel-series'.")
    return 0


def _check_complete(tree):
    if _uncommitted(tree):
        raise progress.StepError(f"{tree} has changes that are not committed")
    state = Path(series.git(tree, "rev-parse", "--absolute-git-dir").strip())
    if any((state / name).exists() for name in UNFINISHED):
        raise progress.StepError(f"{tree} is in the middle of a rebase, git am or cherry-pick, "
                                 "and later patches are not there: finish it first")


def _wanted(tree, found):
    """The topics to write: those that TOPIC names, else all, which must then be in the tree and in order."""
    known = {topic.name: topic for topic in series.topics()}
    names = os.environ.get("TOPIC", "").split()
    unknown = [name for name in [*names, *found] if name not in known]
    if unknown:
        raise progress.StepError(f"{series.SERIES / 'topics.toml'} has no topic {', '.join(unknown)}")
    missing = [name for name in names or known if name not in found]
    if missing:
        raise progress.StepError(f"{tree} has no cover letter of {', '.join(missing)}: the empty commit whose message "
                                 "has the line 'change-id: DATE-tphbuf-TOPIC'")
    empty = [name for name in names or known if found[name][0] == found[name][1]]
    if empty:
        raise progress.StepError(f"{tree} has the cover letter of {', '.join(empty)}, and no patch after it")
    if not names and list(found) != list(known):
        raise progress.StepError(f"{tree} has the topics in the order {', '.join(found)}: expected the order in topics.toml")
    return [known[name] for name in names or known]


def _write_topic(tree, commits, topic):
    """Write a topic to its folder; files that do not change are not touched."""
    with tempfile.TemporaryDirectory(prefix="tphbuf-series-") as work:
        series.export(tree, commits, work)
        new = {path.name: path for path in Path(work).iterdir()}
        topic.folder.mkdir(exist_ok=True)
        for path in topic.files:
            if path.name not in new:
                path.unlink()
                print(f"removed  {series.label(path)}")
        for name, path in sorted(new.items()):
            if not (topic.folder / name).is_file() or not filecmp.cmp(path, topic.folder / name, shallow=False):
                shutil.copyfile(path, topic.folder / name)
                print(f"wrote    {series.label(topic.folder / name)}")


def write_series(_args):
    """Write the commits of build/linux, or of the tree TREE, to kernel/series: all topics, or those that TOPIC names."""
    own = os.environ.get("TREE")
    tree = Path(own).resolve() if own else TREE
    if not tree.is_dir():
        raise progress.StepError(f"{tree} is not there" + ("" if own else ": 'make kernel-tree' makes it"))
    _check_complete(tree)
    found = series.ranges(tree)
    wanted = _wanted(tree, found)
    first = next(iter(found.values()))[0]
    if not own and series.git(tree, "rev-parse", f"{first}^").strip() != _setting("base"):
        raise progress.StepError(f"{tree} has commits between the pristine one and the first cover letter: "
                                 "a topic begins with its cover letter")
    for topic in wanted:
        _write_topic(tree, found[topic.name], topic)
    if not own and len(wanted) == len(found):
        series.git(tree, "config", "tphbuf.tip", _head(tree))
    print(f"{series.SERIES}: wrote {', '.join(topic.name for topic in wanted)}")
    return 0

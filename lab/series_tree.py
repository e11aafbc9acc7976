# SPDX-License-Identifier: GPL-2.0-or-later
"""make kernel-tree and make kernel-series: a git tree to work on the series in, and the way back."""

import filecmp
import shutil
import tempfile
from pathlib import Path

from lab import kernel_source, process, progress, series

PROJECT = Path(__file__).resolve().parent.parent
TREE = PROJECT / "build/linux"
# What git keeps while commits are being moved.
UNFINISHED = ("rebase-merge", "rebase-apply", "sequencer", "CHERRY_PICK_HEAD")


def _setting(name):
    return series.git(TREE, "config", "--default", "", f"tphbuf.{name}").strip()


def _changed():
    """Whether the tree holds work that kernel-tree did not put there."""
    head = series.git(TREE, "rev-parse", "HEAD").strip()
    return head != _setting("tip") or bool(series.git(TREE, "status", "--porcelain", "--untracked-files=no").strip())


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


def write_tree(_args):
    """Make build/linux: the pristine kernel as one commit, the cover letter as an empty one, then the series."""
    tree = kernel_source.obtain()
    TREE.parent.mkdir(parents=True, exist_ok=True)
    if TREE.exists() and (_changed() or _setting("source") != tree.state["identity"]):
        raise progress.StepError(f"{TREE} holds work of its own or another kernel: "
                                 "run 'make kernel-series' to keep its commits, or delete it")
    if not TREE.exists():
        _create(tree)
    series.git(TREE, "reset", "-q", "--hard", _setting("base"))
    series.commit(TREE, series.files())
    series.git(TREE, "config", "tphbuf.tip", series.git(TREE, "rev-parse", "HEAD").strip())
    print(f"{TREE}: {len(series.patches())} patches on {tree.state['identity']}")
    print("Edit and commit there (git rebase -i works as usual), then run 'make kernel-series'.")
    return 0


def write_series(_args):
    """Write the commits of build/linux to kernel/series; files that do not change are not touched."""
    if not TREE.is_dir():
        raise progress.StepError(f"{TREE} is not there: 'make kernel-tree' makes it")
    if series.git(TREE, "status", "--porcelain", "--untracked-files=no").strip():
        raise progress.StepError(f"{TREE} has changes that are not committed")
    if any((TREE / ".git" / name).exists() for name in UNFINISHED):
        raise progress.StepError(f"{TREE} is in the middle of a rebase, git am or cherry-pick, and later patches are not there: "
                                 "finish it first")
    with tempfile.TemporaryDirectory(prefix="tphbuf-series-") as work:
        series.export(TREE, _setting("base"), work)
        new = {path.name: path for path in series.files(work)}
        if "0000-cover-letter.patch" not in new or len(new) < 2:
            raise progress.StepError(f"{TREE} has no commits after the pristine one, or only the cover letter")
        old = {path.name: path for path in series.files()}
        for name in old.keys() - new.keys():
            old[name].unlink()
            print(f"removed  {name}")
        for name, path in sorted(new.items()):
            if name not in old or not filecmp.cmp(path, old[name], shallow=False):
                shutil.copyfile(path, series.SERIES / name)
                print(f"wrote    {name}")
    series.git(TREE, "config", "tphbuf.tip", series.git(TREE, "rev-parse", "HEAD").strip())
    print(f"{series.SERIES}: {len(new) - 1} patches and the cover letter")
    return 0

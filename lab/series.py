# SPDX-License-Identifier: GPL-2.0-or-later
"""The patch series: applying it strictly, and the round trip between patches and a git tree."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from lab import progress

PROJECT = Path(__file__).resolve().parent.parent
SERIES = PROJECT / "kernel/series"

# Nothing of the person's own git configuration may change what is applied or written.
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "tphbuf", "GIT_COMMITTER_EMAIL": "tphbuf@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00+0000",
    "GIT_AUTHOR_NAME": "tphbuf", "GIT_AUTHOR_EMAIL": "tphbuf@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00+0000",
}


def files(folder=SERIES):
    """All files of the series in order, the cover letter first."""
    return sorted(Path(folder).glob("[0-9]*.patch"))


def patches(folder=SERIES):
    """The patches in order, without the cover letter."""
    return [path for path in files(folder) if not path.name.startswith("0000")]


def touched(paths):
    """Files of the kernel tree that any of the patches changes, adds or deletes."""
    names = set()
    for path in paths:
        for line in path.read_text(errors="replace").splitlines():
            found = re.match(r"diff --git a/(\S+) b/(\S+)$", line)
            if found:
                names.update(found.groups())
    return sorted(names)


def git(folder, *args, check=True):
    """Run git in @folder, undisturbed by personal configuration; returns its standard output.

    With @check None it returns the exit status instead.
    """
    done = subprocess.run(["git", *args], cwd=folder, env={**os.environ, **GIT_ENV}, check=False,
                          capture_output=True, text=True, errors="surrogateescape")
    if check is None:
        return done.returncode
    if check and done.returncode != 0:
        raise progress.StepError(f"git {args[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def commit(folder, paths):
    """Make each patch a commit, with git am, which knows no fuzz. The cover letter becomes an empty commit."""
    for path in paths:
        try:
            git(folder, "am", "-q", "--no-3way", "--keep-non-patch", "--empty=keep", str(path))
        except progress.StepError as err:
            git(folder, "am", "--abort", check=False)
            if not git(folder, "apply", "--reverse", "--check", str(path), check=None):
                raise progress.StepError(f"{path.name} is in this kernel tree already; want one without the series"
                                         ) from None
            lines = err.reason.splitlines()
            raise progress.StepError(f"{path.name} does not apply: {lines[0]}", tail=lines) from None


def export(folder, base, target):
    """Write the commits from @base on as patches into @target; the first commit, an empty one, is the cover letter."""
    git(folder, "format-patch", "-q", "--always", "--start-number=0", "--numbered", "--zero-commit", "--no-signature",
        "--no-base", "--abbrev=12", "-o", str(target), f"{base}..HEAD")
    for first in Path(target).glob("0000-*.patch"):
        first.rename(first.with_name("0000-cover-letter.patch"))


def repository(folder, pristine, names):
    """A git repository with one commit that holds the files @names as @pristine(name) gives them.

    git am looks at the files that a patch touches and at nothing else, so these are enough of a kernel tree, with
    the file by which git finds the names of functions for the headers of hunks.
    """
    git(folder, "init", "-q")
    for name in [".gitattributes", *names]:
        content = pristine(name)
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--allow-empty", "-m", "pristine")
    return git(folder, "rev-parse", "HEAD").strip()


def apply(pristine, paths):
    """Apply patches one after the other.

    Returns a list with the state of the touched files after no patch, after the first, and so on: each a dict
    from file name to bytes, or None where there is no such file.
    """
    names = touched(paths)
    with tempfile.TemporaryDirectory(prefix="tphbuf-series-") as work:
        work = Path(work)
        repository(work, pristine, names)
        states = [_read(work, names)]
        for path in paths:
            commit(work, [path])
            states.append(_read(work, names))
    return states


def _read(work, names):
    return {name: (work / name).read_bytes() if (work / name).is_file() else None for name in names}

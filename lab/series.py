# SPDX-License-Identifier: GPL-2.0-or-later
"""The patch series: its topics, applying it strictly, and the round trip between patches and a git tree."""

import os
import re
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from lab import PROJECT, progress

SERIES = PROJECT / "kernel/series"
# Patches that take the place of those of the same topic and name, in a folder for each kernel on which they differ.
REPLACED = PROJECT / "kernel/replaced"
COVER = "0000-cover-letter.patch"
# The line of a cover letter that names the topic. b4 takes it as the name of a posting over all of its versions. What follows
# it, the list of patches and the diffstat, is generated.
CHANGE_ID = re.compile(r"^change-id: \d{8}-tphbuf-(\S+)$", re.MULTILINE)
# Commits that are searched for cover letters, in a tree that may have all of the kernel's history.
DEPTH = 500

# Nothing of the person's own git configuration may change what is applied or written.
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "tphbuf", "GIT_COMMITTER_EMAIL": "tphbuf@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00+0000",
    "GIT_AUTHOR_NAME": "tphbuf", "GIT_AUTHOR_EMAIL": "tphbuf@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00+0000",
}


@dataclass
class Topic:
    """A folder of the series, which is one posting to the maintainers of @tree.

    It applies to the pristine kernel with the topics that @depends names, and with those that they depend on.
    """

    name: str
    tree: str
    state: str
    depends: list = field(default_factory=list)
    folder: Path = None

    @property
    def cover(self):
        return self.folder / COVER

    @property
    def patches(self):
        return [path for path in self.files if path.name != COVER]

    @property
    def files(self):
        """All files in order, the cover letter first."""
        return sorted(self.folder.glob("[0-9]*.patch"))


def topics(folder=SERIES):
    """The topics in the order of the list, in which all of them apply one after the other."""
    with open(folder / "topics.toml", "rb") as file:
        table = tomllib.load(file)
    found = {}
    for entry in table["topic"]:
        topic = Topic(**entry, folder=folder / entry["name"])
        missing = [name for name in topic.depends if name not in found]
        if missing:
            raise progress.StepError(f"topics.toml: {topic.name} depends on {', '.join(missing)}, which is not in front of it")
        if topic.name in found:
            raise progress.StepError(f"topics.toml: {topic.name} is there twice")
        found[topic.name] = topic
    unknown = [path.name for path in folder.iterdir() if path.is_dir() and path.name not in found]
    if unknown:
        raise progress.StepError(f"topics.toml does not list {', '.join(unknown)}")
    return list(found.values())


def base(topic, everything):
    """The topics of @everything that @topic needs, in order."""
    needed = set(topic.depends)
    for other in reversed(everything):
        if other.name in needed:
            needed.update(other.depends)
    return [other for other in everything if other.name in needed]


def files(folder=SERIES):
    """All files of all topics in order, each cover letter in front of its patches."""
    return [path for topic in topics(folder) for path in topic.files]


def patches(folder=SERIES):
    """All patches of all topics in order, without the cover letters."""
    return [path for topic in topics(folder) for path in topic.patches]


def for_kernel(paths, name):
    """The patches @paths for the kernel that a folder of REPLACED is named after."""
    other = [REPLACED / name / path.parent.name / path.name for path in paths]
    return [replaced if replaced.is_file() else path for path, replaced in zip(paths, other)]


def selected(names, folder=SERIES):
    """The patches of the topics @names, in order."""
    return [path for topic in topics(folder) if topic.name in names for path in topic.patches]


def label(path):
    """Name of a patch with its topic."""
    return f"{path.parent.name}/{path.name}"


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
    """Make each patch a commit, with git am, which knows no fuzz. A cover letter becomes an empty commit."""
    for path in paths:
        try:
            git(folder, "am", "-q", "--no-3way", "--keep-non-patch", "--empty=keep", str(path))
        except progress.StepError as err:
            git(folder, "am", "--abort", check=False)
            if not git(folder, "apply", "--reverse", "--check", str(path), check=None):
                raise progress.StepError(f"{label(path)} is in this kernel tree already; use a tree without the series"
                                         ) from None
            lines = err.reason.splitlines()
            raise progress.StepError(f"{label(path)} does not apply: {lines[0]}", tail=lines) from None


def ranges(folder, tip="HEAD"):
    """Where topics are in a git tree: dict from name to (cover letter, last commit), in the order of the commits.

    A topic begins with its cover letter and ends in front of the next one, so commits may be moved, changed and added
    between the two.
    """
    log = git(folder, "log", "--first-parent", f"-n{DEPTH}", "--format=%H%x00%T%x00%B%x01", tip)
    found = {}
    name = None
    commits = [record.strip("\n").split("\0") for record in log.split("\1") if record.strip("\n")]
    for (commit_id, tree, message), (_, tree_before, _) in reversed(list(zip(commits, commits[1:]))):
        marked = CHANGE_ID.search(message)
        if marked and tree == tree_before:
            name = marked[1]
            if name in found:
                raise progress.StepError(f"{folder} has two cover letters of the topic {name}")
            found[name] = (commit_id, commit_id)
        elif name:
            found[name] = (found[name][0], commit_id)
    return found


def export(folder, commits, target):
    """Write a topic, which ranges() found at @commits, as patches into the folder @target.

    The list of patches and the diffstat of the cover letter are made anew.
    """
    cover, last = commits
    git(folder, "format-patch", "-q", "--always", "--start-number=0", "--numbered", "--zero-commit", "--no-signature",
        "--no-base", "--abbrev=12", "-o", str(target), f"{cover}^..{last}")
    for first in Path(target).glob("0000-*.patch"):
        first.rename(first.with_name(COVER))
    path = Path(target) / COVER
    text = path.read_text()
    path.write_text(text[:CHANGE_ID.search(text).end()] + "\n\n" + _summary(folder, cover, last))


def _summary(folder, cover, last):
    """List of the patches and diffstat, as the end of a cover letter has them."""
    patch_list = git(folder, "shortlog", "-w72,2,4", f"{cover}..{last}")
    return patch_list + git(folder, "diff", "--stat=72", "--summary", cover, last)


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

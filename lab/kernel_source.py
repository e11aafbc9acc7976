# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel source: from the Debian package, or a tree or tarball of the user's own (KERNEL_TREE)."""

import filecmp
import json
import lzma
import os
import re
import shutil
import tempfile
from pathlib import Path

from lab import cache, process, progress, series, toolroot

SERIES_BASE = (7, 3)
PACKAGE = "linux-source-%d.%d" % SERIES_BASE
# Headers that the mlx5 model takes its layouts from.
LAYOUT_HEADERS = ("include/linux/mlx5/*.h", "include/rdma/ib_mad.h", "include/rdma/ib_pma.h", "include/rdma/ib_smi.h")
# Where Debian's packages put kernel headers.
DEBIAN_HEADERS = Path("/usr/src")
# Suffixes of what a build leaves in a tree, which must not come along with the sources.
BUILT = (".o", ".a", ".ko", ".cmd", ".mod", ".mod.c", ".order", ".symvers")


class Gone(progress.StepError):
    """The archive does not have a package."""


class Tree:
    """A source tree of the cache with its build folders. Change it under the lock that open() holds.

    The files of the tree are the pristine ones, except those that sync() replaced; their originals are kept beside
    it. So the tree goes from one state of the series to another by writing the few files that differ, and make
    builds no more than these ask for.
    """

    def __init__(self, path, name="linux"):
        self.path = path
        self.source = path / name
        self.originals = path / f"{name}.originals"
        self._state_file = path / f"{name}.json"
        self.state = {"replaced": [], "absent": [], "built": {}}
        if self._state_file.is_file():
            self.state.update(json.loads(self._state_file.read_text()))

    def save(self):
        part = self._state_file.with_suffix(".new")
        part.write_text(json.dumps(self.state, indent=1, sort_keys=True))
        part.rename(self._state_file)

    def version(self):
        return makefile_version((self.source / "Makefile").read_text())

    def original(self, name):
        """Content of a file before the series, None when the pristine tree has no such file."""
        if name in self.state["absent"]:
            return None
        path = (self.originals if name in self.state["replaced"] else self.source) / name
        return path.read_bytes() if path.is_file() else None

    def sync(self, wanted):
        """Give the files in @wanted (name to bytes, or None) that content, all others the pristine one."""
        for name in sorted(set(wanted) | set(self.state["replaced"]) | set(self.state["absent"])):
            path = self.source / name
            target = wanted[name] if name in wanted else self.original(name)
            if target == (path.read_bytes() if path.is_file() else None):
                continue
            self._keep_original(name)
            if target is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(path.name + ".new")
                part.write_bytes(target)
                part.rename(path)

    def touch(self, other):
        """Make the files that are not the same here as in the tree @other newer than the objects, which were made there."""
        for name in {*self.state["replaced"], *self.state["absent"], *other.state["replaced"], *other.state["absent"]}:
            here, there = self.source / name, other.source / name
            if here.is_file() and not (there.is_file() and filecmp.cmp(here, there, shallow=False)):
                os.utime(here)

    def clone(self, name):
        """A second tree in the pristine state, @name beside this one: links to the same files, as sync() replaces
        files and never writes into one."""
        other = Tree(self.path, name)
        if other.state.get("identity") != self.state["identity"]:
            cache.remove(other.source)
            cache.remove(other.originals)
            process.run(["cp", "-al", str(self.source), str(other.source)], f"kernel-clone-{name}")
            other.state = {"replaced": [], "absent": [], "built": {}, "identity": self.state["identity"]}
            for path in self.state["absent"]:
                (other.source / path).unlink(missing_ok=True)
            for path in self.state["replaced"]:
                (other.source / path).unlink(missing_ok=True)
                shutil.copy2(self.originals / path, other.source / path)
            other.save()
        return other

    def _keep_original(self, name):
        if name in self.state["replaced"] or name in self.state["absent"]:
            return
        if (self.source / name).is_file():
            copy = self.originals / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.source / name, copy)
            self.state["replaced"].append(name)
        else:
            self.state["absent"].append(name)
        self.save()


def makefile_version(text):
    """(version, patchlevel, sublevel) out of a kernel Makefile, None when it is none."""
    found = [re.search(rf"^{name} = (\d+)$", text, re.MULTILINE) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    return tuple(int(match[1]) for match in found) if all(found) else None


def _check_version(version, where):
    if version is None:
        raise progress.StepError(f"{where} holds no kernel tree: no version in its Makefile")
    if version[:2] != SERIES_BASE:
        raise progress.StepError("%s is Linux %d.%d.%d, the series is for %d.%d.y" % (where, *version, *SERIES_BASE))


def _apt_environment(work, uri, suite):
    """Environment for an apt of its own: no root needed, nothing of the machine's state is touched."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "state/status").touch()
    (work / "sources.list").write_text(f"deb {uri} {suite} main\n")
    settings = {"Dir::Etc::main": "/dev/null", "Dir::Etc::parts": "/dev/null", "Dir::Etc::sourceparts": "/dev/null",
                "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
                "Dir::Etc::sourcelist": work / "sources.list", "Dir::State": work / "state",
                "Dir::State::status": work / "state/status", "Dir::Cache": work / "cache",
                "APT::Sandbox::User": "root", "Acquire::Languages": "none"}
    text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
    for option in toolroot.apt_options():
        name, _, value = option.partition("=")
        text += f'{name} "{value}";\n'
    (work / "apt.conf").write_text(text)
    return {**os.environ, "APT_CONFIG": str(work / "apt.conf")}


def open_archive(work, uri, suite, step, options=()):
    """Environment of an apt that knows the packages of a suite; its state is in the folder @work."""
    env = _apt_environment(work, uri, suite)
    step.detail = "reading the package list"
    process.run(["apt-get", "-q", *options, "update", "--error-on=any"], "kernel-source-list", env=env)
    return env


def download(work, uri, package, suite, step, options=()):
    """Fetch a source package out of a suite of the archive into the folder @work; apt checks its signature chain."""
    env = open_archive(work, uri, suite, step, options)

    def watch(line):
        found = re.match(r"dlstatus:\d+:([\d.]+):", line)
        if found:
            step.fraction = float(found[1]) / 100
    step.detail = f"downloading {package}"
    try:
        process.run(["apt-get", "-q", *options, "-o", "APT::Status-Fd=1", "download", package], "kernel-source-download",
                    cwd=work, env=env, watch=watch)
    except progress.StepError as err:
        if any("Unable to locate" in line for line in err.tail):
            raise Gone(f"the package mirror has no {package} (any more)", err.log, err.tail) from None
        raise
    step.fraction = None
    return next(work.glob("*.deb"))


def _unpack(stream, size, target, step):
    """Unpack a tar stream that is read through @stream.read(); its single top folder becomes @target."""
    target.mkdir()
    tar = process.start(["tar", "-x", "--strip-components=1", "--no-same-owner", "-C", str(target)], pipe_in=True)
    try:
        while True:
            block = stream.read(1 << 20)
            if not block:
                break
            tar.stdin.write(block)
            if size:
                step.fraction = size()
        tar.stdin.close()
        if tar.wait() != 0:
            process.sleep(0)
            raise progress.StepError("tar could not unpack the kernel source")
    except BrokenPipeError:
        process.sleep(0)
        raise progress.StepError("tar could not unpack the kernel source (disk full?)") from None
    finally:
        process.stop(tar)
    step.fraction = None


def _from_package(target):
    uri = toolroot.mirror()
    with progress.step("kernel source") as step, tempfile.TemporaryDirectory(dir=target, prefix="deb-") as work:
        work = Path(work)
        if uri is None:
            raise progress.StepError("apt on this machine names no Debian archive: set MIRROR= to one, or KERNEL_TREE=")
        with toolroot.mirror_errors():
            try:
                package = download(work, uri, PACKAGE, toolroot.SUITES[1], step)
            except Gone as err:
                what = "name a tree or tarball of Linux %d.%d.y with KERNEL_TREE=" % SERIES_BASE
                raise progress.StepError(f"{err.reason}: {what}", err.log, err.tail) from None
        step.detail = "unpacking"
        process.run(["dpkg-deb", "-x", str(package), str(work / "deb")], "kernel-source-unpack")
        archive = next((work / "deb/usr/src").glob("linux-source-*.tar.xz"))
        with open(archive, "rb") as raw, lzma.open(raw) as stream:
            total = archive.stat().st_size
            _unpack(stream, lambda: raw.tell() / total, target / "linux", step)
        version = package.name.split("_")[1].replace("%3a", ":")
        step.detail = f"{PACKAGE} {version}"
    _check_version(Tree(target).version(), PACKAGE)
    tree = Tree(target)
    tree.state["identity"] = f"{PACKAGE} {version}"
    tree.save()


def _tarball(path):
    openers = {".xz": lzma.open, ".gz": __import__("gzip").open, ".bz2": __import__("bz2").open, ".tar": open}
    opener = openers.get(path.suffix)
    if opener is None:
        raise progress.StepError(f"KERNEL_TREE={path}: not a folder, and no .tar, .tar.gz, .tar.bz2 or .tar.xz")

    def build(target):
        with progress.step("kernel source") as step, opener(path, "rb") as stream:
            step.detail = f"unpacking {path.name}"
            _unpack(stream, None, target / "linux", step)
            tree = Tree(target)
            _check_version(tree.version() if (tree.source / "Makefile").is_file() else None, path)
            tree.state["identity"] = f"{path.name} {cache.digest(_stat(path))}"
            tree.save()
    return build


def _stat(path):
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def _listing(folder):
    """Source files of a tree of the user's own: what git tracks, else all but build products."""
    if (folder / ".git").exists():
        names = series.git(folder, "ls-files", "-z").split("\0")
        return [name for name in names if name and not (folder / name).is_dir()]
    names = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        names += [os.path.relpath(os.path.join(here, name), folder) for name in files if not name.endswith(BUILT)]
    if "vmlinux" in names or ".config" in names:
        raise progress.StepError(f"KERNEL_TREE={folder} was built in: run 'make mrproper' there, or name a clean tree")
    return names


def _import(folder, tree):
    """Bring the tree of the cache to the state of the user's folder, copying only what has changed."""
    listing = {}
    for name in _listing(folder):
        status = os.lstat(folder / name)
        listing[name] = [status.st_size, status.st_mtime_ns]
    before = tree.state.get("imported", {})
    if listing == before:
        return
    with progress.step("kernel source") as step:
        step.detail = f"copying from {folder}"
        tree.sync({})
        tree.state.update(replaced=[], absent=[], built={})
        cache.remove(tree.originals)
        tree.state["imported"] = {}
        tree.save()
        for name in before.keys() - listing.keys():
            (tree.source / name).unlink(missing_ok=True)
        for name in (name for name, status in listing.items() if before.get(name) != status):
            target = tree.source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            if (folder / name).is_symlink():
                target.symlink_to(os.readlink(folder / name))
            else:
                shutil.copyfile(folder / name, target)
                shutil.copymode(folder / name, target)
        tree.state["imported"] = listing
        tree.state["identity"] = f"{folder} {cache.digest(listing)}"
        tree.save()


def _own(path):
    """Tree of the cache for KERNEL_TREE=@path."""
    if not path.exists():
        raise progress.StepError(f"KERNEL_TREE={path} does not exist")
    if path.is_file():
        return Tree(cache.obtain("tree", {"tarball": _stat(path)}, _tarball(path), keep=3))
    makefile = path / "Makefile"
    _check_version(makefile_version(makefile.read_text()) if makefile.is_file() else None, f"KERNEL_TREE={path}")
    entry = cache.obtain("tree", {"folder": str(path)}, lambda part: (part / "linux").mkdir(), keep=3)
    with cache.exclusive(f"tree/{entry.name}.work"):
        tree = Tree(entry)
        _import(path, tree)
    return Tree(entry)


def obtain():
    """The tree to build from; downloaded, unpacked or imported when the cache has it not."""
    own = os.environ.get("KERNEL_TREE")
    if own:
        return _own(Path(own).resolve())
    return Tree(cache.obtain("tree", {"package": PACKAGE}, _from_package, keep=3))


def layouts():
    """Folder of the cache with the headers that describe devices, as they are before the series.

    A copy: the tree goes from one state of the series to another while user space is built.
    """
    tree = obtain()

    def build(part):
        with cache.exclusive(f"tree/{tree.path.name}.work"):
            fresh = Tree(tree.path)
            for path in (path for pattern in LAYOUT_HEADERS for path in fresh.source.glob(pattern)):
                name = path.relative_to(fresh.source)
                content = fresh.original(str(name))
                if content is not None:
                    (part / name).parent.mkdir(parents=True, exist_ok=True)
                    (part / name).write_bytes(content)
    return cache.obtain("layouts", {"source": tree.state["identity"], "headers": LAYOUT_HEADERS}, build, keep=3)


def headers_at_hand():
    """Folder with the headers that layouts() copies, where this machine has one: nothing is fetched or unpacked for it.

    KERNEL_TREE when it is a tree, else what an earlier run has put into the cache, else Debian's kernel headers; None
    when there is none of them.
    """
    own = os.environ.get("KERNEL_TREE")
    kept = sorted((cache.location() / "layouts").glob("[0-9a-f]" * 16), key=lambda path: path.stat().st_mtime, reverse=True)
    debian = [path for path in sorted(DEBIAN_HEADERS.glob("linux-headers-*-common"))
              if _is_series_base(path / "Makefile")]
    for folder in ([Path(own).resolve()] if own else []) + kept + debian:
        if all(any(folder.glob(pattern)) for pattern in LAYOUT_HEADERS):
            return folder
    return None


def _is_series_base(makefile):
    version = makefile_version(makefile.read_text(errors="replace")) if makefile.is_file() else None
    return version is not None and version[:2] == SERIES_BASE

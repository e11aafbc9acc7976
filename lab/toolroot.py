# SPDX-License-Identifier: GPL-2.0-or-later
"""The tool root: a Debian root file system with compilers and QEMU, which is also the guest's. And others for single
tests, each with packages that are as large as the tool root."""

import contextlib
import os
import re
import subprocess

from lab import PROJECT, cache, process, progress, sandbox

HERE = PROJECT / "lab"
SUITE = "trixie"
SUITES = (SUITE, f"{SUITE}-backports")
# Folders that sandbox binds things to, and mount points of the guest.
FOLDERS = ("build", "ccache", "endpoints", "job", "kernel", "linux", "obj", "scratch", "src")
# What Debian machines call the archive in their apt configuration.
ARCHIVE_SUITES = re.compile(r"(bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)/?$")
# Documentation that the guest needs: the package of pyverbs has rdma-core's tests there.
TOOL_DOCUMENTS = ("/usr/share/doc/rdma-core", "/usr/share/doc/rdma-core/tests*")
# The driver of the browser finds it by the name localhost.
VIEWERS_HOOKS = ("echo 127.0.0.1 localhost >\"$1\"/etc/hosts",)
NO_ANSWER = re.compile(r"Could not resolve|Could not connect|Unable to connect|Temporary failure resolving|"
                       r"Connection timed out|Connection refused|Network is unreachable|Failed to fetch")


def packages(which=""):
    """Packages of the tool root, or of the root @which."""
    lines = (HERE / f"packages{which and '.'}{which}").read_text().splitlines()
    return sorted(line for line in lines if line and not line.startswith("#"))


def mirror():
    """URI of the Debian archive this machine installs from, or None: $MIRROR, else what apt is set up with."""
    if os.environ.get("MIRROR"):
        return os.environ["MIRROR"]
    listing = subprocess.run(
        ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    for line in listing.splitlines():
        uri, release, component = line.rsplit(" ", 2)
        if component == "main" and ARCHIVE_SUITES.match(release):
            return uri
    return None


def apt_options():
    """Settings of this machine's apt without which its mirror may not answer, as -o arguments."""
    dump = subprocess.run(
        ["apt-config", "dump", "--format", "%F=%v%n", "Acquire::http::Proxy", "Acquire::https::Proxy",
         "Acquire::Check-Valid-Until", "Acquire::Check-Date"], capture_output=True, text=True, check=False).stdout
    return [line for line in dump.splitlines() if not line.endswith("=")]


def sources(uri):
    """Lines of a sources.list for the archive at @uri."""
    return [f"deb {uri} {suite} main" for suite in SUITES]


def _command(target, names, hooks=(), documents=()):
    """The mmdebstrap call for a root with packages @names, changed by the shell commands @hooks.

    @documents: patterns of the documentation to keep.

    Without a known mirror mmdebstrap chooses, and backports sit beside its choice.
    """
    argv = sandbox.namespaces() + [
        "mmdebstrap", "--mode=root", "--variant=apt", "--verbose", "--format=directory",
        "--include=" + ",".join(names),
        # Durable only once it is complete: an interrupted root is thrown away anyway.
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/info/*",
        *(f"--dpkgopt=path-include={pattern}" for pattern in documents),
        f'--setup-hook=cp {HERE}/preferences "$1"/etc/apt/preferences.d/lab',
        "--customize-hook=cd \"$1\" && mkdir -p " + " ".join(FOLDERS),
        *(f"--customize-hook={hook}" for hook in hooks),
    ]
    for option in apt_options():
        name, _, value = option.partition("=")
        argv.append(f'--aptopt={name} "{value}";')
    uri = mirror()
    if uri:
        return argv + [SUITE, str(target)] + sources(uri)
    hook = (f"sed -n 's/ {SUITE} main/ {SUITE}-backports main/p' \"$1\"/etc/apt/sources.list"
            " >\"$1\"/etc/apt/sources.list.d/backports.list")
    return argv + [f"--setup-hook={hook}", SUITE, str(target)]


@contextlib.contextmanager
def mirror_errors():
    """Tell a mirror that does not answer from everything else that can go wrong when packages are fetched."""
    try:
        yield
    except progress.StepError as err:
        if any(NO_ANSWER.search(line) for line in err.tail):
            raise progress.Unreachable(f"the package mirror does not answer: {err.reason}", err.log, err.tail) from None
        raise


class _Watch:
    """Reads mmdebstrap's output and tells how far it has come: each package is unpacked and set up once."""

    def __init__(self, step):
        self.step = step
        self.total = 0
        self.seen = 0

    def __call__(self, line):
        found = re.search(r"(\d+) newly installed", line)
        if found:
            self.total += 2 * int(found[1])
        elif line.startswith(("Unpacking ", "Setting up ")):
            self.seen += 1
        elif line.startswith("I: "):
            self.step.detail = line[3:].strip().rstrip(".")
        if self.total:
            self.step.fraction = self.seen / self.total


def _toolchain(root):
    """First line of what the compiler and the linker say about themselves."""
    lines = []
    for tool in ("gcc", "ld"):
        done = subprocess.run(sandbox.argv(root, [tool, "--version"]), capture_output=True, text=True, check=True)
        lines.append(done.stdout.splitlines()[0])
    return "\n".join(lines)


def _build(target, what, names, hooks=(), documents=()):
    root = target / "root"
    with progress.step(what) as step, mirror_errors():
        process.run(_command(root, names, hooks, documents), what.replace(" ", "-"), watch=_Watch(step))
        step.detail = f"Debian {SUITE}, {len(names)} packages and what they need"


def _build_tools(target):
    _build(target, "tool root", packages(), documents=TOOL_DOCUMENTS)
    (target / "toolchain").write_text(_toolchain(target / "root"))


def _inputs(names):
    return {
        "suites": SUITES,
        "packages": names,
        "preferences": (HERE / "preferences").read_text(),
        "folders": FOLDERS,
        "recipe": 1,
    }


def obtain():
    """Path of the tool root; built when the cache has none for its package list."""
    inputs = {**_inputs(packages()), "documents": TOOL_DOCUMENTS}
    return cache.obtain("root", inputs, _build_tools, keep=2) / "root"


def _obtain_other(which, hooks=()):
    """Path of the root with the packages of the list @which."""
    names = packages(which)
    inputs = {**_inputs(names), "hooks": hooks} if hooks else _inputs(names)
    return cache.obtain(which, inputs, lambda target: _build(target, f"{which} root", names, hooks), keep=1) / "root"


def viewers():
    """Path of the root with Wireshark and a browser."""
    return _obtain_other("viewers", VIEWERS_HOOKS)


def ucx():
    """Path of the root with UCX, for a guest."""
    return _obtain_other("ucx")


def packagers():
    """Path of the root in which Debian packages are built."""
    return _obtain_other("deb")


def toolchain(root):
    """What binaries that were made with the root depend on."""
    return (root.parent / "toolchain").read_text()

# SPDX-License-Identifier: GPL-2.0-or-later
"""make deb: the project's own Debian packages, built in a root for that; and a Debian root in which they are installed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from lab import PROJECT, cache, process, progress, sandbox, toolroot

PLACE = PROJECT / "build/deb"
# What the packages are made of.
SOURCES = ("LICENSES", "bench", "cli", "debian", "endpoints", "include", "lib", "man", "registers", "trace", "CHANGELOG.md",
           "meson.build", "meson_options.txt")
# Packages that a machine with a device gets.
INSTALLED = ("libtphbuf0", "tphbuf")
OVER = "/src/lab/over"


@dataclass
class Installed:
    """A root, and the folder with what the installation has changed, to be mounted over it."""

    root: Path
    layer: Path


def _files():
    paths = [PROJECT / name for name in SOURCES]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
    return [file.relative_to(PROJECT) for file in files if "__pycache__" not in file.parts]


def _build(part):
    source = part / "source"
    for path in _files():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / path, source / path)
    build = ["sh", "-euc", "cd /build/source && exec dpkg-buildpackage -us -uc"]
    with progress.step("Debian packages") as step:
        process.run(sandbox.argv(toolroot.packagers(), build, [(part, "/build", "rw")],
                                 {"DEB_BUILD_OPTIONS": f"parallel={process.processors()}"}), "deb-build")
        step.detail = ""
    cache.remove(source)


def obtain():
    """Folder with the packages, and with the file of changes that names them."""
    root = toolroot.packagers()
    inputs = {"sources": cache.files_digest(PROJECT, _files()), "root": root.parent.name, "recipe": 1}
    return cache.obtain("packages", inputs, _build, keep=2)


def over(root, packages, place, command):
    """Command line that runs @command in a copy of @root that it may change; what it changes is in @place / "upper".

    The folder @packages is /build there.
    """
    binds = [(PROJECT, "/src", "ro"), (packages, "/build", "ro"), (place, "/scratch", "rw")]
    return sandbox.argv(root, ["sh", OVER, "/scratch", *command], binds)


def installed():
    """A Debian root with what belongs on the machine with the device."""
    root, packages = toolroot.packagers(), obtain()

    def install(part):
        files = [f"/build/{path.name}" for name in INSTALLED for path in packages.glob(f"{name}_*.deb")]
        process.run(over(root, packages, part, ["dpkg", "-i", *files]), "deb-install")
        cache.remove(part / "work")

    inputs = {"packages": packages.name, "root": root.parent.name, "names": INSTALLED, "recipe": 1}
    return Installed(root, cache.obtain("installed", inputs, install, keep=2) / "upper")


def main():
    """Build the packages into build/deb; prints where they are."""
    packages = obtain()
    cache.remove(PLACE)
    PLACE.mkdir(parents=True)
    for package in sorted(packages.glob("*.deb")):
        shutil.copy(package, PLACE)
        print(PLACE / package.name)
    return 0

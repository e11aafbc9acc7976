# SPDX-License-Identifier: GPL-2.0-or-later
"""make install into a folder: what is there, and that programs build with it by pkg-config and run."""

import re
import subprocess

import tap
from lab import PROJECT, cache, sandbox, toolroot

tap.TEST_SECONDS = 240
PLACE = PROJECT / "build/install-test"
DESTINATION = PLACE / "root"
PREFIX = DESTINATION / "usr"


def _run(*command, **env):
    """Run a command in the tool root; returns its output."""
    argv = sandbox.argv(toolroot.obtain(), command, [(PROJECT, "/src", "ro"), (PLACE, "/build", "rw")], env)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        tap.diag(done.stdout + done.stderr)
    tap.equal(done.returncode, 0, "exit status of " + " ".join(command))
    return done.stdout


def _installed():
    return {str(path.relative_to(PREFIX)) for path in PREFIX.rglob("*") if not path.is_dir()}


def _version():
    return re.search(r"^  version: '(\S+)'", (PROJECT / "meson.build").read_text(), re.MULTILINE)[1]


def _library():
    """Folder of the library below the prefix, which differs from one distribution to the other."""
    return next(PREFIX.rglob("libtphbuf.so")).parent.relative_to(PREFIX)


def test_files():
    """exactly the headers, the library, the command with its completion, and the manual"""
    cache.remove(PLACE)
    PLACE.mkdir(parents=True)
    _run("make", "-C", "/src", "install", "INSTALL_BUILD=/build/meson", "DESTDIR=/build/root", "PREFIX=/usr")
    library = _library()
    want = {"bin/tphbuf", "share/bash-completion/completions/tphbuf", f"{library}/pkgconfig/libtphbuf.pc"}
    want |= {f"{library}/libtphbuf.so{end}" for end in ("", ".0", f".{_version()}")}
    want |= {f"include/tphbuf/{path.name}" for path in (PROJECT / "include/tphbuf").iterdir()}
    want |= {f"share/man/man{path.suffix[1:]}/{path.name}" for path in (PROJECT / "man").glob("*.[1-9]")}
    tap.equal(sorted(_installed() ^ want), [], "files that are missing or too many")
    tap.equal({str(path.relative_to(DESTINATION).parts[0]) for path in DESTINATION.rglob("*")}, {"usr"}, "folders")


def test_names():
    """the name that programs record, and links that lead to the library"""
    library = PREFIX / _library()
    dynamic = _run("readelf", "-d", f"/build/root/usr/{_library()}/libtphbuf.so")
    tap.true("soname: [libtphbuf.so.0]" in dynamic, f"soname in {dynamic}")
    tap.true("RUNPATH" not in dynamic and "RPATH" not in dynamic, f"a path of the build in {dynamic}")
    for name in ("libtphbuf.so", "libtphbuf.so.0"):
        tap.equal((library / name).resolve().name, f"libtphbuf.so.{_version()}", name)
    text = (library / "pkgconfig/libtphbuf.pc").read_text()
    tap.true("/build" not in text and "/src" not in text, f"a path of the build in {text}")


def _program(compiler, *language):
    """Build the user's program as pkg-config says, and run it."""
    place = f"/build/root/usr/{_library()}"
    env = {"PKG_CONFIG_LIBDIR": f"{place}/pkgconfig", "PKG_CONFIG_SYSROOT_DIR": "/build/root"}
    tap.equal(_run("pkg-config", "--modversion", "libtphbuf", **env).strip(), _version(), "version of the package")
    flags = _run("pkg-config", "--cflags", "--libs", "libtphbuf", **env).split()
    _run(compiler, "-Wall", "-Wextra", "-Werror", *language, "/src/tests/toolroot/install_user.c", "-x", "none", "-o",
         "/build/user", *flags)
    tap.equal(_run("/build/user", LD_LIBRARY_PATH=place).strip(), _version(), "version that the program sees")


def test_c():
    """a C program"""
    _program("cc", "-std=c11", "-D_DEFAULT_SOURCE")


def test_cplusplus():
    """a C++ program"""
    _program("c++", "-std=c++11", "-x", "c++")


def test_command():
    """the command runs with the library beside it"""
    said = _run("/build/root/usr/bin/tphbuf", "--version", LD_LIBRARY_PATH=f"/build/root/usr/{_library()}")
    tap.equal(said.strip(), f"tphbuf {_version()}", "version of the command")


if __name__ == "__main__":
    tap.run(globals())

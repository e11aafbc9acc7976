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


def _inside(command, binds, env=None):
    """Run a command in the tool root, where the project is /src."""
    argv = sandbox.argv(toolroot.obtain(), command, [(PROJECT, "/src", "ro"), *binds], env)
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def _run(*command, **env):
    """Run a command that has to succeed; returns its output."""
    done = _inside(command, [(PLACE, "/build", "rw")], env)
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
    want = {"bin/tphbuf", "share/bash-completion/completions/tphbuf", "share/zsh/vendor-completions/_tphbuf"}
    want |= {f"{library}/pkgconfig/libtphbuf.pc"}
    want |= {f"{library}/libtphbuf{end}" for end in (".a", ".so", ".so.0", f".so.{_version()}")}
    want |= {f"include/tphbuf/{path.name}" for path in (PROJECT / "include/tphbuf").iterdir()}
    want |= {f"share/man/man{path.suffix[1:]}/{path.name}" for path in (PROJECT / "man").glob("*.[1-9]")
             if path.stem != "tphbuf-endpoints"}
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
    source = "/src/tests/toolroot/install_user.c"
    warnings = ["-Wall", "-Wextra", "-Werror", *language]
    _run(compiler, *warnings, source, "-o", "/build/user", *flags)
    # The package is not installed where it will be; all others are, below.
    tap.equal(_run("/build/user", LD_LIBRARY_PATH=place).strip(), _version(), "version that the program sees")
    _run(compiler, *warnings, source, "-x", "none", "-o", "/build/user", "-I/build/root/usr/include",
         f"{place}/libtphbuf.a")
    tap.equal(_run("/build/user").strip(), _version(), "version that the program has in it")


def test_languages():
    """a C program and a C++ program, by two compilers, with the shared library and the static one"""
    for compiler in ("gcc", "clang"):
        _program(compiler, "-std=c11", "-D_DEFAULT_SOURCE")
    for compiler in ("g++", "clang++"):
        _program(compiler, "-std=c++17", "-x", "c++")


def _install_and_use(prefix, binds):
    """make install with @prefix as root; command and program run without a word on where the library is."""
    done = _inside(["make", "-s", "-C", "/src", "install", f"PREFIX={prefix}"], binds)
    tap.equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "make install")
    done = _inside([f"{prefix}/bin/tphbuf", "--version"], binds)
    tap.equal((done.returncode, done.stdout), (0, f"tphbuf {_version()}\n"), f"the command, {done.stderr}")
    place = _inside(["find", prefix, "-name", "libtphbuf.pc", "-printf", "%h"], binds).stdout
    script = (f"cc -std=c11 -D_DEFAULT_SOURCE -o {prefix}/user /src/tests/toolroot/install_user.c "
              f"$(PKG_CONFIG_PATH={place} pkg-config --cflags --libs libtphbuf) && {prefix}/user")
    done = _inside(["sh", "-euc", script], binds)
    tap.equal((done.returncode, done.stdout), (0, f"{_version()}\n"), f"a program, {done.stderr}")
    done = _inside(["make", "-s", "-C", "/src", "uninstall", f"PREFIX={prefix}"], binds)
    tap.equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "make uninstall")
    left = _inside(["find", prefix, "-not", "-type", "d", "-not", "-name", "user"], binds).stdout
    tap.equal(left, "", "what is left")


def test_prefixes():
    """installed as make install does it, in /usr/local and in a home directory: it runs, and goes again"""
    for prefix in ("/usr/local", "/scratch/home"):
        place = PLACE / prefix.strip("/").replace("/", "-")
        (place / "home").mkdir(parents=True)
        _install_and_use(prefix, [(place, "/usr/local" if prefix == "/usr/local" else "/scratch", "rw")])
    tap.equal(list((PROJECT / "build").glob("install")), [], "what root leaves in the checkout")


def test_odd_places():
    """a prefix with a space, a DESTDIR that is relative, a checkout with a comma in its path"""
    _run("make", "-C", "/src", "install", "INSTALL_BUILD=/build/space", "PREFIX=/build/with space")
    tap.equal(_run("/build/with space/bin/tphbuf", "--version").strip(), f"tphbuf {_version()}", "with a space")
    folders = "lib cli include man registers packaging Makefile meson.build meson_options.txt"
    _run("sh", "-euc", f"mkdir -p '/build/a,b' && cd /src && cp -r {folders} '/build/a,b' && cd '/build/a,b' && "
         "make install DESTDIR=staged PREFIX=/usr && test -f staged/usr/bin/tphbuf")


def test_refusals():
    """what cannot be done: one line"""
    for words, wanted in ((["PREFIX=relative"], "is not an absolute path"),
                          (["PREFIX=/usr"], "cannot write to /usr: no permission")):
        done = _inside(["setpriv", "--reuid=65534", "--clear-groups", "make", "-s", "-C", "/src", "install", *words], [])
        lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
        tap.equal((done.returncode, len(lines)), (2, 1), f"exit code and lines: {done.stderr}")
        tap.true(wanted in lines[0] and lines[0].startswith("error: "), f"{lines}")


if __name__ == "__main__":
    tap.run(globals())

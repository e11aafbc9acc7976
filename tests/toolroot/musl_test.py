# SPDX-License-Identifier: GPL-2.0-or-later
"""The library, the command and the examples with another C library, musl: shared and static, and the tests of the library."""

import re
import subprocess

import tap
from lab import PROJECT, cache, sandbox, toolroot, userspace

tap.TEST_SECONDS = 600
PLACE = PROJECT / "build/musl-test"
# musl has no headers of the kernel: Debian's, in a folder without those of its own C library.
HEADERS = """
    mkdir -p /build/headers
    ln -s /usr/include/linux /usr/include/asm-generic /usr/include/x86_64-linux-gnu/asm /build/headers
"""
ENVIRONMENT = {"CC": "musl-gcc", "CXX": "false", "CFLAGS": "-O2 -g -idirafter /build/headers"}
# Those that need nothing but the library, and no word of the C library's own: its messages differ.
LIBRARY = ("bdf", "bind", "config", "device", "export", "fail_nth", "handover", "mmap", "path", "probe", "reason", "state",
           "tag")
EXAMPLES = ("adopt_export", "hand_over", "two_tags")


def _run(script, **env):
    """Run a script in the tool root, where the project is /src; it has to succeed. Returns its output."""
    binds = [(PROJECT, "/src", "ro"), (PLACE, "/build", "rw"), (cache.folder("ccache"), "/ccache", "rw")]
    argv = sandbox.argv(toolroot.obtain(), ["sh", "-euc", script], binds, ENVIRONMENT | userspace.CCACHE | env)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        tap.diag("\n".join((done.stdout + done.stderr).splitlines()[-60:]))
    tap.equal(done.returncode, 0, "exit status")
    return done.stdout


def _version():
    return re.search(r"^  version: '(\S+)'", (PROJECT / "meson.build").read_text(), re.MULTILINE)[1]


def _is_musl(path, libraries):
    """Whether a program or library needs exactly these @libraries, and is started by musl's loader if by any."""
    text = _run(f"readelf -dlW {path}")
    tap.equal(set(re.findall(r"Shared library: \[(.*)\]", text)), libraries, f"what {path} needs")
    tap.equal(set(re.findall(r"interpreter: (.*)\]", text)) <= {"/lib/ld-musl-x86_64.so.1"}, True, f"loader: {text}")


def test_install():
    """make install: the command runs, and neither it nor the library needs the C library of Debian"""
    cache.remove(PLACE)
    PLACE.mkdir(parents=True)
    _run(f"{HEADERS} make -s -C /src install INSTALL_BUILD=/build/meson PREFIX=/build/prefix")
    tap.equal(_run("/build/prefix/bin/tphbuf --version"), f"tphbuf {_version()}\n", "the command")
    _is_musl("/build/prefix/bin/tphbuf", {"libc.so", "libtphbuf.so.0"})
    _is_musl("/build/prefix/lib/*/libtphbuf.so", {"libc.so"})


def test_programs():
    """a program against the installed library, shared and static, as pkg-config says"""
    build = "$CC -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -o /build/user /src/tests/toolroot/install_user.c"
    config = "export PKG_CONFIG_PATH=$(dirname /build/prefix/lib/*/pkgconfig/libtphbuf.pc);"
    for flags, needed in (("", {"libc.so", "libtphbuf.so.0"}), ("-static", set())):
        tap.equal(_run(f"{config} {build} {flags} $(pkg-config --cflags --libs libtphbuf) && /build/user"), f"{_version()}\n",
                  f"a program {flags}")
        _is_musl("/build/user", needed)


def test_examples():
    """the examples that need no other library"""
    for name in EXAMPLES:
        _run("export PKG_CONFIG_PATH=$(dirname /build/prefix/lib/*/pkgconfig/libtphbuf.pc);"
             f"mkdir /build/{name} && make -s -C /build/{name} -f /src/examples/{name}/Makefile VPATH=/src/examples/{name} "
             'CC="$CC" CFLAGS="$CFLAGS -Wall -Wextra -Werror"')
        _is_musl(f"/build/{name}/{name}", {"libc.so", "libtphbuf.so.0"})


def test_library():
    """the tests of the library"""
    names = [f"lib_{name}" for name in LIBRARY]
    output = _run(f"meson setup /build/tests /src >&2; meson test -C /build/tests {' '.join(names)}", CC="ccache musl-gcc")
    passed = re.findall(r"\d+/\d+ \S+ / (lib_\w+) +OK +\S+ +(\d+) subtests passed", output)
    tap.equal(sorted(name for name, _ in passed), sorted(names), "suites that passed")
    tap.true(all(int(count) > 5 for _, count in passed), f"results of each: {passed}")


if __name__ == "__main__":
    tap.run(globals())

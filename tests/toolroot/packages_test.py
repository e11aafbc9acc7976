# SPDX-License-Identifier: GPL-2.0-or-later
"""make deb: the packages, what lintian says of them, their own tests in a fresh Debian root, and what is left after them."""

import re
import shutil
import subprocess

import tap
from lab import PROJECT, cache, deb, sandbox, toolroot

tap.TEST_SECONDS = 600
PLACE = PROJECT / "build/packages-test"
PACKAGES = {"libtphbuf0", "libtphbuf-dev", "tphbuf", "tphbuf-endpoints", "tphbuf-endpoints-dev"}
# What lintian says and we leave, with the reason.
LEFT = {
    "superfluous-file-pattern": "debian/copyright is about the whole project, of which the packages are made from a part",
}
# apt is not to ask a mirror: all that the tests need is there.
TESTS = """
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
    autopkgtest --summary-file=/build-result --no-built-binaries "$@" /build/*.dsc -- null || true
    cat /build-result
"""
# What Debian's own tools keep: caches, and the log of what was installed.
KEPT = ("/var/cache/ldconfig/", "/var/cache/man/", "/var/log/", "/var/lib/dpkg/status-old")
PURGE = """
    list() { find / -xdev -path /tmp -prune -o -path /run -prune -o -print | sort; }
    list >/tmp/before
    dpkg -i "$@" >&2
    list >/tmp/between
    dpkg --purge $(dpkg-query -W -f '${Package}\\n' '*tphbuf*') >&2
    list >/tmp/after
    comm -13 /tmp/before /tmp/between | grep -c tphbuf
    comm -3 /tmp/before /tmp/after
    rm /tmp/before /tmp/between /tmp/after
"""


def _debs():
    return [f"/build/{path.name}" for path in sorted(deb.obtain().glob("*.deb")) if "dbgsym" not in path.name]


def _over(script, *args):
    """Run a script in a copy of the Debian root; returns the process."""
    cache.remove(PLACE)
    PLACE.mkdir(parents=True)
    command = deb.over(toolroot.packagers(), deb.obtain(), PLACE, ["sh", "-euc", script, "sh", *args])
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _inside(*command):
    argv = sandbox.argv(toolroot.packagers(), command, [(deb.obtain(), "/build", "ro")])
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_build():
    """the packages, of the version of the project"""
    version = re.search(r"^  version: '(\S+)'", (PROJECT / "meson.build").read_text(), re.MULTILINE)[1]
    names = {path.name for path in deb.obtain().glob("*.deb") if "dbgsym" not in path.name}
    tap.equal({name.split("_")[0] for name in names}, PACKAGES, "packages")
    for name in names:
        tap.true(name.split("_")[1] == version, f"{name}: version {version}")


def test_lintian():
    """no tag, down to the informational ones, but those that are left for a reason"""
    done = _inside("sh", "-euc", "exec lintian --allow-root --display-info --pedantic --fail-on none /build/*.changes")
    tap.equal(done.returncode, 0, f"lintian: {done.stderr}")
    tags = [line for line in done.stdout.splitlines() if re.match(r"[EWIP]: ", line)]
    tap.equal([line for line in tags if line.split(": ")[2].split()[0] not in LEFT], [], "tags")
    tap.equal({line.split(": ")[2].split()[0] for line in tags}, set(LEFT), "tags that are left")


def test_own_tests():
    """the tests of the packages (debian/tests), run by autopkgtest where the packages have just been installed"""
    wanted = re.findall(r"^Tests: (\S+)", (PROJECT / "debian/tests/control").read_text(), re.MULTILINE)
    done = _over(TESTS, *_debs())
    results = dict(re.findall(r"^(\S+) +(PASS|FAIL|SKIP|FLAKY)\b", done.stdout.rsplit("\n@", 1)[-1], re.MULTILINE))
    if results != dict.fromkeys(wanted, "PASS"):
        tap.diag("\n".join((done.stdout + done.stderr).splitlines()[-120:]))
    tap.equal(results, dict.fromkeys(wanted, "PASS"), "results")


def test_purge():
    """a purge leaves nothing: neither a file nor a word"""
    done = _over(PURGE, *_debs())
    tap.equal(done.returncode, 0, f"exit status, {done.stderr}")
    installed, *left = done.stdout.splitlines()
    tap.true(int(installed) > 80, f"{installed} files were there")
    tap.equal([line for line in left if not line.strip().startswith(KEPT)], [], "files that differ afterwards")
    upper = PLACE / "upper"
    changed = {f"/{path.relative_to(upper)}": path.read_bytes() for path in upper.rglob("*") if path.is_file()}
    tap.equal([name for name, data in changed.items() if b"tphbuf" in data and not name.startswith(KEPT)], [],
              "files that name it")


if __name__ == "__main__":
    try:
        tap.run(globals())
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)

# SPDX-License-Identifier: GPL-2.0-or-later
"""lab/bootstrap on machines that lack something: what it says, and what it starts all the same."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import tap
from lab import PROJECT

BOOTSTRAP = PROJECT / "lab/bootstrap"
REAL = ("sh", "dirname", "grep", "tr", "mkdir", "tail")
USER = "case $1 in -un) echo nobody-special ;; *) echo 4711 ;; esac"
STATUS = 9
# What is played: programs that the machine has, and what each of them does.
MACHINE = {"python3": f'for word; do printf "<%s>" "$word"; done; echo; exit {STATUS}', "mmdebstrap": ":",
           "git": ":", "mount": ":", "newuidmap": ":", "unshare": ":", "apt-get": "exit 100", "id": "echo 0"}


def _run(args, **changes):
    """lab/bootstrap with @args on a machine with @changes, None for a program that is missing."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for folder in ("bin", "lab"):
            (place / folder).mkdir()
        shutil.copy(BOOTSTRAP, place / "lab")
        for program in REAL:
            (place / "bin" / program).symlink_to(shutil.which(program))
        for program, body in {**MACHINE, **{key.replace("_", "-"): body for key, body in changes.items()}}.items():
            if body is not None:
                path = place / "bin" / program
                path.write_text(f"#!{shutil.which('sh')}\n{body}\n")
                path.chmod(0o755)
        return subprocess.run([place / "lab/bootstrap", *args], env={**os.environ, "PATH": str(place / "bin")},
                              capture_output=True, text=True, timeout=30, check=False)


def _expect_host_suites(done, words, rest):
    """It said @words, and ended as the check of the host suites that was started with the arguments @rest."""
    tap.equal(done.returncode, STATUS, f"{done.stdout}{done.stderr}\nexit status")
    tap.true(words in done.stderr, f"no '{words}' in {done.stderr}")
    tap.equal(done.stdout.splitlines()[-1:],
              [f"<-B><-m><lab><check><--unreachable><needs the lab, which could not be set up>{rest}"], "what is started")


def test_all_there():
    """nothing is missing: the verb is run as it was given"""
    done = _run(["check", "style", "lab_tap"])
    tap.equal((done.stdout, done.stderr, done.returncode), ("<-B><-m><lab><check><style><lab_tap>\n", "", STATUS))


def test_host():
    """the host suites alone need Python and nothing else"""
    done = _run(["check", "--host"], mmdebstrap=None, unshare="exit 1")
    tap.equal((done.stdout, done.stderr, done.returncode), ("<-B><-m><lab><check><--host>\n", "", STATUS))


def test_no_namespaces():
    """no namespaces: check runs what it can, of what was named"""
    for args, rest in ((["check"], ""), (["check", "style"], "<style>"), (["check", "--full"], "<--full>")):
        _expect_host_suites(_run(args, unshare="exit 1"), "root may not mount here", rest)


def test_no_subordinate_ids():
    """a user without subordinate ids: likewise, and the command that gives some"""
    _expect_host_suites(_run(["check"], id=USER), "usermod --add-subuids 200000-265535 --add-subgids 200000-265535 "
                        "nobody-special", "")


def test_no_mirror():
    """packages are missing and cannot be installed: likewise"""
    _expect_host_suites(_run(["check"], mmdebstrap=None), "apt-get could not install: mmdebstrap", "")


def test_packages_for_root():
    """packages are missing and the user is not root: likewise, and the command that installs them"""
    _expect_host_suites(_run(["check"], mmdebstrap=None, newuidmap=None, id=USER),
                        "apt-get install --no-install-recommends mmdebstrap uidmap", "")


def test_login():
    """a login's PATH has no directory of the administrator's commands, and the lab starts some of them"""
    done = _run(["demo"], python3='printf "%s\\n" "$PATH"')
    tap.equal([name in done.stdout.strip().split(":") for name in ("/usr/sbin", "/sbin")], [True, True], done.stdout)


def test_other_verbs():
    """the demo cannot do without: one line, and nothing is run"""
    done = _run(["demo"], unshare="exit 1")
    tap.equal((done.stdout, len(done.stderr.splitlines()), done.returncode), ("", 1, 1))


if __name__ == "__main__":
    tap.run(globals())

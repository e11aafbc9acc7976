# SPDX-License-Identifier: GPL-2.0-or-later
"""What the Makefile does itself, without the lab."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import tap
from lab import PROJECT

MAKEFILE = PROJECT / "Makefile"


def _make(place, *args):
    # Options of a make that runs this test are not for this one.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-C", place, "--no-print-directory", "-f", MAKEFILE, *args], capture_output=True,
                          text=True, timeout=30, check=False, env=env)
    tap.equal((done.returncode, done.stderr), (0, ""), f"make {' '.join(args)}")
    return done.stdout


def test_help():
    """every target is explained, and help is what make does by itself"""
    targets = re.search(r"^\.PHONY: (.*)$", MAKEFILE.read_text(), re.MULTILINE)[1].split()
    shown = _make("/")
    tap.equal(shown, _make("/", "help"), "make without a target")
    tap.equal(re.findall(r"^make (\S+)", shown, re.MULTILINE), [name for name in targets if name != "help"], "targets")


def test_clean():
    """clean deletes what can be made again, and no tree with somebody's commits"""
    with tempfile.TemporaryDirectory() as name:
        build = Path(name) / "build"
        for folder in ("linux", "user/plain", ".hidden"):
            (build / folder).mkdir(parents=True)
            (build / folder / "file").touch()
        tap.true("build/linux stays" in _make(name, "clean"), "says what it keeps")
        tap.equal([path.name for path in build.iterdir()], ["linux"], "what is left")
        tap.true((build / "linux/file").is_file(), "all of it")
        shutil.rmtree(build / "linux")
        tap.equal(_make(name, "clean"), "", "without a tree there is nothing to say")
        shutil.rmtree(build)
        tap.equal(_make(name, "clean"), "", "nor without anything")


if __name__ == "__main__":
    tap.run(globals())

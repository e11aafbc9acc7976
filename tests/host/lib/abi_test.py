#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: the library has the binary interface that lib/libtphbuf.abi records, or more.

usage: abi_test.py SOURCE LIBRARY [--record]; --record writes the file anew, for a change that is meant.
"""
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE, LIBRARY = sys.argv[1:3]
RECORD = pathlib.Path(SOURCE, "lib/libtphbuf.abi")


def record():
    """The interface as abidw describes it, without what differs from one build to the other."""
    text = subprocess.run(["abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path",
                           "--type-id-style", "hash", LIBRARY], check=True, capture_output=True, text=True).stdout
    RECORD.write_text(re.sub(r"  <elf-needed>.*?</elf-needed>\n", "", text, flags=re.S))


def compare():
    """Whether there is neither an error nor a change other than an addition."""
    done = subprocess.run(["abidiff", "--no-added-syms", RECORD, LIBRARY], check=False, capture_output=True, text=True)
    if done.returncode:
        print("".join(f"# {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="")
    return not done.returncode


if sys.argv[3:] == ["--record"]:
    record()
elif not shutil.which("abidiff"):
    print("1..1\nok 1 # SKIP abidiff is not installed (Debian package abigail-tools)")
elif subprocess.run(["uname", "-m"], check=True, capture_output=True, text=True).stdout.strip() != "x86_64":
    print("1..1\nok 1 # SKIP the record is of x86-64")
else:
    GOOD = compare()
    print(f"1..1\n{'ok' if GOOD else 'not ok'} 1 - the interface is as recorded")
    sys.exit(not GOOD)

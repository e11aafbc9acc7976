# SPDX-License-Identifier: GPL-2.0-or-later
"""tshark of the viewers root, with the dissector of this project."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import tap
from lab import PROJECT, sandbox, toolroot

DISSECTOR = PROJECT / "trace/wireshark/tphbuf.lua"
# Wireshark runs no script of a command line for root, and this user can read only what is public. -2: a request
# names a completion that comes after it.
ARGV = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--",
        "tshark", "-2", "-X", "lua_script:/job/tphbuf.lua", "-r", "/job/t.pcapng"]


def run(trace, *options):
    """What tshark prints about @trace, the bytes of a pcapng file or its path."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        if isinstance(trace, bytes):
            (folder / "t.pcapng").write_bytes(trace)
        else:
            shutil.copyfile(trace, folder / "t.pcapng")
        shutil.copyfile(DISSECTOR, folder / "tphbuf.lua")
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)
        argv = sandbox.argv(toolroot.viewers(), [*ARGV, *options], [(work, "/job", "ro")])
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    tap.equal((done.returncode, done.stderr), (0, ""), "tshark's exit status and errors")
    return done.stdout


def fields(trace, *names):
    """Values of the fields @names, a list per packet."""
    options = ["-T", "fields", "-E", "separator=|"]
    for name in names:
        options += ["-e", name]
    return [line.split("|") for line in run(trace, *options).splitlines()]

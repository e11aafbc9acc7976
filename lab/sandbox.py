# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands inside the tool root: a chroot in namespaces of its own, as root or as an ordinary user.

The command and all of its children are in a PID namespace that dies with this process, so that neither Ctrl-C
nor a crash leaves one behind. The root is mounted read-only: what a command may change is bound in.
"""

import os
import subprocess
from pathlib import Path

ENTER = Path(__file__).parent / "enter"


def namespaces():
    """Prefix of a command that is to run as root of fresh namespaces."""
    argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        argv += ["--map-root-user", "--map-auto"]
    return argv + ["--"]


def call(command):
    """Run a host command as root of the user's namespace."""
    subprocess.run(namespaces() + command, check=True, stdin=subprocess.DEVNULL)


def argv(root, command, bind=(), env=None):
    """Command line that runs @command inside @root.

    @bind: (host path, path inside, "ro" or "rw"); the paths inside are /src, /build, /job, /tree and the like,
    folders which the root has for that. @env: additions to a minimal environment.
    """
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"}
    variables.update(env or {})
    mounts = [f"{mode}:{inside}:{Path(outside).absolute()}" for outside, inside, mode in bind]
    settings = [f"{name}={value}" for name, value in variables.items()]
    return (namespaces() + ["sh", str(ENTER), str(root), str(len(mounts))] + mounts
            + ["env", "-i"] + settings + [str(word) for word in command])

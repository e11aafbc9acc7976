# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's selftests of VFIO on the accelerator, started as the kernel starts installed selftests.

run_kselftest.sh prints the results of a program as comments of its own; here they are the results.
"""

import os
import re
import subprocess
import sys

import tap

FOLDER = "/job/selftests"
PROGRAMS = ("vfio_pci_dma_buf_test", "vfio_pci_device_test")
# The accelerator has whatever these tests ask for: where one is skipped, something was refused that must not be.
WITHOUT_SKIPS = "vfio_pci_dma_buf_test."
TIMEOUT = "300"
NESTED = re.compile(r"# (ok|not ok) \d+ (\S+)(?: # SKIP ?(.*)| # .*)?$")
OUTER = re.compile(r"(?:ok|not ok) \d+ selftests: ")


def scripts(name, *args):
    """Run one of the scripts that come with the selftests of VFIO."""
    subprocess.run(["bash", f"{FOLDER}/vfio/{name}", *args], check=True, stdout=sys.stderr)


def run(device):
    """Output of the selftests, and whether their runner found them all right."""
    command = ["sh", f"{FOLDER}/run_kselftest.sh", "-o", TIMEOUT]
    for program in PROGRAMS:
        command += ["-t", f"vfio:{program}"]
    done = subprocess.run(command, env={**os.environ, "VFIO_SELFTESTS_BDF": device}, capture_output=True, text=True,
                          check=False)
    sys.stderr.write(done.stderr)
    return done.stdout, done.returncode


def main():
    device = os.environ["TPHBUF_DEV_ACC0"]
    scripts("setup.sh", device)
    try:
        output, status = run(device)
    finally:
        scripts("cleanup.sh", device)
    ended = 0
    for line in output.splitlines():
        nested = NESTED.match(line)
        ended += bool(OUTER.match(line))
        if nested and nested[3] is not None and nested[2].startswith(WITHOUT_SKIPS):
            tap.diag(f"skipped: {nested[3]}")
            tap.result(False, nested[2])
        elif nested:
            tap.result(nested[1] == "ok", nested[2], skip=nested[3])
        else:
            tap.diag(line.removeprefix("# "))
    if ended != len(PROGRAMS):
        tap.result(False, f"{ended} of {len(PROGRAMS)} programs ran to their end")
    return tap.done() or status


if __name__ == "__main__":
    sys.exit(main())

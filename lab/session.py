# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs inside the tool root: the endpoints, then QEMU beside them, as /job/session.json says.

Leaves in /job: endpoints.log, qemu.log, and session.status, which is {"qemu": status, "endpoints": status,
"reason": text or null}.
"""

import json
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

JOB = Path("/job")
# The guest makes it when it begins with its script.
STARTED = JOB / "script.log"
READY_TIMEOUT = 20
EXIT_TIMEOUT = 20
# A guest whose device has gone mostly hangs: it gets this long to end by itself.
ORPHAN_TIMEOUT = 5


def wait_ready(endpoints):
    """Wait for the line that says that all sockets listen; returns a reason when it does not come."""
    readable, _, _ = select.select([endpoints.stdout], [], [], READY_TIMEOUT)
    if not readable:
        return f"tphbuf-endpoints was not ready after {READY_TIMEOUT} s"
    if endpoints.stdout.readline().strip() != "ready":
        return "tphbuf-endpoints did not start"
    return None


def watch(endpoints, qemu, timeout, boot_timeout):
    """Wait for QEMU to end; returns a reason when it has to be ended. The timeouts are seconds, or None."""
    start = time.monotonic()
    gone = None
    while qemu.poll() is None:
        now = time.monotonic()
        if timeout and now - start > timeout:
            return f"the virtual machine was still running after {timeout} s"
        if boot_timeout and now - start > boot_timeout and not STARTED.exists():
            return f"the guest had not booted after {boot_timeout} s"
        if endpoints and gone is None and endpoints.poll() is not None:
            gone = now
        if gone and now - gone > ORPHAN_TIMEOUT:
            return "tphbuf-endpoints ended before the virtual machine"
        time.sleep(0.05)
    return "tphbuf-endpoints ended before the virtual machine" if gone else None


def finish(endpoints):
    """Ask the endpoints to end, and insist after a while."""
    if endpoints.poll() is None:
        endpoints.send_signal(signal.SIGTERM)
    try:
        return endpoints.wait(EXIT_TIMEOUT)
    except subprocess.TimeoutExpired:
        endpoints.kill()
        endpoints.wait()
        return "no end on SIGTERM"


def main():
    plan = json.loads((JOB / "session.json").read_text())
    status = {"qemu": None, "endpoints": None, "reason": None}
    endpoints = None
    if plan["endpoints"]:
        with open(JOB / "endpoints.log", "w", encoding="utf-8") as log:
            endpoints = subprocess.Popen(plan["endpoints"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=log, text=True)
        status["reason"] = wait_ready(endpoints)
    if status["reason"] is None:
        with open(JOB / "qemu.log", "w", encoding="utf-8") as log:
            qemu = subprocess.Popen(plan["qemu"], stdin=None if plan["interactive"] else subprocess.DEVNULL,
                                    stdout=None if plan["interactive"] else log, stderr=log)
        status["reason"] = watch(endpoints, qemu, plan["timeout"], plan["boot_timeout"])
        if qemu.poll() is None:
            qemu.kill()
        status["qemu"] = qemu.wait()
    if endpoints:
        status["endpoints"] = finish(endpoints)
    (JOB / "session.status").write_text(json.dumps(status) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

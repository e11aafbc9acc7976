# SPDX-License-Identifier: GPL-2.0-or-later
"""Restarts of the machine with RDMA under way: the model, which outlives them, starts as empty as the first time.

Runs once each time the machine is up: looks at what the restart before left, then causes the next one. The last run
prints the results of all.
"""

import ctypes
import json
import time
import traceback
from pathlib import Path

import rdma
import tap

RECORD = Path("/job/reboot.json")
RB_AUTOBOOT = 0x01234567
# Each restart with traffic on nic0 and memory registered.
WAYS = ("at once, without a word to the drivers", "orderly, through the drivers")


def _restart(way):
    with rdma.endless("nic0", "nic1", "ibv_rc_pingpong", "-n", "100000000"):
        if way == WAYS[0]:
            Path("/proc/sysrq-trigger").write_text("b")
        else:
            ctypes.CDLL(None).reboot(RB_AUTOBOOT)
        time.sleep(60)
    raise AssertionError("the machine did not restart")


def _look(record):
    """Devices are as at the first start, work, and are empty without a driver."""
    for name in rdma.nics():
        rdma.wait_active(name)
        tap.true(rdma.state(name)["COMMANDS"] > record["commands"][name], f"{name} has lost its counters: a new model?")
        tap.equal(rdma.objects(name), record["fresh"][name], f"{name}: objects of a fresh driver")
    rdma.pingpong("nic0", "nic1", "-n", "20")
    for name in rdma.nics():
        rdma.unbind(name)
        rdma.expect_empty(name)
        rdma.bind(name)


def _first():
    """What the model holds for a driver that has just come."""
    for name in rdma.nics():
        rdma.wait_active(name)
    return {"fresh": {name: rdma.objects(name) for name in rdma.nics()}, "failures": []}


def main():
    """A run of the program: one start of the machine."""
    rdma.loopback_up()
    if RECORD.exists():
        record = json.loads(RECORD.read_text())
        try:
            _look(record)
            record["failures"].append(None)
        except Exception:
            record["failures"].append(traceback.format_exc())
    else:
        record = _first()
    record["commands"] = {name: rdma.state(name)["COMMANDS"] for name in rdma.nics()}
    RECORD.write_text(json.dumps(record))
    done = len(record["failures"])
    if done < len(WAYS):
        _restart(WAYS[done])
    _report(record["failures"])


def _report(failures):
    def case(way, failure):
        def test():
            if failure:
                raise AssertionError(failure)
        test.__doc__ = f"after a restart {way}: as at the first start, and empty without a driver"
        return test
    tap.run({f"test_restart_{number}": case(way, failure)
             for number, (way, failure) in enumerate(zip(WAYS, failures, strict=True), 1)})


if __name__ == "__main__":
    main()

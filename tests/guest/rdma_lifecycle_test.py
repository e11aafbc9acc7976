# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers and processes that come and go: nothing of them stays behind in the device.

The kernel log is part of the verdict, as in every suite.
"""

import rdma
import tap

ROUNDS = 3
PINGPONG = ("ibv_rc_pingpong", "-n", "100000000")


def _expect_works():
    rdma.pingpong("nic0", "nic0", "-n", "20")


def _wait_objects(want):
    """Wait until the model holds as much as before: processes and clients of a device go and come in their own time."""
    rdma.wait_for(f"nic0 holds {want}", lambda: rdma.objects("nic0", want) == want)


def test_unbind_and_bind():
    """unbind leaves nothing, bind gives a port that works; three times, with the same objects each time"""
    rdma.loopback_up()
    rdma.wait_active("nic0")
    fresh = None
    for _ in range(ROUNDS):
        _expect_works()
        rdma.unbind("nic0")
        rdma.expect_empty("nic0")
        rdma.bind("nic0")
        fresh = fresh or rdma.objects("nic0")
        tap.equal(rdma.objects("nic0"), fresh, "objects of a fresh driver")
    _expect_works()


def test_killed_processes():
    """two processes killed in the middle of traffic, with their memory registered"""
    # A driver makes a queue pair of its own, with its completion queue, for the first process that registers memory.
    _expect_works()
    before = rdma.objects("nic0", rdma.OF_PROCESSES)
    with rdma.endless("nic0", "nic0", *PINGPONG):
        during = rdma.objects("nic0", rdma.OF_PROCESSES)
        for name in ("PDS", "CQS", "QPS"):
            tap.equal(during[name] - before[name], 2, f"{name} of two processes")
        tap.equal(rdma.run("rdma", "resource", "show", "mr").count("comm ibv_rc_pingpong"), 2, "memory regions in rdma")
    _wait_objects(before)
    tap.equal(rdma.run("rdma", "resource", "show", "mr"), "", "memory regions in rdma")
    _expect_works()


def test_killed_peer():
    """a process whose peer is killed gets an error for what it has sent, and its objects go with it"""
    before = rdma.objects("nic0", rdma.OF_PROCESSES)
    with rdma.endless("nic0", "nic0", "ib_write_bw", "-n", "1000000", "-s", "65536") as pair:
        pair.server.kill()
        output = pair.client.communicate(timeout=rdma.PATIENCE)[0]
        tap.true(pair.client.returncode != 0 and "Failed status" in output, f"{pair.client.returncode}: {output}")
    _wait_objects(before)
    _expect_works()


def test_unbind_under_traffic():
    """unbind takes the objects of processes that still run; they are without a device then"""
    with rdma.endless("nic0", "nic0", *PINGPONG):
        rdma.unbind("nic0")
        rdma.expect_empty("nic0")
    rdma.expect_empty("nic0")
    rdma.bind("nic0")
    _expect_works()


def _reset():
    """A function level reset that no driver was asked about."""
    (rdma.sysfs("nic0") / "reset").write_text("1")


def test_reset_under_traffic():
    """function level reset: the driver's health poll sees it, the driver recovers with the objects of a fresh one"""
    rdma.unbind("nic0")
    rdma.bind("nic0")
    fresh = rdma.objects("nic0")
    with rdma.endless("nic0", "nic0", *PINGPONG):
        _reset()
        rdma.wait_for("the driver notices", lambda: not rdma.active("nic0"))
        rdma.wait_active("nic0")
    _wait_objects(fresh)
    _expect_works()


def test_reset_again():
    """a second reset so soon makes the driver give up, as it does with real ones; unbind and bind start anew"""
    _reset()
    rdma.wait_for("the driver notices", lambda: not rdma.active("nic0"))
    rdma.unbind("nic0")
    rdma.expect_empty("nic0")
    rdma.bind("nic0")
    _expect_works()


def test_reset_without_driver():
    """function level reset of a device that nobody has"""
    rdma.unbind("nic0")
    _reset()
    rdma.expect_empty("nic0")
    rdma.bind("nic0")
    _expect_works()


def test_other_device_stays():
    """a device that goes does not disturb the other one, except for its peers"""
    before = rdma.state("nic1")
    rdma.pingpong("nic0", "nic1", "-n", "20")
    rdma.unbind("nic0")
    tap.true(rdma.active("nic1"), "nic1 is not active any more")
    rdma.pingpong("nic1", "nic1", "-n", "20")
    rdma.bind("nic0")
    rdma.pingpong("nic0", "nic1", "-n", "20")
    after = rdma.state("nic1")
    for counter in ("FAILED_COMMANDS", "FATAL_ERRORS", "FAILED_WORK_REQUESTS"):
        tap.equal(after[counter] - before[counter], 0, f"nic1: {counter}")


def teardown():
    """at last all are unbound and empty, and come back"""
    for name in rdma.nics():
        rdma.unbind(name)
        rdma.expect_empty(name)
    for name in rdma.nics():
        rdma.bind(name)


if __name__ == "__main__":
    tap.run(globals(), teardown)

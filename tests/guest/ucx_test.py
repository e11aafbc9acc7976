# SPDX-License-Identifier: GPL-2.0-or-later
"""UCX, by its own programs, on the kernel's mlx5 driver and the model of its device.

The root has Debian's UCX, which finds no DevX at this device; docs/reference/mlx5.md says what it goes without.
"""

import os
import re
import subprocess

import rdma
import tap

BOTH = ("nic0", "nic1")
RC = ("rc_verbs", "rc_mlx5")
TRANSPORTS = (*RC, "ud_verbs", "ud_mlx5")
MESSAGES = 20
# UCX and the libraries of Open MPI take seconds to load in an emulated machine.
SECONDS = 3 * rdma.PATIENCE
# With another standard input than a terminal ucx_perftest looks for its peer by MPI.
_OTHER_END, TERMINAL = os.openpty()
# Its file system of run-time objects, which requires FUSE.
os.environ["UCX_VFS_ENABLE"] = "n"


class Perftest(rdma.Pair):
    """ucx_perftest on two devices."""

    @staticmethod
    def _start(name, program):
        device = f"{rdma.ib_device(name)}:1"
        return subprocess.Popen([*program, "-d", device], env={**os.environ, "UCX_NET_DEVICES": device},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=TERMINAL, text=True)


def _expect_result(test, size, *options, least=0):
    """ucx_perftest of @test, nic1 to nic0, ends with a result; together they send @least bytes, and nothing goes wrong."""
    before = {name: rdma.state(name) for name in BOTH}
    output = Perftest("nic0", "nic1", "ucx_perftest", "-t", test, "-s", str(size), "-n", str(MESSAGES), "-w", "0",
                      *options).finish(SECONDS)
    tap.true(re.search(rf"^Final: +{MESSAGES} +\d", output, re.MULTILINE), f"no result: {output}")
    tap.equal(re.findall(r".* ERROR .*", output), [], "errors")
    after = {name: rdma.state(name) for name in BOTH}
    sent = sum(after[name]["SENT_BYTES"] - before[name]["SENT_BYTES"] for name in BOTH)
    tap.true(sent >= least, f"{sent} bytes sent, want {least}")
    for name in BOTH:
        for counter in rdma.FAULTLESS:
            tap.equal(after[name][counter] - before[name][counter], 0, f"{name}: {counter}")


def _transport(size, test, name, *options):
    """A test of one transport layer of UCX."""
    _expect_result(test, size, "-x", name, *options, least=MESSAGES * size)


def test_info():
    """ucx_info: each device has reliable connections and datagrams, by libibverbs and by UCX's own driver, and atomics"""
    rdma.loopback_up()
    for name in rdma.nics():
        rdma.wait_active(name)
    output = rdma.run("ucx_info", "-d", seconds=SECONDS)
    parts = re.findall(r"Transport: (\S+)\n# +Device: (\S+):1\n(.*?)(?=Transport:|Memory domain:|\Z)", output, re.DOTALL)
    for name in rdma.nics():
        found = {transport: text for transport, device, text in parts if device == rdma.ib_device(name)}
        tap.equal(sorted(found), sorted(TRANSPORTS), f"transports of {name}")
        for transport in RC:
            tap.equal(re.findall(r"(atomic_\w+): (.*)", found[transport]),
                      [("atomic_add", "64 bit"), ("atomic_fadd", "64 bit"), ("atomic_cswap", "64 bit")],
                      f"atomics of {name} by {transport}")


def _tag_matching(name, size):
    """Messages that UCP matches by tag over one transport."""
    os.environ["UCX_TLS"] = name
    try:
        _expect_result("tag_bw", size, least=MESSAGES * size)
    finally:
        del os.environ["UCX_TLS"]


def test_tag_rc_verbs():
    """tag_bw: messages of UCP over a reliable connection"""
    _tag_matching("rc_v", 4096)


def test_tag_rc_verbs_rendezvous():
    """tag_bw: long messages, which the receiver reads from the sender's memory"""
    _tag_matching("rc_v", 1 << 17)


def test_tag_rc_mlx5():
    """tag_bw: messages of UCP by UCX's own driver"""
    _tag_matching("rc_x", 4096)


def test_tag_ud_verbs():
    """tag_bw: messages of UCP in datagrams"""
    _tag_matching("ud_v", 4096)


def test_tag_ud_mlx5():
    """tag_bw: datagrams by UCX's own driver"""
    _tag_matching("ud_x", 4096)


def test_put_rc_verbs():
    """put_bw: RDMA writes"""
    _transport(65536, "put_bw", "rc_verbs", "-D", "zcopy")


def test_put_rc_mlx5():
    """put_bw: RDMA writes by UCX's own driver"""
    _transport(65536, "put_bw", "rc_mlx5", "-D", "zcopy")


def test_get_rc_verbs():
    """get: RDMA reads"""
    _transport(65536, "get", "rc_verbs", "-D", "zcopy")


def test_get_rc_mlx5():
    """get: RDMA reads by UCX's own driver"""
    _transport(65536, "get", "rc_mlx5", "-D", "zcopy")


def test_add():
    """add_lat: atomic adds of both ends, as AtomicOps"""
    with rdma.expect_atomics("nic0", "FAdd", MESSAGES), rdma.expect_atomics("nic1", "FAdd", MESSAGES):
        _transport(8, "add_lat", "rc_verbs")


def test_fetch_add():
    """fadd: fetch and add, as AtomicOps of the device that has the memory"""
    with rdma.expect_atomics("nic0", "FAdd", MESSAGES):
        _transport(8, "fadd", "rc_verbs")


def test_compare_swap():
    """cswap: compare and swap"""
    with rdma.expect_atomics("nic0", "CAS", MESSAGES):
        _transport(8, "cswap", "rc_verbs")


if __name__ == "__main__":
    tap.TEST_SECONDS = 2 * SECONDS
    tap.run(globals())

# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees of ports: addresses, what QEMU, the fabric and the guest are told; and the matrix with the page about it."""

import re
import tomllib

import tap
from lab import PROJECT, suites
from lab.topology import Topology

TREE = ["root-port,name=rp0,completer=8bit,acs=sv+rr+cr+uf", "switch,name=sw0,below=rp0,prefix=no",
        "downstream-port,name=dp0,below=sw0,acs=absent", "downstream-port,name=dp1,below=sw0,acs=none,blocks=yes",
        "switch,name=sw1,below=dp1,fabric.prefix=no", "downstream-port,name=dp2,below=sw1",
        "accelerator,name=acc0,below=dp0,size=1M", "dma-engine,name=dma0,below=dp2", "mlx5,name=nic0",
        "root-port,name=rp1,acs=absent", "accelerator,name=acc1,below=rp1", "root-complex,hints=keep"]


def _refused(*texts):
    try:
        Topology(texts)
    except ValueError:
        return
    raise AssertionError(f"taken: {texts}")


def test_addresses():
    """bus numbers are given depth first, in the order of the slots"""
    tap.equal(Topology(TREE).addresses, {
        "rp0": "0000:00:10.0", "sw0": "0000:01:00.0", "dp0": "0000:02:00.0", "acc0": "0000:03:00.0",
        "dp1": "0000:02:01.0", "sw1": "0000:04:00.0", "dp2": "0000:05:00.0", "dma0": "0000:06:00.0",
        "nic0": "0000:00:11.0", "rp1": "0000:00:12.0", "acc1": "0000:07:00.0"})


def test_fabric():
    """the fabric gets its own properties where they differ, and none that it has no key for"""
    argv = Topology(TREE).endpoints_argv()
    options = dict(zip(argv[1::2], argv[::2]))
    tap.equal(options.get("name=dp0,below=sw0,acs=none,bdf=02:00.0"), "--downstream-port", "a port without ACS")
    tap.equal(options.get("name=dp1,below=sw0,acs=none,bdf=02:01.0"), "--downstream-port", "a port that blocks prefixes")
    tap.equal(options.get("name=sw1,below=dp1,prefix=no,bdf=04:00.0"), "--switch", "a property of the fabric alone")
    tap.equal(options.get("accelerator,name=acc0,below=dp0,size=1M,bdf=03:00.0"), "--device", "a device")
    tap.equal(options.get("hints=keep"), "--root-complex", "the root complex")
    tap.equal(Topology(TREE).description()["sw1"].get("prefix"), None, "what the guest is told of it")


def test_qemu():
    """QEMU gets each device on the bus of the port above it, and ports before what is below them"""
    places = {place["id"]: place for _, place in Topology(TREE).qemu_devices()}
    tap.equal(places["dp1"]["bus"], "sw0", "bus of a port")
    tap.equal(places["dp1"]["addr"], "0x1", "slot of a port")
    tap.equal(places["nic0"]["bus"], "pcie.0", "bus of a device at the root")
    tap.equal(places["sw1"]["driver"], "x3130-upstream", "a switch")
    chassis = [place["chassis"] for place in places.values() if "chassis" in place]
    tap.equal(len(set(chassis)), len(chassis), "different chassis numbers")


def test_port_view():
    """the guest's module gets what QEMU's ports do not show by themselves"""
    tap.equal(Topology(TREE).port_view(), "0000:00:10.0/completer=1,0000:01:00.0/prefix=0,0000:02:01.0/acs=1,"
              "0000:00:12.0/acs=0")


def test_mistakes():
    """names twice, a place that is not there, cannot be, or is taken; no room on the root bus"""
    _refused("accelerator")
    _refused("accelerator,name=a", "accelerator,name=a")
    _refused("accelerator,name=a,below=rp0")
    _refused("root-port,name=a", "root-port,name=b,below=a")
    _refused("downstream-port,name=a")
    _refused("root-port,name=a", "downstream-port,name=b,below=a")
    _refused("root-port,name=a", "switch,name=s,below=a", "accelerator,name=b,below=s")
    _refused("root-port,name=a", "accelerator,name=b,below=a", "accelerator,name=c,below=a")
    _refused(*[f"accelerator,name=a{number}" for number in range(16)])


def _cells():
    return tomllib.loads((PROJECT / "tests/topologies.toml").read_text())["cell"]


def test_matrix():
    """each cell is of a suite whose machine has its devices; each suite that runs cells has some"""
    listed = {suite.name: suite for suite in suites.load()}
    names = [cell["name"] for cell in _cells()]
    tap.equal(len(set(names)), len(names), "different names of cells")
    for cell in _cells():
        kinds = {entry.name: entry.kind for entry in Topology(listed[cell["machine"]].devices).devices}
        tap.equal((kinds.get(cell["device"]), kinds.get(cell["peer"])), ("accelerator", "dma-engine"), cell["name"])
    tap.equal({suite.name for suite in listed.values() if suite.program.stem == "topology_test" and suite.kind == "guest"},
              {cell["machine"] for cell in _cells()}, "suites with cells")
    tap.true(len(names) >= 24, "two dozen topologies")


def test_page():
    """docs/topology.md names each cell, and no other"""
    text = (PROJECT / "docs/topology.md").read_text()
    names = {cell["name"] for cell in _cells()}
    tap.equal(names - set(re.findall(r"`([a-z0-9-]+)`", text)), set(), "cells that the page does not name")
    suffixes = re.compile(r"(^|-)(ext|8bit|redirect|acs|ports?|prefix|completer|none)$")
    said = {word for word in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", text) if suffixes.search(word)}
    tap.equal(said - names - {"pcie-root-port"}, set(), "names of the page that are no cells")


if __name__ == "__main__":
    tap.run(globals())

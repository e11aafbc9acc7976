# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree of the machine as the lab describes it, and the configuration spaces of its ports as the guest sees them."""

import json
import struct
from pathlib import Path

# Ports and devices by name: kind, address, and the properties that the guest should see (lab/topology.py).
TREE = json.loads(Path("/job/topology.json").read_text())
DEVICES = Path("/sys/bus/pci/devices")
EXPRESS, ACS = 0x10, 0x0D
TYPES = {4: "root-port", 5: "switch", 6: "downstream-port"}
COMPLETERS = {0: "none", 1: "8bit", 3: "ext"}
PREFIX_BLOCKING = 0x8000
# Bits of ACS Control that the fabric knows.
ACS_BITS = {"sv": 0x01, "rr": 0x04, "cr": 0x08, "uf": 0x10, "dt": 0x40}


class Config:
    """A configuration space."""

    def __init__(self, address):
        self.path = DEVICES / address / "config"
        self.bytes = self.path.read_bytes()

    def word(self, at):
        return struct.unpack_from("<H", self.bytes, at)[0]

    def dword(self, at):
        return struct.unpack_from("<I", self.bytes, at)[0]

    def write_word(self, at, value):
        with open(self.path, "r+b", buffering=0) as file:
            file.seek(at)
            file.write(struct.pack("<H", value))

    def express(self):
        """Offset of the PCI Express capability."""
        at = self.bytes[0x34]
        while self.bytes[at] != EXPRESS:
            at = self.bytes[at + 1]
        return at

    def extended(self, wanted):
        """Offset of an extended capability, or None."""
        at = 0x100
        while at:
            header = self.dword(at)
            if header & 0xFFFF == wanted:
                return at
            at = header >> 20
        return None


def address(name):
    return TREE[name]["address"]


def parent(name):
    """Address of the function above a port or device, None on the root bus."""
    above = (DEVICES / address(name)).resolve().parent.name
    return None if above.startswith("pci") else above


def _acs(config):
    at = config.extended(ACS)
    if at is None:
        return "absent"
    control = config.word(at + 6)
    return "+".join(name for name, bit in ACS_BITS.items() if control & bit) or "none"


def seen(name):
    """Properties of a port, as far as lab/topology.py has a key for them."""
    config = Config(address(name))
    express = config.express()
    devcap2 = config.dword(express + 0x24)
    view = {"kind": TYPES.get(config.word(express + 2) >> 4 & 0xF), "below": parent(name),
            "prefix": "yes" if devcap2 & 1 << 21 else "no",
            "blocks": "yes" if config.word(express + 0x28) & PREFIX_BLOCKING else "no"}
    if view["kind"] == "root-port":
        view["completer"] = COMPLETERS.get(devcap2 >> 12 & 3)
    if view["kind"] != "switch":
        view["acs"] = _acs(config)
    return view


def wanted(name):
    """The same as the lab describes it."""
    entry = TREE[name]
    view = {"kind": entry["kind"], "below": address(entry["below"]) if "below" in entry else None,
            "prefix": entry.get("prefix", "yes"), "blocks": entry.get("blocks", "no")}
    for key in ("completer", "acs"):
        if key in entry and not (key == "acs" and entry["kind"] == "switch"):
            view[key] = entry[key]
    return view


def block_prefixes(name):
    """Set End-End TLP Prefix Blocking of a port."""
    config = Config(address(name))
    at = config.express() + 0x28
    config.write_word(at, config.word(at) | PREFIX_BLOCKING)

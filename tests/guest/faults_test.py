# SPDX-License-Identifier: GPL-2.0-or-later
"""Injected faults as the guest sees them: what the driver gives its user, the completer's Device Status and AER, and the
fabric's trace. The rules are in tests/suites.toml, in the order of the table here."""

import errno
import struct
import subprocess
from dataclasses import dataclass

import flight
import port
import tap

DEVICE, ENGINE = "acc0", "dma0"
EXT_CAP_AER = 1
DEVICE_STATUS = {1: "CED", 2: "NFED", 4: "FED", 8: "URD"}
UNCORRECTABLE = {1 << 12: "POISON", 1 << 14: "CTO", 1 << 15: "CA", 1 << 18: "MALF", 1 << 20: "UR"}


@dataclass
class Fault:
    """A row of docs/reference/faults.md, for a write of the driver tph_dma."""

    action: str
    error: int          # errno that the driver's user gets, 0 for none
    result: str         # in the trace
    completer: list     # bits of its Device Status, then of its AER


FAULTS = [
    Fault("ur", errno.EIO, "ur", ["NFED", "URD", "UR"]),
    Fault("malformed", errno.EIO, "malformed", ["FED", "MALF"]),
    Fault("poison", 0, "poisoned", ["NFED", "POISON"]),
    Fault("drop", 0, "dropped", []),
    Fault("clear-th", 0, "ok", []),
    Fault("", 0, "ok", []),
]


class Errors:
    """The error registers of a function, through the guest's configuration space."""

    def __init__(self, name):
        self.address = port.address(name)
        config = port.Config(self.address)
        self.status, self.aer = config.express() + 10, config.extended(EXT_CAP_AER)

    def _values(self):
        config = port.Config(self.address)
        return config.word(self.status), config.dword(self.aer + 4)

    def shown(self):
        """Names of the bits that are set."""
        status, errors = self._values()
        return [name for bit, name in DEVICE_STATUS.items() if status & bit] + [
            name for bit, name in UNCORRECTABLE.items() if errors & bit]

    def clear(self):
        """As a driver does: writes back what it has read."""
        status, errors = self._values()
        with open(port.DEVICES / self.address / "config", "r+b", buffering=0) as file:
            for at, value in ((self.status, struct.pack("<H", status)), (self.aer + 4, struct.pack("<I", errors))):
                file.seek(at)
                file.write(value)


def kernel_log():
    return subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout.splitlines()


def inject(fault, dmabuf, completer, requester):
    """One write; everything that tells of its fault."""
    before = len(kernel_log())
    completer.clear()
    requester.clear()
    error, tlp = flight.write_once(dmabuf, ENGINE)
    tap.equal(error.errno if error else 0, fault.error, "errno of the driver's user")
    tap.equal((tlp.result, tlp.injected), (fault.result, fault.action), f"trace: {tlp}")
    tap.equal(str(tlp.tag), f"st-ext=0x{flight.ST_EXT:04x} ph={flight.PH}", "the tag that the driver has sent")
    tap.equal(completer.shown(), fault.completer, "completer: Device Status and AER")
    # A posted write has no completion that could tell its requester.
    tap.equal(requester.shown(), [], "requester: Device Status and AER")
    said = [line for line in kernel_log()[before:] if "AER" in line or "tph_dma" in line]
    tap.equal(said, [], "words of the kernel")


def main():
    completer, requester = Errors(DEVICE), Errors(ENGINE)
    with flight.exported(DEVICE) as dmabuf:
        for fault in FAULTS:
            name = fault.action or "no fault: the driver goes on"
            try:
                inject(fault, dmabuf, completer, requester)
            except AssertionError as err:
                tap.diag(err)
                tap.result(False, name)
            else:
                tap.result(True, name)
    return tap.done()


if __name__ == "__main__":
    raise SystemExit(main())

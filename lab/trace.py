# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading of the text trace that tphbuf-endpoints writes (docs/reference/trace-format.md)."""

import functools
import re
from dataclasses import dataclass

LINE = re.compile(r"(\d+) (\S+) -> (\S+) (?:(MWr|MRd|FAdd|CAS|MSI-X)(?:32|64) 0x([0-9a-f]+)|(CplD?))((?: [a-z-]+=\S+)*)$")
FIELD = re.compile(r" ([a-z-]+)=(\S+)")
REGISTER_MASK = 0xfff
# Result of a TLP whose completer received it without its hint.
HINT_DROPPED = "hint-dropped"


@dataclass(frozen=True)
class Tag:
    """A hint as it is on the wire: extended separates an 8-bit ST from an Extended ST."""

    extended: bool
    st: int
    ph: int

    def __str__(self):
        return f"st-ext=0x{self.st:04x} ph={self.ph}" if self.extended else f"st=0x{self.st:02x} ph={self.ph}"


@dataclass
class Tlp:
    """One line of the trace; @tag is None when the TLP carried no hint, @value None when it is not recorded.

    @kind is that of the trace without the width of the address: MWr, MRd, FAdd, CAS, MSI-X, Cpl, CplD. A completion has
    its completer as @requester, no @address, and @status, @byte_count and @lower_address; an MSI-X interrupt has a
    @vector. @transaction is the transaction tag, @injected the fault it met. @at is the port, or "rc", where the TLP
    ended or lost its hint.
    """

    number: int
    requester: str
    completer: str
    kind: str
    address: int
    length: int
    tag: Tag
    value: int
    result: str
    at: str = ""
    status: str = ""
    byte_count: int = 0
    lower_address: int = 0
    transaction: int = 0
    vector: int = None
    injected: str = ""


@functools.cache
def _tag(extended, st, ph):
    """Of the words of a line, None if it has not the digits of its namespace; a trace has many TLPs and few tags."""
    digits = st.removeprefix("0x")
    if len(digits) != (4 if extended else 2):
        return None
    return Tag(extended, int(digits, 16), int(ph))


def parse_line(line):
    """Tlp of a line; ValueError when it is not one."""
    found = LINE.match(line)
    if not found:
        raise ValueError(f"not a line of a trace: {line!r}")
    number, requester, completer, kind, address, completion, rest = found.groups()
    fields = dict(FIELD.findall(rest))
    tag = None
    if fields.get("th") == "1":
        extended = "st-ext" in fields
        tag = _tag(extended, fields["st-ext" if extended else "st"], fields["ph"])
        if not tag:
            raise ValueError(f"Steering Tag with too many or too few digits: {line!r}")
    value = int(fields["value"], 16) if "value" in fields else None
    tlp = Tlp(int(number), requester, completer, kind or completion, int(address, 16) if address else None,
              int(fields["len"]), tag, value, fields["result"], fields.get("at", ""))
    tlp.transaction = int(fields.get("tag", 0))
    tlp.injected = fields.get("inject", "")
    if completion:
        tlp.status, tlp.byte_count = fields["status"], int(fields["byte-count"])
        tlp.lower_address = int(fields["lower-address"], 16)
    if kind == "MSI-X":
        tlp.vector = int(fields["vector"])
    return tlp


def read(path, kind=""):
    """Each TLP of a trace, or each of that @kind; ValueError when one of any kind is missing, by the numbers, or one of
    these is no TLP."""
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            # Most lines of a long trace are of other kinds, and a whole look at a line takes some time.
            if f" {kind}" not in line and line.startswith(f"{number} "):
                continue
            tlp = parse_line(line.rstrip("\n"))
            if tlp.number != number:
                raise ValueError(f"TLP {number} is missing before {line!r}")
            yield tlp


def register_write(tlp, completer):
    """Offset of the register of a device that the TLP is the CPU's write to, None when it is something else."""
    if tlp.kind == "MWr" and tlp.requester == "rc" and tlp.completer == completer:
        return tlp.address & REGISTER_MASK
    return None

# SPDX-License-Identifier: GPL-2.0-or-later
"""TLPs in non-flit mode from their DWs: the field layout of the PCI Express Base Specification, Revision 6.x, written down
here a second time, and a reader of the blocks of pcapng. Nothing here comes from trace/ or endpoints/."""

import struct

RECORD_HEADER = 16
# Fmt[1:0] and Type (table 2-3); Fmt[0] is the width of the address, Fmt[1] says that there is a payload.
TYPES = {(0, 0b00000): "MRd", (1, 0b00000): "MWr", (0, 0b01010): "Cpl", (1, 0b01010): "CplD", (1, 0b01100): "FAdd",
         (1, 0b01101): "Swap", (1, 0b01110): "CAS"}
# Completion Status (table 2-37)
STATUSES = {0b000: "SC", 0b001: "UR", 0b010: "RRS", 0b100: "CA"}


def bits(word, high, low):
    """Field [high:low] of a DW."""
    return word >> low & (1 << high - low + 1) - 1


def bdf(number):
    """Requester or completer ID as bus:device.function (section 2.2.4.2); 0 is the root complex."""
    return f"{bits(number, 15, 8):02x}:{bits(number, 7, 3):02x}.{bits(number, 2, 0):x}" if number else "rc"


def packets(data):
    """(number, completer, TLP, bytes that it had) of each packet of a pcapng file in the byte order of this machine."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("=II", data, at)
        if kind == 6:
            kept, full = struct.unpack_from("=II", data, at + 20)
            version, flags, _result, _place, _from, to, number = struct.unpack_from(">BBBBHHQ", data, at + 28)
            if version != 1:
                raise ValueError(f"packet {number}: version {version} of the header")
            yield number, "-" if flags & 1 else bdf(to), data[at + 28 + RECORD_HEADER:at + 28 + kept], full - RECORD_HEADER
        at += size


def _enabled(dwords, first, last):
    """Bytes that the byte enables select (section 2.2.5)."""
    return first.bit_count() + (0 if dwords == 1 else last.bit_count() + 4 * (dwords - 2))


def _hint(tlp, words, kind, high):
    """PH and Steering Tag (sections 2.2.7.1.1 and 2.2.10.4): the lower byte is where a write has its Tag and a read its
    byte enables, the upper byte is in the TPH prefix."""
    low = bits(words[1], 15, 8) if kind == "MWr" else bits(words[1], 7, 0)
    tlp["ph"] = bits(words[-1], 1, 0)
    if high is None:
        tlp["st"] = low
    else:
        tlp["st-ext"] = high << 8 | low


def _completion(words, payload, data):
    """Section 2.2.9: the payload begins with the DW of Lower Address; Byte Count is what is left of the request."""
    count, lower = bits(words[1], 11, 0) or 4096, bits(words[2], 6, 0)
    tlp = {"status": STATUSES[bits(words[1], 15, 13)], "byte-count": count, "lower-address": lower,
           "tag": bits(words[2], 15, 8), "to": bdf(bits(words[2], 31, 16)),
           "len": min(count, 4 * payload - lower % 4) if payload else 0}
    if 0 < tlp["len"] <= 8 and len(data) == 12 + 4 * payload:
        tlp["value"] = int.from_bytes(data[12 + lower % 4:12 + lower % 4 + tlp["len"]], "little")
    return tlp


def decode(data, full):
    """Fields of a TLP, named as in the text form; ValueError for bytes that are none. @full: bytes it had on the link."""
    words = struct.unpack(f">{len(data) // 4}I", data)
    high = None
    at = 0
    # A prefix has 100b in Fmt; 1 0000b in Type is the TPH prefix (table 2-3).
    while at < len(words) and bits(words[at], 31, 29) == 0b100:
        if bits(words[at], 28, 24) == 0b10000:
            high = bits(words[at], 23, 16)
        at += 1
    words = words[at:]
    fmt, kind = bits(words[0], 31, 29), bits(words[0], 28, 24)
    name = TYPES.get((fmt >> 1, kind))
    if name is None:
        raise ValueError(f"Fmt {fmt:03b} Type {kind:05b} is not known here")
    dwords = bits(words[0], 9, 0) or 1024
    header = 4 if fmt & 1 else 3
    payload = dwords if fmt & 2 else 0
    if full != 4 * (at + header + payload + bits(words[0], 15, 15)):
        raise ValueError(f"{full} bytes, the header says {at} + {header} + {payload} DW")
    tlp = {"type": name, "requester": bdf(bits(words[1], 31, 16)), "th": bits(words[0], 16, 16)}
    if name.startswith("Cpl"):
        return tlp | _completion(words, payload, data)
    address = (words[2] << 32 | words[3] if fmt & 1 else words[2]) & ~3
    tlp |= {"type": name + ("64" if fmt & 1 else "32"), "address": address}
    if tlp["th"]:
        _hint(tlp, words[:header], name, high)
    if tlp["th"] and name != "MWr":
        first, last = 0xf, 0xf if dwords > 1 else 0
    else:
        first, last = bits(words[1], 3, 0), bits(words[1], 7, 4)
        tlp["be"] = f"{first:x}/{last:x}"
    if not (tlp["th"] and name == "MWr"):
        tlp["tag"] = bits(words[1], 15, 8) | bits(words[0], 19, 19) << 8 | bits(words[0], 23, 23) << 9
    tlp["len"] = _enabled(dwords, first, last)
    if tlp["len"] <= 8 and first and len(data) == full and payload:
        start = 4 * (at + header) + (first & -first).bit_length() - 1
        tlp["value"] = int.from_bytes(data[start:start + tlp["len"]], "little")
    return tlp

# SPDX-License-Identifier: GPL-2.0-or-later
"""The Wireshark dissector: TLPs whose bytes are written out here, by the specification, as tshark prints them."""

import struct

import tap
import tshark

tap.TEST_SECONDS = 120
FIELDS = {"name": "pcie.tlp.name", "requester": "pcie.tlp.requester", "completer": "pcie.tlp.completer",
          "address": "pcie.tlp.address", "st": "pcie.tlp.st", "size": "pcie.tlp.namespace", "ph": "pcie.tlp.ph",
          "length": "pcie.tlp.length", "tag": "pcie.tlp.tag", "first": "pcie.tlp.first_be", "last": "pcie.tlp.last_be",
          "to": "tphbuf.completer", "result": "tphbuf.result", "expert": "_ws.expert.message"}
RC, ENGINE, ACCELERATOR = 0x0000, 0x0088, 0x0080


def _block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _file(packets):
    """pcapng of (result, requester, completer, bytes of the TLP, bytes it had)."""
    data = _block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    data += _block(1, struct.pack("<HHI", 158, 0, 0) + struct.pack("<HH7sxHHB3xHH", 2, 7, b"00:11.0", 9, 1, 9, 0, 0))
    for number, (result, requester, completer, tlp, full) in enumerate(packets, 1):
        flags = (1 if completer is None else 0) | (2 if requester == RC else 0)
        packet = struct.pack(">BBBBHHQ", 1, flags, result, 0, requester, completer or 0, number) + tlp
        body = struct.pack("<IIIII", 0, 0, number, len(packet), 16 + full) + packet + bytes(-len(packet) % 4)
        data += _block(6, body)
    return data


def _one(packet, **wanted):
    got = tshark.fields(_file([packet]), *(FIELDS[key] for key in wanted))
    tap.equal(len(got), 1, "packets")
    tap.equal(dict(zip(wanted, got[0])), wanted, f"fields of {packet[3].hex()}")


def test_write_with_8bit_tag():
    """memory write, ST in the Tag field, PH in the address (section 2.2.7.1.1)"""
    _one((0, ENGINE, ACCELERATOR, bytes.fromhex("40010040 008812ff fea00102"), 12 + 256), name="MWr",
         requester="00:11.0", to="00:10.0", address="0x00000000fea00100", st="0x0012",
         size="8", ph="2", length="64", tag="", first="0x0f", last="0x0f", expert="")


def test_write_with_16bit_tag():
    """the upper byte of the ST in a TPH TLP prefix (sections 2.2.7.1.1, 2.2.10.4); 64-bit address"""
    _one((0, ENGINE, ACCELERATOR, bytes.fromhex("90430000 60010080 008805ff 00000001 f8101043"), 20 + 512), name="MWr",
         address="0x00000001f8101040", st="0x4305", size="16", ph="3", length="128", expert="")


def test_read_with_tag():
    """memory read, ST where the byte enables are (section 2.2.7.1.1)"""
    _one((0, ENGINE, ACCELERATOR, bytes.fromhex("00010004 00880799 80000001"), 12), name="MRd", st="0x0099",
         size="8", ph="1", tag="0x0007", first="", last="")


def test_without_hint():
    """no TH, no hint: the same bits are tag and byte enables (section 2.2.5)"""
    _one((0, RC, ACCELERATOR, bytes.fromhex("40000001 0000000f f7f0000c 01020304"), 16), name="MWr", st="",
         ph="", tag="0x0000", first="0x0f", last="0x00", length="1", expert="")


def test_length_zero_is_1024():
    """Length 0 means 1024 DW (section 2.2.2)"""
    _one((0, ENGINE, None, bytes.fromhex("00000000 008801ff 00001000"), 12), name="MRd", length="1024", to="-")


def test_completion_is_matched():
    """a completion finds its request by requester and tag (section 2.2.9)"""
    request = (0, ENGINE, None, bytes.fromhex("00000001 00882a0f 00001000"), 12)
    other = (0, ENGINE, None, bytes.fromhex("00000001 00882b0f 00001000"), 12)
    completion = (0, ACCELERATOR, ENGINE, bytes.fromhex("4a000001 00800004 00882a00 01020304"), 16)
    got = tshark.fields(_file([request, other, completion]), "pcie.tlp.completed_in", "pcie.tlp.request_in", "pcie.tlp.status")
    tap.equal(got, [["3", "", ""], ["", "", ""], ["", "1", "0"]], "request and completion")


def test_place_and_injected_fault():
    """where a TLP ended, by the name of an interface as far as packets name it, and the fault that it met"""
    write = bytes.fromhex("40010040 008812ff fea00102")
    data = bytearray(_file([(0, ENGINE, ACCELERATOR, write, 268), (10, ENGINE, ACCELERATOR, write, 268),
                            (1, ENGINE, None, write, 268), (0, ENGINE, ACCELERATOR, write, 268)]))
    heads = [at for at in range(len(data)) if data.startswith(bytes.fromhex("0088"), at) and data[at - 4] == 1]
    # Flags and place of packets 2 to 4: poison at interface 0, interface 6 without a fault, corrupt-tag at no place.
    for head, (flags, place) in zip(heads[1:], ((0x50, 1), (0x01, 7), (0x80, 0))):
        data[head - 3], data[head - 1] = flags, place
    got = tshark.fields(bytes(data), "tphbuf.result", "tphbuf.place", "tphbuf.inject", "_ws.expert.message", "_ws.col.Info")
    text = "MWr 0xfea00100, 256 bytes st=0x12 ph=2"
    tap.equal(got, [["0", "", "", "", text],
                    ["10", "00:11.0", "5", "poisoned, at 00:11.0,EP set on the link",
                     text + " [poisoned, at 00:11.0] [inject poison]"],
                    ["1", "interface 6", "", "unsupported request, at interface 6",
                     text + " [unsupported request, at interface 6]"],
                    ["0", "", "8", "bits of the ST flipped on the link", text + " [inject corrupt-tag]"]], "fates")
    tap.equal(tshark.run(bytes(data), "-Y", "tphbuf.inject == 8", "-T", "fields", "-e", "frame.number"), "4\n", "a filter")


def test_completions_of_a_read():
    """a read has several completions; behind the last one, by Byte Count, its tag is free (sections 2.2.9, 2.3.1.1)"""
    request = (0, ENGINE, ACCELERATOR, bytes.fromhex("00000040 00882aff 00001000"), 12)
    parts = [(0, ACCELERATOR, ENGINE, bytes.fromhex(f"4a000020 0080{left:04x} 00882a00"), 12 + 128) for left in (256, 128)]
    refused = (0, ACCELERATOR, ENGINE, bytes.fromhex("0a000000 00808004 00882a7c"), 12)
    got = tshark.fields(_file([request, *parts, refused, request, refused]), "pcie.tlp.completed_in", "pcie.tlp.request_in",
                        "pcie.tlp.status", "pcie.tlp.byte_count", "pcie.tlp.lower_address", "_ws.expert.message")
    tap.equal(got, [["2,3", "", "", "", "", ""], ["", "1", "0", "256", "0x00", ""], ["", "1", "0", "128", "0x00", ""],
                    ["", "", "4", "4", "0x7c", "Completer Abort,no request waits for it"],
                    ["6", "", "", "", "", ""], ["", "5", "4", "4", "0x7c", "Completer Abort"]], "requests and completions")


def test_attributes():
    """Attr[2:0] in bits 18, 13 and 12 of DW 0, AT in bits 11:10 (sections 2.2.1, 10.2.1)"""
    read = bytes.fromhex("00000001 00882a0f 00001000")
    packets = [(0, ENGINE, ACCELERATOR, bytes.fromhex(dw0) + read[4:], 12)
               for dw0 in ("00040001", "00002001", "00001001", "00000801")]
    names = ("pcie.tlp.id_ordering", "pcie.tlp.relaxed_ordering", "pcie.tlp.no_snoop", "pcie.tlp.at")
    # Wireshark since 4.4 prints a flag as True or False, before as 1 or 0.
    number = {"True": "1", "False": "0"}
    got = [[number.get(value, value) for value in row] for row in tshark.fields(_file(packets), *names)]
    tap.equal(got, [["1", "0", "0", "0"], ["0", "1", "0", "0"], ["0", "0", "1", "0"], ["0", "0", "0", "2"]], "fields")


def test_interrupt():
    """an MSI-X interrupt is a write with a vector"""
    data = bytearray(_file([(0, ENGINE, RC, bytes.fromhex("40000001 0088000f fee01000 21400000"), 16)]))
    at = data.index(bytes.fromhex("0100000000880000"))
    data[at + 1], data[at + 3] = 4, 200
    got = tshark.fields(bytes(data), "pcie.tlp.name", "tphbuf.vector", "pcie.tlp.address", "_ws.col.Info")
    tap.equal(got, [["MWr", "200", "0x00000000fee01000", "MWr 0xfee01000, 4 bytes, MSI-X vector 200"]], "fields")


def test_refused_and_malformed():
    """expert info for what was not completed, and for bytes that contradict themselves"""
    write = bytes.fromhex("40010040 008812ff fea00102")
    _one((1, ENGINE, None, write, 12 + 256), result="1", expert="unsupported request")
    _one((2, ENGINE, ACCELERATOR, write, 12 + 256), expert="the fabric found it malformed")
    _one((0, ENGINE, ACCELERATOR, write, 12 + 252), expert="Length says 268 bytes, the TLP has 264")
    _one((0, ENGINE, ACCELERATOR, write[:10], 12 + 256), expert="the header is cut off")
    _one((0, ENGINE, ACCELERATOR, bytes.fromhex("90430000 40000040 008812ff fea00100"), 16 + 256), st="",
         expert="TPH prefix without TH")


def test_other_traces_are_left_alone():
    """another version of the header is said to be one"""
    data = bytearray(_file([(0, ENGINE, ACCELERATOR, bytes.fromhex("40010040 008812ff fea00102"), 268)]))
    data[data.index(bytes.fromhex("01000000 00880080"))] = 2
    printed = tshark.run(bytes(data), "-V")
    tap.true("not a record of this version" in printed, printed[-300:])


if __name__ == "__main__":
    tap.run(globals())

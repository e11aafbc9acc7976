# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's counts: each way in which the wire can differ from what the guest claims is a wrong phase."""

import tap
from lab import demo, trace
from lab.registers import Registers

MARK = Registers("accelerator_regs.h").ACC_REG_MARK
RING = Registers("dma_engine_regs.h").DMA_ENGINE_REG_RING_BASE
SIZE = Registers("dma_engine_regs.h").DMA_ENGINE_REG_RING_SIZE
ACC, DMA = "00:10.0", "00:11.0"
HINT = "th=1 ph=2 st-ext=0x4305"
NO_HINT = "th=0"
RECORD = {"phase": "add", "mark": 1, "mark_end": 2, "bytes": 512, "tag": "st-ext=0x4305", "ph": 2, "op": "add",
          "data_ok": True, "ok": True, "why": None, "accelerator": {}}


def _register(completer, offset, value):
    return f"rc -> {completer} MWr32 0x00000000febf0{offset:03x} len=4 th=0 be=f/0 value=0x{value:08x} result=ok"


def _write(hint=HINT, address=0x100, completer=ACC, result="ok"):
    return f"{DMA} -> {completer} MWr64 0x00000001{address:08x} len=256 {hint} be=f/f result={result}"


def _count(lines, domain="identity", nic="", **changes):
    """The one phase of a trace with these lines between its marks."""
    text = [_register(DMA, RING, 0x5000), _register(DMA, RING + 4, 0), _register(DMA, SIZE, 8), _register(ACC, MARK, 1),
            *lines, _register(ACC, MARK, 2), _write(NO_HINT)]
    count = demo.Count([{**RECORD, **changes}], ACC, DMA, domain, nic)
    count.read(trace.parse_line(f"{number} {line}") for number, line in enumerate(text, 1))
    demo.judge(count.phases[0])
    return count.phases[0]


def test_right():
    """what is right is counted and not wrong"""
    phase = _count([_write(), _write(address=0x200)])
    tap.equal((phase.bytes, phase.tlps, phase.tagged, phase.wrong_tag, phase.wrong), (512, 2, 2, 0, []))


def test_flipped_bit():
    """one bit of one tag"""
    phase = _count([_write(), _write("th=1 ph=2 st-ext=0x4304")])
    tap.equal((phase.tagged, phase.wrong_tag), (2, 1))
    tap.true(phase.wrong, "not noticed")


def test_other_hint():
    """another processing hint"""
    tap.equal(_count([_write(), _write("th=1 ph=3 st-ext=0x4305")]).wrong_tag, 1)


def test_other_namespace():
    """the same number as an 8-bit tag"""
    phase = _count([_write("th=1 ph=2 st=0x05"), _write("th=1 ph=2 st=0x05")], tag="st-ext=0x0005")
    tap.equal(phase.wrong_tag, 2)


def test_missing_hint():
    """a TLP without a hint in a tagged phase"""
    tap.true(_count([_write(), _write(NO_HINT)]).wrong, "not noticed")


def test_unwanted_hint():
    """a TLP with a hint in an untagged phase"""
    phase = _count([_write(NO_HINT), _write()], tag="none", ph=None)
    tap.equal(phase.wrong_tag, 1)
    tap.true(phase.wrong, "not noticed")


def test_bytes():
    """fewer bytes on the wire than were sent"""
    tap.true(_count([_write()]).wrong, "not noticed")


def test_nothing():
    """nothing on the wire"""
    tap.true(_count([], bytes=0).wrong, "not noticed")


def test_after_revoke():
    """a TLP after the buffer was revoked"""
    phase = _count([_write(NO_HINT)], op="none", bytes=256, tag="none", ph=None)
    tap.true(any("revoked" in text for text in phase.wrong), "not noticed")


def test_refused():
    """a TLP that was refused"""
    tap.true(_count([_write(), _write(result="ur")]).wrong, "not noticed")


def test_destination():
    """a TLP to the root complex in the identity domain, and to the accelerator in the translated one"""
    tap.true(_count([_write(), _write(completer="rc")]).wrong, "identity: not noticed")
    tap.true(_count([_write(completer="rc"), _write()], "translated").wrong, "translated: not noticed")
    tap.equal(_count([_write(completer="rc"), _write(completer="rc")], "translated").wrong, [])


def test_ring():
    """a write to the descriptor ring is no payload"""
    status = f"{DMA} -> rc MWr32 0x0000000000005014 len=4 th=0 be=f/0 result=ok"
    phase = _count([_write(), status, _write()])
    tap.equal((phase.tlps, phase.wrong), (2, []))


def test_marks():
    """a phase without its marks"""
    tap.true(_count([_write(), _write()], mark=7).wrong, "begin: not noticed")
    tap.true(_count([_write(), _write()], mark_end=7).wrong, "end: not noticed")


def test_memory():
    """memory that the guest found wrong"""
    tap.true(_count([_write(), _write()], data_ok=False).wrong, "not noticed")
    tap.true(_count([_write(), _write()], ok=False, why="counters").wrong, "not noticed")


def test_torn_trace():
    """a line that is none, or a missing line, is an error"""
    for text in ("", "1 garbage", "1 " + _write("th=1 ph=2 st=0x123")):
        try:
            trace.parse_line(text)
        except ValueError:
            continue
        raise AssertionError(f"taken: {text!r}")


def test_queues_of_a_nic():
    """completions and events of a NIC are no payload; a hint on one of them is wrong all the same"""
    queue = _write(NO_HINT, completer="rc")
    phase = _count([_write(), queue, _write(address=0x200), queue], nic="mlx5")
    tap.equal((phase.bytes, phase.tlps, phase.wrong), (512, 2, []))
    tap.true(_count([_write(), _write(), queue]).wrong, "taken for a queue of the DMA engine")
    tap.true(_count([_write(), _write(completer="rc")], nic="mlx5").wrong, "payload behind the root complex not noticed")


if __name__ == "__main__":
    tap.run(globals())

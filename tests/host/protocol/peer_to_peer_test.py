# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes of the DMA engine to the accelerator; the client plays a machine without IOMMU."""
import errno
import os
import re
import struct

import vfio_user as vu
from devices import (ACC, COMMAND_MASTER, COMMAND_MEMORY, ENGINE, TPH_8BIT, TPH_DS, TPH_EXT, TPH_IV,
                     TPH_NO_ST, TPH_OFF, Accelerator, DmaEngine, Ram)
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints
from tap import equal, run, true

MPS = 512
SERVER = Endpoints(ACCELERATOR, DMA_ENGINE,
                   "accelerator,name=acc8,bdf=00:06.0,completer=8bit", trace=True,
                   arguments=["--unannounced-dma"])
PH_COUNTERS = 0x60      # ACC_REG_PH(0)
RAM = 0x100000
RAM_SIZE = 4 << 20
RING = RAM
SRC = RAM + 0x10000
TH = ENGINE.DMA_ENGINE_DESC_TH
IRQ = ENGINE.DMA_ENGINE_DESC_IRQ
OK, BAD, READ_ERROR, WRITE_ERROR = (
    ENGINE.DMA_ENGINE_DONE_OK, ENGINE.DMA_ENGINE_DONE_BAD_DESC, ENGINE.DMA_ENGINE_DONE_READ_ERROR,
    ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)


def ph(value):
    return value << ENGINE.DMA_ENGINE_DESC_PH_SHIFT


class Machine:
    """Both devices, memory, and the maps that a machine without IOMMU announces."""

    marks = 0

    def __init__(self, accelerator="acc", announce=True):
        self.ram = Ram(RAM, RAM_SIZE)
        self.acc = Accelerator(SERVER.connect(accelerator))
        self.engine = DmaEngine(SERVER.connect("dma"))
        self.ram.map(self.acc, self.engine)
        if announce:
            for function in (self.acc, self.engine):
                function.client.dma_map(self.acc.mem, self.acc.size)
        for function in (self.acc, self.engine):
            function.set_max_payload(MPS)
        self.acc.memory[:] = bytes(self.acc.size)
        self.acc.client.write32(0, ACC.ACC_REG_CONTROL, ACC.ACC_CONTROL_CLEAR)
        self.engine.start(RING)
        self.mark()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.__exit__()
        self.acc.__exit__()
        self.ram.__exit__()

    def mark(self):
        """Divides the trace here."""
        Machine.marks += 1
        self.since = Machine.marks
        self.acc.mark(Machine.marks)

    def tlps(self):
        """The requests of the engine to anything but memory since the last mark, one dict each."""
        # A mark behind them tells when all of them are in the file.
        Machine.marks += 1
        self.acc.mark(Machine.marks)
        begin, end = (rf" rc -> \S+ MWr\S* .*value=0?x?0*{number:x}\b" for number in (self.since, Machine.marks))
        lines = SERVER.trace(until=end)
        start = max((i for i, line in enumerate(lines) if re.search(begin, line)), default=None)
        true(start is not None, f"mark {self.since} is not in the trace: {lines[-5:]}")
        requests = [line for line in lines[start + 1:] if re.search(r" M(Wr|Rd)\d\d ", line)]
        return [tlp for tlp in map(parse, requests)
                if tlp["requester"] == "00:05.0" and not RAM <= tlp["address"] < RAM + RAM_SIZE]

    def copy(self, offset, data, flags=0, st_index=0, vector=0):
        """Sends data to the accelerator's memory; returns the descriptor's status."""
        self.ram.write(SRC, data)
        return self.engine.copy(self.ram, SRC, self.acc.mem + offset, len(data), flags, st_index,
                                vector)


def parse(line):
    """A request in the trace, docs/reference/trace-format.md."""
    number, requester, arrow, completer, kind, address, *fields = line.split(" ")
    equal(arrow, "->", f"arrow in {line!r}")
    tlp = dict(field.split("=", 1) for field in fields)
    tlp.update(number=int(number), requester=requester, completer=completer, type=kind,
               address=int(address, 16))
    return tlp


def hints(tlps):
    """The distinct (th, ph, st) of TLPs."""
    return {(tlp["th"], tlp.get("ph"), tlp.get("st", tlp.get("st-ext"))) for tlp in tlps}


def lanes(*values):
    return struct.pack(f"<{len(values)}I", *values)


def test_untagged():
    """An untagged copy arrives, in TLPs of Max_Payload_Size, without a message to any client"""
    data = os.urandom(10000)
    with Machine() as m:
        equal(m.copy(100, data), OK)
        equal(m.acc.memory[100:100 + len(data)] == data, True, "data")
        equal(m.acc.memory[:100], bytes(100), "bytes before")
        tlps = m.tlps()
        equal(hints(tlps), {("0", None, None)})
        equal(sum(int(tlp["len"]) for tlp in tlps), len(data), "bytes in the trace")
        equal({(tlp["completer"], tlp["type"], tlp["result"]) for tlp in tlps},
              {("00:04.0", "MWr64", "ok")})
        true(all(int(tlp["len"]) <= MPS for tlp in tlps), "a TLP above Max_Payload_Size")
        equal((m.acc.count(ACC.ACC_REG_WRITES), m.acc.count(ACC.ACC_REG_UNTAGGED),
               m.acc.count(ACC.ACC_REG_BYTES)), (len(tlps), len(tlps), len(data)), "counters")
        m.engine.client.device_info()
        equal(m.engine.client.commands, [], "messages of the server")


def test_max_payload():
    """The size of TLPs is that of Device Control; a receiver that is set to less refuses"""
    with Machine() as m:
        for size in (128, 256, 512):
            m.mark()
            m.engine.set_max_payload(size)
            equal(m.copy(0, bytes(4096)), OK)
            equal({int(tlp["len"]) for tlp in m.tlps()}, {size}, "TLPs")
        m.acc.set_max_payload(128)
        m.mark()
        equal(m.copy(0, bytes(4096)), WRITE_ERROR)
        equal([tlp["result"] for tlp in m.tlps()], ["malformed"])


def test_8bit_tags():
    """8-bit tags of the ST table arrive, and the accelerator does what they say"""
    with Machine() as m:
        m.engine.set_tph(TPH_DS, TPH_8BIT)
        for index, (op, want) in enumerate((
                (ACC.ACC_ST_OP_STORE, 7), (ACC.ACC_ST_OP_ADD, 14), (ACC.ACC_ST_OP_XOR, 9),
                (ACC.ACC_ST_OP_MAX, 9))):
            tag = op << 4 | index + 1
            m.engine.set_st(index, tag)
            m.mark()
            equal(m.copy(0, lanes(7) * 1024, TH | ph(2), index), OK, f"tag {tag:#x}")
            equal(m.acc.memory[:4096] == lanes(want) * 1024, True, f"memory after tag {tag:#x}")
            equal(hints(m.tlps()), {("1", "2", f"0x{tag:02x}")})
            equal(len(m.tlps()), 4096 // MPS, "TLPs")
        equal(m.acc.count(ACC.ACC_REG_TAGGED), 4 * 4096 // MPS, "TAGGED")
        equal([m.acc.count(PH_COUNTERS + 8 * n) for n in range(4)],
              [0, 0, 4 * 4096 // MPS, 0], "PH")


def test_16bit_tags():
    """16-bit tags arrive with their prefix"""
    with Machine() as m:
        m.engine.set_tph(TPH_DS, TPH_EXT)
        tag = ACC.ACC_ST_EXT_OP_ADD << 8 | 0x5a
        m.engine.set_st(63, tag)
        m.acc.memory[0:8] = lanes(1, 2)
        equal(m.copy(0, lanes(10, 20), TH | ph(3), 63), OK)
        equal(m.acc.memory[0:8], lanes(11, 22))
        equal(hints(m.tlps()), {("1", "3", f"0x{tag:04x}")})
        equal((m.acc.count(ACC.ACC_REG_TAGGED_EXT), m.acc.count(ACC.ACC_REG_TAGGED)), (1, 0))


def test_interrupt_vector_mode():
    """In interrupt vector mode the vector selects the tag"""
    with Machine() as m:
        m.engine.set_tph(TPH_IV, TPH_8BIT)
        m.engine.set_st(5, ACC.ACC_ST_OP_ADD << 4)
        m.engine.set_st(0, 0xf0)
        m.acc.memory[0:4] = lanes(5)
        equal(m.copy(0, lanes(5), TH, st_index=0, vector=5), OK)
        equal(m.acc.memory[0:4], lanes(10))


def test_no_st_mode():
    """Without steering tags the hint travels alone, and off means off"""
    with Machine() as m:
        m.engine.set_tph(TPH_NO_ST, TPH_8BIT)
        m.engine.set_st(1, 0x1f)
        equal(m.copy(0, lanes(5), TH | ph(1), 1), OK)
        equal(hints(m.tlps()), {("1", "1", "0x00")})
        m.mark()
        m.engine.set_tph(TPH_DS, TPH_OFF)
        equal(m.copy(0, lanes(5), TH | ph(1), 1), OK)
        equal(hints(m.tlps()), {("0", None, None)})


def test_retag():
    """A new entry of the ST table counts from the next descriptor on"""
    with Machine() as m:
        m.engine.set_tph(TPH_DS, TPH_8BIT)
        for tag in (0x01, 0x02, 0x11):
            m.engine.set_st(0, tag)
            m.mark()
            equal(m.copy(0, lanes(1), TH, 0), OK)
            equal(hints(m.tlps()), {("1", "0", f"0x{tag:02x}")})


def test_namespaces():
    """A completer of 8-bit tags refuses the prefix of a 16-bit one, and nothing is written"""
    with Machine("acc8") as m:
        m.engine.set_tph(TPH_DS, TPH_EXT)
        m.engine.set_st(0, ACC.ACC_ST_EXT_OP_ADD << 8)
        equal(m.copy(0, lanes(5), TH, 0), WRITE_ERROR)
        equal({tlp["result"] for tlp in m.tlps()}, {"malformed"})
        equal(m.acc.memory[0:4], lanes(0))
        equal(m.acc.count(ACC.ACC_REG_MALFORMED), 1, "MALFORMED")


def test_rejected_operation():
    """An operation that the accelerator does not know is an error of the descriptor"""
    with Machine() as m:
        m.engine.set_tph(TPH_DS, TPH_8BIT)
        m.engine.set_st(0, 0xf0)
        equal(m.copy(0, lanes(5), TH, 0), WRITE_ERROR)
        equal({tlp["result"] for tlp in m.tlps()}, {"rejected"})
        equal(m.acc.memory[0:4], lanes(0))


def test_read():
    """Reads from the accelerator's memory come back"""
    with Machine() as m:
        data = os.urandom(5000)
        m.acc.memory[4096:4096 + len(data)] = data
        equal(m.engine.copy(m.ram, m.acc.mem + 4096, SRC, len(data)), OK)
        equal(m.ram.read(SRC, len(data)) == data, True, "data")
        equal({tlp["type"] for tlp in m.tlps()}, {"MRd64"})


def test_interrupt():
    """The interrupt of a descriptor comes after its status"""
    with Machine() as m:
        fds = [vu.eventfd() for _ in range(8)]
        m.engine.client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 8, fds=fds)
        m.engine.enable_msix()
        for vector in (0, 3, 7):
            status = m.engine.submit(m.ram, SRC, m.acc.mem, 64, IRQ, 0, vector)
            equal(vu.eventfd_count(fds[vector]), 1, f"events on vector {vector}")
            equal(m.ram.read(status, 4), struct.pack("<I", OK), "status at the interrupt")
        equal([vu.eventfd_count(fd, 0) for fd in fds], [0] * 8, "further events")
        for fd in fds:
            os.close(fd)


def test_wild_descriptors():
    """Wild lengths, flags, vectors and ranges give their descriptors a status"""
    top = 2**64
    mem = Accelerator.__init__.__defaults__[1]
    wild = [
        ((SRC, mem, 0), BAD), ((SRC, mem, ENGINE.DMA_ENGINE_LENGTH_MAX + 1), BAD),
        ((SRC, mem, 0xffffffff), BAD), ((SRC, mem, 4, 0xffffffff), BAD), ((SRC, mem, 4, 0x200), BAD),
        ((SRC, mem, 4, IRQ, 0, 8), BAD), ((SRC, mem, 4, IRQ, 0, 0xffff), BAD),
        ((SRC, mem, 4, ENGINE.DMA_ENGINE_DESC_SRC_TRANSLATED), BAD),
        ((SRC, mem, 4, ENGINE.DMA_ENGINE_DESC_DST_TRANSLATED), BAD),
        ((SRC, mem, 4, ENGINE.DMA_ENGINE_DESC_READ_TH, 64), BAD),
        ((SRC, mem, 4, TH, 64), BAD), ((SRC, mem, 4, TH, 0xffff), BAD),
        ((top - 4, mem, 8), READ_ERROR), ((top - 1, mem, 16 << 20), READ_ERROR),
        ((SRC, top - 4, 8), WRITE_ERROR), ((SRC, top - 1, 2), WRITE_ERROR),
    ]
    with Machine() as m:
        m.engine.set_tph(TPH_DS, TPH_8BIT)
        for descriptor, want in wild:
            equal(m.engine.copy(m.ram, *descriptor), want, f"{descriptor}")
        equal(m.copy(0, b"good"), OK)
        equal(m.acc.memory[0:4], b"good")


def test_wild_addresses():
    """Addresses that nobody claims go up to the client, whose refusal is the descriptor's status"""
    with Machine() as m:
        for src, dst, want in ((0x600000000000, m.acc.mem, READ_ERROR),
                               (SRC, 0x600000000000, WRITE_ERROR), (SRC, 0, WRITE_ERROR),
                               (SRC, m.acc.mem + m.acc.size, WRITE_ERROR),
                               (2**64 - 4, m.acc.mem, READ_ERROR), (SRC, 2**64 - 4, WRITE_ERROR)):
            status = m.engine.submit(m.ram, src, dst, 4)
            command = m.engine.client.receive_command()
            equal(command.payload[:16], struct.pack("=QQ", src if want == READ_ERROR else dst, 4))
            m.engine.client.reply(command, error=errno.EFAULT)
            equal(m.engine.wait(m.ram, status), want, f"{src:#x} to {dst:#x}")


def test_across_the_end():
    """A copy that runs over the end of the accelerator's memory fails there"""
    with Machine() as m:
        m.ram.write(SRC, b"\x5a" * 2048)
        status = m.engine.submit(m.ram, SRC, m.acc.mem + m.acc.size - 1024, 2048)
        command = m.engine.client.receive_command()
        equal((command.command, struct.unpack("=QQ", command.payload[:16])),
              (vu.DMA_WRITE, (m.acc.mem + m.acc.size, MPS)), "what goes up")
        m.engine.client.reply(command, error=errno.EFAULT)
        equal(m.engine.wait(m.ram, status), WRITE_ERROR)
        equal(m.acc.memory[-1024:] == b"\x5a" * 1024, True, "the part inside")


def test_memory_disabled():
    """While the accelerator does not decode memory its address is an unsupported request"""
    with Machine() as m:
        m.acc.command(COMMAND_MASTER)
        equal(m.copy(0, b"lost"), WRITE_ERROR)
        m.acc.command(COMMAND_MEMORY)
        equal({(tlp["completer"], tlp["result"]) for tlp in m.tlps()}, {("00:04.0", "ur")})
        equal(m.acc.memory[0:4], bytes(4))
        equal(m.copy(0, b"good"), OK)


def test_not_announced():
    """Without the map of the BAR a write goes up through the client and loses its hint"""
    with Machine(announce=False) as m:
        m.engine.set_tph(TPH_DS, TPH_8BIT)
        m.engine.set_st(0, 0x11)
        m.ram.write(SRC, lanes(5))
        status = m.engine.submit(m.ram, SRC, m.acc.mem, 4, TH, 0)
        command = m.engine.client.receive_command()
        equal((command.command, command.payload),
              (vu.DMA_WRITE, struct.pack("=QQ", m.acc.mem, 4) + lanes(5)))
        m.acc.client.region_write(2, 0, command.payload[16:])
        m.engine.client.reply(command, command.payload[:16])
        equal(m.engine.wait(m.ram, status), OK)
        equal(m.acc.memory[0:4], lanes(5), "stored, not added")
        equal([(tlp["completer"], tlp["th"], tlp["result"]) for tlp in m.tlps()
               if tlp["completer"] == "rc" and tlp["address"] == m.acc.mem], [("rc", "1", "ok")])
        equal(m.acc.count(ACC.ACC_REG_WRITES), 0, "TLPs at the accelerator")


def test_part_of_a_bar():
    """A map that holds only part of a BAR does not make it a peer's"""
    with Machine(announce=False) as m:
        m.engine.client.dma_map(m.acc.mem, m.acc.size // 2)
        status = m.engine.submit(m.ram, SRC, m.acc.mem, 4)
        command = m.engine.client.receive_command()
        equal(command.command, vu.DMA_WRITE)
        m.engine.client.reply(command, command.payload[:16])
        equal(m.engine.wait(m.ram, status), OK)


def test_peer_leaves():
    """When the accelerator's machine is gone, so is its memory"""
    with Machine() as m:
        equal(m.copy(0, b"here"), OK)
        m.acc.client.close()
        # A successor is let in when all of the predecessor is gone.
        SERVER.connect("acc").close()
        m.ram.write(SRC, b"gone")
        status = m.engine.submit(m.ram, SRC, m.acc.mem, 4)
        command = m.engine.client.receive_command()
        equal(command.command, vu.DMA_WRITE)
        m.engine.client.reply(command, error=errno.ENODEV)
        equal(m.engine.wait(m.ram, status), WRITE_ERROR)
        equal(m.acc.memory[0:4], b"here")


def test_trace_is_whole():
    """The trace counts up from 1 without a gap"""
    with Machine() as m:
        m.tlps()
    numbers = [int(line.split()[0]) for line in SERVER.trace()]
    equal(numbers == list(range(1, len(numbers) + 1)), True, "numbers")
    true(len(numbers) > 100, "TLPs in the trace")


run(globals(), SERVER.stop)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Completions and MSI-X interrupts of a running machine, in both forms of its trace."""
import os
import struct
import tempfile

import vfio_user as vu
from devices import ACC, ENGINE, Accelerator, DmaEngine, Ram
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints
from lab import trace
from tap import equal, run, true

RAM, RAM_SIZE = 0x100000, 1 << 20
SRC, LENGTH = RAM + 0x10000, 3000
REQUESTS = ("MRd", "FAdd", "CAS")
MSIX_ADDRESS, MSIX_DATA, VECTOR = 0xfee01000, 0x4021, 3
STATUS = {0: "SC", 1: "UR", 4: "CA"}


class Run:
    """A copy that reads memory and the accelerator, and ends with an interrupt; then the trace of it."""

    def __init__(self, *arguments, table=True):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.pcapng")
            with Endpoints(ACCELERATOR, DMA_ENGINE, trace=True, arguments=["--pcapng", path, *arguments]) as server, \
                    Ram(RAM, RAM_SIZE) as ram, Accelerator(server.connect("acc")) as acc, \
                    DmaEngine(server.connect("dma")) as engine:
                ram.map(acc, engine)
                engine.client.dma_map(acc.mem, acc.size)
                for function in (acc, engine):
                    function.set_max_payload(256)
                self._interrupts(engine, table)
                engine.start(RAM)
                equal(engine.copy(ram, SRC + 100, acc.mem, LENGTH, ENGINE.DMA_ENGINE_DESC_IRQ, vector=VECTOR),
                      ENGINE.DMA_ENGINE_DONE_OK, "to the accelerator")
                equal(engine.copy(ram, acc.mem + 4, SRC, LENGTH), ENGINE.DMA_ENGINE_DONE_OK, "and back")
                acc.command(0)
                equal(engine.copy(ram, acc.mem, SRC, 64), ENGINE.DMA_ENGINE_DONE_READ_ERROR, "what it does not decode")
                acc.enable()
                self.counted = acc.count(ACC.ACC_REG_WRITES)
                acc.mark(0xabcd0001)
                lines = server.trace(until="value=0xabcd0001")
                self.fired = vu.eventfd_count(self.event, 0)
                os.close(self.event)
            self.text = [trace.parse_line(line) for line in lines]
            with open(path, "rb") as file:
                self.pcapng = list(packets(file.read()))

    def _interrupts(self, engine, table):
        self.event = vu.eventfd()
        engine.client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, VECTOR, 1, fds=[self.event])
        engine.enable_msix()
        if table:
            engine.client.region_write(ENGINE.DMA_ENGINE_BAR_MSIX, 16 * VECTOR,
                                       struct.pack("<QII", MSIX_ADDRESS, MSIX_DATA, 0))


def packets(data):
    """Header and TLP of each packet of a pcapng file."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            captured, = struct.unpack_from("<I", data, at + 20)
            packet = data[at + 28:at + 28 + captured]
            yield packet[:16], packet[16:]
        at += size


def expect_matched(tlps):
    """Every request that is not posted has its completions behind it: its bytes, or an error."""
    waiting, completed = {}, 0
    for tlp in tlps:
        if tlp.kind in REQUESTS:
            key = (tlp.requester, tlp.transaction)
            true(key not in waiting, f"a tag in use twice: {tlp}")
            waiting[key] = [tlp, tlp.length if tlp.kind == "MRd" else 8]
        elif tlp.kind in ("Cpl", "CplD"):
            request, left = waiting[(tlp.completer, tlp.transaction)]
            equal(tlp.status, "UR" if request.result == "ur" else "SC", f"status for {request}")
            equal(tlp.requester, request.completer, f"completer of {request}")
            equal(tlp.byte_count, left, f"bytes left of {request}")
            waiting[(tlp.completer, tlp.transaction)][1] -= tlp.length
            if tlp.status != "SC" or tlp.length == left:
                del waiting[(tlp.completer, tlp.transaction)]
                completed += 1
    equal(waiting, {}, "requests without an end")
    return completed


def test_matched():
    """each read is completed, of memory, of a peer, by the CPU, and one that is not supported"""
    run_ = Run()
    true(expect_matched(run_.text) > 15, "few requests")
    kinds = {(tlp.kind, tlp.requester, tlp.completer) for tlp in run_.text}
    for one in (("CplD", "rc", "00:05.0"), ("CplD", "00:04.0", "00:05.0"), ("CplD", "00:04.0", "rc"),
                ("Cpl", "00:04.0", "00:05.0")):
        true(one in kinds, f"no {one} among {kinds}")
    true(max(tlp.length for tlp in run_.text if tlp.kind == "CplD") <= 256, "data above Max_Payload_Size")
    # What the CPU has read, as the device counts it
    values = [tlp.value for tlp in run_.text if (tlp.kind, tlp.completer) == ("CplD", "rc")]
    true(run_.counted in values, f"{run_.counted} among {values}")


def test_same_records():
    """pcapng has the same completions, in the bytes of section 2.2.9"""
    run_ = Run()
    want = [tlp for tlp in run_.text if tlp.kind.startswith("Cpl")]
    got = [(header, tlp) for header, tlp in run_.pcapng if tlp[0] & 0x1f == 0x0a]
    equal(len(got), len(want), "completions")
    for (header, raw), text in zip(got, want):
        dw0, dw1, dw2 = struct.unpack_from(">III", raw)
        equal(int.from_bytes(header[8:], "big"), text.number, "number")
        equal("CplD" if dw0 >> 30 & 1 else "Cpl", text.kind, f"type of {text}")
        equal(dw0 & 0x3ff, (text.lower_address % 4 + text.length + 3) // 4, f"Length of {text}")
        equal((bdf(dw1 >> 16), STATUS[dw1 >> 13 & 7], dw1 & 0xfff or 4096), (text.requester, text.status, text.byte_count),
              f"DW 1 of {text}")
        equal((bdf(dw2 >> 16), dw2 >> 8 & 0xff, dw2 & 0x7f), (text.completer, text.transaction, text.lower_address),
              f"DW 2 of {text}")


def bdf(number):
    return f"{number >> 8:02x}:{number >> 3 & 31:02x}.{number & 7}" if number else "rc"


def interrupts(tlps):
    return [(tlp.requester, tlp.completer, tlp.address, tlp.value, tlp.vector) for tlp in tlps if tlp.kind == "MSI-X"]


def test_interrupt():
    """an interrupt is a write of the data to the address that the table has; without them both are 0"""
    run_ = Run()
    equal(interrupts(run_.text), [("00:05.0", "rc", MSIX_ADDRESS, MSIX_DATA, VECTOR)], "interrupts")
    equal(run_.fired, 1, "the client was told")
    raw = [(header, tlp) for header, tlp in run_.pcapng if header[1] & 4]
    equal([(header[3], tlp) for header, tlp in raw],
          [(VECTOR, struct.pack(">IIII", 0x40000001, 0x0028000f, MSIX_ADDRESS, 0)[:12] + struct.pack("<I", MSIX_DATA))],
          "in pcapng")
    equal(interrupts(Run(table=False).text), [("00:05.0", "rc", 0, 0, VECTOR)], "without a table")


def test_requests_only():
    """--requests-only leaves both out, and nothing else"""
    def requests(tlps):
        return [(tlp.requester, tlp.completer, tlp.kind, tlp.address, tlp.length, tlp.result) for tlp in tlps
                if tlp.kind in (*REQUESTS, "MWr")]
    both, without = Run(), Run("--requests-only")
    equal(len(without.text), len(requests(without.text)), "other TLPs")
    equal(requests(without.text), requests(both.text), "requests")
    equal(len(without.pcapng), len(without.text), "in pcapng")
    equal(without.fired, 1, "the client was told")


run(globals())

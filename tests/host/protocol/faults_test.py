# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults by rule: what docs/reference/faults.md says of each, and what happens."""
import os
import re
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import vfio_user as vu
from devices import ACC, CAP_PCIE, ENGINE, TPH_DS, TPH_EXT, Accelerator, DmaEngine, Ram
from endpoints import ACCELERATOR, DMA_ENGINE, PROGRAM, Endpoints, environment
from tap import equal, run, true

PAGE = Path(__file__).parents[3] / "docs/reference/faults.md"
RAM, BUFFER = 0x100000, 0x110000
TAG = 0x4312            # add, partition 0x12; as an 8-bit tag add, partition 2; with the bits 0x0101 flipped xor
TAGGED = ENGINE.DMA_ENGINE_DESC_TH
EXT_CAP_AER = 1
OPTIONS = {"delay": "us=1000", "corrupt-tag": "xor=0x0101", "spoof": "as=00:1f.7"}
DESCRIPTOR = {"ok": ENGINE.DMA_ENGINE_DONE_OK, "read error": ENGINE.DMA_ENGINE_DONE_READ_ERROR,
              "write error": ENGINE.DMA_ENGINE_DONE_WRITE_ERROR}
DEVICE_STATUS = {1: "CED", 2: "NFED", 4: "FED", 8: "URD"}
UNCORRECTABLE = {1 << 12: "POISON", 1 << 14: "CTO", 1 << 15: "CA", 1 << 18: "MALF", 1 << 20: "UR"}
CORRECTABLE = {1 << 13: "ANFE"}
# Bits of the Status register (section 7.5.1.1.4)
STATUS = {1 << 11: "signalled target abort", 1 << 12: "received target abort", 1 << 13: "received master abort",
          1 << 14: "signalled system error", 1 << 15: "detected parity error"}


class Errors:
    """The error registers of a function."""

    def __init__(self, function):
        self.client = function.client
        self.express = function.capability(CAP_PCIE)
        self.aer = function.extended_capability(EXT_CAP_AER)

    def aer_read(self, offset):
        return self.client.config_read(self.aer + offset, 4)

    def shown(self):
        """As the table has it: "NFED URD, UR"; "-" for nothing."""
        status = names(self.client.config_read(self.express + 10, 2), DEVICE_STATUS)
        errors = names(self.aer_read(4), UNCORRECTABLE) + names(self.aer_read(0x10), CORRECTABLE)
        return ", ".join(" ".join(words) for words in (status, errors) if words) or "-"

    def status(self):
        return names(self.client.config_read(6, 2), STATUS)

    def header(self):
        """Prefix and header that are logged, as DWs."""
        prefix = [self.aer_read(0x38)] if self.aer_read(0x18) & 1 << 11 else []
        return prefix + [self.aer_read(0x1c + 4 * i) for i in range(4)]

    def first(self):
        return self.aer_read(0x18) & 0x1f

    def clear(self):
        """As a driver does: writes back what it has read."""
        for offset, size in ((6, 2), (self.express + 10, 2), (self.aer + 4, 4), (self.aer + 0x10, 4)):
            self.client.config_write(offset, size, self.client.config_read(offset, size))
        equal((self.shown(), self.status()), ("-", []), "cleared")


def names(value, bits):
    return [name for bit, name in bits.items() if value & bit]


class Machine:
    """Requester and completer, with rules."""

    def __init__(self, *rules, arguments=()):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "rules"
        path.write_text("".join(f"{rule}\n" for rule in rules))
        self.server = Endpoints(ACCELERATOR, DMA_ENGINE, trace=True, arguments=["--inject", str(path), *arguments])
        self.ram = Ram(RAM, 1 << 20)
        self.acc = Accelerator(self.server.connect("acc"))
        self.engine = DmaEngine(self.server.connect("dma"))
        self.ram.map(self.acc, self.engine)
        self.engine.client.dma_map(self.acc.mem, self.acc.size)
        self.engine.set_tph(TPH_DS, TPH_EXT)
        self.engine.set_st(0, TAG)
        self.engine.start(RAM)
        self.requester, self.completer = Errors(self.engine), Errors(self.acc)
        self.marks = 0xabcd0000

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.engine.__exit__()
        self.acc.__exit__()
        self.ram.__exit__()
        self.folder.cleanup()
        self.server.__exit__(*exception)

    def write(self):
        """7 to a lane that holds 100, with the tag; status of the descriptor."""
        self.acc.memory[:4] = struct.pack("<I", 100)
        self.ram.write(BUFFER, struct.pack("<I", 7))
        return self.engine.copy(self.ram, BUFFER, self.acc.mem, 4, TAGGED, 0)

    def read(self):
        return self.engine.copy(self.ram, self.acc.mem, BUFFER, 4)

    def results(self, kind):
        """What the trace says of the requests of this type to the accelerator."""
        self.marks += 1
        self.acc.mark(self.marks)
        lines = self.server.trace(until=f"value=0x{self.marks:08x}")
        return [line[line.index("result=") + len("result="):] for line in lines
                if f" 00:05.0 -> 00:04.0 {kind}" in line]

    def written(self):
        """What the write has done, by the memory and the counters."""
        counted = [self.acc.count(register) for register in (
            ACC.ACC_REG_UNTAGGED, ACC.ACC_REG_TAGGED, ACC.ACC_REG_TAGGED_EXT)]
        lane = struct.unpack("<I", self.acc.memory[:4])[0]
        self.acc.client.write32(0, ACC.ACC_REG_SELECT, 1 << 16 | TAG)
        if not any(counted):
            equal(lane, 100, "memory that nothing was written to")
            return "no"
        if counted == [0, 0, 1]:
            return "tagged" if self.acc.count(ACC.ACC_REG_TAG_COUNT) else "other tag"
        return {(1, 0, 0): "untagged", (0, 1, 0): "8-bit"}[tuple(counted)]


def table():
    """The rows of the page, as lists of cells."""
    text = PAGE.read_text(encoding="utf-8").split("\n| fault |", 1)[1]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in text.splitlines()[2:] if line.startswith("|")]
    true(len(rows) > 10 and all(len(row) == 7 for row in rows), f"rows of the table: {rows}")
    return rows


def check_row(fault, request, descriptor, written, result, requester, completer):
    fault, result = fault.strip("`"), result.strip("`")
    rule = [f"{fault},completer=00:04.0" + (f",{OPTIONS[fault]}" if fault in OPTIONS else "")] if fault != "none" else []
    with Machine(*rule) as m:
        status = m.write() if request == "write" else m.read()
        name = f"{fault}, {request}"
        equal(status, DESCRIPTOR[descriptor], f"{name}: descriptor")
        equal(m.results("MWr" if request == "write" else "MRd"), [result], f"{name}: trace")
        if request == "write":
            equal(m.written(), written, f"{name}: written")
        equal((m.requester.shown(), m.completer.shown()), (requester, completer), f"{name}: requester, completer")


def test_every_row():
    """The page's table is what happens"""
    rows = table()
    actions = {row[0].strip("`") for row in rows}
    for line in subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True,
                               env=environment()).stdout.split("Actions:\n", 1)[1].splitlines():
        if line.startswith("and "):
            break
        for action in re.split(r", ", line[:29].split(",us=")[0].split(",xor=")[0].split(",as=")[0].strip()):
            true(action in actions, f"{action} has no row")
    for row in rows:
        check_row(*row)


def test_header_log():
    """The log is the TLP as it arrived, with its prefix, and belongs to the first error until that is cleared"""
    with Machine("ur,nth=1,type=MWr,completer=00:04.0", "malformed,nth=2,type=MWr,completer=00:04.0") as m:
        m.write()
        # Prefix with the upper byte, MWr64 of one DW with TH, requester 00:05.0 and the lower byte, address and PH.
        first = [0x90430000, 0x60010001, 0x0028120f, m.acc.mem >> 32, m.acc.mem & 0xffffffff]
        equal((m.completer.first(), m.completer.header()), (20, first), "an unsupported request")
        m.engine.copy(m.ram, BUFFER, m.acc.mem + 8, 4)
        equal((m.completer.shown(), m.completer.first()), ("NFED FED URD, MALF UR", 20), "and a malformed one")
        equal(m.completer.header(), first, "the log of the first")
        m.completer.clear()
    with Machine("poison,type=MWr,completer=00:04.0") as m:
        m.write()
        equal(m.completer.header()[1], 0x60010001 | 1 << 14, "EP of a poisoned write")
        equal((m.completer.status(), m.requester.status()), (["detected parity error"], []), "Status")


def test_status():
    """The requester of a read learns of an error from its completion, and sets Status"""
    for rule, want in (("ur,type=MRd,completer=00:04.0", ["received master abort"]),
                       ("poison,type=MRd,completer=00:04.0", ["detected parity error"])):
        with Machine(rule) as m:
            m.read()
            equal(m.requester.status(), want, rule)
            equal(m.completer.status(), [], rule)
            m.requester.clear()


def test_masks_and_severity():
    """Masked errors are noted and not logged; severity decides between the bits of Device Status"""
    with Machine("ur,type=MWr,completer=00:04.0") as m:
        m.acc.client.config_write(m.completer.aer + 8, 4, 0xffffffff)
        m.write()
        equal((m.completer.shown(), m.completer.header()), ("NFED URD, UR", [0] * 4), "masked")
        m.completer.clear()
        m.acc.client.config_write(m.completer.aer + 8, 4, 0)
        m.acc.client.config_write(m.completer.aer + 0xc, 4, 1 << 20)
        m.write()
        equal((m.completer.shown(), m.completer.header()[1]), ("FED URD, UR", 0x60010001), "fatal")
    with Machine("ur,type=MRd,completer=00:04.0") as m:
        m.acc.client.config_write(m.completer.aer + 0x14, 4, 0)
        m.read()
        equal((m.completer.shown(), m.completer.header()[0]), ("CED URD, UR ANFE", 0x20000001),
              "advisory, not masked: logged")


def test_rules():
    """Rules choose by number, address, tag and party; the first whose turn it is decides"""
    with Machine("drop,nth=2,type=MWr,completer=00:04.0", "ur,nth=3-4,st-ext=0x4312", "malformed,requester=00:06.0",
                 "malformed,st=0x12", "malformed,address=0x2000001000-0x2000001fff", "malformed,nth=50-") as m:
        results = [m.write() and m.results("MWr")[-1] for _ in range(6)]
        equal(results, ["ok", "dropped inject=drop", "ur inject=ur", "ur inject=ur", "ok", "ok"])
        for offset, want in ((0xffc, "ok"), (0x1000, "malformed inject=malformed"), (0x1ffc, "malformed inject=malformed"),
                             (0x2000, "ok")):
            m.engine.copy(m.ram, BUFFER, m.acc.mem + offset, 4)
            equal(m.results("MWr")[-1], want, f"at {offset:#x}")


def test_memory():
    """Requests to memory meet rules as well"""
    with Machine("ur,completer=rc,type=MRd,address=0x110000", "drop,completer=rc,type=MRd,address=0x110004") as m:
        equal(m.engine.copy(m.ram, BUFFER, m.acc.mem, 4), ENGINE.DMA_ENGINE_DONE_READ_ERROR, "unsupported")
        equal(m.requester.status(), ["received master abort"])
        equal(m.engine.copy(m.ram, BUFFER + 4, m.acc.mem, 4), ENGINE.DMA_ENGINE_DONE_READ_ERROR, "no completion")
        equal(m.requester.shown(), "NFED, CTO")
        equal(m.engine.copy(m.ram, BUFFER + 8, m.acc.mem, 4), ENGINE.DMA_ENGINE_DONE_OK, "another address")


def test_delay():
    """A request that waits holds up nobody else"""
    with Machine("delay,us=1500000,type=MWr,completer=00:04.0") as m:
        start = time.monotonic()
        status = m.engine.submit(m.ram, BUFFER, m.acc.mem, 4)
        m.acc.count(ACC.ACC_REG_WRITES)
        m.engine.read(ENGINE.DMA_ENGINE_REG_HEAD)
        others = time.monotonic() - start
        equal(m.engine.wait(m.ram, status), ENGINE.DMA_ENGINE_DONE_OK)
        waited = time.monotonic() - start
        true(waited >= 1.5, f"it waited {waited} s")
        true(others < 1.4, f"registers were read after {others} s")


def test_delay_ends_with_a_reset():
    """A reset while a request waits: the write goes on, and the engine has forgotten it"""
    with Machine("delay,us=300000,type=MWr,completer=00:04.0") as m:
        m.engine.submit(m.ram, BUFFER, m.acc.mem, 4)
        m.engine.client.reset()
        m.engine.enable()
        equal(m.engine.read(ENGINE.DMA_ENGINE_REG_HEAD), 0, "registers after the reset")


def test_spoof_is_blocked():
    """Source Validation ends a request with the requester ID of another bus, and no other"""
    tree = ["--root-port", "name=rp", "--switch", "name=sw,below=rp",
            "--downstream-port", "name=a,below=sw,acs=sv", "--downstream-port", "name=b,below=sw"]
    rules = tempfile.NamedTemporaryFile("w", suffix=".rules")
    rules.write("spoof,as=04:00.0,nth=2,type=MWr,completer=03:00.0\nspoof,as=02:1f.7,nth=3,type=MWr,completer=03:00.0\n")
    rules.flush()
    with rules, Endpoints("accelerator,name=acc,bdf=03:00.0,below=b", "dma-engine,name=dma,bdf=02:00.0,below=a",
                          trace=True, arguments=[*tree, "--inject", rules.name]) as server, Ram(RAM, 1 << 20) as ram, \
            Accelerator(server.connect("acc")) as acc, DmaEngine(server.connect("dma")) as engine:
        ram.map(engine)
        engine.client.dma_map(acc.mem, acc.size)
        engine.start(RAM)
        statuses = [engine.copy(ram, BUFFER, acc.mem, 4) for _ in range(3)]
        equal(statuses, [ENGINE.DMA_ENGINE_DONE_OK, ENGINE.DMA_ENGINE_DONE_WRITE_ERROR, ENGINE.DMA_ENGINE_DONE_OK])
        acc.mark(0xabcd0001)
        lines = [line[line.index("result="):] for line in server.trace(until="value=0xabcd0001")
                 if " 02:00.0 -> 03:00.0 " in line]
        equal(lines, ["result=ok", "result=blocked at=a inject=spoof", "result=ok inject=spoof"])


def test_error_interrupt():
    """With --error-irq an error that is reported triggers it; Device Control and the masks decide"""
    with Machine("ur,type=MWr,completer=00:04.0", arguments=["--error-irq"]) as m:
        fd = vu.eventfd()
        equal(m.acc.client.irq_info(vu.IRQ_ERR)[3], 1, "vectors")
        m.acc.client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_ERR, 0, 1, b"", [fd])
        control = m.completer.express + 8
        for value, want in ((0, 0), (2, 0), (8, 0), (2 | 8, 1), (4 | 8, 0)):
            old = m.acc.client.config_read(control, 2) & ~0xf
            m.acc.client.config_write(control, 2, old | value)
            m.write()
            equal(vu.eventfd_count(fd, 0), want, f"Device Control {value:#x}")
            m.completer.clear()
        m.acc.client.config_write(m.completer.aer + 8, 4, 1 << 20)
        m.acc.client.config_write(control, 2, old | 0xf)
        m.write()
        equal(vu.eventfd_count(fd, 0), 0, "masked")
        m.acc.client.config_write(m.completer.aer + 8, 4, 0)
        m.acc.client.config_write(control, 2, old)
        m.acc.command(6 | 0x100)
        m.write()
        equal((vu.eventfd_count(fd, 0), m.completer.status()), (1, ["signalled system error"]), "SERR# Enable")
        os.close(fd)


def test_bad_rules():
    """A rule that cannot be is refused in one line that names it"""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "rules")
        for rule, message in (
                ("explode", "explode: not an action: expected ur, malformed, drop, delay, poison, strip-prefix, clear-th, "
                            "corrupt-tag or spoof"),
                ("none", "none: not an action: expected ur, malformed, drop, delay, poison, strip-prefix, clear-th, "
                         "corrupt-tag or spoof"),
                ("drop,nth=0", "drop: nth=0: expected a number or a range like 3, 3-5 or 3-, from 1"),
                ("drop,nth=5-3", "drop: nth=5-3: expected a number or a range like 3, 3-5 or 3-, from 1"),
                ("drop,address=5-", "drop: address=5-: expected a number or a range like 0x1000-0x1fff"),
                ("drop,st=0x100", "drop: st=0x100: expected a Steering Tag up to 0xff"),
                ("drop,st=1,st-ext=1", "drop: st= and st-ext= exclude each other"),
                ("drop,type=Msg", "drop: type=Msg: expected one of MRd, MWr, FAdd, CAS"),
                ("drop,us=5", "drop: there is no option us="),
                ("delay", "delay: us= is missing: microseconds"),
                ("delay,us=10000001", "delay: us=10000001: expected a number from 1 to 10000000"),
                ("corrupt-tag,xor=0", "corrupt-tag: xor=0: expected the bits to flip, up to 0xffff"),
                ("spoof", "spoof: as= is missing: the requester ID to show"),
                ("spoof,as=rc", "spoof: as=rc: expected bus:device.function in hex, from 00:00.1 to ff:1f.7"),
                ("drop," + "x" * 600, "line 2 is longer than 511 bytes")):
            Path(path).write_text(f"# a comment\n{rule}\n")
            done = subprocess.run([PROGRAM, "--dir", directory, "--inject", path, "--device", ACCELERATOR],
                                  capture_output=True, text=True, env=environment(), timeout=60)
            prefix = "" if message.startswith("line") else "line 2: "
            equal((done.returncode, done.stderr), (2, f"tphbuf-endpoints: --inject {path}: {prefix}{message}\n"), rule)
        done = subprocess.run([PROGRAM, "--dir", directory, "--inject", path + "x", "--device", ACCELERATOR],
                              capture_output=True, text=True, env=environment(), timeout=60)
        equal((done.returncode, done.stderr), (1, f"tphbuf-endpoints: --inject {path}x: No such file or directory\n"))


run(globals())

# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU as the client, without a guest: the test drives the machine over the qtest protocol."""
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import vfio_user as vu
from devices import ACC, ENGINE
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints
from tap import Skip, equal, run, true

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
START_SECONDS = 60
RAM_BYTES = 64 << 20
ECAM = 0xb0000000
ACC_SLOT, DMA_SLOT = 4, 5
ACC_REGS, DMA_REGS, DMA_MSIX = 0xfe000000, 0xfe010000, 0xfe011000
ACC_MEM = 0x2000000000
RING, SRC, MSI_ADDRESS = 0x100000, 0x110000, 0x120000
SERVER = Endpoints(ACCELERATOR, DMA_ENGINE, trace=True, arguments=["--unannounced-dma"])


def has_vfio_user():
    """Whether there is a QEMU that can be a client: 11.1 or later."""
    if not shutil.which(QEMU):
        return False
    devices = subprocess.run([QEMU, "-device", "help"], capture_output=True, check=False)
    return b'"vfio-user-pci"' in devices.stdout


HAS_VFIO_USER = has_vfio_user()


class Qemu:
    """A q35 machine with both devices, stopped before its first instruction."""

    def __init__(self, *arguments):
        if not HAS_VFIO_USER:
            raise Skip(f"no {QEMU} with vfio-user-pci")
        self.directory = tempfile.mkdtemp(prefix="tphbuf-qemu-")
        self.errors = open(os.path.join(self.directory, "stderr.txt"), "w+", encoding="utf-8")
        path = os.path.join(self.directory, "qtest.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.settimeout(START_SECONDS)
        self.listener.bind(path)
        self.listener.listen()
        command = [QEMU, "-machine", "q35,accel=qtest,kernel-irqchip=split,memory-backend=ram",
                   "-m", f"{RAM_BYTES >> 20}M", "-display", "none", "-nodefaults",
                   "-object", f"memory-backend-memfd,id=ram,size={RAM_BYTES},share=on",
                   "-qtest", f"unix:{path}", "-qtest-log", "none", *arguments]
        for slot, name in ((ACC_SLOT, "acc"), (DMA_SLOT, "dma")):
            command += ["-device", json.dumps({
                "driver": "vfio-user-pci", "addr": f"{slot:x}", "id": name,
                "socket": {"type": "unix", "path": SERVER.path(name)}})]
        self.process = subprocess.Popen(command, stderr=self.errors, stdout=subprocess.DEVNULL)
        connection, _ = self.listener.accept()
        connection.settimeout(START_SECONDS)
        self.file = connection.makefile("rw")
        connection.close()
        # The host bridge's PCIEXBAR.
        self.command("outl 0xcf8 0x80000060")
        self.command(f"outl 0xcfc {ECAM | 1:#x}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        code = self.process.wait(START_SECONDS)
        self.file.close()
        self.listener.close()
        self.errors.seek(0)
        said = [line for line in self.errors if "terminating on signal" not in line]
        self.errors.close()
        shutil.rmtree(self.directory)
        if kind is None:
            equal((code, said), (0, []), "end of QEMU and what it complained about")

    def command(self, text):
        self.file.write(text + "\n")
        self.file.flush()
        while True:
            words = self.file.readline().split()
            if words and words[0] == "OK":
                return int(words[1], 0) if len(words) > 1 else None
            if not words or words[0] != "IRQ":
                raise AssertionError(f"{text}: {words}")

    def read(self, address, size):
        return self.command(f"read {address:#x} {size}").to_bytes(size, "big")

    def write(self, address, data):
        self.command(f"write {address:#x} {len(data)} 0x{data.hex()}")

    def readl(self, address):
        return self.command(f"readl {address:#x}")

    def readq(self, address):
        return self.command(f"readq {address:#x}")

    def writel(self, address, value):
        self.command(f"writel {address:#x} {value:#x}")

    def writeq(self, address, value):
        self.command(f"writeq {address:#x} {value:#x}")

    def config(self, slot, offset):
        return ECAM + (slot << 15) + offset

    def config_read(self, slot, offset):
        return self.readl(self.config(slot, offset))

    def config_write(self, slot, offset, value, size=4):
        self.command(f"write{'bwl'[size // 2]} {self.config(slot, offset):#x} {value:#x}")

    def extended_capability(self, slot, wanted):
        offset = 0x100
        while offset:
            header = self.config_read(slot, offset)
            if header & 0xffff == wanted:
                return offset
            offset = header >> 20
        raise AssertionError(f"no extended capability {wanted:#x}")

    def capability(self, slot, wanted):
        offset = self.config_read(slot, 0x34) & 0xff
        while offset:
            header = self.config_read(slot, offset)
            if header & 0xff == wanted:
                return offset
            offset = header >> 8 & 0xff
        raise AssertionError(f"no capability {wanted:#x}")

    def start_devices(self):
        """BARs, memory decoding and bus mastering, as firmware and drivers would."""
        self.config_write(ACC_SLOT, 0x10, ACC_REGS)
        self.config_write(ACC_SLOT, 0x18, ACC_MEM & 0xffffffff)
        self.config_write(ACC_SLOT, 0x1c, ACC_MEM >> 32)
        self.config_write(DMA_SLOT, 0x10, DMA_REGS)
        self.config_write(DMA_SLOT, 0x20, DMA_MSIX)
        for slot in (ACC_SLOT, DMA_SLOT):
            self.config_write(slot, 4, 6, 2)
        self.writeq(DMA_REGS + ENGINE.DMA_ENGINE_REG_RING_BASE, RING)
        self.writel(DMA_REGS + ENGINE.DMA_ENGINE_REG_RING_SIZE, 16)
        self.writel(DMA_REGS + ENGINE.DMA_ENGINE_REG_CONTROL, ENGINE.DMA_ENGINE_CONTROL_RUN)
        self.tail = 0

    def copy(self, src, dst, length, flags=0, st_index=0, vector=0):
        """The status of a descriptor that was worked on."""
        at = RING + 32 * self.tail
        self.tail = (self.tail + 1) % 16
        self.write(at, struct.pack("<QQIIHHI", src, dst, length, flags, st_index, vector, 0))
        self.writel(DMA_REGS + ENGINE.DMA_ENGINE_REG_TAIL, self.tail)
        end = time.monotonic() + vu.SECONDS
        while not self.readl(at + 28):
            true(time.monotonic() < end, "the descriptor got no status")
        return self.readl(at + 28)


def test_enumerate():
    """QEMU takes both devices without complaint and shows them as they are"""
    with Qemu() as q:
        equal(q.config_read(ACC_SLOT, 0), ACC.ACC_DEVICE_ID << 16 | ACC.ACC_VENDOR_ID)
        equal(q.config_read(DMA_SLOT, 0), ENGINE.DMA_ENGINE_DEVICE_ID << 16 |
              ENGINE.DMA_ENGINE_VENDOR_ID)
        q.extended_capability(DMA_SLOT, 0x17)
        q.config_write(ACC_SLOT, 0x18, 0xffffffff)
        equal(q.config_read(ACC_SLOT, 0x18), -(64 << 20) & 0xffffffff | 0xc, "size of BAR2")


def test_registers_and_memory():
    """Trapped registers and the mapped memory are reached"""
    with Qemu() as q:
        q.start_devices()
        equal(q.readl(ACC_REGS), ACC.ACC_ID)
        equal(q.readq(ACC_REGS + ACC.ACC_REG_MEM_SIZE), 64 << 20)
        equal(q.readl(DMA_REGS), ENGINE.DMA_ENGINE_ID)
        q.write(ACC_MEM + 4096, b"through the mapping")
        equal(q.read(ACC_MEM + 4096, 19), b"through the mapping")
        with open(SERVER.trace_path, encoding="ascii") as trace:
            true("through" not in trace.read(), "an access to mapped memory is in the trace")


def test_copy_with_tag():
    """A tagged copy goes from guest memory to the accelerator within the fabric"""
    with Qemu() as q:
        q.start_devices()
        tph = q.extended_capability(DMA_SLOT, 0x17)
        q.config_write(DMA_SLOT, tph + 8, 2)
        q.config_write(DMA_SLOT, tph + 12, ACC.ACC_ST_OP_ADD << 4 | 3, 2)
        q.config_write(DMA_SLOT, tph + 8, 1 << 8 | 2)
        q.write(SRC, struct.pack("<4I", 1, 2, 3, 4))
        q.write(ACC_MEM, struct.pack("<4I", 10, 20, 30, 40))
        equal(q.copy(SRC, ACC_MEM, 16, ENGINE.DMA_ENGINE_DESC_TH), ENGINE.DMA_ENGINE_DONE_OK)
        equal(struct.unpack("<4I", q.read(ACC_MEM, 16)), (11, 22, 33, 44), "old plus new")
        tlp = " 00:05.0 -> 00:04.0 MWr64 0x0000002000000000 len=16 th=1 ph=0 st=0x13 "
        true(any(tlp in line for line in SERVER.trace(until=tlp)), "the TLP is not in the trace")


def test_back_to_memory():
    """A copy between two places of guest memory"""
    with Qemu() as q:
        q.start_devices()
        data = os.urandom(3000)
        q.write(SRC, data)
        equal(q.copy(SRC, SRC + 0x4000, len(data)), ENGINE.DMA_ENGINE_DONE_OK)
        equal(q.read(SRC + 0x4000, len(data)) == data, True, "data")


def test_through_messages():
    """What is neither memory nor a peer's goes through QEMU: a register, and nothing at all"""
    with Qemu() as q:
        q.start_devices()
        q.write(SRC, struct.pack("<I", 0x1234))
        equal(q.copy(SRC, ACC_REGS + ACC.ACC_REG_MARK, 4), ENGINE.DMA_ENGINE_DONE_OK)
        equal(q.readl(ACC_REGS + ACC.ACC_REG_MARK), 0x1234)
        equal(q.copy(ACC_REGS, SRC, 4), ENGINE.DMA_ENGINE_DONE_OK)
        equal(q.readl(SRC), ACC.ACC_ID)
        equal(q.copy(SRC, 0x700000000000, 4), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)
        equal(q.copy(0x700000000000, SRC, 4), ENGINE.DMA_ENGINE_DONE_READ_ERROR)


def test_msix():
    """The engine's interrupts arrive as MSI-X messages, masked ones later"""
    with Qemu() as q:
        q.start_devices()
        for vector in range(8):
            q.writel(DMA_MSIX + 16 * vector, MSI_ADDRESS + 4 * vector)
            q.writel(DMA_MSIX + 16 * vector + 4, 0)
            q.writel(DMA_MSIX + 16 * vector + 8, 0xcafe0000 + vector)
            q.writel(DMA_MSIX + 16 * vector + 12, 0)
        q.config_write(DMA_SLOT, q.capability(DMA_SLOT, 0x11) + 2, 0x8007, 2)
        for vector in (0, 5, 7):
            equal(q.copy(SRC, ACC_MEM, 4, ENGINE.DMA_ENGINE_DESC_IRQ, 0, vector),
                  ENGINE.DMA_ENGINE_DONE_OK)
            wait_message(q, vector)
        equal([q.readl(MSI_ADDRESS + 4 * v) for v in range(8)],
              [0xcafe0000 + v if v in (0, 5, 7) else 0 for v in range(8)], "messages")
        q.writel(DMA_MSIX + 16 * 2 + 12, 1)
        equal(q.copy(SRC, ACC_MEM, 4, ENGINE.DMA_ENGINE_DESC_IRQ, 0, 2), ENGINE.DMA_ENGINE_DONE_OK)
        time.sleep(0.1)
        equal(q.readl(MSI_ADDRESS + 8), 0, "masked")
        q.writel(DMA_MSIX + 16 * 2 + 12, 0)
        wait_message(q, 2)


def wait_message(q, vector):
    end = time.monotonic() + vu.SECONDS
    while q.readl(MSI_ADDRESS + 4 * vector) != 0xcafe0000 + vector:
        true(time.monotonic() < end, f"no message of vector {vector}")


def test_decoding_off():
    """Without memory decoding the accelerator is gone for the engine too"""
    with Qemu() as q:
        q.start_devices()
        q.config_write(ACC_SLOT, 4, 4, 2)
        equal(q.copy(SRC, ACC_MEM, 4), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)
        q.config_write(ACC_SLOT, 4, 6, 2)
        equal(q.copy(SRC, ACC_MEM, 4), ENGINE.DMA_ENGINE_DONE_OK)


def test_with_iommu():
    """With a virtual IOMMU that is off it is the same"""
    with Qemu("-device", "intel-iommu,caching-mode=on,intremap=on") as q:
        q.start_devices()
        q.write(SRC, b"p2p!")
        equal(q.copy(SRC, ACC_MEM + 64, 4), ENGINE.DMA_ENGINE_DONE_OK)
        equal(q.read(ACC_MEM + 64, 4), b"p2p!")


def test_reset_of_the_machine():
    """A reset of the machine resets the devices"""
    path = os.path.join(tempfile.mkdtemp(prefix="tphbuf-qmp-"), "qmp.sock")
    with Qemu("-qmp", f"unix:{path},server=on,wait=off") as q:
        q.start_devices()
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.settimeout(vu.SECONDS)
            qmp.connect(path)
            lines = qmp.makefile("rw")
            for text in (None, '{"execute":"qmp_capabilities"}', '{"execute":"system_reset"}'):
                if text:
                    lines.write(text + "\n")
                    lines.flush()
                lines.readline()
            lines.close()
        q.command("outl 0xcf8 0x80000060")
        q.command(f"outl 0xcfc {ECAM | 1:#x}")
        equal(q.config_read(ACC_SLOT, 4) & 7, 0, "command register")
        q.start_devices()
        equal(q.copy(SRC, ACC_MEM, 4), ENGINE.DMA_ENGINE_DONE_OK)
    shutil.rmtree(os.path.dirname(path))


def test_no_complaints():
    """The server has nothing to complain of either"""
    if not HAS_VFIO_USER:
        raise Skip(f"no {QEMU} with vfio-user-pci")
    complaints = [line for line in SERVER.log().splitlines()
                  if "client connected" not in line and "client disconnected" not in line and
                  "refused by the client" not in line]
    equal(complaints, [])


run(globals(), SERVER.stop)

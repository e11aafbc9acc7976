# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers for the accelerator and the DMA engine, over a vfio-user client."""
import os
import struct
import time

import vfio_user as vu
from lab.registers import Registers

ACC = Registers("accelerator_regs.h")
ENGINE = Registers("dma_engine_regs.h")

COMMAND_MEMORY, COMMAND_MASTER = 2, 4
CAP_MSIX, CAP_PCIE = 0x11, 0x10
EXT_CAP_TPH, EXT_CAP_ATS = 0x17, 0x0f
TPH_NO_ST, TPH_IV, TPH_DS = 0, 1, 2
TPH_OFF, TPH_8BIT, TPH_EXT = 0, 1, 3


class Ram:
    """Guest memory, mapped for DMA at a bus address of one or more devices."""

    def __init__(self, address, size):
        self.address = address
        self.size = size
        self.fd = vu.memfd(size)
        self.memory = vu.map_fd(self.fd, size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.memory.close()
        os.close(self.fd)

    def map(self, *functions):
        for function in functions:
            function.client.dma_map(self.address, self.size, self.fd)

    def write(self, address, data):
        offset = address - self.address
        self.memory[offset:offset + len(data)] = data

    def read(self, address, size):
        offset = address - self.address
        return self.memory[offset:offset + size]


class Function:
    """What every PCI function has."""

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def capability(self, wanted):
        offset = self.client.config_read(0x34, 1)
        while offset:
            if self.client.config_read(offset, 1) == wanted:
                return offset
            offset = self.client.config_read(offset + 1, 1)
        raise AssertionError(f"no capability {wanted:#x}")

    def extended_capability(self, wanted):
        offset = 0x100
        while offset:
            header = self.client.config_read(offset, 4)
            if header & 0xffff == wanted:
                return offset
            offset = header >> 20
        raise AssertionError(f"no extended capability {wanted:#x}")

    def set_bar(self, index, address, wide=False):
        self.client.config_write(0x10 + 4 * index, 4, address & 0xffffffff)
        if wide:
            self.client.config_write(0x14 + 4 * index, 4, address >> 32)

    def command(self, value):
        self.client.config_write(4, 2, value)

    def set_max_payload(self, size):
        control = self.capability(CAP_PCIE) + 8
        value = self.client.config_read(control, 2) & ~0xe0
        self.client.config_write(control, 2, value | (size.bit_length() - 8) << 5)

    def enable(self):
        self.command(COMMAND_MEMORY | COMMAND_MASTER)


class Accelerator(Function):
    """The completer: BAR0 at regs, BAR2 at mem."""

    def __init__(self, client, regs=0xfe000000, mem=0x2000000000):
        super().__init__(client)
        self.mem = mem
        self.set_bar(ACC.ACC_BAR_REGS, regs)
        self.set_bar(ACC.ACC_BAR_MEM, mem, wide=True)
        self.enable()
        _flags, self.size, _offset, fd = client.region_info(ACC.ACC_BAR_MEM)
        self.memory = vu.map_fd(fd, self.size)
        os.close(fd)

    def __exit__(self, *_):
        self.memory.close()
        super().__exit__()

    def count(self, register):
        return self.client.read64(ACC.ACC_BAR_REGS, register)

    def mark(self, value):
        self.client.write32(ACC.ACC_BAR_REGS, ACC.ACC_REG_MARK, value)


class DmaEngine(Function):
    """The requester. Its ring lies at a bus address; where that leads is the test's business."""

    DESCRIPTOR = struct.Struct("<QQIIHHI")

    def __init__(self, client, regs=0xfe010000, msix=0xfe011000):
        super().__init__(client)
        self.set_bar(ENGINE.DMA_ENGINE_BAR_REGS, regs)
        self.set_bar(ENGINE.DMA_ENGINE_BAR_MSIX, msix)
        self.enable()
        self.ring = None
        self.entries = 0
        self.tail = 0

    def read(self, register):
        return self.client.read32(ENGINE.DMA_ENGINE_BAR_REGS, register)

    def write(self, register, value):
        self.client.write32(ENGINE.DMA_ENGINE_BAR_REGS, register, value)

    def start(self, ring, entries=16):
        self.ring, self.entries, self.tail = ring, entries, 0
        self.client.write64(ENGINE.DMA_ENGINE_BAR_REGS, ENGINE.DMA_ENGINE_REG_RING_BASE, ring)
        self.write(ENGINE.DMA_ENGINE_REG_RING_SIZE, entries)
        self.write(ENGINE.DMA_ENGINE_REG_CONTROL, ENGINE.DMA_ENGINE_CONTROL_RUN)

    def enable_msix(self):
        offset = self.capability(CAP_MSIX)
        self.client.config_write(offset + 2, 2, 0x8000)

    def enable_ats(self, on=True):
        self.client.config_write(self.extended_capability(EXT_CAP_ATS) + 6, 2, 0x8000 if on else 0)

    def set_tph(self, mode, requester):
        control = self.extended_capability(EXT_CAP_TPH) + 8
        self.client.config_write(control, 4, requester << 8 | mode)

    def set_st(self, index, tag):
        """As pcie_tph_set_st_entry() of Linux does: off, entry, on again."""
        tph = self.extended_capability(EXT_CAP_TPH)
        control = self.client.config_read(tph + 8, 4)
        self.client.config_write(tph + 8, 4, control & ~0x300)
        self.client.config_write(tph + 12 + 2 * index, 2, tag)
        self.client.config_write(tph + 8, 4, control)

    def descriptor(self, src, dst, length, flags=0, st_index=0, vector=0):
        return self.DESCRIPTOR.pack(src, dst, length, flags, st_index, vector, 0)

    def doorbell(self):
        self.tail = (self.tail + 1) % self.entries
        self.write(ENGINE.DMA_ENGINE_REG_TAIL, self.tail)

    def submit(self, ram, *descriptor, **options):
        """Puts a descriptor into a ring that lies in ram; returns the address of its status."""
        address = self.ring + self.tail * self.DESCRIPTOR.size
        ram.write(address, self.descriptor(*descriptor, **options))
        self.doorbell()
        return address + self.DESCRIPTOR.size - 4

    @staticmethod
    def wait(ram, status):
        """Waits for a status to be written; returns it."""
        end = time.monotonic() + vu.SECONDS
        while True:
            value = struct.unpack("<I", ram.read(status, 4))[0]
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError("the descriptor got no status")
            time.sleep(0.001)

    def copy(self, ram, *descriptor, **options):
        """The status of a descriptor that was worked on."""
        return self.wait(ram, self.submit(ram, *descriptor, **options))

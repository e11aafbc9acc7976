# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts: DEVICE_GET_IRQ_INFO and all forms of DEVICE_SET_IRQS."""
import os
import struct

import vfio_user as vu
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import equal, run

SERVER = Endpoints(ACCELERATOR, DMA_ENGINE)
VECTORS = 8
EVENTFD, MASKABLE = 1, 2


class Vectors:
    """A client with an eventfd on every MSI-X vector."""

    def __init__(self, name="dma"):
        self.client = SERVER.connect(name)
        self.fds = [vu.eventfd() for _ in range(VECTORS)]
        self.client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, VECTORS,
                             fds=self.fds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        for fd in self.fds:
            os.close(fd)

    def set(self, flags, start, count, data=b"", fds=()):
        self.client.set_irqs(flags, vu.IRQ_MSIX, start, count, data, fds)

    def fired(self):
        """Vectors that had an event since the last call; the server has carried out all before."""
        self.client.device_info()
        return [i for i, fd in enumerate(self.fds) if vu.eventfd_count(fd, 0)]


def refused(client, flags, index, start, count, data=b"", fds=(), argsz=None):
    payload = struct.pack("=IIIII", 20 + len(data) if argsz is None else argsz, flags, index, start,
                          count) + data
    return client.refused(vu.DEVICE_SET_IRQS, payload, fds)


def test_info():
    """MSI-X has the device's vectors, INTx and MSI have none"""
    with SERVER.connect("dma") as client:
        equal(client.irq_info(vu.IRQ_MSIX), (16, EVENTFD | MASKABLE, vu.IRQ_MSIX, VECTORS))
        equal(client.irq_info(vu.IRQ_MSI), (16, 0, vu.IRQ_MSI, 0))
        equal(client.irq_info(vu.IRQ_INTX), (16, 0, vu.IRQ_INTX, 0))


def test_no_such_type():
    """Types that the device does not have are refused, without a line in the log"""
    with SERVER.connect("dma") as client:
        lines = len(SERVER.log().splitlines())
        for index in (vu.IRQ_ERR, vu.IRQ_REQ, 5, 0xffffffff):
            payload = struct.pack("=IIII", 16, 0, index, 0)
            equal(client.refused(vu.DEVICE_GET_IRQ_INFO, payload), "EINVAL", f"type {index}")
        equal(len(SERVER.log().splitlines()), lines, "lines in the log")


def test_trigger_none():
    """TRIGGER without data fires the range"""
    with Vectors() as v:
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 2, 3)
        equal(v.fired(), [2, 3, 4])
        equal(v.fired(), [], "a second time")


def test_trigger_bool():
    """TRIGGER with booleans fires those that are set, whatever their value"""
    with Vectors() as v:
        v.set(vu.SET_DATA_BOOL | vu.SET_TRIGGER, 1, 5, bytes([1, 0, 0xff, 0, 2]))
        equal(v.fired(), [1, 3, 5])


def test_mask():
    """A masked vector keeps its interrupt until it is unmasked, once"""
    with Vectors() as v:
        v.set(vu.SET_DATA_NONE | vu.SET_MASK, 0, 4)
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 0, VECTORS)
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 1, 1)
        equal(v.fired(), [4, 5, 6, 7], "while 0..3 are masked")
        v.set(vu.SET_DATA_BOOL | vu.SET_UNMASK, 0, 4, bytes([1, 1, 0, 0]))
        equal(v.fired(), [0, 1], "unmasked")
        v.set(vu.SET_DATA_NONE | vu.SET_UNMASK, 0, VECTORS)
        equal(v.fired(), [2, 3], "the rest")
        v.set(vu.SET_DATA_NONE | vu.SET_UNMASK, 0, VECTORS)
        equal(v.fired(), [], "unmasked again")
        v.set(vu.SET_DATA_NONE | vu.SET_MASK, 0, VECTORS)
        v.set(vu.SET_DATA_NONE | vu.SET_UNMASK, 0, VECTORS)
        equal(v.fired(), [], "masked and unmasked without an interrupt")


def test_mask_bool():
    """MASK with booleans masks those that are set"""
    with Vectors() as v:
        v.set(vu.SET_DATA_BOOL | vu.SET_MASK, 0, 3, bytes([0, 1, 0]))
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 0, 3)
        equal(v.fired(), [0, 2])


def test_mask_events():
    """Event descriptors for MASK and UNMASK tell of a change, and of nothing else"""
    with Vectors() as v:
        masked, unmasked = vu.eventfd(), vu.eventfd()
        v.set(vu.SET_DATA_EVENTFD | vu.SET_MASK, 3, 1, fds=[masked])
        v.set(vu.SET_DATA_EVENTFD | vu.SET_UNMASK, 3, 1, fds=[unmasked])
        v.set(vu.SET_DATA_NONE | vu.SET_UNMASK, 3, 1)
        equal((vu.eventfd_count(masked, 0), vu.eventfd_count(unmasked, 0)), (0, 0), "no change")
        v.set(vu.SET_DATA_NONE | vu.SET_MASK, 3, 1)
        v.set(vu.SET_DATA_NONE | vu.SET_MASK, 3, 1)
        equal((vu.eventfd_count(masked, 0), vu.eventfd_count(unmasked, 0)), (1, 0), "masked")
        v.set(vu.SET_DATA_NONE | vu.SET_UNMASK, 3, 1)
        equal((vu.eventfd_count(masked, 0), vu.eventfd_count(unmasked, 0)), (0, 1), "unmasked")
        os.close(masked)
        os.close(unmasked)


def test_replace():
    """A new event descriptor replaces the old one, which the server closes"""
    with Vectors() as v:
        before = SERVER.fds()
        for _ in range(20):
            new = vu.eventfd()
            v.set(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, 2, 1, fds=[new])
            v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 2, 1)
            equal(vu.eventfd_count(new, 0), 1, "the new one")
            os.close(new)
        equal(v.fired(), [], "the old one")
        settles(SERVER.fds, before, "descriptors")


def test_deassign():
    """EVENTFD without descriptors takes those of the range away"""
    with Vectors() as v:
        before = SERVER.fds()
        v.set(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, 1, 3)
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 0, VECTORS)
        equal(v.fired(), [0, 4, 5, 6, 7])
        settles(SERVER.fds, before - 3, "descriptors")


def test_disable_all():
    """A count of 0 takes all descriptors and masks away"""
    with Vectors() as v:
        before = SERVER.fds()
        v.set(vu.SET_DATA_NONE | vu.SET_MASK, 0, 2)
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 0, 0)
        settles(SERVER.fds, before - VECTORS, "descriptors")
        v.set(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, 0, VECTORS, fds=v.fds)
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 0, VECTORS)
        equal(v.fired(), list(range(VECTORS)))


def test_disable_absent_types():
    """INTx and MSI, which have no vectors, can be disabled as well"""
    with SERVER.connect("dma") as client:
        for index in (vu.IRQ_INTX, vu.IRQ_MSI):
            client.set_irqs(vu.SET_DATA_NONE | vu.SET_TRIGGER, index, 0, 0)


def test_bad_ranges():
    """Vectors that do not exist are refused"""
    with SERVER.connect("dma") as client:
        for start, count in ((0, VECTORS + 1), (VECTORS, 1), (VECTORS - 1, 2), (VECTORS + 1, 0),
                             (0xffffffff, 1), (0xffffffff, 0xffffffff), (1, 0xffffffff),
                             (0, 0xffffffff), (0x80000000, 0x80000000)):
            for action in (vu.SET_TRIGGER, vu.SET_MASK, vu.SET_UNMASK):
                equal(refused(client, vu.SET_DATA_NONE | action, vu.IRQ_MSIX, start, count),
                      "EINVAL", f"{start}+{count}")
        for index in (vu.IRQ_INTX, vu.IRQ_MSI):
            equal(refused(client, vu.SET_DATA_NONE | vu.SET_TRIGGER, index, 0, 1), "EINVAL")
        for index in (3, 4, 0xffffffff):
            equal(refused(client, vu.SET_DATA_NONE | vu.SET_TRIGGER, index, 0, 0), "EINVAL")


def test_bad_flags():
    """Anything but one kind of data and one action is refused"""
    data = (vu.SET_DATA_NONE, vu.SET_DATA_BOOL, vu.SET_DATA_EVENTFD)
    action = (vu.SET_MASK, vu.SET_UNMASK, vu.SET_TRIGGER)
    good = {d | a for d in data for a in action}
    with SERVER.connect("dma") as client:
        for flags in set(range(64)) - good | {1 << 6 | 33, 1 << 31 | 33, 0xffffffff}:
            equal(refused(client, flags, vu.IRQ_MSIX, 0, 1), "EINVAL", f"flags {flags:#x}")


def test_bad_data():
    """Data or descriptors that do not fit the count are refused, and the descriptors closed"""
    fd = vu.eventfd()
    with SERVER.connect("dma") as client:
        client.device_info()
        before = SERVER.fds()
        trigger = vu.SET_TRIGGER
        for flags, count, data, fds in (
                (vu.SET_DATA_NONE, 2, b"\1\1", ()), (vu.SET_DATA_NONE, 1, b"", (fd,)),
                (vu.SET_DATA_BOOL, 2, b"\1", ()), (vu.SET_DATA_BOOL, 2, b"\1\1\1", ()),
                (vu.SET_DATA_BOOL, 1, b"\1", (fd,)), (vu.SET_DATA_BOOL, 0, b"", ()),
                (vu.SET_DATA_EVENTFD, 2, b"", (fd,)), (vu.SET_DATA_EVENTFD, 1, b"", (fd, fd)),
                (vu.SET_DATA_EVENTFD, 1, b"\0\0\0\0", (fd,)), (vu.SET_DATA_EVENTFD, 0, b"", (fd,)),
                (vu.SET_DATA_EVENTFD, 0, b"", ())):
            equal(refused(client, flags | trigger, vu.IRQ_MSIX, 0, count, data, fds), "EINVAL",
                  f"{flags} {count} {data} {len(fds)}")
        for action in (vu.SET_MASK, vu.SET_UNMASK):
            equal(refused(client, vu.SET_DATA_NONE | action, vu.IRQ_MSIX, 0, 0), "EINVAL")
        equal(refused(client, vu.SET_DATA_NONE | trigger, vu.IRQ_MSIX, 1, 0), "EINVAL", "start 1")
        for argsz in (0, 19, 21, 0xffffffff):
            equal(refused(client, vu.SET_DATA_NONE | trigger, vu.IRQ_MSIX, 0, 1, argsz=argsz),
                  "EINVAL", f"argsz {argsz}")
        settles(SERVER.fds, before, "descriptors")
    os.close(fd)


def test_not_an_eventfd():
    """A descriptor that is no eventfd is refused, and nothing of the range changed"""
    read_end, write_end = os.pipe()
    others = [read_end, write_end, vu.memfd(4096), os.open("/dev/null", os.O_RDWR),
              os.open("/", os.O_RDONLY)]
    good = vu.eventfd()
    with Vectors() as v:
        before = SERVER.fds()
        for fd in others:
            equal(refused(v.client, vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 2,
                          fds=[good, fd]), "EINVAL")
        v.set(vu.SET_DATA_NONE | vu.SET_TRIGGER, 0, 2)
        equal(v.fired(), [0, 1])
        equal(vu.eventfd_count(good, 0), 0, "the one that came along")
        settles(SERVER.fds, before, "descriptors")
    for fd in others + [good]:
        os.close(fd)


def test_full_eventfd():
    """An eventfd whose counter is full and that blocks does not stop the server"""
    fd = os.eventfd(0, os.EFD_CLOEXEC)
    with SERVER.connect("dma") as client, SERVER.connect("acc") as other:
        client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 1, fds=[fd])
        os.eventfd_write(fd, 2**64 - 2)
        os.set_blocking(fd, True)
        for _ in range(3):
            client.set_irqs(vu.SET_DATA_NONE | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 1)
        equal(other.device_info()[0], 16, "argsz")
    os.close(fd)


def test_closed_with_the_client():
    """Event descriptors go with the client, and the next one starts without"""
    fds = [vu.eventfd() for _ in range(VECTORS)]
    with SERVER.connect("dma") as client:
        client.device_info()
        before = SERVER.fds()
        client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, VECTORS, fds=fds)
        settles(SERVER.fds, before + VECTORS, "descriptors")
    with SERVER.connect("dma") as client:
        client.device_info()
        settles(SERVER.fds, before, "descriptors of the next client")
        client.set_irqs(vu.SET_DATA_NONE | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, VECTORS)
        equal([vu.eventfd_count(fd, 0) for fd in fds], [0] * VECTORS, "events of the old one")
    for fd in fds:
        os.close(fd)


run(globals(), SERVER.stop)

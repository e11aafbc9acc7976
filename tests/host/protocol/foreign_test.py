# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients other than QEMU send, and what they expect of the answers."""
import os
import struct

import vfio_user as vu
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import equal, run, true

SERVER = Endpoints(ACCELERATOR + ",size=16M", DMA_ENGINE)
READ, WRITE, MMAP, CAPS = 1, 2, 4, 8
SPARSE_MMAP = 1
REGION_INFO = struct.Struct("=IIIIQQ")
REGION_INFO_WITH_AREA = 64


def region_info(client, argsz, index=2, tail=b""):
    return client.call(vu.DEVICE_GET_REGION_INFO,
                       REGION_INFO.pack(argsz, 0, index, 0, 0, 0) + tail)


def test_room_for_the_reply():
    """Information requests may bring room for the whole reply along"""
    with SERVER.connect("acc") as client:
        reply = region_info(client, 4064, tail=bytes(4064 - 32))
        equal(REGION_INFO.unpack_from(reply.payload)[4], 16 << 20, "size of BAR2")
        for fd in reply.fds:
            os.close(fd)
        for command in vu.DEVICE_GET_INFO, vu.DEVICE_GET_IRQ_INFO:
            request = struct.pack("=IIII", 4064, 0, 0, 0)
            equal(client.call(command, request.ljust(4064, b"\0")).payload,
                  client.call(command, struct.pack("=IIII", 16, 0, 0, 0)).payload, f"{command}")


def test_unmap_with_descriptor():
    """DMA_UNMAP may bring the descriptor that DMA_MAP had"""
    fd = vu.memfd(1 << 20)
    with SERVER.connect("acc") as client:
        before = SERVER.fds()
        client.dma_map(0x100000, 1 << 20, fd)
        client.call(vu.DMA_UNMAP, struct.pack("=IIQQ", 24, 0, 0x100000, 1 << 20), [fd])
        equal(client.refused(vu.DMA_UNMAP, struct.pack("=IIQQ", 24, 0, 0x100000, 1 << 20),
                             [fd, fd]), "EINVAL", "two descriptors")
        settles(SERVER.fds, before, "descriptors")
    os.close(fd)


def test_small_argsz():
    """A region that can be mapped, asked for without room for its areas: how much it takes, no file"""
    with SERVER.connect("acc") as client:
        for argsz in 32, REGION_INFO_WITH_AREA - 1:
            reply = region_info(client, argsz)
            equal(len(reply.payload), 32, "payload")
            equal(REGION_INFO.unpack(reply.payload),
                  (REGION_INFO_WITH_AREA, READ | WRITE | MMAP, 2, 0, 16 << 20, 0), "reply")
            equal(reply.fds, [], "descriptors")


def test_areas():
    """With room for them: one area, all of the region, and its file"""
    with SERVER.connect("acc") as client:
        for argsz in REGION_INFO_WITH_AREA, 4096:
            reply = region_info(client, argsz)
            equal(REGION_INFO.unpack_from(reply.payload),
                  (REGION_INFO_WITH_AREA, READ | WRITE | MMAP | CAPS, 2, 32, 16 << 20, 0), "reply")
            equal(struct.unpack("=HHIIIQQ", reply.payload[32:]),
                  (SPARSE_MMAP, 1, 0, 1, 0, 0, 16 << 20), "areas")
            equal([os.fstat(fd).st_size for fd in reply.fds], [16 << 20], "files")
            os.close(reply.fds[0])
        reply = region_info(client, 4096, index=0)
        equal(REGION_INFO.unpack(reply.payload)[:4], (32, READ | WRITE, 0, 0), "a trapped region")


def test_many_maps_of_one_file():
    """More maps than a message has descriptors, each a page of one file; the first ones go, the others stay"""
    page, count = 4096, 2 * 64
    fd = vu.memfd(count * page)
    with SERVER.connect("dma") as client:
        before = SERVER.fds()
        for i in range(count):
            client.dma_map(i * page, page, fd, i * page)
        equal(SERVER.fds(), before, "descriptors")
        for i in range(count // 2):
            client.dma_unmap(i * page, page)
        for i in range(count // 2):
            client.dma_map(i * page, page, fd, i * page)
        for i in range(count // 2, count):
            again = struct.pack("=IIQQQ", 32, 3, i * page, i * page, page)
            equal(client.refused(vu.DMA_MAP, again, [fd]), "EEXIST", "a page that is still mapped")
    os.close(fd)


def test_region_that_is_not_there():
    """A client that tries a region beyond all of them is told so, and goes on"""
    with SERVER.connect("acc") as client:
        equal(client.refused(vu.REGION_READ, struct.pack("=QII", 0, 0xdeadbeef, 4)), "EINVAL", "read")
        true(client.device_info(), "answer")


def test_64_descriptors():
    """A message may have as many descriptors as the server says, and as there are vectors"""
    for proposed, told in (1, 16), (8, 16), (16, 16), (40, 40), (64, 64), (1000, 64):
        capabilities = {"capabilities": {"max_msg_fds": proposed}}
        with SERVER.connect("dma", capabilities=capabilities) as client:
            equal(client.server_capabilities["max_msg_fds"], told, f"max_msg_fds for {proposed}")
    with SERVER.connect("dma") as client:
        events = [vu.eventfd() for _ in range(64)]
        client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 8, fds=events[:8])
        equal(client.refused(vu.DEVICE_SET_IRQS,
                             struct.pack("=IIIII", 20, vu.SET_DATA_EVENTFD | vu.SET_TRIGGER,
                                         vu.IRQ_MSIX, 0, 64), events), "EINVAL", "8 vectors, 64 events")
        client.set_irqs(vu.SET_DATA_NONE | vu.SET_TRIGGER, vu.IRQ_MSIX, 7, 1)
        equal(vu.eventfd_count(events[7]), 1, "events of vector 7")
        true(client.device_info(), "answer")
        for event in events:
            os.close(event)


if __name__ == "__main__":
    run(globals(), SERVER.stop)

# SPDX-License-Identifier: GPL-2.0-or-later
"""DMA_MAP and DMA_UNMAP: ranges, files, limits."""
import errno
import os
import socket
import struct

import vfio_user as vu
from devices import ENGINE, DmaEngine, Ram
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints
from tap import equal, run, true

SERVER = Endpoints(ACCELERATOR, DMA_ENGINE, arguments=["--unannounced-dma"])
PAGE = 4096
RAM_SIZE = 1 << 20
TOP = 2**64
READ, WRITE = 1, 2
UNMAP_DIRTY_BITMAP, UNMAP_ALL, UNMAP_VADDR = 1, 2, 4


def map_error(client, address, size, fd=None, offset=0, flags=3, argsz=32):
    """Errno of a DMA_MAP, or None when it was carried out."""
    payload = struct.pack("=IIQQQ", argsz, flags, offset, address, size)
    try:
        client.call(vu.DMA_MAP, payload, () if fd is None else (fd,))
    except vu.Refused as refusal:
        return vu.errno_name(refusal.code)
    return None


def unmap_error(client, address, size, flags=0, argsz=24, tail=b""):
    payload = struct.pack("=IIQQ", argsz, flags, address, size) + tail
    try:
        client.call(vu.DMA_UNMAP, payload)
    except vu.Refused as refusal:
        return vu.errno_name(refusal.code)
    return None


def server_fds(client):
    client.device_info()
    return SERVER.fds()


def test_map_and_unmap():
    """A range can be mapped and unmapped again and again, and no descriptor stays"""
    ram = vu.memfd(RAM_SIZE)
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        for _ in range(20):
            client.dma_map(0x100000, RAM_SIZE, ram)
            equal(server_fds(client), before, "descriptors while it is mapped")
            client.dma_unmap(0x100000, RAM_SIZE)
        client.dma_map(0x100000, RAM_SIZE)
        client.dma_unmap(0x100000, RAM_SIZE)
        equal(server_fds(client), before, "descriptors")
    os.close(ram)


def test_overlap():
    """A range that overlaps another is refused, one that touches it is not"""
    ram = vu.memfd(RAM_SIZE)
    with SERVER.connect("dma") as client:
        client.dma_map(0x10000, 0x4000, ram)
        before = server_fds(client)
        for address, size in ((0x10000, 0x4000), (0x11000, PAGE), (0xf000, 0x6000),
                              (0xf000, 0x2000), (0x13000, 0x2000), (0, TOP - PAGE),
                              (0x13000, PAGE)):
            equal(map_error(client, address, size), "EEXIST", f"{address:#x}+{size:#x}")
        for address, size in ((0x10000, 0x4000), (0x13000, PAGE)):
            equal(map_error(client, address, size, ram), "EEXIST", f"{address:#x}+{size:#x}, file")
        equal(map_error(client, 0xf000, PAGE, ram), None, "below")
        equal(map_error(client, 0x14000, PAGE), None, "above")
        equal(server_fds(client), before, "descriptors")
    os.close(ram)


def test_impossible_ranges():
    """Ranges that are empty, not of whole pages, or wrap are refused"""
    ram = vu.memfd(RAM_SIZE)
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        for address, size in ((0, 0), (0x1000, 0), (TOP - PAGE, 0), (0x1000, 1), (0x1000, PAGE - 1),
                              (0x1001, PAGE), (0x1800, PAGE), (0x1000, PAGE + 1),
                              (TOP - PAGE, 2 * PAGE), (PAGE, TOP - PAGE + 1), (TOP - 1, 1),
                              (TOP // 2, TOP // 2 + PAGE), (0x2000, TOP - PAGE)):
            for fd in (None, ram):
                equal(map_error(client, address, size, fd), "EINVAL", f"{address:#x}+{size:#x}")
        equal(map_error(client, TOP - PAGE, PAGE, ram), None, "the last page")
        equal(map_error(client, 0, TOP // 2), None, "half of everything")
        client.dma_unmap(TOP - PAGE, PAGE)
        equal(server_fds(client), before, "descriptors")
    os.close(ram)


def test_flags_and_argsz():
    """Unknown rights, none at all, or another argsz are refused"""
    with SERVER.connect("dma") as client:
        for flags in (0, 4, 7, 0x80000003, 0xffffffff):
            equal(map_error(client, 0x1000, PAGE, flags=flags), "EINVAL", f"flags {flags:#x}")
        for argsz in (0, 31, 33, 0xffffffff):
            equal(map_error(client, 0x1000, PAGE, argsz=argsz), "EINVAL", f"argsz {argsz}")


def test_short_file():
    """the line names the file that is too short, and not the address"""
    ram = vu.memfd(PAGE)
    with Endpoints(DMA_ENGINE) as server, server.connect("dma") as client:
        equal(map_error(client, 0x1000, PAGE, ram, PAGE), "EINVAL", "behind its end")
        server.wait_log(f"DMA_MAP refused: the file is shorter than its offset {PAGE:#x} + {PAGE:#x}: Invalid argument")
    os.close(ram)


def test_offsets():
    """An offset without file, within a page, or beyond the file is refused"""
    ram = vu.memfd(RAM_SIZE)
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        equal(map_error(client, 0x1000, PAGE, offset=PAGE), "EINVAL", "without file")
        for offset, size in ((1, PAGE), (PAGE - 1, PAGE), (RAM_SIZE, PAGE),
                             (RAM_SIZE - PAGE, 2 * PAGE),
                             (0, RAM_SIZE + PAGE), (PAGE, RAM_SIZE), (TOP - PAGE, PAGE),
                             (TOP - PAGE, 2 * PAGE), (TOP // 2, PAGE), (0, TOP - PAGE),
                             (PAGE, TOP - 2 * PAGE)):
            equal(map_error(client, 0x1000, size, ram, offset), "EINVAL", f"{offset:#x}+{size:#x}")
        equal(map_error(client, 0x1000, PAGE, ram, RAM_SIZE - PAGE), None, "the last page")
        client.dma_unmap(0x1000, PAGE)
        equal(server_fds(client), before, "descriptors")
    os.close(ram)


def test_other_files():
    """Descriptors of anything but memory are refused and closed"""
    read_end, write_end = os.pipe()
    left, right = socket.socketpair()
    fds = [read_end, write_end, left.fileno(), os.open("/", os.O_RDONLY), vu.eventfd(),
           os.open("/dev/null", os.O_RDWR), os.open("/dev/zero", os.O_RDWR), vu.memfd(0),
           os.open("/", os.O_PATH)]
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        for fd in fds:
            true(map_error(client, 0x1000, PAGE, fd),
                 f"mapped {os.readlink(f'/proc/self/fd/{fd}')}")
        equal(server_fds(client), before, "descriptors")
    for fd in (fds[0], fds[1], *fds[3:]):
        os.close(fd)
    left.close()
    right.close()


def test_read_only_file():
    """A file that is not open for writing can be mapped for reading only"""
    ram = vu.memfd(RAM_SIZE)
    reader = os.open(f"/proc/self/fd/{ram}", os.O_RDONLY)
    writer = os.open(f"/proc/self/fd/{ram}", os.O_WRONLY)
    with SERVER.connect("dma") as client:
        equal(map_error(client, 0x1000, PAGE, reader, flags=READ | WRITE), "EACCES")
        equal(map_error(client, 0x1000, PAGE, writer, flags=WRITE), "EACCES")
        equal(map_error(client, 0x1000, PAGE, reader, flags=READ), None)
    for fd in (ram, reader, writer):
        os.close(fd)


def test_unmap_what_is_not_there():
    """Unmapping where nothing is is no error, part of a range is"""
    with SERVER.connect("dma") as client:
        client.dma_map(0x10000, 0x4000)
        for address, size in ((0x20000, PAGE), (0xf000, PAGE), (0x14000, PAGE), (0, 0x10000),
                              (1 << 32, 1 << 63), (TOP - PAGE, PAGE)):
            equal(unmap_error(client, address, size), None, f"{address:#x}+{size:#x}")
        for address, size in ((0x10000, PAGE), (0x11000, PAGE), (0x13000, PAGE), (0xf000, 0x2000),
                              (0x13000, 0x2000), (0x10000, 0), (0, 0), (TOP - PAGE, 2 * PAGE),
                              (0x10000, 0x3fff)):
            equal(unmap_error(client, address, size), "EINVAL", f"{address:#x}+{size:#x}")
        equal(map_error(client, 0x10000, 0x4000), "EEXIST", "still there")
        client.dma_unmap(0x10000, 0x4000)
        equal(map_error(client, 0x10000, 0x4000), None, "gone")


def test_unmap_several():
    """A range that holds several whole ones unmaps them all"""
    with SERVER.connect("dma") as client:
        for i in range(8):
            client.dma_map(0x10000 * i, PAGE)
        client.dma_unmap(0x10000, 0x30000)
        equal([map_error(client, 0x10000 * i, PAGE) for i in range(8)],
              ["EEXIST", None, None, None, "EEXIST", "EEXIST", "EEXIST", "EEXIST"])


def test_unmap_all():
    """The flag for all unmaps all, and takes no range"""
    ram = vu.memfd(RAM_SIZE)
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        for i in range(8):
            client.dma_map(0x100000 * i, RAM_SIZE, ram)
        equal(unmap_error(client, 0, PAGE, UNMAP_ALL), "EINVAL", "with a size")
        equal(unmap_error(client, PAGE, 0, UNMAP_ALL), "EINVAL", "with an address")
        equal(map_error(client, 0, PAGE), "EEXIST", "still there")
        client.dma_unmap(0, 0, UNMAP_ALL)
        equal(server_fds(client), before, "descriptors")
        client.dma_unmap(0, 0, UNMAP_ALL)
        client.dma_map(0, TOP // 2)
    os.close(ram)


def test_unmap_flags():
    """Dirty bitmaps are not offered, and other flags unknown"""
    with SERVER.connect("dma") as client:
        client.dma_map(0x1000, PAGE)
        for tail in (b"", struct.pack("=QQ", PAGE, 8) + bytes(8)):
            equal(unmap_error(client, 0x1000, PAGE, UNMAP_DIRTY_BITMAP, tail=tail), "EOPNOTSUPP")
        for flags in (UNMAP_VADDR, UNMAP_ALL | UNMAP_VADDR, 8, 0x80000000, 0xfffffffe):
            equal(unmap_error(client, 0x1000, PAGE, flags), "EINVAL", f"flags {flags:#x}")
        for argsz in (0, 23):
            equal(unmap_error(client, 0x1000, PAGE, argsz=argsz), "EINVAL", f"argsz {argsz}")
        equal(unmap_error(client, 0x1000, PAGE, tail=bytes(8)), "EINVAL", "with a tail")
        client.dma_unmap(0x1000, PAGE)


def flood(client, count, fds=()):
    """Maps so many single pages, a page apart; the errnos of the replies, None for success."""
    errors = []
    for first in range(0, count, 500):
        numbers = range(first, min(first + 500, count))
        for i in numbers:
            client.send(vu.DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, 2 * PAGE * i, PAGE), fds)
        errors += [client.receive().error for _ in numbers]
    return errors


def test_many_maps():
    """100000 maps: as many as were negotiated fit, the others are refused, and all can go again"""
    with SERVER.connect("dma") as client:
        limit = client.server_capabilities["max_dma_maps"]
        errors = flood(client, 100000)
        fitted = errors.index(errno.ENOSPC)
        true(limit <= fitted < 100000, f"{fitted} maps, {limit} negotiated")
        equal(set(errors[:fitted]), {0}, "maps within the limit")
        equal(set(errors[fitted:]), {errno.ENOSPC}, "maps beyond the limit")
        client.dma_unmap(0, 0, UNMAP_ALL)
        client.dma_map(0, PAGE)


def test_many_maps_of_a_file():
    """Thousands of maps of one file cost a descriptor, not thousands"""
    ram = vu.memfd(PAGE)
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        equal(set(flood(client, 5000, [ram])), {0}, "errors")
        true(server_fds(client) <= before, "descriptors")
        client.dma_unmap(0, 0, UNMAP_ALL)
        equal(server_fds(client), before, "descriptors afterwards")
    os.close(ram)


def test_maps_go_with_the_client():
    """The next client starts without maps"""
    ram = vu.memfd(RAM_SIZE)
    with SERVER.connect("dma") as client:
        before = server_fds(client)
        client.dma_map(0, RAM_SIZE, ram)
    with SERVER.connect("dma") as client:
        equal(map_error(client, 0, RAM_SIZE), None)
        equal(server_fds(client), before, "descriptors")
    os.close(ram)


def test_maps_are_per_device():
    """Maps of one device are not those of another"""
    with SERVER.connect("dma") as one, SERVER.connect("acc") as other:
        one.dma_map(0, RAM_SIZE)
        other.dma_map(0, RAM_SIZE)
        one.dma_unmap(0, RAM_SIZE)
        equal(map_error(other, 0, RAM_SIZE), "EEXIST")


def test_rights_of_a_map():
    """The device keeps to the rights of a map: only reading, only writing"""
    fd = vu.memfd(RAM_SIZE)
    memory = vu.map_fd(fd, RAM_SIZE)
    with DmaEngine(SERVER.connect("dma")) as engine, Ram(0x100000, RAM_SIZE) as ram:
        ram.map(engine)
        engine.client.dma_map(0x400000, RAM_SIZE, fd, flags=READ)
        engine.client.dma_map(0x800000, RAM_SIZE, fd, flags=WRITE)
        memory[0:4] = b"file"
        ram.write(0x180000, b"data")
        engine.start(0x100000)
        equal(engine.copy(ram, 0x400000, 0x190000, 4), ENGINE.DMA_ENGINE_DONE_OK, "read-only, read")
        equal(ram.read(0x190000, 4), b"file")
        equal(engine.copy(ram, 0x180000, 0x400000, 4), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)
        equal(engine.copy(ram, 0x800000, 0x190000, 4), ENGINE.DMA_ENGINE_DONE_READ_ERROR)
        equal(memory[0:4], b"file", "what was to be written")
        equal(engine.copy(ram, 0x180000, 0x800000, 4), ENGINE.DMA_ENGINE_DONE_OK, "write-only")
        equal(memory[0:4], b"data")
    memory.close()
    os.close(fd)


def test_file_that_shrinks():
    """A file that is shortened after it was mapped costs its client an error, nothing more"""
    fd = vu.memfd(RAM_SIZE, seal=False)
    with DmaEngine(SERVER.connect("dma")) as engine, Ram(0x100000, RAM_SIZE) as ram:
        ram.map(engine)
        engine.client.dma_map(0x400000, RAM_SIZE, fd)
        engine.start(0x100000)
        equal(engine.copy(ram, 0x400000, 0x190000, 64), ENGINE.DMA_ENGINE_DONE_OK)
        os.ftruncate(fd, 0)
        equal(engine.copy(ram, 0x400000, 0x190000, 64), ENGINE.DMA_ENGINE_DONE_READ_ERROR)
        equal(engine.copy(ram, 0x190000, 0x480000, 64), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)
        equal(engine.copy(ram, 0x180000, 0x190000, 64), ENGINE.DMA_ENGINE_DONE_OK, "other memory")
    os.close(fd)


def test_unmapped_is_out_of_reach():
    """After an unmap the device does not touch the memory any more"""
    fd = vu.memfd(RAM_SIZE)
    memory = vu.map_fd(fd, RAM_SIZE)
    with DmaEngine(SERVER.connect("dma")) as engine, Ram(0x100000, RAM_SIZE) as ram:
        ram.map(engine)
        engine.client.dma_map(0x400000, RAM_SIZE, fd)
        ram.write(0x180000, b"once")
        engine.start(0x100000)
        equal(engine.copy(ram, 0x180000, 0x400000, 4), ENGINE.DMA_ENGINE_DONE_OK)
        engine.client.dma_unmap(0x400000, RAM_SIZE)
        ram.write(0x180000, b"more")
        engine.submit(ram, 0x180000, 0x400000, 4)
        command = engine.client.receive_command()
        equal((command.command, command.payload),
              (vu.DMA_WRITE, struct.pack("=QQ", 0x400000, 4) + b"more"), "goes to the client now")
        engine.client.reply(command, error=errno.EFAULT)
        equal(memory[0:4], b"once")
    memory.close()
    os.close(fd)


run(globals(), SERVER.stop)

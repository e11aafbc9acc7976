# SPDX-License-Identifier: GPL-2.0-or-later
"""Device, region and interrupt information, and access to regions."""
import os
import struct

import vfio_user as vu
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import equal, run, true

SERVER = Endpoints(ACCELERATOR + ",size=16M", DMA_ENGINE)
READ, WRITE, MMAP, CAPS = 1, 2, 4, 8
PAGE = 4096


def test_device_info():
    """DEVICE_GET_INFO describes a PCI device with reset"""
    with SERVER.connect("acc") as client:
        equal(client.device_info(), (16, 3, 9, 3))


def test_argsz():
    """An argsz that has no room for the reply is refused, a larger one is not"""
    with SERVER.connect("acc") as client:
        for command, size in ((vu.DEVICE_GET_INFO, 16), (vu.DEVICE_GET_REGION_INFO, 32),
                              (vu.DEVICE_GET_IRQ_INFO, 16)):
            for argsz in (0, size - 1):
                equal(client.refused(command, struct.pack("=I", argsz) + bytes(size - 4)),
                      "EINVAL", f"{command} with argsz {argsz}")
            reply = client.call(command, struct.pack("=I", 0xffffffff) + bytes(size - 4))
            equal(struct.unpack_from("=I", reply.payload)[0], size, f"argsz of {command}")
            for fd in reply.fds:
                os.close(fd)


def test_reserved_fields():
    """Fields that must be 0 and are not are refused"""
    with SERVER.connect("acc") as client:
        for offset in (4, 8, 12):
            equal(client.refused(vu.DEVICE_GET_INFO, patched(16, offset)), "EINVAL",
                  f"info {offset}")
        for offset in (4, 12, 16, 20, 24, 28):
            equal(client.refused(vu.DEVICE_GET_REGION_INFO, patched(32, offset)), "EINVAL",
                  f"region info {offset}")
        for offset in (4, 12):
            equal(client.refused(vu.DEVICE_GET_IRQ_INFO, patched(16, offset)), "EINVAL",
                  f"irq info {offset}")


def patched(size, offset):
    payload = bytearray(struct.pack("=I", size) + bytes(size - 4))
    payload[offset] = 1
    return bytes(payload)


def test_regions_of_the_accelerator():
    """BAR0 and the MSI-X table are trapped, BAR2 can be mapped, config space is there, nothing else"""
    with SERVER.connect("acc") as client:
        for index in range(9):
            flags, size, offset, fd = client.region_info(index)
            if index == 2:
                equal((flags, size, offset), (READ | WRITE | MMAP | CAPS, 16 << 20, 0), "BAR2")
                true(fd is not None, "BAR2 without a descriptor")
                equal(os.fstat(fd).st_size, 16 << 20, "file of BAR2")
                os.close(fd)
            else:
                want = {0: 4096, 4: 4096, vu.REGION_CONFIG: 4096}.get(index, 0)
                equal((flags, size, offset, fd), (READ | WRITE if want else 0, want, 0, None),
                      f"region {index}")


def test_regions_of_the_dma_engine():
    """The DMA engine has registers, an MSI-X table and config space, nothing that can be mapped"""
    with SERVER.connect("dma") as client:
        for index in range(9):
            flags, size, offset, fd = client.region_info(index)
            equal((flags & MMAP, offset, fd), (0, 0, None), f"region {index}")
            equal(size > 0, index in (0, 4, vu.REGION_CONFIG), f"size {size} of region {index}")


def test_no_such_region():
    """A region index out of range is refused"""
    with SERVER.connect("acc") as client:
        for index in (9, 10, 255, 0x7fffffff, 0xffffffff):
            payload = struct.pack("=IIIIQQ", 32, 0, index, 0, 0, 0)
            equal(client.refused(vu.DEVICE_GET_REGION_INFO, payload), "EINVAL", f"region {index}")
            for command, data in ((vu.REGION_READ, b""), (vu.REGION_WRITE, bytes(4))):
                payload = struct.pack("=QII", 0, index, 4) + data
                equal(client.refused(command, payload), "EINVAL", f"access to region {index}")


def test_client_without_fds():
    """A client that takes no descriptors is offered no mapping"""
    caps = {"capabilities": {"max_msg_fds": 0}}
    with SERVER.connect("acc", capabilities=caps) as client:
        flags, size, _, fd = client.region_info(2)
        equal((flags, size, fd), (READ | WRITE, 16 << 20, None))


def test_mapped_region_is_the_region():
    """What the CPU writes through the mapping of BAR2 the messages read, and the reverse"""
    with SERVER.connect("acc") as client:
        client.config_write(4, 2, 2)
        fd = client.region_info(2)[3]
        with vu.map_fd(fd, 16 << 20) as memory:
            memory[0x1234:0x1238] = b"tph!"
            equal(client.region_read(2, 0x1234, 4), b"tph!")
            client.region_write(2, (16 << 20) - 8, b"lastword")
            equal(memory[-8:], b"lastword")
            big = os.urandom(vu.MAX_XFER)
            client.region_write(2, 4096, big)
            equal(memory[4096:4096 + len(big)] == big, True, "1 MiB through a message")
            equal(client.region_read(2, 4096, vu.MAX_XFER) == big, True, "1 MiB back")
        os.close(fd)


def test_mapped_region_cannot_shrink():
    """The client cannot shorten the file of BAR2 under the server"""
    with SERVER.connect("acc") as client:
        fd = client.region_info(2)[3]
        try:
            os.ftruncate(fd, 4096)
        except PermissionError:
            pass
        else:
            raise AssertionError("the file could be shortened")
        finally:
            os.close(fd)


def test_region_fd_is_closed():
    """The server keeps no copies of the descriptors that it sends"""
    with SERVER.connect("acc") as client:
        before = SERVER.fds()
        for _ in range(50):
            os.close(client.region_info(2)[3])
        settles(SERVER.fds, before)


def test_config_space():
    """Config space can be read whole, in parts and by bytes"""
    with SERVER.connect("acc") as client:
        whole = client.region_read(vu.REGION_CONFIG, 0, PAGE)
        equal(struct.unpack_from("<HH", whole), (0x1b36, 0x11a0), "vendor and device")
        equal(whole[:64], b"".join(client.region_read(vu.REGION_CONFIG, i, 1) for i in range(64)))
        equal(whole[0x100:0x108], client.region_read(vu.REGION_CONFIG, 0x100, 8))
        equal(whole[-1:], client.region_read(vu.REGION_CONFIG, PAGE - 1, 1))


def bounds(size):
    """Accesses that do not lie in a region of so many bytes."""
    return [(size, 1), (size - 1, 2), (size - 4, 8), (size + 4096, 4), (2**32, 4), (2**63, 8),
            (2**64 - 1, 1), (2**64 - 4, 4), (2**64 - 4, 8), (2**64 - 8, 4096), (0, size + 1)]


def test_out_of_bounds():
    """Accesses out of a region, across its end or around the end of addresses are refused"""
    with SERVER.connect("acc") as client:
        client.config_write(4, 2, 2)
        for region, size in ((0, 4096), (2, 16 << 20), (vu.REGION_CONFIG, PAGE)):
            for offset, count in bounds(size):
                if count > vu.MAX_XFER:
                    continue
                payload = struct.pack("=QII", offset, region, count)
                what = f"region {region}, {offset:#x}+{count:#x}"
                equal(client.refused(vu.REGION_READ, payload), "EINVAL", "read of " + what)
                equal(client.refused(vu.REGION_WRITE, payload + bytes(count)), "EINVAL",
                      "write of " + what)
        equal(client.device_info()[0], 16, "argsz")


def test_absent_regions():
    """Accesses to regions that the device does not have are refused"""
    with SERVER.connect("acc") as client:
        for region in (1, 3, 5, 6, 8):
            payload = struct.pack("=QII", 0, region, 4)
            equal(client.refused(vu.REGION_READ, payload), "EINVAL", f"read of region {region}")
            equal(client.refused(vu.REGION_WRITE, payload + bytes(4)), "EINVAL",
                  f"write of region {region}")


def test_counts():
    """A count of 0, above the limit, or other than the payload is refused"""
    with SERVER.connect("acc") as client:
        for count in (0, vu.MAX_XFER + 1, 0x80000000, 0xffffffff):
            equal(client.refused(vu.REGION_READ, struct.pack("=QII", 0, 2, count)), "EINVAL",
                  f"read of {count}")
        for count, size in ((0, 0), (0, 4), (4, 0), (4, 3), (4, 5), (0xffffffff, 4),
                            (0xfffffff0, 0), (8, vu.MAX_XFER)):
            equal(client.refused(vu.REGION_WRITE, struct.pack("=QII", 0, 2, count) + bytes(size)),
                  "EINVAL", f"write of {count} with {size} bytes")
        equal(client.device_info()[0], 16, "argsz")


def test_trapped_register():
    """A trapped BAR is reached by messages when memory decoding is on, else it is all ones"""
    with SERVER.connect("acc") as client:
        client.config_write(4, 2, 0)
        equal(client.read32(0, 0), 0xffffffff, "with decoding off")
        client.config_write(4, 2, 2)
        equal(client.read32(0, 0), 0x41485054, "ID")


def multi(*writes):
    """writes: (region, offset, data)."""
    return struct.pack("=Q", len(writes)) + b"".join(
        struct.pack("=QII8s", offset, region, len(data), data) for region, offset, data in writes)


def test_write_multi():
    """REGION_WRITE_MULTI carries out all its writes in order"""
    with SERVER.connect("acc") as client:
        client.config_write(4, 2, 2)
        payload = multi((2, 0, b"first"), (2, 2, b"second"), (2, 16, b"12345678"))
        equal(client.call(vu.REGION_WRITE_MULTI, payload).payload, struct.pack("=Q", 3))
        equal(client.region_read(2, 0, 8), b"fisecond")
        equal(client.region_read(2, 16, 8), b"12345678")
        client.send(vu.REGION_WRITE_MULTI, multi(*[(2, 8 * i, b"quiet") for i in range(200)]),
                    flags=vu.NO_REPLY)
        equal(client.region_read(2, 8 * 199, 5), b"quiet")


def test_write_multi_malformed():
    """REGION_WRITE_MULTI with counts that do not fit, or a write out of bounds, is refused"""
    good = multi((2, 0, b"x"))
    with SERVER.connect("acc") as client:
        client.config_write(4, 2, 2)
        client.region_write(2, 0, b"y")
        for count in (0, 2, 2**32, 2**63, 2**64 - 1):
            equal(client.refused(vu.REGION_WRITE_MULTI, struct.pack("=Q", count) + good[8:]),
                  "EINVAL", f"count {count}")
        equal(client.refused(vu.REGION_WRITE_MULTI, good[:-1]), "EINVAL", "cut off")
        equal(client.refused(vu.REGION_WRITE_MULTI, good + b"\0"), "EINVAL", "with a tail")
        for length in (0, 9, 0xffffffff):
            one = struct.pack("=QQII8s", 1, 0, 2, length, b"")
            equal(client.refused(vu.REGION_WRITE_MULTI, one), "EINVAL", f"write of {length} bytes")
        equal(client.region_read(2, 0, 1), b"y", "what malformed commands left")
        equal(client.refused(vu.REGION_WRITE_MULTI, multi((2, 0, b"ok"), (9, 0, b"no"))), "EINVAL")


def test_write_multi_is_negotiated():
    """REGION_WRITE_MULTI is not there unless it was agreed upon"""
    with SERVER.connect("acc", capabilities={"capabilities": {}}) as client:
        equal(client.refused(vu.REGION_WRITE_MULTI, multi((2, 0, b"x"))), "EOPNOTSUPP")


def test_reset():
    """DEVICE_RESET puts config space back"""
    with SERVER.connect("acc") as client:
        client.config_write(4, 2, 6)
        equal(client.config_read(4, 2) & 6, 6, "before")
        client.reset()
        equal(client.config_read(4, 2) & 6, 0, "after")


run(globals(), SERVER.stop)

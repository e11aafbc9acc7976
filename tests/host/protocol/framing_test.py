# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers, sizes, descriptors and delivery: what holds for every message."""
import os
import select
import struct
import time

import vfio_user as vu
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import equal, run, true

SERVER = Endpoints(ACCELERATOR, DMA_ENGINE)

# Smallest and largest payload of each command of the client.
SIZES = {
    vu.VERSION: (4, 4 + 4096),
    vu.DMA_MAP: (32, 32),
    vu.DMA_UNMAP: (24, 24),
    vu.DEVICE_GET_INFO: (16, None),
    vu.DEVICE_GET_REGION_INFO: (32, None),
    vu.DEVICE_GET_IRQ_INFO: (16, None),
    vu.DEVICE_SET_IRQS: (20, 20),
    vu.REGION_READ: (16, 16),
    vu.REGION_WRITE: (16, None),
    vu.DEVICE_RESET: (0, 0),
    vu.REGION_WRITE_MULTI: (8, None),
}


def works(client):
    """The connection is still in step."""
    equal(client.device_info(), (16, 3, 9, 3), "device info")


def all_fds_closed(client, before, what):
    """A round trip later the server has as many descriptors open as before."""
    works(client)
    settles(SERVER.fds, before, f"descriptors of the server after {what}")


def open_null(count):
    return [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]


def close_all(fds):
    for fd in fds:
        os.close(fd)


def test_size_below_header():
    """A size below that of the header is an error and the end of the connection"""
    for size in (0, 1, 15):
        with SERVER.connect("acc") as client:
            client.send(vu.DEVICE_GET_INFO, size=size, msg_id=77)
            reply = client.receive()
            equal((reply.id, reply.command, reply.flags, reply.error, reply.payload),
                  (77, vu.DEVICE_GET_INFO, vu.TYPE_REPLY | vu.ERROR, 22, b""), f"size {size}")
            true(client.at_end(), "the connection goes on")


def test_size_above_maximum():
    """A size above that of the longest message is an error and the end of the connection"""
    for size in (16 + 16 + vu.MAX_XFER + 1, 1 << 24, 0x7fffffff, 0x80000000, 0xffffffff):
        with SERVER.connect("acc") as client:
            client.send(vu.REGION_WRITE, size=size)
            reply = client.receive()
            equal((reply.flags, reply.error), (vu.TYPE_REPLY | vu.ERROR, 7), f"size {size:#x}")
            true(client.at_end(), "the connection goes on")


def test_reply_of_impossible_size():
    """A reply whose size cannot be gets no answer, and ends the connection"""
    for size in (3, 0xffffffff):
        with SERVER.connect("acc") as client:
            client.send_raw(vu.header(vu.DMA_READ, 0, vu.TYPE_REPLY, size=size))
            true(client.at_end(), "the connection goes on")


def test_no_reply_of_impossible_size():
    """Neither does a command that wants no reply"""
    with SERVER.connect("acc") as client:
        client.send(vu.REGION_WRITE, size=3, flags=vu.NO_REPLY)
        true(client.at_end(), "the connection goes on")


def test_largest_message():
    """The longest message that may be is read to its end"""
    with SERVER.connect("acc") as client:
        payload = struct.pack("=QII", 0, vu.REGION_CONFIG, vu.MAX_XFER) + bytes(vu.MAX_XFER)
        equal(client.refused(vu.REGION_WRITE, payload), "EINVAL")
        works(client)


def test_payload_sizes():
    """A payload too short or too long for its command is refused, and the connection goes on"""
    with SERVER.connect("acc") as client:
        for command, (low, high) in SIZES.items():
            sizes = list(range(low)) if high is None else list(range(low)) + [high + 1, high + 4096]
            for size in sizes:
                equal(client.refused(command, bytes(size)), "EINVAL",
                      f"{command} with {size} bytes")
        works(client)


def test_message_types():
    """A message that is neither command nor reply, or a command with the error flag, is refused"""
    payload = struct.pack("=IIII", 16, 0, 0, 0)
    with SERVER.connect("acc") as client:
        for flags in list(range(2, 16)) + [vu.ERROR, vu.ERROR | 5]:
            equal(client.refused(vu.DEVICE_GET_INFO, payload, flags=flags), "EINVAL", f"{flags:#x}")
        works(client)


def test_unknown_commands():
    """Commands that are unknown, of the server, or not offered are refused"""
    with SERVER.connect("acc") as client:
        for command in (0, 14, 19, 20, 255, 256, 0x7fff, 0xffff):
            for payload in (b"", bytes(64)):
                equal(client.refused(command, payload), "EOPNOTSUPP", f"command {command}")
        for command in (vu.DMA_READ, vu.DMA_WRITE):
            equal(client.refused(command, struct.pack("=QQ", 0, 8)), "EOPNOTSUPP", f"{command}")
        for command in (vu.DEVICE_GET_REGION_IO_FDS, vu.MIG_DATA_READ, vu.MIG_DATA_WRITE):
            equal(client.refused(command, struct.pack("=IIII", 16, 0, 0, 0)), "EOPNOTSUPP",
                  f"{command}")
        equal(client.refused(vu.DEVICE_FEATURE, struct.pack("=II", 8, 1 << 16 | 1)), "ENOTTY")
        works(client)


def test_reply_without_request():
    """A reply that nobody asked for is ignored with a line in the log"""
    with Endpoints(ACCELERATOR) as server, server.connect("acc") as client:
        for command in (vu.DMA_READ, vu.DMA_WRITE, vu.DEVICE_GET_INFO, 0x4242):
            for flags in (vu.TYPE_REPLY, vu.TYPE_REPLY | vu.ERROR, vu.TYPE_REPLY | vu.NO_REPLY):
                client.send(command, bytes(32), flags=flags, msg_id=9)
        works(client)
        server.wait_log("acc: reply DMA_READ with id 9, which no request has: ignored")


def test_ids_are_the_senders():
    """Message ids are repeated in the replies and need not be unique"""
    info = struct.pack("=IIII", 16, 0, 0, 0)
    with SERVER.connect("acc") as client:
        for msg_id in (0, 5, 5, 0xffff, 5):
            client.send(vu.DEVICE_GET_INFO, info, msg_id=msg_id)
        equal([client.receive().id for _ in range(5)], [0, 5, 5, 0xffff, 5])


def test_no_reply():
    """A command that wants no reply gets none, in success and in error"""
    with SERVER.connect("acc") as client:
        client.send(vu.DEVICE_GET_INFO, struct.pack("=IIII", 16, 0, 0, 0), flags=vu.NO_REPLY)
        client.send(vu.DEVICE_GET_INFO, b"", flags=vu.NO_REPLY)
        client.send(999, b"", flags=vu.NO_REPLY)
        client.region_write(vu.REGION_CONFIG, 4, b"\6\0", flags=vu.NO_REPLY)
        equal(client.config_read(4, 2) & 6, 6, "command register")


def test_pipelined():
    """Several messages in one write are answered in order"""
    info = struct.pack("=IIII", 16, 0, 0, 0)
    one = vu.header(vu.DEVICE_GET_INFO, 16)
    with SERVER.connect("acc") as client:
        client.send_raw(b"".join(vu.header(vu.DEVICE_GET_INFO, 16, msg_id=i) + info
                                 for i in range(200)) + one[:7])
        equal([client.receive().id for _ in range(200)], list(range(200)))
        client.send_raw(one[7:] + info)
        equal(client.receive().payload, struct.pack("=IIII", 16, 3, 9, 3))


def test_byte_by_byte():
    """A message may come byte by byte, its descriptor with the first"""
    ram = vu.memfd(0x10000)
    before = SERVER.fds_with("acc")
    message = vu.header(vu.DMA_MAP, 32) + struct.pack("=IIQQQ", 32, 3, 0x1000, 0x100000, 0x2000)
    with SERVER.connect("acc") as client:
        client.send_raw(message[:1], [ram])
        for byte in message[1:]:
            client.send_raw(bytes([byte]))
        reply = client.receive()
        equal((reply.command, reply.flags), (vu.DMA_MAP, vu.TYPE_REPLY))
        works(client)
    os.close(ram)
    settles(lambda: SERVER.fds_with("acc"), before, "descriptors")


def test_leaves_at_every_byte():
    """A client that vanishes in the middle of a message, at every byte of it, harms nobody"""
    ram = vu.memfd(0x10000)
    message = vu.header(vu.DMA_MAP, 32) + struct.pack("=IIQQQ", 32, 3, 0, 0x100000, 0x10000)
    before = SERVER.fds_with("acc", "dma")
    with SERVER.connect("dma") as other:
        for size in range(len(message)):
            with SERVER.connect("acc") as client:
                if size:
                    client.send_raw(message[:size], [ram])
            works(other)
    settles(lambda: SERVER.fds_with("acc", "dma"), before, "descriptors")
    os.close(ram)


def test_leaving_is_logged():
    """Leaving in the middle of a message is worth a line, leaving between messages another"""
    with Endpoints(ACCELERATOR) as server:
        with server.connect("acc") as client:
            works(client)
        server.wait_log("acc: client disconnected")
        true("middle" not in server.log(), "the first one left between messages")
        with server.connect("acc") as client:
            client.send_raw(b"x")
        server.wait_log("acc: client left in the middle of a message")


def test_leaves_in_a_long_message():
    """So does one that vanishes in the middle of a long one"""
    with SERVER.connect("dma") as other:
        for size in (16, 17, 4096, 65536, vu.MAX_XFER - 1, vu.MAX_XFER + 31):
            with SERVER.connect("acc") as client:
                message = vu.header(vu.REGION_WRITE, 16 + vu.MAX_XFER)
                client.send_raw(message + bytes(size - 16))
            works(other)


def test_unwanted_fds():
    """Descriptors with a command that takes none are refused and closed"""
    with SERVER.connect("acc") as client:
        works(client)
        before = SERVER.fds()
        fds = open_null(2)
        for command in range(1, 20):
            if command in (vu.DMA_MAP, vu.DEVICE_SET_IRQS):
                continue
            size = SIZES.get(command, (16, None))[0]
            error = client.refused(command, bytes(size), fds=fds)
            true(error in ("EINVAL", "EOPNOTSUPP"), f"command {command}: {error}")
        close_all(fds)
        all_fds_closed(client, before, "unwanted descriptors")


def test_fds_with_a_reply():
    """Descriptors with a reply that nobody waits for are closed"""
    with SERVER.connect("acc") as client:
        works(client)
        before = SERVER.fds()
        fds = open_null(3)
        client.send(vu.DMA_READ, bytes(16), fds=fds, flags=vu.TYPE_REPLY)
        close_all(fds)
        all_fds_closed(client, before, "a reply with descriptors")


def test_too_many_fds():
    """More descriptors than a command takes are refused and closed"""
    dma_map = struct.pack("=IIQQQ", 32, 3, 0, 0x100000, 0x1000)
    with SERVER.connect("dma") as client:
        works(client)
        before = SERVER.fds()
        for count in (2, 17, 253):
            fds = open_null(count)
            equal(client.refused(vu.DMA_MAP, dma_map, fds=fds), "EINVAL", f"DMA_MAP with {count}")
            if count > 16:
                irqs = struct.pack("=IIIII", 20, vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX,
                                   0, count)
                equal(client.refused(vu.DEVICE_SET_IRQS, irqs, fds=fds), "EINVAL", f"irqs {count}")
            close_all(fds)
        all_fds_closed(client, before, "too many descriptors")


def test_fds_all_over_a_message():
    """Descriptors with every byte of a message are refused and closed"""
    message = vu.header(vu.DMA_MAP, 32) + struct.pack("=IIQQQ", 32, 3, 0, 0x100000, 0x1000)
    with SERVER.connect("acc") as client:
        works(client)
        before = SERVER.fds()
        # More than the server keeps, and not more than a user may have on the way.
        fds = open_null(10)
        for byte in message:
            client.send_raw(bytes([byte]), fds)
        close_all(fds)
        equal(client.receive().error, 22)
        all_fds_closed(client, before, "descriptors with every byte")


def test_never_reads():
    """A client that never reads is dropped in the end, and others do not notice"""
    read = vu.header(vu.REGION_READ, 16) + struct.pack("=QII", 0, vu.REGION_CONFIG, 4096)
    with (Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("acc") as client,
          server.connect("dma") as other):
        client.sock.setblocking(False)
        end = time.monotonic() + vu.SECONDS
        dropped = False
        while not dropped and time.monotonic() < end:
            works(other)
            try:
                client.sock.send(read * 256)
            except BlockingIOError:
                select.select([], [client.sock], [], 0.1)
            except (BrokenPipeError, ConnectionResetError):
                dropped = True
        true(dropped, "still connected")
        server.wait_log("acc: client dropped: it does not read")


def test_slow_reader():
    """Replies that wait for a slow reader come whole and in order"""
    read = struct.pack("=QII", 0, vu.REGION_CONFIG, 4096)
    count = 1000
    with SERVER.connect("acc") as client:
        config = client.region_read(vu.REGION_CONFIG, 0, 4096)
        client.send_raw(b"".join(vu.header(vu.REGION_READ, 16, msg_id=i) + read
                                 for i in range(count)))
        time.sleep(0.3)
        for i in range(count):
            reply = client.receive()
            equal((reply.id, reply.payload[16:] == config), (i, True), "reply")
        # Longer than a socket takes at once.
        read = struct.pack("=QII", 0, 2, vu.MAX_XFER)
        client.send_raw(b"".join(vu.header(vu.REGION_READ, 16, msg_id=i) + read for i in range(6)))
        info = client.send(vu.DEVICE_GET_REGION_INFO, struct.pack("=IIIIQQ", 64, 0, 2, 0, 0, 0))
        time.sleep(0.1)
        for i in range(6):
            reply = client.receive()
            equal((reply.id, reply.payload == read + b"\xff" * vu.MAX_XFER), (i, True), "long")
        reply = client.receive()
        equal((reply.id, len(reply.fds)), (info, 1), "a descriptor that had to wait")
        os.close(reply.fds[0])


def test_log_is_bounded():
    """A client cannot flood the log"""
    with Endpoints(ACCELERATOR) as server, server.connect("acc") as client:
        for _ in range(3000):
            client.send(999, flags=vu.NO_REPLY)
        works(client)
        lines = len(server.log().splitlines())
        true(20 < lines < 200, f"{lines} lines for 3000 errors")
        time.sleep(1.1)
        client.send(999, flags=vu.NO_REPLY)
        server.wait_log("lines left out\nacc: unknown command refused: command 999")


run(globals(), SERVER.stop)

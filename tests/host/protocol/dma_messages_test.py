# SPDX-License-Identifier: GPL-2.0-or-later
"""DMA_READ and DMA_WRITE, and clients that answer them well, badly or never."""
import errno
import struct
import threading
import time

import vfio_user as vu
from devices import ENGINE, DmaEngine
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import equal, run, true

SERVER = Endpoints(ACCELERATOR, DMA_ENGINE, arguments=["--unannounced-dma"])

RING = 0x10000
SRC = 0x20000
DST = 0x30000
RANGE = struct.Struct("=QQ")


class Machine:
    """A DMA engine whose memory is reached by messages only: it is announced without file."""

    def __init__(self, server=None, capabilities=vu.CAPABILITIES):
        self.client = (server or SERVER).connect("dma", capabilities=capabilities)
        self.engine = DmaEngine(self.client)
        self.client.dma_map(0, 1 << 20)
        self.memory = bytearray(1 << 20)
        self.commands = []
        self.engine.start(RING)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def submit(self, *descriptor, **options):
        """Returns the address of the status."""
        address = RING + self.engine.tail * self.engine.DESCRIPTOR.size
        self.memory[address:address + 32] = self.engine.descriptor(*descriptor, **options)
        self.engine.doorbell()
        return address + 28

    def next(self):
        """The next command of the server, as (message, address, count)."""
        command = self.client.receive_command()
        address, count = RANGE.unpack_from(command.payload)
        self.commands.append((command.command, address, count))
        return command, address, count

    def answer(self, command, address, count):
        """Does what is asked for, and says so."""
        if command.command == vu.DMA_READ:
            equal(len(command.payload), 16, "payload of DMA_READ")
            self.client.reply(command, RANGE.pack(address, count) +
                              bytes(self.memory[address:address + count]))
        else:
            equal((command.command, len(command.payload)), (vu.DMA_WRITE, 16 + count), "command")
            self.memory[address:address + count] = command.payload[16:]
            self.client.reply(command, RANGE.pack(address, count))

    def serve(self, status):
        """Answers until the status has been written; returns it."""
        while True:
            command, address, count = self.next()
            self.answer(command, address, count)
            if command.command == vu.DMA_WRITE and address == status:
                return struct.unpack("<I", command.payload[16:])[0]

    def pending_read(self):
        """Submits a descriptor and returns the DMA_READ of it, unanswered."""
        self.submit(SRC, DST, 64)
        return self.next()


def ring_error(engine):
    """Waits until the engine has stopped with an error of its ring."""
    end = time.monotonic() + vu.SECONDS
    while True:
        status = engine.read(ENGINE.DMA_ENGINE_REG_STATUS)
        if status == ENGINE.DMA_ENGINE_STATUS_RING_ERROR:
            return
        true(time.monotonic() < end, f"status {status:#x}, no ring error")
        time.sleep(0.002)


def test_copy():
    """A copy through messages: the ring, the source, the destination and the status"""
    with Machine() as m:
        data = bytes(range(256)) * 5
        m.memory[SRC + 3:SRC + 3 + len(data)] = data
        equal(m.serve(m.submit(SRC + 3, DST + 1, len(data))), ENGINE.DMA_ENGINE_DONE_OK)
        equal(bytes(m.memory[DST + 1:DST + 1 + len(data)]) == data, True, "data")
        equal(bytes(m.memory[DST:DST + 1]), b"\0", "the byte before")
        equal(m.commands[0], (vu.DMA_READ, RING, 32), "first command")
        equal(sum(c for n, a, c in m.commands if n == vu.DMA_WRITE and DST <= a < DST + 4096),
              len(data), "bytes written")


def test_ids_of_requests():
    """Requests have ids of their own"""
    with Machine() as m:
        ids = set()
        status = m.submit(SRC, DST, 4096)
        while True:
            command, address, count = m.next()
            ids.add(command.id)
            m.answer(command, address, count)
            if address == status:
                break
        equal(len(ids), len(m.commands))


def test_split():
    """No message moves more than the client's max_data_xfer_size"""
    for limit in (1, 7, 100):
        with Machine(capabilities={"capabilities": {"max_data_xfer_size": limit}}) as m:
            m.memory[SRC:SRC + 300] = bytes(i & 0xff for i in range(300))
            equal(m.serve(m.submit(SRC, DST, 300)), ENGINE.DMA_ENGINE_DONE_OK) if limit >= 4 else \
                split_status(m)
            equal(m.memory[DST:DST + 300], m.memory[SRC:SRC + 300], "data")
            true(max(count for _, _, count in m.commands) <= limit, "count above the limit")


def split_status(m):
    """As Machine.serve(), for a status that comes in parts."""
    status = m.submit(SRC, DST, 300)
    while m.commands[-1:] != [(vu.DMA_WRITE, status + 3, 1)]:
        m.answer(*m.next())
    equal(struct.unpack_from("<I", m.memory, status)[0], ENGINE.DMA_ENGINE_DONE_OK)


def test_commands_cross():
    """While a request waits for its reply, commands of the client are carried out"""
    with Machine() as m:
        command, address, count = m.pending_read()
        equal(m.client.device_info()[0], 16, "argsz")
        equal(m.engine.read(ENGINE.DMA_ENGINE_REG_ID), ENGINE.DMA_ENGINE_ID)
        m.client.dma_map(1 << 30, 4096)
        m.client.dma_unmap(1 << 30, 4096)
        # With the id of the server's request, which is nothing to the server.
        m.client.send(vu.DEVICE_GET_INFO, struct.pack("=IIII", 16, 0, 0, 0), msg_id=command.id)
        equal(m.client.receive_reply(command.id).command, vu.DEVICE_GET_INFO)
        m.answer(command, address, count)
        equal(m.serve(RING + 28), ENGINE.DMA_ENGINE_DONE_OK)


def test_refused_descriptor():
    """A client that refuses to hand out the ring stops the engine"""
    for code in (errno.EFAULT, errno.ENODEV, 0, 0xffffffff):
        with Machine() as m:
            command, _, _ = m.pending_read()
            m.client.reply(command, error=code)
            ring_error(m.engine)


def test_refused_data():
    """A client that refuses source or destination gives the descriptor its status"""
    for refused, want in ((SRC, ENGINE.DMA_ENGINE_DONE_READ_ERROR),
                          (DST, ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)):
        with Machine() as m:
            status = m.submit(SRC, DST, 64)
            command, address, count = m.next()
            while address != status:
                if address == refused:
                    m.client.reply(command, error=errno.EFAULT)
                else:
                    m.answer(command, address, count)
                command, address, count = m.next()
            equal(struct.unpack("<I", command.payload[16:])[0], want, f"{refused:#x} refused")
            m.answer(command, address, count)
            equal(m.engine.read(ENGINE.DMA_ENGINE_REG_STATUS), ENGINE.DMA_ENGINE_STATUS_RUNNING)


def malformed_replies(command, address, count):
    """Ways to answer a DMA_READ that mean nothing."""
    data = bytes(count)
    good = RANGE.pack(address, count) + data
    return {
        "no payload": {"payload": b""},
        "no data": {"payload": RANGE.pack(address, count)},
        "too little data": {"payload": good[:-1]},
        "too much data": {"payload": good + b"x"},
        "1 MiB of data": {"payload": RANGE.pack(address, count) + bytes(vu.MAX_XFER)},
        "another address": {"payload": RANGE.pack(address + 1, count) + data},
        "a smaller count": {"payload": RANGE.pack(address, count - 1) + data},
        "a larger count": {"payload": RANGE.pack(address, count + 1) + data},
        "a huge count": {"payload": RANGE.pack(address, count | 1 << 32) + data},
        "another command": {"payload": good, "number": vu.DMA_WRITE},
        "a command of the client": {"payload": good, "number": vu.REGION_READ},
        "command 0": {"payload": good, "number": 0},
    }


def test_malformed_replies():
    """A reply that means nothing counts as a refusal"""
    for what in malformed_replies(None, 0, 1):
        with Machine() as m:
            command, address, count = m.pending_read()
            m.client.reply(command, **malformed_replies(command, address, count)[what])
            try:
                ring_error(m.engine)
            except AssertionError as error:
                raise AssertionError(f"after a reply with {what}: {error}") from error


def test_reply_with_fds():
    """A reply with descriptors counts as a refusal, and they are closed"""
    with Machine() as m:
        command, address, count = m.pending_read()
        before = SERVER.fds()
        m.client.reply(command, RANGE.pack(address, count) + bytes(count), fds=[0, 1, 2])
        ring_error(m.engine)
        settles(SERVER.fds, before, "descriptors")


def test_wrong_id():
    """A reply with an id that no request has is ignored; the right one still counts"""
    with Machine() as m:
        command, address, count = m.pending_read()
        for msg_id in (command.id ^ 1, command.id ^ 0x8000, (command.id + 1) & 0xffff):
            m.client.reply(command, RANGE.pack(address, count) + b"\xff" * count, msg_id=msg_id)
        equal(m.engine.read(ENGINE.DMA_ENGINE_REG_STATUS), ENGINE.DMA_ENGINE_STATUS_RUNNING)
        m.answer(command, address, count)
        equal(m.serve(RING + 28), ENGINE.DMA_ENGINE_DONE_OK)


def test_second_reply():
    """A second reply to a request is ignored"""
    with Machine() as m:
        command, address, count = m.pending_read()
        m.answer(command, address, count)
        m.client.reply(command, error=errno.EFAULT)
        m.client.reply(command, RANGE.pack(address, count) + b"\xff" * count)
        equal(m.serve(RING + 28), ENGINE.DMA_ENGINE_DONE_OK)


def test_reply_to_a_write():
    """The count in the reply to DMA_WRITE may have 4 bytes or 8, and nothing else"""
    for payload, want in ((struct.pack("=QI", DST, 64), ENGINE.DMA_ENGINE_DONE_OK),
                          (struct.pack("=QQ", DST, 64), ENGINE.DMA_ENGINE_DONE_OK),
                          (b"", ENGINE.DMA_ENGINE_DONE_WRITE_ERROR),
                          (struct.pack("=QH", DST, 64), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR),
                          (struct.pack("=QI", DST, 63), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR),
                          (struct.pack("=QI", DST + 64, 64), ENGINE.DMA_ENGINE_DONE_WRITE_ERROR),
                          (struct.pack("=QQ64s", DST, 64, b""),
                           ENGINE.DMA_ENGINE_DONE_WRITE_ERROR)):
        with Machine() as m:
            status = m.submit(SRC, DST, 64)
            command, address, count = m.next()
            while address != DST:
                m.answer(command, address, count)
                command, address, count = m.next()
            m.client.reply(command, payload)
            equal(m.serve(status), want, f"reply of {len(payload)} bytes: {payload[:16].hex()}")


def test_never_answers():
    """A client that never answers holds up its device, not its commands and not others"""
    with Machine() as m, SERVER.connect("acc") as other:
        m.pending_read()
        other.config_write(4, 2, 2)
        for _ in range(50):
            equal(other.read32(0, 0), 0x41485054, "another device")
        equal(m.client.device_info()[0], 16, "argsz")
        equal(m.engine.read(ENGINE.DMA_ENGINE_REG_STATUS), ENGINE.DMA_ENGINE_STATUS_RUNNING)


def test_unmap_while_pending():
    """Unmapping the range of a request that waits does not wait for it"""
    with Machine() as m:
        command, address, count = m.pending_read()
        m.client.dma_unmap(0, 1 << 20)
        m.answer(command, address, count)
        # The source is not announced any more; to refuse it is the client's business.
        command, address, _ = m.next()
        equal((command.command, address), (vu.DMA_READ, SRC))
        m.client.reply(command, error=errno.EFAULT)
        equal(m.serve(RING + 28), ENGINE.DMA_ENGINE_DONE_READ_ERROR)


def test_reset_while_pending():
    """A reset does not wait for a request, whose reply then changes nothing"""
    with Machine() as m:
        command, address, count = m.pending_read()
        m.client.reset()
        m.answer(command, address, count)
        m.engine.enable()
        equal(m.engine.read(ENGINE.DMA_ENGINE_REG_STATUS), 0, "status")
        m.engine = DmaEngine(m.client)
        m.engine.start(RING)
        equal(m.serve(m.submit(SRC, DST, 64)), ENGINE.DMA_ENGINE_DONE_OK)


def test_vanishes_while_pending():
    """A client may vanish while a request waits; the next one finds the device as after a reset"""
    for _ in range(20):
        with Machine() as m:
            m.pending_read()
        with Machine() as m:
            equal(m.serve(m.submit(SRC, DST, 64)), ENGINE.DMA_ENGINE_DONE_OK)


def test_vanishes_anywhere():
    """A client may vanish at any point of a copy"""
    for steps in range(12):
        with Machine() as m:
            m.submit(SRC, DST, 2000)
            for _ in range(steps):
                m.answer(*m.next())
    with Machine() as m:
        equal(m.serve(m.submit(SRC, DST, 2000)), ENGINE.DMA_ENGINE_DONE_OK)


def test_vanishes_in_a_reply():
    """A client may vanish in the middle of a reply, at any byte"""
    with Machine() as m:
        command, address, count = m.pending_read()
    reply = vu.header(vu.DMA_READ, 16 + count, vu.TYPE_REPLY, command.id) + \
        RANGE.pack(address, count) + bytes(count)
    for size in range(1, len(reply)):
        with Machine() as m:
            m.pending_read()
            m.client.send_raw(reply[:size])
    with Machine() as m:
        equal(m.serve(m.submit(SRC, DST, 64)), ENGINE.DMA_ENGINE_DONE_OK)


def test_stop_while_pending():
    """SIGTERM ends the server while a request waits"""
    with Endpoints(DMA_ENGINE) as server:
        machine = Machine(server)
        machine.pending_read()
        server.stop()
        true(machine.client.at_end(), "the connection is still there")
        machine.client.close()


def test_does_not_read_requests():
    """A client that reads nothing, requests included, can vanish and be replaced"""
    with Machine() as m:
        for _ in range(10):
            m.submit(SRC, DST, 65536)
    with Machine() as m:
        equal(m.serve(m.submit(SRC, DST, 64)), ENGINE.DMA_ENGINE_DONE_OK)


def test_many_commands_meanwhile():
    """Replies and commands of a busy client cross without mix-up"""
    with Machine() as m:
        m.memory[SRC:SRC + 20000] = bytes(i * 7 & 0xff for i in range(20000))
        status = m.submit(SRC, DST, 20000)
        done = threading.Event()
        read = struct.pack("=QII", 0, vu.REGION_CONFIG, 64)
        # Sent ahead, so that the replies come between the commands of the server.
        for i in range(300):
            m.client.send(vu.REGION_READ, read, msg_id=i)
        replies = 0
        while not done.is_set():
            message = m.client.commands.pop(0) if m.client.commands else m.client.receive()
            if message.is_reply:
                equal((message.command, message.id), (vu.REGION_READ, replies), "reply")
                replies += 1
                continue
            address, count = RANGE.unpack_from(message.payload)
            m.answer(message, address, count)
            if address == status:
                done.set()
        while replies < 300:
            equal(m.client.receive().id, replies, "reply")
            replies += 1
        equal(m.memory[DST:DST + 20000], m.memory[SRC:SRC + 20000], "data")


run(globals(), SERVER.stop)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A vfio-user client: messages as the specification lays them out, sent and received one by one.

Nothing here is careful: tests send what no decent client would.
"""
import array
import errno
import json
import mmap
import os
import select
import socket
import struct

VERSION = 1
DMA_MAP = 2
DMA_UNMAP = 3
DEVICE_GET_INFO = 4
DEVICE_GET_REGION_INFO = 5
DEVICE_GET_REGION_IO_FDS = 6
DEVICE_GET_IRQ_INFO = 7
DEVICE_SET_IRQS = 8
REGION_READ = 9
REGION_WRITE = 10
DMA_READ = 11
DMA_WRITE = 12
DEVICE_RESET = 13
DIRTY_PAGES = 14
REGION_WRITE_MULTI = 15
DEVICE_FEATURE = 16
MIG_DATA_READ = 17
MIG_DATA_WRITE = 18

TYPE_REPLY = 1
NO_REPLY = 1 << 4
ERROR = 1 << 5

REGION_CONFIG = 7
IRQ_INTX, IRQ_MSI, IRQ_MSIX, IRQ_ERR, IRQ_REQ = range(5)

SET_DATA_NONE, SET_DATA_BOOL, SET_DATA_EVENTFD = 1, 2, 4
SET_MASK, SET_UNMASK, SET_TRIGGER = 8, 16, 32

MAX_XFER = 1 << 20
HEADER = struct.Struct("=HHIII")
SECONDS = 20

CAPABILITIES = {"capabilities": {
    "max_msg_fds": 8, "max_data_xfer_size": MAX_XFER, "pgsizes": 4096, "max_dma_maps": 65535,
    "write_multiple": True}}


def errno_name(code):
    return "EOPNOTSUPP" if code == errno.EOPNOTSUPP else errno.errorcode.get(code, str(code))


class Closed(Exception):
    """The server has closed the connection."""


class Refused(Exception):
    """An error reply; code is its errno."""

    def __init__(self, command, code):
        super().__init__(f"command {command}: {errno_name(code)}")
        self.command = command
        self.code = code


class Message:
    """A received message; fds are the caller's to close."""

    def __init__(self, header, payload, fds):
        self.id, self.command, self.size, self.flags, self.error = HEADER.unpack(header)
        self.payload = payload
        self.fds = fds

    @property
    def is_reply(self):
        return self.flags & 0xf == TYPE_REPLY

    def __repr__(self):
        return (f"<id {self.id} command {self.command} flags {self.flags:#x} error {self.error} "
                f"payload {self.payload[:48].hex()}>")


def header(command, payload_size, flags=0, msg_id=0, error=0, size=None):
    return HEADER.pack(msg_id, command, HEADER.size + payload_size if size is None else size, flags,
                       error)


def version_payload(major=0, minor=0, data=CAPABILITIES):
    """data: None, bytes as they are, or an object for JSON."""
    if data is None:
        data = b""
    elif not isinstance(data, bytes):
        data = json.dumps(data).encode() + b"\0"
    return struct.pack("=HH", major, minor) + data


def memfd(size, seal=True):
    """A memory file like that of a virtual machine."""
    fd = os.memfd_create("ram", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    if seal:
        import fcntl
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return fd


def map_fd(fd, size):
    return mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def eventfd():
    return os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)


def eventfd_count(fd, seconds=SECONDS):
    """Waits for an event; returns the count, 0 when none came."""
    if not select.select([fd], [], [], seconds)[0]:
        return 0
    return os.eventfd_read(fd)


class Client:
    """One connection to a device."""

    def __init__(self, path, negotiate=True, capabilities=CAPABILITIES):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(path)
        self.next_id = 0
        self.commands = []  # of the server, received while a reply was waited for
        self.server_capabilities = None
        if negotiate:
            reply = self.call(VERSION, version_payload(data=capabilities))
            self.server_capabilities = json.loads(reply.payload[4:].rstrip(b"\0"))["capabilities"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for command in self.commands:
            for fd in command.fds:
                os.close(fd)
        self.sock.close()

    # Raw sending and receiving

    def send_raw(self, data, fds=()):
        if fds:
            sent = socket.send_fds(self.sock, [data], list(fds))
            data = data[sent:]
        if data:
            self.sock.sendall(data)

    def send(self, command, payload=b"", fds=(), flags=0, msg_id=None, size=None):
        """Sends a command and returns its id."""
        if msg_id is None:
            msg_id = self.next_id
            self.next_id = (self.next_id + 1) & 0xffff
        self.send_raw(header(command, len(payload), flags, msg_id, size=size) + payload, fds)
        return msg_id

    def _receive_exactly(self, size, fds):
        data = b""
        while len(data) < size:
            try:
                chunk, ancillary, _flags, _address = self.sock.recvmsg(
                    size - len(data), socket.CMSG_SPACE(16 * 4))
            except ConnectionResetError:
                chunk, ancillary = b"", []
            for _level, _type, bytes_ in ancillary:
                got = array.array("i")
                got.frombytes(bytes_[:len(bytes_) - len(bytes_) % got.itemsize])
                fds.extend(got)
            if not chunk:
                raise Closed(f"end of stream after {len(data)} of {size} bytes")
            data += chunk
        return data

    def receive(self):
        """The next message, whatever it is."""
        fds = []
        head = self._receive_exactly(HEADER.size, fds)
        size = HEADER.unpack(head)[2]
        return Message(head, self._receive_exactly(size - HEADER.size, fds), fds)

    def receive_reply(self, msg_id=None):
        """The next reply; commands of the server are put aside."""
        while True:
            message = self.receive()
            if not message.is_reply:
                self.commands.append(message)
                continue
            if msg_id is not None and message.id != msg_id:
                raise AssertionError(f"reply to {message.id}, not to {msg_id}")
            return message

    def receive_command(self):
        """The next command of the server."""
        if self.commands:
            return self.commands.pop(0)
        message = self.receive()
        if message.is_reply:
            raise AssertionError(f"unexpected reply {message!r}")
        return message

    def call(self, command, payload=b"", fds=(), flags=0):
        """Sends a command and returns the reply, or raises Refused."""
        msg_id = self.send(command, payload, fds, flags)
        reply = self.receive_reply(msg_id)
        if reply.command != command:
            raise AssertionError(f"reply to command {reply.command}, not to {command}")
        if reply.flags & ERROR:
            if reply.payload:
                raise AssertionError("error reply with a payload")
            raise Refused(command, reply.error)
        if reply.error:
            raise AssertionError(f"error {reply.error} without the error flag")
        return reply

    def refused(self, command, payload=b"", fds=(), flags=0):
        """Sends a command that must be refused; returns the errno's name."""
        try:
            reply = self.call(command, payload, fds, flags)
        except Refused as refusal:
            return errno_name(refusal.code)
        raise AssertionError(f"not refused: {reply!r}")

    def reply(self, command, payload=b"", error=None, msg_id=None, number=None, size=None, fds=()):
        """Answers a command of the server; error is an errno."""
        flags = TYPE_REPLY | (ERROR if error is not None else 0)
        self.send_raw(header(command.command if number is None else number, len(payload), flags,
                             command.id if msg_id is None else msg_id, error or 0, size) + payload,
                      fds)

    def at_end(self):
        """True when the server closes the connection, with nothing more to read."""
        try:
            self.receive()
        except Closed:
            return True
        return False

    # Commands

    def device_info(self):
        reply = self.call(DEVICE_GET_INFO, struct.pack("=IIII", 16, 0, 0, 0))
        return struct.unpack("=IIII", reply.payload)

    def region_info(self, index):
        """(flags, size, offset, fd or None)."""
        reply = self.call(DEVICE_GET_REGION_INFO, struct.pack("=IIIIQQ", 4096, 0, index, 0, 0, 0))
        _argsz, flags, _index, _cap, size, offset = struct.unpack_from("=IIIIQQ", reply.payload)
        return flags, size, offset, reply.fds[0] if reply.fds else None

    def irq_info(self, index):
        reply = self.call(DEVICE_GET_IRQ_INFO, struct.pack("=IIII", 16, 0, index, 0))
        return struct.unpack("=IIII", reply.payload)

    def set_irqs(self, flags, index, start, count, data=b"", fds=()):
        self.call(DEVICE_SET_IRQS,
                  struct.pack("=IIIII", 20 + len(data), flags, index, start, count) + data, fds)

    def region_read(self, region, offset, count):
        reply = self.call(REGION_READ, struct.pack("=QII", offset, region, count))
        if reply.payload[:16] != struct.pack("=QII", offset, region, count):
            raise AssertionError(f"REGION_READ of something else: {reply!r}")
        if len(reply.payload) != 16 + count:
            raise AssertionError(f"REGION_READ of another size: {reply!r}")
        return reply.payload[16:]

    def region_write(self, region, offset, data, flags=0):
        payload = struct.pack("=QII", offset, region, len(data)) + data
        if flags & NO_REPLY:
            self.send(REGION_WRITE, payload, flags=flags)
        else:
            reply = self.call(REGION_WRITE, payload, flags=flags)
            if reply.payload != payload[:16]:
                raise AssertionError(f"REGION_WRITE of something else: {reply!r}")

    def dma_map(self, address, size, fd=None, offset=0, flags=3):
        self.call(DMA_MAP, struct.pack("=IIQQQ", 32, flags, offset, address, size),
                  () if fd is None else (fd,))

    def dma_unmap(self, address, size, flags=0):
        reply = self.call(DMA_UNMAP, struct.pack("=IIQQ", 24, flags, address, size))
        if reply.payload != struct.pack("=IIQQ", 24, flags, address, size):
            raise AssertionError(f"DMA_UNMAP of something else: {reply!r}")

    def reset(self):
        self.call(DEVICE_RESET)

    # Config space and registers

    def config_read(self, offset, size):
        return int.from_bytes(self.region_read(REGION_CONFIG, offset, size), "little")

    def config_write(self, offset, size, value):
        self.region_write(REGION_CONFIG, offset, value.to_bytes(size, "little"))

    def read32(self, bar, offset):
        return int.from_bytes(self.region_read(bar, offset, 4), "little")

    def read64(self, bar, offset):
        return int.from_bytes(self.region_read(bar, offset, 8), "little")

    def write32(self, bar, offset, value):
        self.region_write(bar, offset, value.to_bytes(4, "little"))

    def write64(self, bar, offset, value):
        self.region_write(bar, offset, value.to_bytes(8, "little"))

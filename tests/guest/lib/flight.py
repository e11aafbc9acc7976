# SPDX-License-Identifier: GPL-2.0-or-later
"""One tagged write of a DMA engine into the memory of an accelerator, and what the fabric's trace says became of it."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import select
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab import trace
from port import DEVICES, TREE, address
from tphbuf_command import COPY, IMPORT, PATIENCE, TPHBUF

TRACE = Path("/job/trace.txt")
RELEASE = 0x4008B703
PIDFD_GETFD = 438
# A store, in both kinds of tags; other partitions, so that they cannot be mistaken for one another.
ST, ST_EXT, PH = 0x05, 0x0021, 2
LENGTH = 64
PAGE = 4096


@dataclass
class Flight:
    """What became of a write: @wire as in tests/topologies.toml; @at: name of the port, "rc", or ""; @why for people."""

    wire: str
    at: str = ""
    why: str = ""


class Closed(Exception):
    """VFIO does not open the device."""


@contextlib.contextmanager
def exported(device):
    """fd of a dma-buf of the device's memory, tagged with all that the device takes; another process owns the device."""
    tags = ["--st", hex(ST), "--ph", str(PH)]
    if TREE[device].get("completer", "ext") == "ext":
        tags += ["--st-ext", hex(ST_EXT)]
    argv = [TPHBUF, "exec", "--bind", "-d", address(device), "--bar", "2", "--range", "0:64K", *tags, "--",
            "sh", "-c", "echo $$ $TPHBUF_FD; read line"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as owner:
        try:
            ready, _, _ = select.select([owner.stdout], [], [], PATIENCE)
            words = owner.stdout.readline().split() if ready else []
            if len(words) != 2:
                owner.kill()
                raise Closed(owner.stderr.read().strip())
            fd = _fd_of(int(words[0]), int(words[1]))
            try:
                yield fd
            finally:
                os.close(fd)
        finally:
            with contextlib.suppress(BrokenPipeError):
                owner.communicate("\n", timeout=PATIENCE)


def _fd_of(pid, number):
    """A file of another process."""
    pidfd = os.pidfd_open(pid)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.syscall(PIDFD_GETFD, pidfd, number, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return fd
    finally:
        os.close(pidfd)


def _write(engine, dmabuf, offset):
    """Import the buffer, write to it, release it; OSError as the driver gives it."""
    misc = next((DEVICES / address(engine) / "misc").iterdir()).name
    with open(f"/dev/{misc}", "r+b", buffering=0) as file:
        argument = bytearray(struct.pack("iIIIQ", dmabuf, 0, 0, 0, 0))
        fcntl.ioctl(file, IMPORT, argument)
        handle, _ = struct.unpack_from("8xI4xQ", argument)
        data = bytearray(range(LENGTH))
        buffer = (ctypes.c_char * LENGTH).from_buffer(data)
        try:
            fcntl.ioctl(file, COPY, struct.pack("IIQQQ", handle, 0, ctypes.addressof(buffer), offset, LENGTH))
        finally:
            fcntl.ioctl(file, RELEASE, struct.pack("II", handle, 0))


def _bdf(name):
    return address(name).removeprefix("0000:")


def _divide(engine):
    """Read the first register of an engine, which is a TLP of its own: all before it is in the trace by then."""
    fd = os.open(DEVICES / address(engine) / "resource0", os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    try:
        with mmap.mmap(fd, PAGE) as page, memoryview(page).cast("I") as words:
            return words[0]
    finally:
        os.close(fd)


def _traced(start, engine):
    """The TLPs of the trace from @start to the next reading of the engine's first register."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with open(TRACE, "rb") as file:
            file.seek(start)
            lines = file.read().decode("ascii").split("\n")[:-1]
        tlps = []
        for line in lines:
            tlp = trace.parse_line(line)
            if (tlp.requester, tlp.completer, tlp.kind) == ("rc", _bdf(engine), "MRd") and not tlp.address % PAGE:
                return tlps
            tlps.append(tlp)
        time.sleep(0.05)
    raise AssertionError(f"the trace does not show the reading of a register of {engine}")


def _write_traced(dmabuf, engine):
    """Write once from @engine: the error of the driver or None, and all TLPs meanwhile."""
    start = TRACE.stat().st_size
    error = None
    try:
        _write(engine, dmabuf, 0)
    except OSError as err:
        error = err
    _divide(engine)
    return error, _traced(start, engine)


def write_once(dmabuf, engine):
    """Write once from @engine: the error of the driver or None, and the TLP."""
    error, tlps = _write_traced(dmabuf, engine)
    sent = [tlp for tlp in tlps if _is_payload(tlp, engine)]
    if len(sent) != 1:
        raise AssertionError(f"{len(sent)} TLPs, want one: {sent}")
    return error, sent[0]


def _is_payload(tlp, engine):
    return tlp.requester == _bdf(engine) and tlp.kind == "MWr" and tlp.length == LENGTH


def _judge(tlps, engine, device, error):
    """What a write was, by its TLPs."""
    sent = [tlp for tlp in tlps if _is_payload(tlp, engine)]
    if not sent:
        if not error:
            raise AssertionError("the copy succeeded, and no TLP of it is in the trace")
        return Flight("refused", why=str(error))
    if len(sent) != 1:
        raise AssertionError(f"{len(sent)} TLPs, want one: {sent}")
    tlp = sent[0]
    if tlp.result not in ("ok", trace.HINT_DROPPED):
        return Flight("error", tlp.at, f"{tlp.result}; {error}")
    if error:
        raise AssertionError(f"the copy failed with {error}, and its TLP arrived: {tlp}")
    if not tlp.tag:
        return Flight("untagged")
    wanted = trace.Tag(True, ST_EXT, PH) if tlp.tag.extended else trace.Tag(False, ST, PH)
    if tlp.tag != wanted:
        raise AssertionError(f"the tag is {tlp.tag}, want {wanted}")
    # What goes to the root complex has no hint beyond it; the trace shows it as it was sent.
    if tlp.result == trace.HINT_DROPPED or tlp.completer == "rc":
        return Flight("dropped", tlp.at)
    if tlp.completer != _bdf(device):
        raise AssertionError(f"the write went to {tlp.completer}: {tlp}")
    return Flight("arrives")


def fly(dmabuf, device, engine):
    """Write once from @engine into the dma-buf of @device."""
    error, tlps = _write_traced(dmabuf, engine)
    return _judge(tlps, engine, device, error)

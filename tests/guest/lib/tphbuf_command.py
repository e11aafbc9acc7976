# SPDX-License-Identifier: GPL-2.0-or-later
"""The command tphbuf in the guest, the devices to use it on, and a command for tphbuf exec: this file as a program."""

import ctypes
import fcntl
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

from tap import SLOWDOWN, equal

TPHBUF = os.environ.get("TPHBUF_CLI", "/build/cli/tphbuf")
# How long the command, or what comes of it, may take.
PATIENCE = 60 * SLOWDOWN
ACCELERATORS = ("ACC0", "ACC1", "ACC2", "ACC3")
OK, USAGE, UNSUPPORTED, PERMISSION, NO_DEVICE, BUSY, MAY_BE_LOST = 0, 2, 3, 4, 5, 6, 7

# kernel/modules/tph_dma/tph_dma.h
IMPORT = 0xC018B700
COPY = 0x4020B701
QUERY = 0xC018B702
MAPPED, TAGGED, EXTENDED = 1, 2, 4
# A command for tphbuf exec: child().
CHILD = [sys.executable, "-B", __file__]


def device(name):
    """PCI address of a device of the suite."""
    return os.environ[f"TPHBUF_DEV_{name}"]


def driver(name):
    """Driver that has a device, or an empty string."""
    link = Path(f"/sys/bus/pci/devices/{device(name)}/driver")
    return link.resolve().name if link.exists() else ""


def bind(name):
    """Give a device to vfio-pci."""
    Path(f"/sys/bus/pci/devices/{device(name)}/driver_override").write_text("vfio-pci")
    Path("/sys/bus/pci/drivers_probe").write_text(device(name))


def unbind_device(name):
    """Take a device from vfio-pci."""
    if driver(name) == "vfio-pci":
        Path("/sys/bus/pci/drivers/vfio-pci/unbind").write_text(device(name))
    Path(f"/sys/bus/pci/devices/{device(name)}/driver_override").write_text("\n")


def unbind_all():
    """Take all accelerators of the suite from vfio-pci."""
    for name in (name for name in ACCELERATORS if f"TPHBUF_DEV_{name}" in os.environ):
        unbind_device(name)


def run(*args, **options):
    """Run tphbuf, and see to what holds for every run: errors are one line each, and end up on standard error."""
    result = subprocess.run([TPHBUF, *args], capture_output=True, text=True, timeout=2 * PATIENCE, check=False, **options)
    command = " ".join(args)
    # The verdict of path is an answer, and not an error.
    if result.returncode in (UNSUPPORTED, PERMISSION, NO_DEVICE, BUSY) and not (args[0] == "path" and result.stdout):
        equal(len(result.stderr.splitlines()), 1, f"lines on standard error of {command}: {result.stderr}")
    if result.stderr:
        equal(result.stderr.startswith(("tphbuf: ", f"tphbuf {args[0]}: ")), True,
              f"errors of {command} name the program: {result.stderr}")
    return result


def child():
    """What the commands of exec do here: import the dma-buf that they inherited, write to it, and tell."""
    fd = int(os.environ["TPHBUF_FD"])
    misc = next(Path(f"/sys/bus/pci/devices/{device('DMA0')}/misc").iterdir()).name
    with open(f"/dev/{misc}", "r+b", buffering=0) as engine:
        argument = bytearray(struct.pack("iIIIQ", fd, 0, 0, 0, 0))
        fcntl.ioctl(engine, IMPORT, argument)
        handle, size = struct.unpack_from("8xI4xQ", argument)
        data = bytearray(range(200))
        buffer = (ctypes.c_char * len(data)).from_buffer(data)
        fcntl.ioctl(engine, COPY, struct.pack("IIQQQ", handle, 0, ctypes.addressof(buffer), 8, len(data)))
        answer = bytearray(struct.pack("I20x", handle))
        fcntl.ioctl(engine, QUERY, answer)
        _, state, tag, ph = struct.unpack_from("IIHB", answer)
    json.dump({"size": size, "environment": os.environ["TPHBUF_SIZE"], "state": state, "tag": tag, "ph": ph,
               "file": os.readlink(f"/proc/self/fd/{fd}")}, sys.stdout)


if __name__ == "__main__":
    child()

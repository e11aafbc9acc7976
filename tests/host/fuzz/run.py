# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a fuzz target: run.py replay|libfuzzer TARGET PROGRAM

First all seeds, each of which is a scene that a test has or a finding of the past, then a
bounded number of inputs made from them, then, without libFuzzer, the seeds with every allocation
failing once. TPHBUF_FUZZ_SECONDS makes it go on for longer, with libFuzzer only.
"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import tap
import vfio_user as vu

HERE = pathlib.Path(__file__).parent
MUTATIONS = 2500
SECONDS = int(os.environ.get("TPHBUF_FUZZ_SECONDS", "10"))
EVENTFD, MEMFD, NULL, EPOLL = range(4)
NEGOTIATED, FRAMED = 1, 2


def packet(data, fds=0, kind=EVENTFD, unread=False):
    return struct.pack("<BH", fds | kind << 5 | unread << 7, len(data)) + data


def framed(command, data=b"", flags=0, msg_id=0, fds=0, kind=EVENTFD, unread=False):
    return struct.pack("<BHBBB", fds | kind << 5 | unread << 7, len(data), command, flags,
                       msg_id) + data


def message(command, data=b"", flags=0, msg_id=0, **options):
    return packet(vu.header(command, len(data), flags, msg_id) + data, **options)


def connection_seeds():
    """Scenes for connection_test.c by name."""
    info = struct.pack("=IIII", 16, 0, 2, 0)
    region_info = struct.pack("=IIIIQQ", 32, 0, 2, 0, 0, 0)
    dma_map = struct.pack("=IIQQQ", 32, 3, 0, 0x100000, 0x1000)
    dma_unmap = struct.pack("=IIQQ", 24, 0, 0x100000, 0x1000)
    read = struct.pack("=QII", 0, 7, 64)
    big_read = struct.pack("=QII", 0, 2, vu.MAX_XFER)
    write = struct.pack("=QII", 4, 7, 2) + b"\6\0"
    multi = struct.pack("=QQII8s", 1, 4, 7, 2, b"\6\0")
    dma_read = struct.pack("=QQ48s", 0x1000, 48, b"")
    dma_write = struct.pack("=QQ", 0x2000, 48)
    reply, error = vu.TYPE_REPLY, vu.TYPE_REPLY | vu.ERROR

    def irqs(flags, start, count, data=b""):
        return struct.pack("=IIIII", 20 + len(data), flags, vu.IRQ_MSIX, start, count) + data

    start = bytes([NEGOTIATED | FRAMED])
    return {
        "version": b"\0" + message(vu.VERSION, vu.version_payload()),
        "version-only": b"\0" + message(vu.VERSION, vu.version_payload(data=None)),
        "major": b"\0" + message(vu.VERSION, vu.version_payload(1)),
        "early": b"\0" + message(vu.DEVICE_GET_INFO, info) +
        message(vu.VERSION, vu.version_payload()),
        "bytes": b"\0" + b"".join(packet(bytes([b])) for b in
                                  vu.header(vu.VERSION, 4) + vu.version_payload(data=None)),
        "short": b"\1" + packet(vu.header(vu.REGION_READ, 0, size=15)),
        "long": b"\1" + packet(vu.header(vu.REGION_READ, 0, size=0xffffffff)),
        "partial": b"\1" + packet(vu.header(vu.REGION_WRITE, 18) + write[:9]),
        "info": start + framed(vu.DEVICE_GET_INFO, struct.pack("=IIII", 16, 0, 0, 0)) +
        framed(vu.DEVICE_GET_REGION_INFO, region_info) + framed(vu.DEVICE_GET_IRQ_INFO, info),
        "access": start + framed(vu.REGION_READ, read) + framed(vu.REGION_WRITE, write) +
        framed(vu.REGION_WRITE_MULTI, multi) + framed(vu.DEVICE_RESET),
        "no-reply": start + framed(vu.REGION_WRITE, write, vu.NO_REPLY) +
        framed(99, b"", vu.NO_REPLY),
        "map": start + framed(vu.DMA_MAP, dma_map, fds=1, kind=MEMFD) +
        framed(vu.DMA_MAP, dma_map) + framed(vu.DMA_UNMAP, dma_unmap) +
        framed(vu.DMA_UNMAP, struct.pack("=IIQQ", 24, 2, 0, 0)),
        "fds": start + framed(vu.DEVICE_GET_INFO, info, fds=5, kind=NULL) +
        framed(vu.DMA_MAP, dma_map, fds=31, kind=EPOLL),
        "irqs": start + framed(vu.DEVICE_SET_IRQS, irqs(0x24, 0, 8), fds=8) +
        framed(vu.DEVICE_SET_IRQS, irqs(0x22, 0, 3, b"\1\0\1")) +
        framed(vu.DEVICE_SET_IRQS, irqs(0x09, 0, 4)) +
        framed(vu.DEVICE_SET_IRQS, irqs(0x11, 0, 4)) +
        framed(vu.DEVICE_SET_IRQS, irqs(0x0c, 1, 1), fds=1) +
        framed(vu.DEVICE_SET_IRQS, irqs(0x24, 2, 2)) + framed(vu.DEVICE_SET_IRQS, irqs(0x21, 0, 0)),
        "irq-kinds": start + framed(vu.DEVICE_SET_IRQS, irqs(0x24, 0, 1), fds=1, kind=NULL),
        "dma": start + b"".join(
            framed(vu.DMA_READ, dma_read, reply, 2 * i) +
            framed(vu.DMA_WRITE, dma_write, reply, 2 * i + 1) for i in range(4)),
        "dma-errors": start + framed(vu.DMA_READ, b"", error, 0) +
        framed(vu.DMA_WRITE, dma_write[:12], reply, 1) +
        framed(vu.DMA_READ, dma_read[:-1], reply, 2),
        "dma-confused": start + framed(vu.DMA_WRITE, dma_read, reply, 0) +
        framed(vu.DMA_READ, dma_read, reply, 77) + framed(vu.DMA_READ, dma_read, reply, 1, fds=2),
        "unread": start + framed(vu.REGION_READ, big_read, unread=True) * 10,
        "behind": start + framed(vu.REGION_READ, big_read, unread=True) * 3 +
        framed(vu.REGION_READ, read) * 3,
        "others": start + b"".join(framed(command, info) for command in range(20)),
    }


def capabilities_seeds():
    """Texts for capabilities_test.c by name."""
    return {
        "empty": b"", "nul": b"\0", "object": b"{}\0", "none": b'{"capabilities":{}}\0',
        "all": vu.version_payload()[4:],
        "numbers": b'{"a":[0,-1,1.5,1e9,-2E-3,18446744073709551615]}\0',
        "strings": b'{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"}\0',
        "words": b'{"b":null,"c":[true,false]}\0',
        "deep": b'{"a":' + b"[" * 7 + b"]" * 7 + b"}\0",
        "deeper": b'{"a":' * 9 + b"1" + b"}" * 9 + b"\0",
        "escape": b'{"c\\u0061pabilities":{"max\\u005fmsg_fds":1}}\0',
        "unknown": b'{"capabilities":{"migration":{"pgsize":1},"twin_socket":{"x":true}}}\0',
        "cut": b'{"capabilities":{"max_msg_fds":\0',
        "two": b"{}{}\0",
        "string": b'"no end',
        "large": b'{"a":1' + b"0" * 40 + b"}\0",
    }


def run(what, command):
    """Runs a command; it is one result, with what it said when it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tap.diag(f"exit code {done.returncode}: {' '.join(map(str, command))}")
        tap.diag("\n".join(done.stdout.decode(errors="replace").splitlines()[-60:]))
    tap.result(not done.returncode, what)


def main():
    engine, target, program = sys.argv[1:]
    seeds = {"connection": connection_seeds, "capabilities": capabilities_seeds}[target]()
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1")
    with tempfile.TemporaryDirectory(prefix="tphbuf-fuzz-") as directory:
        corpus = pathlib.Path(directory)
        for name, data in seeds.items():
            (corpus / name).write_bytes(data)
        files = sorted(corpus.iterdir()) + sorted((HERE / "findings" / target).glob("*"))
        run(f"{target}: {len(files)} seeds and findings", [program, *files])
        if engine == "libfuzzer":
            command = [program, "-seed=1", f"-max_total_time={SECONDS}", "-max_len=8192",
                       "-timeout=20", "-print_final_stats=1",
                       f"-artifact_prefix={os.getcwd()}/", corpus]
            run(f"{target}: {SECONDS} s of new inputs", command)
        else:
            command = [program, "--mutations", str(MUTATIONS), *files]
            run(f"{target}: {MUTATIONS} mutations", command)
            run(f"{target}: each allocation fails once", [program, "--fail-nth", *files])
    sys.exit(tap.done())


main()

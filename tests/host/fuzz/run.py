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
# How many times as long an input takes where a device works on it in a thread of its own.
SLOWER = {"dma_engine": 10, "mlx5_command": 25, "mlx5_request": 25}
# What the target stands on ends the program when it gets no memory.
WITH_RIG = ("config", "dma_engine", "mlx5_command", "mlx5_request")
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


def wire_seeds():
    """TLPs, and a file of them, for wire_test.c by name."""
    write = bytes.fromhex("40010001 002812ff fea00102 11223344")
    block = struct.pack("<IIIHHII", 6, 0, 0, 0, 0, 0, 0)
    return {
        "empty": b"", "write": write,
        "write-64": bytes.fromhex("90430000 60010001 008805ff 00000001 f8101043 11223344"),
        "read": bytes.fromhex("00000040 002812ff fea00100"),
        "completion": bytes.fromhex("4a000001 00280004 00881200 11223344"),
        "atomic": bytes.fromhex("4c000002 0028120f fea00100 0000000000000001"),
        "cas": bytes.fromhex("6e000004 0028120f 00000001 f8101040") + bytes(16),
        "message": bytes.fromhex("30000000 00280030 00000000 00000000"),
        "file": struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) +
        struct.pack("<IIHHII", 1, 20, 158, 0, 0, 20) +
        struct.pack("<IIIIIII", 6, 64, 0, 0, 0, 32, 32) + block[:16] + write + struct.pack("<I", 64),
    }


def config_seeds():
    """Accesses for config_test.c by name."""
    def write(function, offset, value, size=4):
        return struct.pack("<BH", function | (size - 1) << 2, offset) + value.to_bytes(size, "little")

    return {
        "empty": b"",
        "bars": b"".join(write(f, 0x10 + 4 * bar, 0xffffffff) for f in range(4) for bar in range(6)),
        "on": b"".join(write(f, 0x04, 0x407, 2) for f in range(4)),
        "power": write(0, 0x44, 3, 2) + write(0, 0x10, 0xffffffff),
        "capabilities": b"".join(write(f, at, 0xffffffff) for f in range(4) for at in range(0x40, 0x120, 4)),
        "tph": write(1, 0x108, 0x302) + write(1, 0x10c, 0x4305) + write(2, 0x108, 0x101),
        "reads": b"".join(struct.pack("<BH", 0x20 | 7 << 2 | f, at) for f in range(4) for at in (0, 4090, 0xffff)),
        "reset": write(1, 0x108, 0x302) + struct.pack("<BH", 0xc1, 0) + write(1, 0x78, 0x8000, 2),
    }


def dma_engine_seeds():
    """Steps for dma_engine_test.c by name."""
    def descriptor(source, target, length, flags=0, index=0, vector=0, number=0, kind=2):
        return struct.pack("<BQQIIHHI", kind | number << 3, source, target, length, flags, index, vector, 0)

    def doorbell(tail):
        return struct.pack("<BI", 3 | 8, tail)

    start, wait, reset = b"\5", b"\7", b"\6"
    return {
        "empty": b"",
        "copy": start + descriptor(0, 0, 4097) + doorbell(1) + wait,
        "hint": struct.pack("<BI", 4, 0x301) + start +
        b"".join(descriptor(1, 3, 512, 1, i, i, i) for i in range(8)) + doorbell(8),
        "far": start + descriptor(1 << 63, 0x1000, 64, 3, 0xffff, 0xffff, 0, 1) + doorbell(1),
        "ring": start + doorbell(4096) + start + doorbell(31) + b"\0" + struct.pack("<Q", 0) + doorbell(1),
        "registers": b"".join(struct.pack("<BQ", i << 3, (1 << 64) - 1) for i in range(16)),
        "reset": start + descriptor(0, 0, 8000) + doorbell(1) + reset + start + doorbell(1),
    }


def mlx5_command_seeds():
    """Commands for mlx5_command_test.c by name: each kind, plain and with an input."""
    def command(number, data=b"", spoilt=()):
        return struct.pack("<BBH", number, len(spoilt), len(data)) + data + b"".join(
            struct.pack("<HB", where, by) for where, by in spoilt)

    small = b"".join(struct.pack(">I", i % 5) for i in range(60))
    return {
        "empty": b"",
        "plain": b"".join(command(number) for number in range(64)),
        "numbers": b"".join(command(number, small) for number in range(64)),
        "large": b"".join(command(number, bytes([number]) * 1000) for number in range(64)),
        "delivery": b"".join(command(3, small, [(at, 0xff)]) for at in range(0, 600, 7)),
    }


def mlx5_request_seeds():
    """Work requests for mlx5_request_test.c by name."""
    def request(opcode, segments=b"", queue=0, receives=0, as_it_is=0):
        segments += bytes(-len(segments) % 16)
        control = struct.pack(">IIII", opcode, 0, 0x08, 7)
        return bytes([queue | receives << 2 | as_it_is << 4, len(segments) // 16]) + control + segments

    inline = struct.pack(">I", 0x80000005) + b"hello"
    remote = struct.pack(">QII", 0x40100000, 0x100, 0)
    data = struct.pack(">IIQ", 4096, 0x100, 0x40100000)
    return {
        "empty": b"",
        "nop": request(0) + request(0, queue=1) + request(0, queue=2),
        "send": request(0x0a, inline, receives=1) + request(0x0b, inline, queue=1, receives=1),
        "send-alone": request(0x0a, inline) + request(0x0a, inline, queue=1),
        "write": request(0x08, remote + data) + request(0x09, remote + data, queue=1, receives=1),
        "read": request(0x10, remote + data) + request(0x10, remote + data, queue=1),
        "atomic": request(0x11, remote + bytes(16) + data[:4].replace(b"\x10\0", b"\0\x08") + data[4:]),
        "umr": request(0x25, bytes(48 + 64 + 64), queue=2),
        "broken": request(0x0a, inline, as_it_is=1) + request(0x0a, inline, queue=1, as_it_is=1),
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
    seeds = globals()[f"{target}_seeds"]()
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
            count = MUTATIONS // SLOWER.get(target, 1)
            run(f"{target}: {count} mutations", [program, "--mutations", str(count), *files])
            if target not in WITH_RIG:
                run(f"{target}: each allocation fails once", [program, "--fail-nth", *files])
    sys.exit(tap.done())


main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""examples/rdma_offset and examples/where: bytes that begin and end within a page, what the trace says of them, and the line
for a buffer that a NIC refuses."""

import os
import subprocess
import time
from pathlib import Path

import rdma
import tap
from tap import equal

tap.TEST_SECONDS = 120 * tap.SLOWDOWN

PLACE = Path(os.environ["EXAMPLES"])
LIBRARY = next((PLACE / "installed").rglob("libtphbuf.so.0")).parent
OFFSET, TEXT = 0x12345, "bytes that begin and end somewhere"


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=2 * rdma.PATIENCE, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARY), "PATH": f"/build/trace:{os.environ['PATH']}"})


def _write(nic, offset, text):
    return _run(PLACE / "rdma_offset/rdma_offset", rdma.address("acc0"), "2", rdma.ib_device(nic), str(offset), text)


def _memory(offset, length):
    """What is in the accelerator's memory, as bytes: they need not be text."""
    command = ["/build/cli/tphbuf", "read", "--bind", "-d", rdma.address("acc0"), "--bar", "2", "--offset", str(offset),
               "--length", str(length)]
    return subprocess.run(command, stdout=subprocess.PIPE, timeout=rdma.PATIENCE, check=True).stdout


def test_offset():
    """the bytes are there, and no other"""
    for offset in (OFFSET, 4095, 4096):
        before = _memory(offset - 4, len(TEXT) + 8)
        result = _write("nic0", offset, TEXT)
        equal((result.returncode, result.stderr, result.stdout), (0, "", f"{len(TEXT)} bytes written to offset {offset}\n"),
              "it says")
        equal(_memory(offset - 4, len(TEXT) + 8), before[:4] + TEXT.encode() + before[-4:], "memory")


def test_where():
    """the trace says who wrote them, with which tag"""
    _write("nic0", OFFSET, TEXT)
    completer, nic = (rdma.address(name).removeprefix("0000:") for name in ("acc0", "nic0"))
    deadline = time.monotonic() + rdma.PATIENCE
    while True:
        result = _run("sh", "/src/examples/where/where.sh", "/job/trace.txt", completer)
        if nic in result.stdout or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    equal((result.returncode, result.stderr), (0, ""), "exit status and errors")
    first = result.stdout.split("== writes whose hint")[0]
    equal((nic in first, "st-ext=0x0021" in first), (True, True), result.stdout)
    equal(_run("sh", "/src/examples/where/where.sh").returncode, 2, "without arguments")


def test_refused():
    """the NIC, the reason and what to do, in one line"""
    result = _write("nic0", (1 << 20) - 8, TEXT)
    equal((result.returncode, len(result.stderr.splitlines())), (1, 1), result.stderr)
    for words in (f"{rdma.ib_device('nic0')} refuses the dma-buf", "offset, length or access flags"):
        equal(words in result.stderr, True, result.stderr)


if __name__ == "__main__":
    tap.run(globals())

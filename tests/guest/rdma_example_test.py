# SPDX-License-Identifier: GPL-2.0-or-later
"""examples/rdma_write, built against the installed library: what it says, what is on the wire, what is in memory."""

import mmap
import os
import subprocess
from pathlib import Path

import rdma
import tap
from lab import registers, trace

PROGRAM = os.environ["EXAMPLE"]
LIBRARY = next(Path("/build/examples/installed").rglob("libtphbuf.so.0")).parent
TRACE = Path("/job/trace.txt")
MARK = registers.Registers("accelerator_regs.h").ACC_REG_MARK
OFFSET, LENGTH = 1 << 20, 64 << 10
# Whole lanes, and neither a multiple of a page nor of a TLP.
DATA = bytes(number * number >> 3 & 0xff for number in range(50004))
FILE = Path("/tmp/data")


def _command(accelerator, nic, *more):
    return [PROGRAM, "--bind", "--device", rdma.address(accelerator), "--bar", "2", "--range", f"{OFFSET}:{LENGTH}",
            "--rdma", rdma.ib_device(nic), *more, str(FILE)]


def _environment():
    return {**os.environ, "LD_LIBRARY_PATH": str(LIBRARY)}


def _run(*args):
    FILE.write_bytes(DATA)
    return subprocess.run(_command(*args), capture_output=True, text=True, timeout=2 * rdma.PATIENCE, check=False,
                          env=_environment())


def _end_of_trace():
    with open(TRACE, "rb") as file:
        file.seek(max(0, TRACE.stat().st_size - 4096))
        return file.read()


def _mark(accelerator, value):
    """Write MARK, which also makes the host write out its trace; wait until it is there. Returns the trace's length."""
    (rdma.sysfs(accelerator) / "enable").write_text("1")
    fd = os.open(rdma.sysfs(accelerator) / "resource0", os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    try:
        with mmap.mmap(fd, rdma.PAGE) as page, memoryview(page).cast("I") as words:
            words[MARK // 4] = value
    finally:
        os.close(fd)
        (rdma.sysfs(accelerator) / "enable").write_text("0")
    words = f" value=0x{value:08x} ".encode()
    rdma.wait_for("the mark is in the trace", lambda: words in _end_of_trace())
    return TRACE.stat().st_size


def _writes(accelerator, nic, mark, function):
    """Result of @function(), and the writes of the NIC to the accelerator meanwhile."""
    begin = _mark(accelerator, mark)
    result = function()
    _mark(accelerator, mark + 1)
    with open(TRACE, encoding="ascii") as file:
        file.seek(begin)
        tlps = [trace.parse_line(line.rstrip("\n")) for line in file]
    ends = [rdma.address(name).removeprefix("0000:") for name in (nic, accelerator)]
    return result, [tlp for tlp in tlps if tlp.kind == "MWr" and [tlp.requester, tlp.completer] == ends]


def _memory(accelerator):
    command = ["/build/cli/tphbuf", "read", "--bind", "-d", rdma.address(accelerator), "--bar", "2",
               "--range", f"{OFFSET}:{LENGTH}", "--length", str(len(DATA))]
    return subprocess.run(command, capture_output=True, timeout=2 * rdma.PATIENCE, check=True).stdout


def _expect_write(accelerator, nic, mark, arguments, tag, want):
    """The example writes; every TLP carries @tag; memory has @want."""
    result, tlps = _writes(accelerator, nic, mark, lambda: _run(accelerator, nic, *arguments))
    tap.equal((result.returncode, result.stderr), (0, ""), "exit status and errors")
    tap.true(result.stdout.startswith(f"{len(DATA)} bytes written"), result.stdout)
    tap.equal(sum(tlp.length for tlp in tlps), len(DATA), "bytes on the wire")
    tap.equal({tlp.tag for tlp in tlps}, {tag}, "tags on the wire")
    tap.equal({tlp.result for tlp in tlps}, {"ok"}, "results")
    tap.true(_memory(accelerator) == want, "memory is wrong")


def _doubled(data):
    """Each lane added to itself."""
    lanes = memoryview(data).cast("I")
    return b"".join((lane * 2 & 0xffffffff).to_bytes(4, "little") for lane in lanes)


def test_untagged():
    """without a tag: no TLP has a hint, the bytes are stored"""
    for name in rdma.nics():
        rdma.wait_active(name)
    _expect_write("acc0", "nic0", 0x10, (), None, DATA)


def test_store():
    """a 16-bit tag that means store"""
    _expect_write("acc0", "nic0", 0x20, ("--st-ext", "0x0021", "--ph", "1"), trace.Tag(True, 0x21, 1), DATA)


def test_add():
    """the same bytes with a tag that means add end differently"""
    _expect_write("acc0", "nic0", 0x30, ("--st-ext", "0x4305", "--ph", "2"), trace.Tag(True, 0x4305, 2), _doubled(DATA))


def test_8bit():
    """a NIC that sends 8-bit tags, to an accelerator that takes those: store, then add"""
    _expect_write("acc1", "nic2", 0x40, ("--st", "0x03"), trace.Tag(False, 0x03, 0), DATA)
    _expect_write("acc1", "nic2", 0x50, ("--st", "0x15", "--ph", "3"), trace.Tag(False, 0x15, 3), _doubled(DATA))


def test_other_namespace():
    """an 8-bit tag alone is nothing that a NIC with 16-bit tags would send"""
    _expect_write("acc0", "nic0", 0x60, ("--st", "0x15"), None, DATA)


def test_held_and_killed():
    """--hold: the driver shows the region with its tag; when the process is killed, all of it goes"""
    before = rdma.objects("nic0", rdma.OF_PROCESSES)
    FILE.write_bytes(DATA)
    command = _command("acc0", "nic0", "--st-ext", "0x0021", "--ph", "1", "--hold")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()) as held:
        line = held.stdout.readline()
        shown = rdma.run("rdma", "-dd", "resource", "show", "mr", "dev", rdma.ib_device("nic0"))
        held.kill()
    try:
        tap.true("bytes written" in line, line)
        for words in ("drv_tph published", "drv_tph_ph 1", "drv_tph_st 0x21"):
            tap.true(words in shown, f"no '{words}' in: {shown}")
        rdma.wait_for(f"nic0 holds {before}", lambda: rdma.objects("nic0", before) == before)
        tap.equal(rdma.run("rdma", "resource", "show", "mr"), "", "memory regions in rdma")
    finally:
        if (rdma.sysfs("acc0") / "driver").exists():
            Path("/sys/bus/pci/drivers/vfio-pci/unbind").write_text(rdma.address("acc0"))


def test_errors():
    """what fails is one line, and the accelerator goes back"""
    FILE.write_bytes(bytes(LENGTH + 1))
    cases = {"has 65537 bytes, the range 65536": _command("acc0", "nic0"),
             "cannot open the RDMA device": [word if word != rdma.ib_device("nic0") else "mlx5_99"
                                             for word in _command("acc0", "nic0")],
             "cannot export": _command("acc1", "nic0", "--st-ext", "1"),
             "not a number": _command("acc0", "nic0", "--st", "x"),
             "too large": _command("acc0", "nic0", "--st", "0x100"),
             "--bar 0x100000002": _command("acc0", "nic0", "--bar", "0x100000002")}
    for words, command in cases.items():
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * rdma.PATIENCE, check=False,
                              env=_environment())
        tap.equal(done.returncode, 1, f"{words}: {done.stdout}{done.stderr}\nexit status")
        tap.equal(len(done.stderr.splitlines()), 1, f"lines of {done.stderr}")
        tap.true(words in done.stderr, f"no '{words}' in {done.stderr}")
        tap.true(not (rdma.sysfs("acc0") / "driver").exists(), "the accelerator has a driver")


if __name__ == "__main__":
    tap.run(globals())

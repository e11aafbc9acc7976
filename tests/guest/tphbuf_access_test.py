# SPDX-License-Identifier: GPL-2.0-or-later
"""tphbuf read and write in the guest, on real dma-bufs: bytes, width of accesses, memory type, what ends them early.

Devices are those of tphbuf_test.py. On a kernel that lacks something, TPHBUF_WITHOUT says what ("dmabuf", "pat"), and only the
case for that is run.
"""

import ctypes
import fcntl
import json
import os
import pwd
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import tap
from lab.registers import Registers
from tap import equal
from tphbuf_command import (BUSY, CHILD, NO_DEVICE, OK, PATIENCE, PERMISSION, TPHBUF, UNSUPPORTED, bind, device, driver, run,
                            unbind_all)

tap.TEST_SECONDS = 360 * tap.SLOWDOWN

ACC = Registers("accelerator_regs.h")
MEMORY = 64 << 20
CHUNK = 65536


def head(name="ACC0", bar=2):
    """The options that name a BAR."""
    return ("--bind", "-d", device(name), "--bar", str(bar))


def script(*args):
    """tphbuf exec with a shell script as the command; the rest is for exec. Returns its output."""
    result = run("exec", *args[:-1], "--", "sh", "-ec", args[-1])
    equal(result.returncode, OK, f"exit code, with {result.stderr}")
    return result.stdout


def test_read_and_write():
    """bytes go in and come out, at every kind of edge, uncached and write-combined"""
    unbind_all()
    bind("ACC0")
    source = random.Random(1)
    places = ((0, 1, ()), (4091, 11, ("--wc",)), ((2 << 20) - 13, 3 * CHUNK + 29, ()),
              ((2 << 20) - 13, 3 * CHUNK + 29, ("--wc",)), (MEMORY - 5, 5, ()))
    with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as back:
        for offset, length, more in places:
            Path(file.name).write_bytes(source.randbytes(length))
            place = ("-d", device("ACC0"), "--bar", "2", "--offset", str(offset), *more)
            result = run("write", *place, file.name)
            equal((result.returncode, result.stderr), (OK, ""), f"write {length} at {offset} {more}")
            result = run("read", *place, "--length", str(length), back.name)
            equal((result.returncode, result.stderr), (OK, ""), f"read {length} at {offset} {more}")
            same = Path(back.name).read_bytes() == Path(file.name).read_bytes()
            equal(same, True, f"bytes, {length} at {offset} {more}")


def test_neighbours():
    """no byte beside those that were asked for is written, and ranges follow one another"""
    unbind_all()
    tphbuf = f"{TPHBUF} write --fd $TPHBUF_FD"
    out = script(*head(), "--range", "1M:4K", "--range", "64K:8K", f"""
        head -c 12288 /dev/zero | {tphbuf}
        printf abcdefghijk | {tphbuf} --offset 4091
        {TPHBUF} read --fd $TPHBUF_FD --offset 4080 --length 32 | od -An -v -c | tr -d ' \\n'
        """)
    equal(out, r"\0" * 11 + "abcdefghijk" + r"\0" * 10, "32 bytes around them")
    out = script(*head(), f"""
        {TPHBUF} read --fd $TPHBUF_FD --offset $((0x100000 + 4091)) --length 5
        {TPHBUF} read --fd $TPHBUF_FD --offset 64K --length 6""")
    equal(out, "abcdefghijk", "both ranges in the whole BAR")


def test_width():
    """registers are accessed as a whole, of 4 and of 8 bytes: the device refuses anything else, and counts it"""
    unbind_all()
    tphbuf = f"{TPHBUF} read --fd $TPHBUF_FD"
    number = "od -An -v -t u4 | tr -s ' \\n' ' '"
    out = script(*head(bar=0), f"""
        {tphbuf} --offset {ACC.ACC_REG_ID} --length 4 | {number}
        {tphbuf} --offset {ACC.ACC_REG_MEM_SIZE} --length 8 | {number}
        printf '\\001\\002\\003\\004' | {TPHBUF} write --fd $TPHBUF_FD --offset {ACC.ACC_REG_MARK}
        {tphbuf} --offset {ACC.ACC_REG_MARK} --length 12 | {number}
        {tphbuf} --offset {ACC.ACC_REG_BAD_ACCESS} --length 4 | {number}
        {tphbuf} --offset 1 --length 3 >/dev/null
        {tphbuf} --offset {ACC.ACC_REG_BAD_ACCESS} --length 4 | {number}""")
    got = [int(word) for word in out.split()]
    equal(got[:3], [ACC.ACC_ID, MEMORY, 0], "ID and MEM_SIZE")
    equal(got[3:6], [0x04030201, MEMORY, 0], "MARK and MEM_SIZE in one go, a register of 4 and one of 8 bytes")
    equal(got[6], 0, "accesses that the device refused")
    equal(got[7], 2, "after 3 bytes at an odd place: one of 1 byte and one of 2")


def test_write_combining():
    """--wc makes the pages of the range write-combining, and no others, until the device is closed"""
    unbind_all()
    start = int(Path(f"/sys/bus/pci/devices/{device('ACC0')}/resource").read_text().splitlines()[2].split()[0], 16)
    show = "cat /sys/kernel/debug/x86/pat_memtype_list"
    with tempfile.NamedTemporaryFile("w+") as file:
        for more, want in (((), "uncached-minus"), (("--wc",), "write-combining")):
            script(*head(), "--range", "2M:1M", *more,
                   f"{TPHBUF} read --fd $TPHBUF_FD --length 4K /dev/null; {show} >{file.name}")
            lines = Path(file.name).read_text()
            found = [line for line in lines.splitlines() if f"{start + (2 << 20):x}" in line or f"{start:x}-" in line]
            equal(any(want in line for line in found), True, f"{more}: {want} in {found}")
            equal(any("write-combining" in line for line in found), bool(more), f"{more}: {found}")
    lines = Path("/sys/kernel/debug/x86/pat_memtype_list").read_text()
    equal(f"{start + (2 << 20):x}" in lines, False, f"nothing is left when it is closed: {lines}")


def test_peer():
    """what a peer wrote under a tag is what the CPU reads"""
    unbind_all()
    with tempfile.NamedTemporaryFile() as file:
        out = script(*head(), "--range", "4M:12K", "--st-ext", "0x0007", f"""
            head -c 12288 /dev/zero | {TPHBUF} write --fd $TPHBUF_FD
            {" ".join(CHILD)}
            {TPHBUF} read --fd $TPHBUF_FD --json {file.name} >/dev/null""")
        equal(json.loads(out)["tag"], 7, "tag of the peer's writes")
        equal(Path(file.name).read_bytes(), bytes(8) + bytes(range(200)) + bytes(12288 - 208), "bytes")


def start_read(*args, stderr=subprocess.PIPE):
    """A read that stands still, because nobody takes what it reads; and the pipe."""
    readable, writable = os.pipe()
    fcntl.fcntl(writable, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen([TPHBUF, *args], stdout=writable, stderr=stderr, text=True,
                               start_new_session=True)
    os.close(writable)
    equal(len(os.read(readable, 1)), 1, "bytes that come")
    return process, readable


def test_interrupt():
    """Ctrl-C in the middle: it ends at once, and the device is given back"""
    unbind_all()
    process, readable = start_read("read", *head())
    os.killpg(process.pid, signal.SIGINT)
    _, text = process.communicate(timeout=PATIENCE)
    os.close(readable)
    equal(process.returncode, -signal.SIGINT, "how it ended")
    equal((len(text.splitlines()), f"of {MEMORY} bytes" in text), (1, True), f"one line: {text}")
    equal(driver("ACC0"), "", "driver afterwards")


def test_closed_pipe():
    """a reader that has enough: no word, and the device is given back"""
    unbind_all()
    process, readable = start_read("read", *head())
    os.close(readable)
    _, text = process.communicate(timeout=PATIENCE)
    equal((process.returncode, text), (-signal.SIGPIPE, ""), "how it ended")
    equal(driver("ACC0"), "", "driver afterwards")


def test_revoked_in_the_middle():
    """the device is closed while another process reads: one line and an exit code, not a crash"""
    unbind_all()
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder, "done")
        command = f"{TPHBUF} read --fd $TPHBUF_FD 2>{folder}/error; echo $? >{folder}/part; mv {folder}/part {done}"
        process, readable = start_read("exec", *head(), "--", "sh", "-c", command, stderr=subprocess.DEVNULL)
        process.kill()
        process.wait(PATIENCE)
        while os.read(readable, 1 << 20):
            pass
        os.close(readable)
        deadline = time.monotonic() + PATIENCE
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        equal(int(done.read_text()), NO_DEVICE, "exit code of read")
        text = Path(folder, "error").read_text()
        equal((len(text.splitlines()), "revoked" in text, f"of {MEMORY} bytes were read" in text), (1, True, True),
              f"one line: {text}")


def test_refused():
    """what stands in the way, with an exit code by class"""
    unbind_all()
    nobody = pwd.getpwnam("nobody")
    user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    for verb in ("read", "write"):
        plain = (verb, "-d", device("ACC0"), "--bar", "2", "/dev/null")
        equal(run(*plain).returncode, NO_DEVICE, f"{verb}: not bound")
        bind("ACC0")
        equal(run(*plain, **user).returncode, PERMISSION, f"{verb}: no permission")
        equal(run(verb, "-d", device("ACC0"), "--bar", "5", "/dev/null").returncode, NO_DEVICE, f"{verb}: no such BAR")
        equal(run(verb, "-d", "0000:7f:00.0", "--bar", "2", "/dev/null").returncode, NO_DEVICE, f"{verb}: no device")
        equal(int(script(*head(), f"{TPHBUF} {' '.join(plain)} 2>/dev/null || echo $?")), BUSY, f"{verb}: busy")
        unbind_all()


def test_busy_memory():
    """memory that somebody has mapped uncached cannot be made write-combining"""
    unbind_all()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    file = os.open(f"/sys/bus/pci/devices/{device('ACC0')}/resource2", os.O_RDWR | os.O_SYNC)
    address = libc.mmap(None, 4096, 3, 1, file, 0)
    if address == ctypes.c_void_p(-1).value:
        raise AssertionError(f"cannot map it through sysfs: {os.strerror(ctypes.get_errno())}")
    result = run("read", *head(), "--wc", "--length", "4K", "/dev/null")
    equal((result.returncode, "sysfs" in result.stderr), (BUSY, True), f"with {result.stderr}")
    equal(run("read", *head(), "--length", "4K", "/dev/null").returncode, OK, "uncached it can be read")
    os.close(file)
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096))
    equal(run("read", *head(), "--wc", "--length", "4K", "/dev/null").returncode, OK, "and after the end of that")
    equal(driver("ACC0"), "", "driver afterwards")


def without_dmabuf():
    """a kernel without dma-bufs of VFIO devices"""
    unbind_all()
    for verb in ("read", "write"):
        result = run(verb, *head(), "/dev/null")
        equal((result.returncode, "CONFIG_VFIO_PCI_DMABUF" in result.stderr), (UNSUPPORTED, True),
              f"{verb}: {result.stderr}")
    bind("ACC0")
    answer = json.loads(run("probe", "--json", device("ACC0")).stdout)
    equal([answer[name]["reason"] for name in ("open", "dmabuf", "mmap", "wc")],
          ["none", "no-dmabuf", "no-dmabuf", "no-wc-feature"], "probe")


def without_pat():
    """a CPU without PAT: memory can be mapped, but not write-combining"""
    unbind_all()
    result = run("read", *head(), "--wc", "/dev/null")
    equal((result.returncode, "PAT" in result.stderr), (UNSUPPORTED, True), f"read --wc: {result.stderr}")
    result = run("exec", *head(), "--wc", "echo", "ran")
    equal((result.returncode, result.stdout), (UNSUPPORTED, ""), "exec --wc")
    equal(run("read", *head(), "--length", "64K", "/dev/null").returncode, OK, "read")
    bind("ACC0")
    result = run("probe", device("ACC0"))
    equal((result.returncode, "wc         no-wc\n" in result.stdout, "note: " in result.stdout), (OK, True, True),
          f"probe: {result.stdout}")


def cases():
    """What can be run on this kernel."""
    without = os.environ.get("TPHBUF_WITHOUT")
    if without:
        return {f"test_without_{without}": {"dmabuf": without_dmabuf, "pat": without_pat}[without]}
    return globals()


if __name__ == "__main__":
    try:
        tap.run(cases())
    finally:
        unbind_all()

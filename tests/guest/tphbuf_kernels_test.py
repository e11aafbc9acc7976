# SPDX-License-Identifier: GPL-2.0-or-later
"""What tphbuf says on kernels that lack something, which TPHBUF_KERNEL names: "no-tph" is built without TPH, "no-dmabuf"
without dma-bufs of VFIO, "debian" is Debian's own, with groups in place of device files, "notph" has TPH turned off on its
command line, and "base" lacks nothing. acc0 completes extended tags, acc2 none.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import tap
from tap import equal
from tphbuf_command import MAY_BE_LOST, NO_DEVICE, OK, PATIENCE, TPHBUF, UNSUPPORTED, bind, device, driver, run, unbind_all

tap.TEST_SECONDS = 120 * tap.SLOWDOWN

KERNEL = os.environ["TPHBUF_KERNEL"]
# Whether the guest is one in which the packages are installed.
INSTALLED = "TPHBUF_CLI" in os.environ
ACCESS = "group" if KERNEL == "debian" else "cdev"
# Reasons of a dma-buf; of a tag, for a device that completes hints and for one that does not; of mapping and of
# write-combining; and words of the line that says why a tag is refused, where it is.
DMABUF, TAGS, MMAP, WC, WHY = {
    "base": ("none", ("none", "no-completer"), "none", "none", ""),
    "notph": ("none", ("none", "no-completer"), "none", "none", ""),
    "no-tph": ("none", ("tph-not-built", "no-completer"), "none", "none", "built without CONFIG_PCIE_TPH"),
    "no-dmabuf": ("no-dmabuf", ("no-tph-feature", "no-tph-feature"), "no-dmabuf", "no-wc-feature", "CONFIG_VFIO_PCI_DMABUF"),
    "debian": ("none", ("no-tph-feature", "no-tph-feature"), "no-mmap", "no-wc-feature",
               "no VFIO_DEVICE_FEATURE_DMA_BUF_TPH"),
}[KERNEL]


def wait_for(condition):
    """Wait until something holds, but not for ever."""
    end = time.monotonic() + PATIENCE
    while not condition():
        equal(time.monotonic() < end, True, "waiting ends")
        time.sleep(0.1)


def head():
    """The options that name a BAR."""
    return ("--bind", "-d", device("ACC0"), "--bar", "2")


def test_probe():
    """the kernel is the reason where the kernel is, and the device where the device is"""
    unbind_all()
    for name, st in zip(("ACC0", "ACC2"), TAGS):
        bind(name)
        result = run("probe", "--json", device(name))
        equal(result.returncode, OK if st == DMABUF == "none" else UNSUPPORTED, f"{name}: exit code, with {result.stderr}")
        answer = json.loads(result.stdout)
        equal([answer[what]["reason"] for what in ("open", "dmabuf", "st", "mmap", "wc")],
              ["none", DMABUF, st, MMAP, WC], f"{name}: reasons")
        equal(answer["access"], ACCESS, f"{name}: how it is opened")
    result = run("list")
    equal((result.returncode, result.stderr), (OK, ""), "list")
    for name in ("ACC0", "ACC2", "DMA0"):
        equal(device(name) in result.stdout, True, f"list has {name}")


def test_files():
    """what this kernel offers to open a device with"""
    unbind_all()
    bind("ACC0")
    equal((Path("/dev/iommu").exists(), any(Path("/dev/vfio").glob("devices/vfio*"))), (ACCESS == "cdev",) * 2, "files")


def test_tag():
    """where a tag is refused, the line says why; memory is exported without one where the kernel has dma-bufs"""
    unbind_all()
    result = run("exec", *head(), "--st", "1", "echo", "ran")
    if not WHY:
        equal((result.returncode, result.stdout), (OK, "ran\n"), f"exec --st, with {result.stderr}")
    else:
        equal((result.returncode, result.stdout), (UNSUPPORTED, ""), "exec --st")
        equal(WHY in result.stderr, True, f"it says why: {result.stderr}")
    result = run("exec", *head(), "--range", "0:64K", "sh", "-c", "readlink /proc/self/fd/$TPHBUF_FD")
    if DMABUF == "none":
        equal((result.returncode, "dmabuf" in result.stdout), (OK, True), f"exec, {result.stdout}{result.stderr}")
    else:
        equal((result.returncode, result.stdout, WHY in result.stderr), (UNSUPPORTED, "", True), f"exec: {result.stderr}")
    equal(driver("ACC0"), "", "driver afterwards")


def test_memory():
    """bytes go in and come out, or the reason is told"""
    unbind_all()
    if MMAP != "none":
        for verb in ("read", "write"):
            result = run(verb, *head(), "--length", "4K", "--json", "/dev/zero")
            equal((result.returncode, json.loads(result.stdout)["reason"]), (UNSUPPORTED, MMAP), f"{verb}, {result.stderr}")
        equal(driver("ACC0"), "", "driver afterwards")
        return
    data = random.Random(3).randbytes(300000)
    with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as back:
        Path(file.name).write_bytes(data)
        result = run("write", *head(), "--offset", "4091", file.name)
        equal((result.returncode, result.stderr), (OK, ""), "write")
        # Another opening resets the device, and the memory of the model is kept.
        result = run("read", *head(), "--offset", "4091", "--length", str(len(data)), back.name)
        equal((result.returncode, result.stderr), (OK, ""), "read")
        equal(len(Path(back.name).read_bytes()), len(data), "bytes read")
        result = run("exec", *head(), "--", "sh", "-ec",
                     f"tphbuf=$TPHBUF_CLI; ${{tphbuf:-/build/cli/tphbuf}} write --fd $TPHBUF_FD {file.name}; "
                     f"${{tphbuf:-/build/cli/tphbuf}} read --fd $TPHBUF_FD --length {len(data)} {back.name}")
        equal((result.returncode, result.stderr), (OK, ""), "both, while the device is open")
        equal(Path(back.name).read_bytes() == data, True, "the same bytes")


def test_path():
    """the way from a peer: TPH that is off stands in it"""
    unbind_all()
    result = run("path", "--json", device("ACC0"), device("DMA0"))
    answer = json.loads(result.stdout)
    facts = [fact["fact"] for fact in answer["facts"]]
    equal(("command-line" in facts, result.returncode),
          (KERNEL == "notph", UNSUPPORTED if KERNEL == "notph" else MAY_BE_LOST), f"{facts}, {result.stderr}")


def test_missing():
    """a device that is not there"""
    equal(run("probe", "0000:7f:00.0").returncode, NO_DEVICE, "exit code")


def installed():
    """the command and the library are those of the packages, found by their names and whole"""
    equal("LD_LIBRARY_PATH" in os.environ, False, "LD_LIBRARY_PATH is set")
    equal((TPHBUF, shutil.which("tphbuf")), ("/usr/bin/tphbuf",) * 2, "command")
    linked = subprocess.run(["ldd", TPHBUF], capture_output=True, text=True, check=True).stdout
    library = next(line.split()[2] for line in linked.splitlines() if "libtphbuf" in line)
    owner = subprocess.run(["dpkg-query", "-S", os.path.realpath(library)], capture_output=True, text=True, check=False).stdout
    equal(owner.split(":")[0], "libtphbuf0", f"the package that has {library}")
    done = subprocess.run(["dpkg", "--verify", "tphbuf", "libtphbuf0"], capture_output=True, text=True, check=False)
    equal((done.returncode, done.stdout), (0, ""), "files that differ from the packages")


def activated():
    """tphbuf serve started by systemd's own program at the first connection, and tphbuf get as the client"""
    unbind_all()
    place = Path("/run/tphbuf-activated")
    with subprocess.Popen(["systemd-socket-activate", "--seqpacket", f"--listen={place}", TPHBUF, "serve", "--bind", "-d",
                           device("ACC0"), "--buffer", "memory", "--bar", "2", "--range", "0:64K", "--anyone"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        wait_for(place.exists)
        equal(driver("ACC0"), "", "driver before the first connection")
        result = run("get", "--socket", str(place), "memory", "--", "sh", "-c",
                     "readlink /proc/self/fd/$TPHBUF_FD; echo $TPHBUF_SIZE")
        server.terminate()
        said = server.communicate(timeout=PATIENCE)[1]
    equal((result.returncode, "dmabuf" in result.stdout, result.stdout.split()[-1:]), (OK, True, ["65536"]),
          f"get: {result.stdout}{result.stderr}, and the server: {said}")
    equal((server.returncode, driver("ACC0")), (-signal.SIGTERM, ""), f"end of the server, which said {said}")


if INSTALLED:
    test_installed = installed
    if DMABUF == "none":
        test_activated = activated

if __name__ == "__main__":
    try:
        tap.run(globals())
    finally:
        unbind_all()

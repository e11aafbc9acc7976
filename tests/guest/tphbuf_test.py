# SPDX-License-Identifier: GPL-2.0-or-later
"""The tphbuf command in the guest: what it says of each device, with which exit code, and exec down to the wire.

acc0 completes extended tags, acc1 8-bit ones, acc2 none, acc3 has the reserved value; dma0 is an engine that tph_dma
drives.
"""

import json
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import tap
from tap import equal
from tphbuf_command import (ACCELERATORS, BUSY, CHILD, EXTENDED, MAPPED, MAY_BE_LOST, NO_DEVICE, OK, PATIENCE,
                            PERMISSION, TAGGED, TPHBUF, UNSUPPORTED, USAGE, bind, device, driver, run, unbind_all)

tap.TEST_SECONDS = 180 * tap.SLOWDOWN


def test_list():
    """list shows every accelerator, and what is free to use"""
    unbind_all()
    bind("ACC0")
    result = run("list", "--json")
    equal(result.returncode, OK, "exit code")
    answer = json.loads(result.stdout)
    equal(answer["host"]["possible"], True, "the machine can do it")
    devices = {entry["device"]: entry for entry in answer["devices"]}
    completers = [devices[device(name)]["completer"] for name in ACCELERATORS]
    equal(completers, ["ext-tph", "tph", "none", "none"], "completers")
    equal(devices[device("ACC0")]["driver"], "vfio-pci", "driver of acc0")
    equal(devices[device("ACC1")]["open"]["reason"], "not-bound", "reason of acc1, which has no driver")
    equal(devices[device("DMA0")]["driver"], "tph_dma", "driver of dma0")
    equal(devices[device("ACC0")]["id"], "1b36:11a0", "id of acc0")
    text = run("list")
    equal(text.returncode, OK, "exit code of the text form")
    for name in ACCELERATORS:
        equal(device(name) in text.stdout, True, f"{name} is in the text form")
    bound = json.loads(run("list", "--bound", "--json").stdout)
    equal([entry["device"] for entry in bound["devices"]], [device("ACC0")], "devices with --bound")


def test_probe():
    """probe gives a reason for each no, and an exit code by class"""
    unbind_all()
    for name in ACCELERATORS:
        bind(name)
    wanted = {
        "ACC0": (OK, None, None), "ACC1": (OK, None, "st-8bit-only"),
        "ACC2": (UNSUPPORTED, "no-completer", "no-completer"), "ACC3": (UNSUPPORTED, "no-completer", "no-completer"),
    }
    for name, (code, st, st_ext) in wanted.items():
        result = run("probe", "--json", device(name))
        equal(result.returncode, code, f"{name}: exit code")
        answer = json.loads(result.stdout)
        equal(answer["dmabuf"]["possible"], True, f"{name}: dma-bufs")
        equal(answer["st"]["possible"], st is None, f"{name}: 8-bit tags")
        equal(answer["st_ext"]["possible"], st_ext is None, f"{name}: extended tags")
        equal((answer["mmap"]["reason"], answer["wc"]["reason"]), ("none", "none"), f"{name}: the CPU")
        if st_ext:
            equal(answer["st_ext"]["reason"], st_ext, f"{name}: reason")
        equal(run("probe", device(name)).returncode, code, f"{name}: exit code of the text form")


def test_groups():
    """without device files and iommufd a device is opened through its group"""
    unbind_all()
    bind("ACC0")
    os.rename("/dev/iommu", "/dev/iommu.away")
    try:
        answer = json.loads(run("probe", "--json", device("ACC0")).stdout)
        equal(answer["access"], "group", "how it is opened")
        equal([answer[what]["reason"] for what in ("open", "dmabuf", "st", "st_ext", "mmap", "wc")], ["none"] * 6, "reasons")
        answer = run_child("-d", device("ACC0"), "--bar", "2", "--range", "0:64K", "--st-ext", "0x34")
        equal((answer["state"], answer["tag"]), (MAPPED | EXTENDED | TAGGED, 0x34), "a tag of a peer's writes")
        with subprocess.Popen([TPHBUF, "exec", "-d", device("ACC0"), "--bar", "2", "sh", "-c", "echo; read x"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            other.stdout.readline()
            equal(run("probe", device("ACC0")).returncode, BUSY, "exit code while it is open")
            other.communicate("\n", timeout=PATIENCE)
    finally:
        os.rename("/dev/iommu.away", "/dev/iommu")
    equal(json.loads(run("probe", "--json", device("ACC0")).stdout)["access"], "cdev", "how it is opened with them")


def test_path():
    """the way from a peer on the bus of the root complex, whose hints may be lost"""
    unbind_all()
    result = run("path", "--json", device("ACC0"), device("DMA0"))
    equal(result.returncode, MAY_BE_LOST, f"exit code, with {result.stderr}")
    answer = json.loads(result.stdout)
    equal((answer["st"], answer["st_ext"]), ("cannot", "may-be-lost"), "verdicts: the engine is enabled for extended tags")
    facts = {fact["fact"]: fact for fact in answer["facts"]}
    equal((facts["root-complex"]["st"], facts["st-table"]["value"] > 0, facts["domain"]["value"]), ("may-be-lost", True, 0),
          "facts")
    equal(run("path", device("ACC2"), device("DMA0")).returncode, UNSUPPORTED, "to a device that completes no hints")
    equal(run("path", device("ACC0"), device("ACC1")).returncode, UNSUPPORTED, "from a peer that sends none")


def test_at_once():
    """many that take one device from its driver at once: each has it or is told that it is busy"""
    unbind_all()
    override = Path(f"/sys/bus/pci/devices/{device('ACC0')}/driver_override")
    commands = [subprocess.Popen([TPHBUF, "read", "--bind", "-d", device("ACC0"), "--bar", "2", "--length", "4K", "/dev/null"],
                                 stderr=subprocess.PIPE, text=True) for _ in range(12)]
    codes = []
    for command in commands:
        error = command.communicate(timeout=2 * PATIENCE)[1]
        codes.append(command.returncode)
        equal(command.returncode in (OK, BUSY), True, f"exit code {command.returncode} with {error}")
    equal(OK in codes, True, f"one of them has it: {codes}")
    equal((override.read_text().strip(), driver("ACC0")), ("(null)", ""), "override and driver afterwards")


def test_closed_files():
    """a standard file that is closed loses nothing in silence"""
    unbind_all()
    bind("ACC0")
    memory = f"-d {device('ACC0')} --bar 2"
    for line, code in ((f"read {memory} --length 4K >&-", 1), (f"write {memory} <&-", 1), ("list >&-", 1),
                       (f"probe {device('ACC0')} >&-", 1), (f"read {memory} --length 4K /dev/null <&- >&-", OK)):
        result = subprocess.run(["sh", "-c", f"{TPHBUF} {line}"], capture_output=True, text=True, check=False)
        equal(result.returncode, code, f"exit code of {line}, with {result.stderr}")


def test_inherited_files():
    """a command of exec has the dma-buf and no other file of ours"""
    unbind_all()
    bind("ACC0")
    script = "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n)))"
    result = run("exec", "-d", device("ACC0"), "--bar", "2", "--", sys.executable, "-c",
                 f"{script}; print([0, 1, 2, int(os.environ['TPHBUF_FD'])])", stdin=subprocess.DEVNULL)
    inherited, wanted = result.stdout.splitlines()
    equal(inherited, wanted, "files")


def test_unbound():
    """an unbound device: not bound, and told how"""
    unbind_all()
    result = run("probe", device("ACC0"))
    equal(result.returncode, NO_DEVICE, "exit code of probe")
    result = run("exec", "-d", device("ACC0"), "--bar", "2", "true")
    equal(result.returncode, NO_DEVICE, "exit code of exec")
    equal("--bind" in result.stderr, True, f"it names --bind: {result.stderr}")
    equal(driver("ACC0"), "", "driver afterwards")


def test_no_device():
    """what is not there, and what is no device"""
    equal(run("probe", "0000:7f:00.0").returncode, NO_DEVICE, "a device that is not there")
    equal(run("probe", "/dev/vfio/devices/vfio77").returncode, NO_DEVICE, "a file that is not there")
    equal(run("probe", "/dev/null").returncode, USAGE, "a file of another kind")
    equal(run("probe", "nonsense").returncode, USAGE, "nonsense")
    equal(run("exec", "--bar", "2", "true").returncode, USAGE, "exec without a device")
    equal(run("frobnicate").returncode, USAGE, "an unknown verb")


def test_no_permission():
    """as an ordinary user"""
    unbind_all()
    bind("ACC0")
    nobody = pwd.getpwnam("nobody")
    for command in (("probe", device("ACC0")), ("exec", "-d", device("ACC0"), "--bar", "2", "true")):
        result = run(*command, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        equal(result.returncode, PERMISSION, f"exit code of {command[0]}")
    unbind_all()
    result = run("exec", "--bind", "-d", device("ACC0"), "--bar", "2", "true", user=nobody.pw_uid, group=nobody.pw_gid,
                 extra_groups=[])
    equal(result.returncode, PERMISSION, "exit code of exec --bind")
    equal(driver("ACC0"), "", "driver afterwards")


def test_busy():
    """a device that another process has open"""
    unbind_all()
    with subprocess.Popen([TPHBUF, "exec", "--bind", "-d", device("ACC0"), "--bar", "2", "sh", "-c", "echo; read x"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        other.stdout.readline()
        result = run("exec", "-d", device("ACC0"), "--bar", "2", "true")
        equal(result.returncode, BUSY, "exit code of exec")
        other.communicate("\n", timeout=PATIENCE)
        equal(other.returncode, OK, "exit code of the other")
    equal(driver("ACC0"), "", "driver afterwards")


def run_child(*args):
    """tphbuf exec --bind with @args and a command that imports."""
    result = run("exec", "--bind", *args, "--", *CHILD)
    equal(result.returncode, OK, f"exit code, with {result.stderr}")
    return json.loads(result.stdout)


def test_exec():
    """exec: the command inherits the dma-buf, with the tag that was asked for"""
    unbind_all()
    acc0 = ("-d", device("ACC0"), "--bar", "2")
    answer = run_child(*acc0, "--range", "64K:16K")
    equal(answer["size"], 16384, "size of the buffer")
    equal(answer["environment"], "16384", "TPHBUF_SIZE")
    equal("dmabuf" in answer["file"], True, f"the file is a dma-buf: {answer['file']}")
    equal(answer["state"], MAPPED | EXTENDED, "state without a tag")
    answer = run_child(*acc0, "--range", "1M:12K", "--st", "0x12", "--st-ext", "0x34", "--ph", "3")
    equal(answer["size"], 12288, "size of the buffer")
    equal((answer["state"], answer["tag"], answer["ph"]), (MAPPED | EXTENDED | TAGGED, 0x34, 3), "with both tags")
    answer = run_child(*acc0, "--range", "0:4K", "--st", "0x12")
    equal(answer["state"], MAPPED | EXTENDED, "state with an 8-bit tag, on an engine that sends extended ones")
    answer = run_child(*acc0, "--range", "0:4K", "--st-ext", "0")
    equal((answer["state"], answer["tag"], answer["ph"]), (MAPPED | EXTENDED | TAGGED, 0, 0), "with tag 0")
    equal(driver("ACC0"), "", "driver afterwards")


def test_exec_unsupported():
    """a tag that the device cannot take: the command does not run"""
    unbind_all()
    for name, tag in (("ACC1", "--st-ext"), ("ACC2", "--st"), ("ACC3", "--st"), ("ACC2", "--st-ext")):
        result = run("exec", "--bind", "-d", device(name), "--bar", "2", "--range", "0:4K", tag, "1", "echo", "ran")
        equal(result.returncode, UNSUPPORTED, f"{name} with {tag}: exit code")
        equal(result.stdout, "", f"{name} with {tag}: output of the command")
        equal(driver(name), "", f"{name}: driver afterwards")


def test_exec_ends_as_command():
    """exit code and signal of the command"""
    unbind_all()
    acc0 = ("exec", "--bind", "-d", device("ACC0"), "--bar", "2", "--range", "0:4K")
    equal(run(*acc0, "sh", "-c", "exit 42").returncode, 42, "exit 42")
    equal(run(*acc0, "sh", "-c", "kill -TERM $$").returncode, -signal.SIGTERM, "killed by SIGTERM, and so is tphbuf")
    equal(run(*acc0, "/nonexistent").returncode, 127, "a command that is not there")
    equal(run(*acc0, "/").returncode, 126, "a folder")
    equal(driver("ACC0"), "", "driver afterwards")


if __name__ == "__main__":
    try:
        tap.run(globals())
    finally:
        unbind_all()

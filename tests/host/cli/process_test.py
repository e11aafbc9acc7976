#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: the command tphbuf as a process: arguments, output, exit codes, exec."""
import errno
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time

from fake_machine import (BDF, BOUND, CDEV, FAKE, KERNEL_DRIVER, PAGE, SOURCE, TPHBUF, Tree, ok, one_line, run_tests, same,
                          wait_for)


def test_usage():
    exec_ = ["exec", "-d", BDF, "--bar", "2"]
    cases = [
        ([], "expected one of list, probe"),
        (["frob"], "frob"),
        (["--frob"], "unrecognized option --frob"),
        (["help", "--frob"], "unrecognized option --frob"),
        (["help", "frob"], "frob"),
        (["help", "list", "probe"], "too many"),
        (["list", "--frob"], "unrecognized option --frob"),
        (["list", "--js"], "unrecognized option --js"),
        (["list", "--sysr", "/"], "unrecognized option --sysr"),
        (["list", "--sysr=/"], "unrecognized option --sysr=/"),
        (["list", "extra"], "extra"),
        (["list", "--json=1"], "--json does not take an argument"),
        (["list", "--sysroot"], "option --sysroot requires an argument"),
        (["probe"], "no device"),
        (["probe", "-x"], "unrecognized option -x"),
        (["probe", "nonsense"], "nonsense"),
        (["probe", "0000:00:03.8"], "0000:00:03.8"),
        (["probe", BDF, "0000:00:04.0"], "0000:00:04.0"),
        (["exec"], "no device"),
        (["exec", "-d"], "option -d requires an argument"),
        (["exec", "-d", BDF, "true"], "no BAR"),
        (["exec", "-d", "nonsense", "--bar", "2", "true"], "nonsense"),
        (["exec", "-d", BDF, "--bar", "6", "true"], "--bar 6"),
        (["exec", "-d", BDF, "--bar", "x", "true"], "--bar \"x\""),
        (["exec", "-d", BDF, "--bar", "-1", "true"], "--bar \"-1\""),
        ([*exec_, "-d", BDF, "true"], "-d was given twice"),
        ([*exec_, "--bar", "2", "true"], "--bar was given twice"),
        ([*exec_], "no command"),
        ([*exec_, "--"], "no command"),
        ([*exec_, "--st", "0x100", "true"], "--st 0x100"),
        ([*exec_, "--st", "99999999999999999999", "true"], "--st 99999999999999999999"),
        ([*exec_, "--st", "", "true"], "--st \"\""),
        ([*exec_, "--st-ext", "0x10000", "true"], "--st-ext 0x10000"),
        ([*exec_, "--st-ext", "1K", "true"], "--st-ext \"1K\""),
        ([*exec_, "--st", "1", "--ph", "4", "true"], "--ph 4"),
        ([*exec_, "--ph", "2", "true"], "--ph requires --st"),
        ([*exec_, "--range", "1M", "true"], "1M"),
        ([*exec_, "--range", "0:0", "true"], "0:0"),
        ([*exec_, "--range", "1:4096", "true"], "1:4096"),
        ([*exec_, "--range", "0:1000", "true"], "0:1000"),
        ([*exec_, "--range", "0:99999999T", "true"], "out of range"),
        ([*exec_, *["--range", f"0:{PAGE}"] * 65, "true"], "too many ranges"),
    ]
    for args, wanted in cases:
        done = subprocess.run([TPHBUF, *args], capture_output=True, text=True, timeout=60)
        what = "usage: tphbuf " + " ".join(args)[:60]
        one_line(done, 2, wanted, what)
        same(done.stdout, "", f"{what}: nothing else")


def test_help():
    overview = subprocess.run([TPHBUF, "help"], capture_output=True, text=True)
    same(overview.returncode, 0, "help: exit code")
    for option in ("--help", "-h"):
        done = subprocess.run([TPHBUF, option], capture_output=True, text=True)
        same((done.returncode, done.stdout), (0, overview.stdout), f"{option} is help")
    version = subprocess.run([TPHBUF, "--version"], capture_output=True, text=True)
    ok(version.returncode == 0 and re.fullmatch(r"tphbuf \d+\.\d+\.\d+\n", version.stdout),
       "--version", version.stdout)
    for verb in ("list", "probe", "path", "exec", "read", "write", "serve", "get", "info", "help"):
        ok(re.search(rf"^  {verb} +\w", overview.stdout, re.M), f"help names {verb}")
        text = subprocess.run([TPHBUF, "help", verb], capture_output=True, text=True)
        same(text.returncode, 0, f"help {verb}: exit code")
        for option in ("--help", "-h"):
            done = subprocess.run([TPHBUF, verb, option], capture_output=True, text=True)
            same((done.returncode, done.stdout), (0, text.stdout), f"{verb} {option} is help")
        if verb == "help":
            continue
        page = pathlib.Path(SOURCE, f"man/tphbuf-{verb}.1").read_text().replace("\\-", "-")
        options = set(re.findall(r"--[a-z-]+[a-z]", text.stdout))
        for option in sorted(options):
            ok(option in page, f"the man page of {verb} has {option}")


def test_probe():
    cases = [
        ({}, 0, "none", None, "all is there"),
        ({"tph_probe": errno.ENOTTY}, 3, "no-tph-feature", "series", "kernel without TPH"),
        ({"dmabuf_probe": errno.ENOTTY, "tph_probe": errno.ENOTTY}, 3, "no-tph-feature",
         "CONFIG_VFIO_PCI_DMABUF", "kernel without dma-buf"),
        ({"tph_probe": errno.EOPNOTSUPP}, 3, "tph-not-built", "CONFIG_PCIE_TPH", "kernel built without TPH"),
        ({"tph_other": 1}, 3, "other-feature", "vfio_feature_tph", "kernel with another feature of that number"),
        ({"token": errno.EACCES}, 4, "not-asked", "VF token", "VF token"),
        ({"bind": errno.EINVAL}, 6, "not-asked", "another process", "open elsewhere"),
        ({"bind": errno.EPERM}, 6, "not-asked", "IOMMU group 3", "group refused"),
        ({"access_cdev": errno.EACCES}, 4, "not-asked", CDEV, "no permission"),
        ({"open_cdev": errno.EMFILE}, 1, "not-asked", os.strerror(errno.EMFILE), "other error"),
    ]
    for errors, code, st, wanted, what in cases:
        with Tree(*BOUND) as tree:
            text = tree.run("probe", BDF, errors=errors)
            program = tree.run("probe", "--json", CDEV, errors=errors)
        for done in (text, program):
            if code:
                one_line(done, code, wanted, f"probe: {what}")
            else:
                same((done.returncode, done.stderr), (0, ""), f"probe: {what}")
        ok(re.search(r"^driver     vfio-pci$", text.stdout, re.M), f"probe: {what}: text",
           text.stdout)
        answer = json.loads(program.stdout)
        same((answer["version"], answer["device"], answer["driver"], answer["cdev"], answer["iommu_group"],
              answer["completer"], answer["id"], answer["access"]),
             (1, BDF, "vfio-pci", CDEV, 3, "ext-tph", "1b36:0001", "cdev"), f"probe: {what}: JSON")
        same(answer["st"]["reason"], st, f"probe: {what}: reason for the tag")
        same(answer["st"]["possible"], {"none": True, "not-asked": None}.get(st, False),
             f"probe: {what}: answer for the tag")
    for errors, mmap, wc, wanted in (
            ({}, "none", "none", []),
            ({"mmap": errno.EINVAL}, "no-mmap", "none", ["does not support CPU access"]),
            ({"wc_probe": errno.ENOTTY}, "none", "no-wc-feature", ["DMA_BUF_WC"]),
            ({"wc_probe": errno.EOPNOTSUPP, "mmap": errno.EINVAL}, "no-mmap", "no-wc", ["CPU access", "PAT"])):
        with Tree(*BOUND) as tree:
            done = tree.run("probe", BDF, errors=errors)
            answer = json.loads(tree.run("probe", "--json", BDF, errors=errors).stdout)
        same((done.returncode, done.stderr), (0, ""), f"probe: the CPU, {mmap}, {wc}: is no obstacle")
        same((answer["mmap"]["reason"], answer["wc"]["reason"]), (mmap, wc), f"probe: the CPU, {mmap}, {wc}: JSON")
        ok(re.search(rf"^mmap       {'yes' if mmap == 'none' else mmap}$", done.stdout, re.M) and
           re.search(rf"^wc         {'yes' if wc == 'none' else wc}$", done.stdout, re.M),
           f"probe: the CPU, {mmap}, {wc}: text", done.stdout)
        notes = [line for line in done.stdout.splitlines() if line.startswith("note: ")]
        ok(len(notes) == len(wanted) and all(text in note for text, note in zip(wanted, notes)),
           f"probe: the CPU, {mmap}, {wc}: a note for each no", notes)
    with Tree("vfio-pci", f"{BDF},vfio-pci,3,1,120000") as tree:
        done = tree.run("probe", BDF)
        same(done.returncode, 0, "probe: 8-bit completer: exit code")
        ok("8-bit" in done.stdout and not done.stderr, "probe: 8-bit completer: a note")
        done = tree.run("probe", "--no-open", "--json", BDF)
        same(done.returncode, 0, "probe: --no-open: exit code")
        same(json.loads(done.stdout)["dmabuf"]["possible"], None, "probe: --no-open: not asked")


def make_pci(tree, place, express, devcap2, control=None):
    """A function with a PCI Express capability, a TPH Requester capability with @control, and its place in sysfs."""
    config = bytearray(4096)
    config[6], config[0x34], config[0x40] = 0x10, 0x40, 0x10
    config[0x42:0x44] = (2 | express << 4).to_bytes(2, "little")
    config[0x64:0x68] = devcap2.to_bytes(4, "little")
    if control is not None:
        config[0x100:0x10c] = struct.pack("<III", 0x10017, 0x003f0307, control)
    folder = tree.path("sys/devices", place)
    os.makedirs(folder)
    with open(os.path.join(folder, "config"), "wb") as file:
        file.write(config)
    os.symlink(folder, tree.path("sys/bus/pci/devices", os.path.basename(place)))


def test_path():
    device, peer = "0000:03:00.0", "0000:04:00.0"
    switch = "pci0000:00/0000:00:01.0/0000:01:00.0"
    for control, st, st_ext, code in ((0x301, "cannot", "arrives", 0), (0x101, "arrives", "cannot", 0),
                                      (0, "may-be-lost", "may-be-lost", 7)):
        with Tree() as tree:
            make_pci(tree, "pci0000:00/0000:00:01.0", 4, 0x203000)
            make_pci(tree, switch, 5, 0x200000)
            make_pci(tree, f"{switch}/0000:02:00.0", 6, 0x200000)
            make_pci(tree, f"{switch}/0000:02:01.0", 6, 0x200000)
            make_pci(tree, f"{switch}/0000:02:00.0/{device}", 0, 0x203000)
            make_pci(tree, f"{switch}/0000:02:01.0/{peer}", 0, 0x200000, control)
            text = tree.run("path", device, peer)
            program = tree.run("path", "--json", device, peer)
            none = tree.run("path", peer, device)
            missing = tree.run("path", device, "0000:09:00.0")
            missing_json = tree.run("path", "--json", device, "0000:09:00.0")
            wrong = tree.run("path", device, "nonsense")
            one = tree.run("path", device)
        what = f"path: {st}, {st_ext}"
        same((text.returncode, text.stderr, program.returncode), (code, "", code), f"{what}: exit code")
        same(text.stdout.splitlines()[:2], [f"8-bit Steering Tags     {st}", f"Extended Steering Tags  {st_ext}"],
             f"{what}: verdicts")
        answer = json.loads(program.stdout)
        same((answer["version"], answer["device"], answer["peer"], answer["reason"], answer["st"], answer["st_ext"]),
             (1, device, peer, "none", st, st_ext), f"{what}: JSON")
        same(len(answer["facts"]), len(text.stdout.splitlines()) - 2, f"{what}: a line for each fact")
        same([fact["function"] for fact in answer["facts"] if fact["fact"] == "switch"], ["0000:01:00.0"],
             f"{what}: the switch")
        same(none.returncode, 3, "path: the other way round there is no tag")
        for wanted in (f"\n- {device} cannot send Steering Tags (no TPH Requester capability); ",
                       f"\n- {peer} does not complete requests with Steering Tags (DEVCAP2 bits 13:12); "):
            ok(wanted in none.stdout, f"path: and it says why: {wanted.strip()}", none.stdout)
        one_line(missing, 5, "0000:09:00.0", "path: a peer that is not there")
        same(missing.stdout, "", "path: a peer that is not there: nothing else")
        one_line(missing_json, 5, "0000:09:00.0", "path: a peer that is not there, for programs")
        answer = json.loads(missing_json.stdout)
        same((answer["device"], answer["peer"], answer["reason"], answer["st"], answer["st_ext"], answer["facts"]),
             (device, None, "not-found", None, None, []), "path: a peer that is not there: JSON")
        one_line(wrong, 2, "nonsense", "path: a name that is none")
        one_line(one, 2, "expected two devices", "path: one device")


def test_missing():
    with Tree() as tree:
        for name in ("0000:00:09.0", "/dev/vfio/devices/vfio7"):
            done = tree.run("probe", name, binary=TPHBUF)
            one_line(done, 5, name, f"missing: probe {name}")
            same(done.stdout, "", f"missing: probe {name}: nothing else")
            one_line(tree.run("exec", "-d", name, "--bar", "2", "true"), 5, name,
                     f"missing: exec {name}")
        done = tree.run("probe", "--json", "0000:00:09.0", binary=TPHBUF)
        same(json.loads(done.stdout)["open"]["reason"], "not-found", "missing: JSON")
        one_line(tree.run("list", binary=TPHBUF), 3, "cannot open any device through VFIO: it has no IOMMU group",
                 "missing: list without IOMMU")
    with Tree("accel", f"{BDF},accel,3,3,120000") as tree:
        for verb in (["probe", BDF], ["exec", "-d", BDF, "--bar", "2", "true"],
                     ["exec", "-d", BDF, "--bar", "2", "--bind", "true"], ["list"]):
            one_line(tree.run(*verb, binary=TPHBUF), 3, "modprobe vfio-pci",
                     "missing: no VFIO: " + " ".join(verb))
    with Tree(f"{BDF},,-1,3,120000") as tree:
        one_line(tree.run("probe", BDF, binary=TPHBUF), 3, "no IOMMU", "missing: no IOMMU: probe")
    with Tree(*BOUND) as tree:
        os.remove(tree.path("dev/iommu"))
        for verb in (["probe", BDF], ["exec", "-d", BDF, "--bar", "2", "true"], ["list"]):
            one_line(tree.run(*verb, binary=TPHBUF), 3, "/dev/iommu",
                     "missing: no iommufd: " + " ".join(verb))
    with Tree(*KERNEL_DRIVER) as tree:
        one_line(tree.run("probe", BDF, binary=TPHBUF), 5, "accel", "missing: bound elsewhere")
        one_line(tree.run("exec", "-d", BDF, "--bar", "2", "true", binary=TPHBUF), 5, "--bind",
                 "missing: bound elsewhere: exec")
    with Tree(*BOUND) as tree:
        one_line(tree.run("probe", BDF, binary=TPHBUF), 5, "not a PCI device",
                 "missing: a file that is no VFIO device")
    done = subprocess.run([TPHBUF, "list", "--json", "--sysroot", "x" * 5000],
                          capture_output=True, text=True)
    one_line(done, 1, "/sys", "missing: a sysroot that is too long")


def test_list():
    functions = ["0000:01:00.0,vfio-pci,5,1,120000", "0000:00:00.0,,0,0,060400,1", "0000:00:01.0,,0,0,068000",
                 "0000:00:02.0,,-1,3,120000",
                 "10000:00:00.0,accel,6,0,020000"]
    with Tree(*BOUND, *functions) as tree:
        done = tree.run("list")
        same((done.returncode, done.stderr), (0, ""), "list: exit code")
        rows = [line.split() for line in done.stdout.splitlines()]
        same([row[0] for row in rows],
             ["DEVICE", "0000:00:01.0", "0000:00:02.0", BDF, "0000:01:00.0", "10000:00:00.0"],
             "list: devices in order, with a bridge that VFIO takes and a device without an IOMMU group")
        same(rows[2][1:7], ["1b36:0001", "-", "-", "ext-tph", "none", "no-iommu"], "list: without an IOMMU group")
        same(rows[3][1:], ["1b36:0001", "3", "vfio-pci", "ext-tph", "none", "yes", "not-asked",
                           "not-asked", "not-asked"], "list: a row")
        same(rows[5][3:7], ["accel", "none", "none", "not-bound"], "list: a device of another driver")
        same({len(row) for row in rows}, {10}, "list: ten columns")
        answer = json.loads(tree.run("list", "--json").stdout)
        same([device["device"] for device in answer["devices"]],
             [row[0] for row in rows[1:]], "list: JSON")
        same(answer["version"], 1, "list: JSON: version")
        same(answer["host"]["possible"], True, "list: JSON: the machine")
        answer = json.loads(tree.run("list", "--json", "--bound", "--open").stdout)
        same([(device["device"], device["st"]["possible"], device["st_ext"]["reason"])
              for device in answer["devices"]],
             [(BDF, True, "none"), ("0000:01:00.0", True, "st-8bit-only")],
             "list: --bound --open")
    strange = b'a"b\\c\n\xff\xc3\xa9'
    with Tree(f"{BDF},,3,3,120000", "vfio-pci") as tree:
        os.symlink(b"../../drivers/" + strange,
                   tree.path("sys/bus/pci/devices", BDF, "driver").encode())
        done = subprocess.run(tree.command("list", "--json"), capture_output=True,
                              env=tree.environment())
        same(json.loads(done.stdout)["devices"][0]["driver"], 'a"b\\c\n\ufffd\u00e9',
             "list: JSON: a name that needs escapes")
    done = subprocess.run([TPHBUF, "list", "--json"], capture_output=True, text=True)
    ok(done.returncode in (0, 3) and "devices" in json.loads(done.stdout),
       "list: this machine: valid JSON", done)
    done = subprocess.run([TPHBUF, "list"], capture_output=True, text=True)
    ok(done.returncode in (0, 3) and len(done.stderr.splitlines()) == (done.returncode == 3),
       "list: this machine: one line at most", done)


def test_output():
    with Tree(*BOUND) as tree, open("/dev/full", "wb") as full:
        done = subprocess.run(tree.command("list"), stdout=full, stderr=subprocess.PIPE,
                              text=True, env=tree.environment())
        one_line(done, 1, os.strerror(errno.ENOSPC), "output: a full disk")
        readable, writable = os.pipe()
        os.close(readable)
        done = subprocess.run(tree.command("list", "--json"), stdout=writable,
                              stderr=subprocess.PIPE, text=True, env=tree.environment(),
                              preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
        os.close(writable)
        same((done.returncode, done.stderr), (-signal.SIGPIPE, ""), "output: a reader that left")


SHOW = r"""
import os, struct, sys
fd = int(os.environ["TPHBUF_FD"])
tag = os.pread(fd, 12, 0)
index, _, _, count = struct.unpack("=4I", os.pread(fd, 16, 64))
ranges = [struct.unpack("=2Q", os.pread(fd, 16, 80 + 16 * i)) for i in range(count)]
fds = [int(name) for name in os.listdir("/proc/self/fd")]
fds = [n for n in fds if os.path.exists(f"/proc/self/fd/{n}")]
print(repr({"size": os.environ["TPHBUF_SIZE"], "tag": struct.unpack("=iIHBB", tag)[1:],
            "bar": index, "ranges": ranges, "fds": sorted(set(fds) - {0, 1, 2, fd}),
            "args": sys.argv[1:], "driver": os.environ.get("DRIVER_LINK") and
            os.path.basename(os.readlink(os.environ["DRIVER_LINK"]))}))
"""


def shown(done):
    try:
        return eval(done.stdout)
    except SyntaxError:
        return {"error": done}


def test_exec():
    show = [sys.executable, "-c", SHOW]
    with Tree(*BOUND) as tree:
        run = shown(tree.run("exec", "-d", BDF, "--bar", "2", *show, "--st", "9"))
        same(run, {"size": str(1 << 20), "tag": (0, 0, 0, 0), "bar": 2, "ranges": [(0, 1 << 20)],
                   "fds": [], "args": ["--st", "9"], "driver": None},
             "exec: a whole BAR, no tag, options of the command")
        run = shown(tree.run("exec", "-d", CDEV, "--bar", "2", "--st", "0x12", "--st-ext",
                             "0x1234", "--ph", "2", "--range", "0:64K", "--range", "128K:0x1000",
                             "--", *show))
        same((run.get("size"), run.get("tag"), run.get("ranges")),
             (str(0x11000), (3, 0x1234, 0x12, 2), [(0, 0x10000), (0x20000, 0x1000)]),
             "exec: both tags, a hint, two ranges")
        run = shown(tree.run("exec", "-d", BDF, "--bar", "0", "--st-ext", "0", "--", *show))
        same((run.get("tag"), run.get("bar")), ((2, 0, 0, 0), 0), "exec: tag zero is a tag")
        done = tree.run("exec", "-d", BDF, "--bar", "2", "--range", "512K:1M", "--", "true")
        one_line(done, 2, "0x100000", "exec: a range beyond the BAR")
        one_line(tree.run("exec", "-d", BDF, "--bar", "3", "true"), 5, "BAR 3",
                 "exec: a BAR that is not there")
        one_line(tree.run("exec", "-d", BDF, "--bar", "4", "true"), 5, "BAR 4",
                 "exec: an I/O BAR")
        config = open(tree.path("." + CDEV), "rb")
        tree.run("exec", "-d", BDF, "--bar", "2", "true")
        same(os.pread(config.fileno(), 1, (7 << 24) + 4), b"\x02", "exec: memory decoding is on")
        config.close()


def test_exec_errors():
    tagged = ["exec", "-d", BDF, "--bar", "2", "--st", "1", "echo", "ran"]
    extended = ["exec", "-d", BDF, "--bar", "2", "--st-ext", "1", "echo", "ran"]
    no_tph = {"tph_set": errno.ENOTTY, "tph_probe": errno.ENOTTY}
    no_completer = {"tph_set": errno.EOPNOTSUPP, "tph_probe": errno.EOPNOTSUPP}
    no_export = {"dmabuf_get": errno.ENOTTY, "dmabuf_probe": errno.ENOTTY}
    cases = [
        (3, tagged, no_tph, 3, "series", "kernel without TPH"),
        (0, tagged, no_completer, 3, "DEVCAP2", "no completer"),
        (3, tagged, no_completer, 3, "CONFIG_PCIE_TPH", "kernel built without TPH"),
        (3, tagged, {"tph_set": 524, "tph_probe": 524}, 3, "CONFIG_PCIE_TPH", "an errno value without a name"),
        (3, tagged, {"tph_other": 1}, 3, "vfio_feature_tph", "another feature"),
        (1, extended, {"tph_set": errno.EOPNOTSUPP}, 3, "8-bit", "8-bit completer"),
        (3, tagged, {"tph_set": errno.EOPNOTSUPP}, 3, "BAR 2", "a strange device"),
        (3, tagged, no_export, 3, "CONFIG_VFIO_PCI_DMABUF", "kernel without export"),
        (3, tagged, {"dmabuf_get": errno.ENOMEM}, 1, os.strerror(errno.ENOMEM), "no memory"),
        (3, tagged, {"bind": errno.EINVAL}, 6, "another process", "open elsewhere"),
        (3, tagged, {"access_cdev": errno.EACCES}, 4, "permission", "no permission"),
    ]
    for completer, args, errors, code, wanted, what in cases:
        with Tree("vfio-pci", f"{BDF},vfio-pci,3,{completer},120000") as tree:
            done = tree.run(*args, errors=errors)
            one_line(done, code, wanted, f"exec: {what}")
            same(done.stdout, "", f"exec: {what}: the command did not run")


def test_exec_end():
    with Tree(*BOUND) as tree:
        head = ["exec", "-d", BDF, "--bar", "2", "--"]
        for code in (0, 1, 7, 126, 255):
            same(tree.run(*head, "sh", "-c", f"exit {code}").returncode, code,
                 f"exec: exit code {code} of the command")
        one_line(tree.run(*head, "/nonexistent/command"), 127, "/nonexistent/command",
                 "exec: no such command")
        one_line(tree.run(*head, "/dev/null"), 126, "/dev/null", "exec: not executable")
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
            same(tree.run(*head, "sh", "-c", f"kill -{int(number)} $$").returncode, -number,
                 f"exec: the command is ended by {number.name}")
        done = tree.run(*head, "sh", "-c", "exit 9",
                        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        same(done.returncode, 9, "exec: from a parent that ignores SIGCHLD")
        for blocked in (set(), {signal.SIGUSR1}, {signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD}):
            done = tree.run(*head, "grep", "SigBlk", "/proc/self/status",
                            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, blocked))
            same(int(done.stdout.split()[1], 16), sum(1 << number - 1 for number in blocked),
                 f"exec: the command blocks what the parent of tphbuf blocks, {len(blocked)} signals")
        inner = " ".join(tree.command(*head)) + " sh -c 'test $TPHBUF_FD -gt 2'"
        done = subprocess.run(["sh", "-c", inner + " <&- >&- 2>&-"], env=tree.environment())
        same(done.returncode, 0, "exec: without standard files")


def test_exec_signals():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as folder:
            ready = os.path.join(folder, "ready")
            script = f"trap 'exit 5' {int(number)}; : > {ready}; while :; do sleep 0.05; done"
            process = subprocess.Popen(tree.command("exec", "-d", BDF, "--bar", "2", "--", "sh",
                                                    "-c", script), env=tree.environment())
            ok(wait_for(lambda: os.path.exists(ready)), f"exec: {number.name}: command runs")
            process.send_signal(number)
            try:
                same(process.wait(20), 5, f"exec: {number.name} reaches the command")
            except subprocess.TimeoutExpired:
                process.kill()
                ok(False, f"exec: {number.name} reaches the command")


COUNT = """
import os, signal, sys, time
count = 0
def on_sigint(number, frame):
    global count
    count += 1
    os.write(1, b"interrupts: %d\\n" % count)
signal.signal(signal.SIGINT, on_sigint)
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(f"interrupts in the end: {count}"))
os.write(1, b"ready\\n")
time.sleep(60)
"""


def test_terminal():
    """What is typed at the terminal goes to the command by itself, and is not passed on a second time."""
    with Tree(*BOUND) as tree:
        child, terminal = pty.fork()
        if not child:
            os.environ.update(tree.environment())
            os.execv(FAKE, tree.command("exec", "-d", BDF, "--bar", "2", "--", sys.executable, "-c", COUNT))
        shown = b""

        def read_to(words):
            nonlocal shown
            deadline = time.monotonic() + 30
            try:
                while words not in shown and select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                    shown += os.read(terminal, 1000)
            except OSError:
                pass

        read_to(b"ready")
        # Stopped, tphbuf cannot pass the interrupt on before the command has counted it: two that wait are one.
        os.kill(child, signal.SIGSTOP)
        os.write(terminal, b"\x03")
        read_to(b"interrupts: 1")
        # The signals that wait for it are taken in the order of their numbers: this is the last that the command gets.
        os.kill(child, signal.SIGUSR1)
        os.kill(child, signal.SIGCONT)
        read_to(b"in the end: ")
        # The command ends with its terminal, if it has not yet.
        os.close(terminal)
        os.waitpid(child, 0)
        ok(b"in the end: 1" in shown, "exec: one interrupt at the terminal is one interrupt of the command", shown)


def test_exec_pending():
    """A signal that came before the command was there to hear of it."""
    def interrupt():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)

    with Tree(*KERNEL_DRIVER) as tree:
        done = tree.run("exec", "-d", BDF, "--bar", "2", "--bind", "--", "echo", "ran", preexec_fn=interrupt)
        same((done.returncode, done.stdout), (1, ""), f"exec: a signal that is pending: the command does not run {done.stderr}")
        same(tree.driver(), "accel", "exec: a signal that is pending: the device is given back")


def test_exec_bind():
    link = os.path.join("sys/bus/pci/devices", BDF, "driver")
    for parts, driver in ((KERNEL_DRIVER, "accel"),
                          (["vfio-pci", f"{BDF},,3,3,120000"], None)):
        with Tree(*parts) as tree:
            head = ["exec", "-d", BDF, "--bar", "2", "--bind", "--"]
            os.environ["DRIVER_LINK"] = tree.path(link)
            run = shown(tree.run(*head, sys.executable, "-c", SHOW))
            del os.environ["DRIVER_LINK"]
            same(run.get("driver"), "vfio-pci", f"exec: --bind takes it from {driver}")
            same(tree.driver(), driver, "exec: and gives it back")
            same(tree.run(*head, "sh", "-c", "kill -9 $$").returncode, -9,
                 "exec: --bind: the command is killed")
            same(tree.driver(), driver, "exec: the device is given back then too")
            tree.run(*head, "true", errors={"bind": errno.EINVAL})
            same(tree.driver(), driver, "exec: and when it cannot be opened")
            tree.run("exec", "-d", BDF, "--bar", "2", "--bind", "--st", "1", "--", "true",
                     errors={"tph_set": errno.ENOTTY})
            same(tree.driver(), driver, "exec: and when it cannot be tagged")
            done = tree.run(*head, "true", errors={"write_override": errno.EACCES})
            one_line(done, 4, "driver_override", "exec: --bind without permission")
    with Tree(*KERNEL_DRIVER, "0000:00:03.1,accel,3,0,120000") as tree:
        one_line(tree.run("exec", "-d", BDF, "--bar", "2", "--bind", "true"), 6, "0000:00:03.1",
                 "exec: --bind in a group that is not viable")
        same(tree.driver(), "accel", "exec: which changes nothing")


run_tests((test_usage, test_help, test_probe, test_path, test_missing, test_list, test_output, test_exec, test_exec_errors,
           test_exec_end, test_exec_signals, test_terminal, test_exec_pending,
           test_exec_bind))

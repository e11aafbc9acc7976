#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: tphbuf read and write as processes: bytes, bounds, what ends them early, and what is left then."""
import errno
import json
import os
import pty
import random
import signal
import subprocess
import tempfile
import time

from fake_machine import (BDF, BOUND, CDEV, FAKE, KERNEL_DRIVER, PAGE, TPHBUF, Tree, ok, one_line, run_tests, same,
                          wait_for)

BAR2 = 2 << 24
BAR2_SIZE = 1 << 20
CHUNK = 65536
HEAD = ["-d", BDF, "--bar", "2"]
BYTES = random.Random(1).randbytes(BAR2_SIZE)


def run(tree, verb, *args, data=b"", errors=None, head=HEAD, **more):
    """As tree.run(), with bytes in and out; standard error is text."""
    more.setdefault("input", data)
    if "stdin" in more:
        del more["input"]
    if "stdout" not in more:
        more["stdout"] = subprocess.PIPE
    done = subprocess.run(tree.command(verb, *head, *args), stderr=subprocess.PIPE, timeout=60,
                          env=tree.environment(**(errors or {})), **more)
    done.stderr = done.stderr.decode()
    return done


def quiet(done, what):
    return same((done.returncode, done.stderr), (0, ""), what)


def memory(tree, offset=0, size=BAR2_SIZE):
    """What BAR2 of the device holds."""
    with open(tree.path("." + CDEV), "rb") as file:
        return os.pread(file.fileno(), size, BAR2 + offset)


def fill(tree, data, offset=0):
    with open(tree.path("." + CDEV), "r+b") as file:
        os.pwrite(file.fileno(), data, BAR2 + offset)


def test_usage():
    for verb in ("read", "write"):
        cases = [
            ([], "no device"),
            (["-d", BDF], "no BAR"),
            (["-d", "nonsense", "--bar", "2", "/dev/null"], "nonsense"),
            ([*HEAD, "--range", "1:4096"], "1:4096"),
            ([*HEAD, "--offset", "x"], "--offset \"x\""),
            ([*HEAD, "--offset", "-1"], "--offset \"-1\""),
            ([*HEAD, "--offset", "99999999T"], "--offset 99999999T"),
            ([*HEAD, "--length", "0"], "--length 0"),
            ([*HEAD, "--length", "1X"], "--length \"1X\""),
            ([*HEAD, "a", "b"], "unexpected argument \"b\""),
            ([*HEAD, "--frob"], "--frob"),
            ([*HEAD, "--length"], "option --length requires an argument"),
            (["--fd", "x"], "--fd \"x\""),
            (["--fd", "99"], "--fd 99"),
            (["--fd", "99999999999"], "--fd 99999999999"),
            (["--fd", "0"], "--fd 0 is not a dma-buf"),
        ]
        for args, wanted in cases:
            done = subprocess.run([TPHBUF, verb, *args], capture_output=True, text=True, timeout=60, input="")
            what = f"usage: {verb} " + " ".join(args)
            one_line(done, 2, wanted, what)
            same(done.stdout, "", f"{what}: nothing else")
    done = subprocess.run([TPHBUF, "read", *HEAD, "--json"], capture_output=True, text=True)
    one_line(done, 2, "--json requires a file", "usage: read --json to standard output")
    ours, theirs = pty.openpty()
    done = subprocess.run([TPHBUF, "read", *HEAD], stdout=theirs, stderr=subprocess.PIPE, text=True)
    one_line(done, 2, "is a terminal", "usage: read to a terminal")
    os.close(ours)
    os.close(theirs)


def test_round_trip():
    with Tree(*BOUND) as tree:
        before = bytearray(BYTES)
        fill(tree, BYTES)
        places = [(0, 1), (1, 1), (3, 2), (7, 9), (8, 8), (PAGE - 1, 2), (PAGE, PAGE), (5, 3 * PAGE + 6),
                  (CHUNK - 3, 6), (CHUNK, CHUNK), (11, 2 * CHUNK + 1), (BAR2_SIZE - 1, 1), (0, BAR2_SIZE)]
        for offset, length in places:
            data = random.Random(offset + length).randbytes(length)
            what = f"{length} bytes at {offset}"
            quiet(run(tree, "write", "--offset", str(offset), data=data), f"write {what}")
            before[offset:offset + length] = data
            ok(memory(tree) == before, f"write {what}: these bytes and no others")
            done = run(tree, "read", "--offset", str(offset), "--length", str(length))
            quiet(done, f"read {what}")
            ok(done.stdout == data, f"read {what}: the same bytes")
        done = run(tree, "read", "--offset", "0x1003")
        ok(done.stdout == before[0x1003:], "read up to the end")
        done = run(tree, "read", "--range", "64K:4K", "--range", "0:8K", "--offset", "4000", "--length", "200")
        ok(done.stdout == (before[0x10000:0x11000] + before[:8192])[4000:4200], "read across two ranges")
        done = run(tree, "write", "--range", "64K:4K", "--range", "0:8K", "--offset", "4090", data=b"0123456789ab")
        quiet(done, "write across two ranges")
        same((memory(tree, 0x10ffa, 6), memory(tree, 0, 6)), (b"012345", b"6789ab"), "write across two ranges: bytes")
        quiet(run(tree, "write", data=b""), "write nothing")
        config = open(tree.path("." + CDEV), "rb")
        same(os.pread(config.fileno(), 1, (7 << 24) + 4), b"\x02", "memory decoding is on")
        config.close()


def test_files():
    with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as folder:
        path, missing = os.path.join(folder, "file"), os.path.join(folder, "no", "file")
        fill(tree, BYTES)
        with open(path, "wb") as file:
            file.write(b"x" * 9999)
        quiet(run(tree, "read", "--length", "5000", path), "read to a file")
        ok(open(path, "rb").read() == BYTES[:5000], "read to a file: nothing is left of what was there")
        done = run(tree, "write", "--offset", "64K", path)
        quiet(done, "write from a file")
        ok(memory(tree, 65536, 5000) == BYTES[:5000], "write from a file: bytes")
        with open(path, "rb") as file:
            file.seek(4990)
            quiet(run(tree, "write", "--range", "128K:4K", "-", stdin=file), "write from the middle of a file")
        same(memory(tree, 131072, 12), BYTES[4990:5000] + BYTES[131082:131084],
             "write from the middle of a file: bytes")
        quiet(run(tree, "write", "--length", "6", "/proc/version"), "write from a file that says it is empty")
        same(memory(tree, 0, 6), b"Linux ", "write from a file that says it is empty: bytes")
        for verb in ("read", "write"):
            one_line(run(tree, verb, missing, errors={"access_cdev": errno.EACCES}), 1, missing,
                     f"{verb}: a file that cannot be opened, before the device is")
            one_line(run(tree, verb, folder, errors={"access_cdev": errno.EACCES}), 1, os.strerror(errno.EISDIR),
                     f"{verb}: a directory, before the device is opened")
        with open("/dev/full", "wb") as full:
            one_line(run(tree, "read", stdout=full), 1, os.strerror(errno.ENOSPC), "read: a full disk")

        # What is known beforehand fails before anything is written.
        fill(tree, BYTES)
        for args, wanted in ((["--range", "0:4K"], "5000 bytes"), (["--length", "5001"], "--length is 5001"),
                             (["--offset", "1048000"], "room for 576")):
            one_line(run(tree, "write", *args, path), 2, wanted, f"write {args[1]}: a file of the wrong size")
        done = run(tree, "read", "--offset", "1M", path)
        one_line(done, 2, "0x100000 bytes", "read behind the end")
        ok(os.path.getsize(path) == 5000, "read behind the end: the file is as before")
        one_line(run(tree, "read", "--offset", "0xfffff", "--length", "2"), 2, "0x1 bytes", "read across the end")
        one_line(run(tree, "write", "--offset", "1M", data=b"x"), 2, "beyond the end", "write behind the end")
        ok(memory(tree) == BYTES, "nothing was written")

        # What is not ends where it has to.
        done = run(tree, "write", "--range", "0:4K", data=b"y" * 4097)
        one_line(done, 1, "4096 bytes that fit", "write more than fits")
        same(memory(tree, 0, 4098), b"y" * 4096 + BYTES[4096:4098], "write more than fits: what was written")
        quiet(run(tree, "write", "--range", "0:4K", data=b"z" * 4096), "write what just fits")
        done = run(tree, "write", "--length", "20", data=b"0123456789")
        one_line(done, 1, "ends after 10", "write less than --length")
        same(memory(tree, 0, 12), b"0123456789zz", "write less than --length: what was written")
        quiet(run(tree, "write", "--length", "4", data=b"abcdefgh"), "write a part of the input")
        same(memory(tree, 0, 6), b"abcd45", "write a part of the input: what was written")


def test_interrupted():
    """Every other read and write of the file is interrupted by a signal that was handled."""
    with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        env = dict(tree.environment(), TPHBUF_FAKE_EINTR="1")
        fill(tree, BYTES)
        done = subprocess.run(tree.command("read", *HEAD, "--length", "200000", path), env=env, capture_output=True)
        same((done.returncode, done.stderr), (0, b""), "read: interrupted")
        ok(open(path, "rb").read() == BYTES[:200000], "read: interrupted: the same bytes")
        fill(tree, bytes(BAR2_SIZE))
        done = subprocess.run(tree.command("write", *HEAD, path), env=env, capture_output=True)
        same((done.returncode, done.stderr), (0, b""), "write: interrupted")
        ok(memory(tree) == BYTES[:200000] + bytes(BAR2_SIZE - 200000), "write: interrupted: the same bytes")


def test_close_fails():
    """A file system that says only at the end that what was written did not fit."""
    with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        env = dict(tree.environment(), TPHBUF_FAKE_CLOSE=str(errno.EDQUOT))
        done = subprocess.run(tree.command("read", *HEAD, "--length", "4K", path), env=env, capture_output=True, text=True)
        one_line(done, 1, os.strerror(errno.EDQUOT), "read: close() fails")
        with open(path, "wb") as file:
            for verb in (["read", *HEAD, "--length", "4K"], ["list"]):
                done = subprocess.run(tree.command(*verb), env=env, stdout=file, stderr=subprocess.PIPE, text=True)
                one_line(done, 1, os.strerror(errno.EDQUOT), f"{verb[0]}: close() of standard output fails")


def test_errors():
    wc = [*HEAD, "--wc"]
    none = {"dmabuf_get": errno.ENOTTY, "dmabuf_probe": errno.ENOTTY}
    cases = [
        (HEAD, {"mmap": errno.EINVAL}, 3, "does not support CPU access", "kernel without mmap"),
        (HEAD, {"mmap": errno.ENODEV}, 5, "revoked", "device that is closed"),
        (HEAD, {"mmap": errno.ENOMEM}, 1, os.strerror(errno.ENOMEM), "no address space"),
        (HEAD, {"mmap": errno.EACCES}, 4, "not open for reading and writing", "file that may not be mapped"),
        (wc, {"wc_set": errno.ENOTTY, "wc_probe": errno.ENOTTY}, 3, "DMA_BUF_WC", "kernel without WC"),
        (wc, {"wc_set": errno.EOPNOTSUPP, "wc_probe": errno.EOPNOTSUPP}, 3, "PAT", "CPU without PAT"),
        (wc, {"wc_set": errno.EBUSY}, 6, "MSI-X", "memory that has to be uncached"),
        (wc, {"wc_set": errno.ENOSPC}, 1, os.strerror(errno.ENOSPC), "too many ranges"),
        (wc, {"wc_set": errno.EOPNOTSUPP}, 3, "BAR 2", "a strange device"),
        (HEAD, none, 3, "CONFIG_VFIO_PCI_DMABUF", "kernel without export"),
        (HEAD, {"bind": errno.EINVAL}, 6, "another process", "open elsewhere"),
        (HEAD, {"access_cdev": errno.EACCES}, 4, "permission", "no permission"),
        (["-d", BDF, "--bar", "3"], {}, 5, "BAR 3", "a BAR that is not there"),
        ([*HEAD, "--range", "512K:1M"], {}, 2, "0x100000", "a range beyond the BAR"),
        (["-d", "0000:00:09.0", "--bar", "2"], {}, 5, "0000:00:09.0", "a device that is not there"),
    ]
    with Tree(*BOUND) as tree:
        for head, errors, code, wanted, what in cases:
            for verb in ("read", "write"):
                done = run(tree, verb, head=head, errors=errors)
                one_line(done, code, wanted, f"{verb}: {what}")
                same(done.stdout, b"", f"{verb}: {what}: nothing else")
    with Tree("accel", f"{BDF},accel,3,3,120000") as tree:
        one_line(run(tree, "read"), 3, "modprobe vfio-pci", "read: no VFIO")
    with Tree(f"{BDF},,-1,3,120000") as tree:
        one_line(run(tree, "write"), 3, "no IOMMU", "write: no IOMMU")
    with Tree(*KERNEL_DRIVER) as tree:
        one_line(run(tree, "read"), 5, "--bind", "read: bound elsewhere")
        one_line(run(tree, "read", "--bind", errors={"write_override": errno.EACCES}), 4, "driver_override",
                 "read: --bind without permission")


def test_revoked():
    with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        fill(tree, BYTES)
        for start, size in ((1, 0), (2 * CHUNK, 2 * CHUNK), (CHUNK + PAGE, CHUNK)):
            done = run(tree, "read", path, errors={"revoked_from": start})
            one_line(done, 5, f"{size} of {BAR2_SIZE} bytes were read", f"read: revoked from {start} on")
            ok(open(path, "rb").read() == BYTES[:size], f"read: revoked from {start} on: the bytes before")
        one_line(run(tree, "read", "--offset", "5", path, errors={"revoked_from": CHUNK}), 5,
                 f"{CHUNK - 5} of {BAR2_SIZE - 5} bytes", "read: pieces end at multiples of their size")
        data = b"w" * (CHUNK + 2 * PAGE)
        for start, size in ((1, 0), (CHUNK, CHUNK), (CHUNK + PAGE, CHUNK + PAGE)):
            fill(tree, BYTES)
            done = run(tree, "write", data=data, errors={"revoked_from": start})
            one_line(done, 5, f"{size} bytes were written", f"write: revoked from {start} on")
            ok(memory(tree) == data[:size] + BYTES[size:], f"write: revoked from {start} on: the bytes before")
        with open(path, "wb") as file:
            file.write(data)
        one_line(run(tree, "write", path, errors={"revoked_from": CHUNK}), 5, f"{CHUNK} of {len(data)} bytes",
                 "write: revoked, the size of the input is known")
        quiet(run(tree, "read", "--length", "1", errors={"revoked_from": PAGE}), "read: only what is not revoked")
    for verb in ("read", "write"):
        with Tree(*KERNEL_DRIVER) as tree:
            one_line(run(tree, verb, "--bind", data=b"x", errors={"revoked_from": 1}), 5, "revoked", f"{verb}: --bind")
            same(tree.driver(), "accel", f"{verb}: revoked: the device is given back")


def test_nonblocking():
    """Files that whoever shares them has made non-blocking."""
    with Tree(*BOUND) as tree:
        fill(tree, BYTES)
        readable, writable = os.pipe()
        os.set_blocking(writable, False)
        process = subprocess.Popen(tree.command("read", *HEAD), stdout=writable, env=tree.environment())
        os.close(writable)
        got = b""
        while chunk := os.read(readable, 1000 + len(got) % 777):
            got += chunk
        os.close(readable)
        same(process.wait(20), 0, "read: a non-blocking pipe that is full at times: exit code")
        ok(got == BYTES, "read: a non-blocking pipe that is full at times: bytes")
        fill(tree, b"\0" * BAR2_SIZE)
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        process = subprocess.Popen(tree.command("write", *HEAD), stdin=readable, env=tree.environment())
        os.close(readable)
        for at in range(0, 100000, 1000):
            os.write(writable, BYTES[at:at + 1000])
            if not at % 10000:
                time.sleep(0.02)
        os.close(writable)
        same(process.wait(20), 0, "write: a non-blocking pipe that is empty at times: exit code")
        ok(memory(tree) == BYTES[:100000] + b"\0" * (BAR2_SIZE - 100000),
           "write: a non-blocking pipe that is empty at times: bytes")


def test_json():
    with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        fill(tree, BYTES)
        done = run(tree, "read", "--json", "--wc", "--offset", "7", "--length", "100", path)
        answer = json.loads(done.stdout)
        ok(answer.pop("microseconds") > 0, "JSON: it took some time")
        same((done.returncode, answer),
             (0, {"device": BDF, "bar": 2, "offset": 7, "bytes": 100, "wc": True, "reason": "none", "error": None,
                 "version": 1}), "JSON: read")
        answer = json.loads(run(tree, "write", "--json", path).stdout)
        same((answer["bytes"], answer["wc"]), (100, False), "JSON: write")
        done = run(tree, "write", "--json", data=b"x" * CHUNK * 2, errors={"revoked_from": CHUNK})
        answer = json.loads(done.stdout)
        same((done.returncode, answer["bytes"], answer["reason"]), (5, CHUNK, "revoked"), "JSON: revoked")
        same(f"tphbuf: {answer['error']}\n", done.stderr, "JSON: the line is in it")
        done = run(tree, "write", "--json", errors={"bind": errno.EINVAL})
        answer = json.loads(done.stdout)
        same((done.returncode, answer["device"], answer["bytes"], answer["reason"]), (6, None, 0, "busy"),
             "JSON: a device that cannot be opened")
        same(run(tree, "write", "--json", "--offset", "1M").stdout, b"", "JSON: none when the command line is wrong")


def start(tree, verb, *args, **more):
    return subprocess.Popen(tree.command(verb, *HEAD, "--bind", *args), stderr=subprocess.PIPE,
                            env=tree.environment(), start_new_session=True, **more)


def ended(process, what):
    try:
        return process.communicate(timeout=20)[1].decode()
    except subprocess.TimeoutExpired:
        process.kill()
        ok(False, f"{what}: it ends")
        return ""


def test_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for send, way in ((os.kill, "process"), (os.killpg, "group")):
            with Tree(*KERNEL_DRIVER) as tree:
                what = f"read: {number.name} to the {way}"
                readable, writable = os.pipe()
                process = start(tree, "read", stdout=writable)
                os.close(writable)
                ok(os.read(readable, 1), f"{what}: bytes come")
                send(process.pid, number)
                text = ended(process, what)
                os.close(readable)
                same(process.returncode, -number, f"{what}: it ends by that signal")
                lines = text.splitlines()
                ok(len(lines) == 1 and signal.strsignal(number) in lines[0] and f"of {BAR2_SIZE} bytes" in lines[0],
                   f"{what}: one line", text)
                same(tree.driver(), "accel", f"{what}: the device is given back")
    with Tree(*KERNEL_DRIVER) as tree:
        process = start(tree, "write", stdin=subprocess.PIPE)
        process.stdin.write(b"x" * (CHUNK + 1))
        process.stdin.flush()
        ok(wait_for(lambda: memory(tree, CHUNK - 1, 1) == b"x"), "write: a chunk arrives while more is waited for")
        os.killpg(process.pid, signal.SIGINT)
        text = ended(process, "write: SIGINT")
        same(process.returncode, -signal.SIGINT, "write: SIGINT ends it while it waits for input")
        ok(f"at least {CHUNK} bytes" in text, "write: SIGINT: it says how far it got", text)
        same(tree.driver(), "accel", "write: SIGINT: the device is given back")
        process = start(tree, "write", "--json", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ok(wait_for(lambda: tree.driver() == "vfio-pci"), "write: it has the device")
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        ok("Terminated" in json.loads(out)["error"], "write: SIGTERM: valid JSON all the same", out)


def test_fifo():
    """A FIFO whose other end nobody has opened: it waits, and a signal ends that."""
    with Tree(*KERNEL_DRIVER) as tree, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "fifo")
        os.mkfifo(path)
        for verb, driver in (("read", "vfio-pci"), ("write", "accel")):
            process = start(tree, verb, path)
            ok(wait_for(lambda: tree.driver() == driver), f"{verb}: a FIFO: waits with the device at {driver}")
            time.sleep(0.5)
            ok(process.poll() is None, f"{verb}: a FIFO: it waits")
            os.kill(process.pid, signal.SIGINT)
            ended(process, f"{verb}: a FIFO")
            same(process.returncode, -signal.SIGINT, f"{verb}: a FIFO: SIGINT ends it")
            same(tree.driver(), "accel", f"{verb}: a FIFO: the device is given back")


def test_pending():
    """A signal that came while the device was opened."""
    def interrupt():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)

    with Tree(*KERNEL_DRIVER) as tree:
        done = run(tree, "write", "--bind", data=b"x", preexec_fn=interrupt)
        same(done.returncode, 1, "write: a signal that is pending: exit code")
        same(tree.driver(), "accel", "write: a signal that is pending: the device is given back")
    with Tree(*BOUND) as tree:
        fill(tree, BYTES)
        run(tree, "write", data=b"x" * 10, preexec_fn=interrupt)
        ok(memory(tree) == BYTES, "write: a signal that is pending: nothing was written")


def test_kill():
    """Nobody goes on when the process that holds the device is killed."""
    with Tree(*KERNEL_DRIVER) as tree:
        readable, writable = os.pipe()
        process = start(tree, "read", stdout=writable)
        os.close(writable)
        os.read(readable, 1)
        process.kill()
        process.wait(20)
        left = 0
        while chunk := os.read(readable, 1 << 20):
            left += len(chunk)
        ok(left < BAR2_SIZE - 1, "read: SIGKILL: the process that reads ends too", left)
        os.close(readable)
        process.stderr.close()


def test_closed_pipe():
    for disposition, code in ((signal.SIG_DFL, -signal.SIGPIPE), (signal.SIG_IGN, 1)):
        with Tree(*KERNEL_DRIVER) as tree:
            readable, writable = os.pipe()
            process = start(tree, "read", stdout=writable, restore_signals=False,
                            preexec_fn=lambda: signal.signal(signal.SIGPIPE, disposition))
            os.close(writable)
            os.read(readable, 1)
            os.close(readable)
            text = ended(process, "read: a reader that left")
            same(process.returncode, code, f"read: a reader that left: exit code with {disposition.name}")
            if code == 1:
                ok(os.strerror(errno.EPIPE) in text and len(text.splitlines()) == 1, "read: ... says so", text)
            else:
                same(text, "", "read: ... says nothing, as others in a pipe")
            same(tree.driver(), "accel", "read: a reader that left: the device is given back")


def test_progress():
    for length, wanted in ((["--length", "192K"], b"0.1 of 0.2 MiB, 33 %"), ([], b"0.1 MiB, ")):
        with Tree(*BOUND) as tree:
            ours, theirs = pty.openpty()
            process = subprocess.Popen(tree.command("write", *HEAD, *length), stdin=subprocess.PIPE, stderr=theirs,
                                       env=tree.environment())
            os.close(theirs)
            process.stdin.write(b"x" * CHUNK)
            process.stdin.flush()
            shown = b""
            deadline = time.monotonic() + 20
            while wanted not in shown and time.monotonic() < deadline:
                shown += os.read(ours, 4096)
            ok(wanted in shown and b"tphbuf write: " in shown and b"\n" not in shown, "progress on a terminal", shown)
            process.stdin.write(b"x" * 2 * CHUNK)
            process.stdin.close()
            same(process.wait(20), 0, "progress: it ends well")
            try:
                while True:
                    shown += os.read(ours, 4096)
            except OSError:
                pass
            ok(shown.endswith(b"\r\x1b[K"), "progress: the line is taken away", shown[-40:])
            os.close(ours)
    with Tree(*BOUND) as tree:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(tree.command("write", *HEAD), stdin=subprocess.PIPE, stderr=theirs,
                                   env=tree.environment())
        time.sleep(0.6)
        process.stdin.close()
        process.wait(20)
        os.set_blocking(ours, False)
        try:
            shown = os.read(ours, 4096)
        except BlockingIOError:
            shown = b""
        os.close(theirs)
        os.close(ours)
        same(shown, b"", "no progress of what takes no second")
    with Tree(*BOUND) as tree:
        process = subprocess.Popen(tree.command("write", *HEAD), stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=tree.environment())
        time.sleep(1.5)
        same(process.communicate(timeout=20)[1], b"", "no progress where there is no terminal")


def test_inherited():
    with Tree(*BOUND) as tree:
        fill(tree, BYTES)
        script = f"{FAKE} read --fd $TPHBUF_FD --offset 4090 --length 20; printf abc | {FAKE} write --fd $TPHBUF_FD"
        done = run(tree, "exec", "--range", "64K:4K", "--range", "0:4K", "--", "sh", "-c", script)
        quiet(done, "--fd: a dma-buf of exec")
        ok(done.stdout == BYTES[65536 + 4090:65536 + 4096] + BYTES[:14], "--fd: bytes of both ranges")
        same(memory(tree, 65536, 4), b"abc" + BYTES[65539:65540], "--fd: what was written")
        for more, wanted in (("-d " + BDF, "--fd cannot be combined"), ("--bar 2", "--fd cannot be combined"),
                             ("--range 0:4K", "--fd cannot be combined"), ("--wc", "--fd cannot be combined"),
                             ("--bind", "--fd cannot be combined"),
                             ("--offset 8K", "0x1000 bytes")):
            done = run(tree, "exec", "--range", "0:4K", "--", "sh", "-c", f"{FAKE} read --fd $TPHBUF_FD {more}")
            one_line(done, 2, wanted, f"--fd {more}")
        done = run(tree, "exec", "--range", "0:4K", "--", "sh", "-c", f"{FAKE} read --fd $TPHBUF_FD --json /dev/null")
        answer = json.loads(done.stdout)
        same((answer["device"], answer["bar"], answer["wc"], answer["bytes"]), (None, None, None, 4096), "--fd: JSON")
        done = run(tree, "exec", "--range", "0:4K", "--", "sh", "-c", f"{FAKE} read --fd $TPHBUF_FD",
                   errors={"revoked_from": 1})
        one_line(done, 5, "revoked", "--fd: revoked")


def test_write_combining():
    show = ["sh", "-c", "dd bs=1 skip=2048 count=1 status=none <&$TPHBUF_FD"]
    with Tree(*BOUND) as tree:
        same(run(tree, "exec", "--wc", "--", *show).stdout, b"\x01", "exec --wc: the dma-buf is write-combining")
        same(run(tree, "exec", "--", *show).stdout, b"\0", "exec: it is not without")
        done = run(tree, "exec", "--wc", "--", "echo", "ran", errors={"wc_set": errno.EBUSY})
        one_line(done, 6, "MSI-X", "exec --wc: memory that has to be uncached")
        same(done.stdout, b"", "exec --wc: the command did not run")


run_tests((test_usage, test_round_trip, test_files, test_interrupted, test_close_fails, test_errors,
           test_revoked, test_nonblocking, test_json,
           test_signals, test_fifo, test_pending, test_kill, test_closed_pipe, test_progress, test_inherited,
           test_write_combining))

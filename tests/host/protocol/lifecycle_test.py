# SPDX-License-Identifier: GPL-2.0-or-later
"""The program: command line, sockets, clients that come and go, its end."""
import os
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time

import vfio_user as vu
from endpoints import (ACCELERATOR, DMA_ENGINE, PROGRAM, START_SECONDS, Endpoints, environment, settles)
from tap import equal, run, true

DIRECTORY = tempfile.mkdtemp(prefix="tphbuf-")


def program(*arguments, stdout=subprocess.PIPE):
    """Runs the program to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([PROGRAM, *arguments], stdout=stdout, stderr=subprocess.PIPE,
                          env=environment(), timeout=START_SECONDS, check=False)
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


def fails(code, text, *arguments):
    """The program must end with this code and one line that contains the text."""
    got, out, err = program(*arguments)
    equal((got, out), (code, ""), f"exit code and output of {arguments}: {err}")
    equal(err.count("\n"), 1, f"lines of {err!r}")
    true(text in err, f"no {text!r} in {err!r}")
    true(err.startswith("tphbuf-endpoints: "), f"{err!r} does not begin with the program's name")


def leftovers():
    return [name for name in os.listdir(DIRECTORY) if name.endswith(".sock")]


def test_help():
    """--help names options, device types and keys, --version a version"""
    code, out, err = program("--help")
    equal((code, err), (0, ""))
    for text in ("--dir", "--trace", "--device", "accelerator", "dma-engine", "bdf=", "completer="):
        true(text in out, f"no {text!r} in the help")
    code, out, err = program("--version")
    equal((code, err, out.split(" ")[0]), (0, "", "tphbuf-endpoints"))
    with open("/dev/full", "wb") as full:
        for arguments in (("--help",), ("--version",), ("--dir", DIRECTORY, "--device", ACCELERATOR)):
            code, out, err = program(*arguments, stdout=full)
            equal((code, err), (1, "tphbuf-endpoints: cannot write to standard output: No space left on device\n"), arguments)


def test_usage():
    """A wrong command line ends with 2 and one line"""
    fails(2, "--dir is required")
    fails(2, "--dir is required", "--device", ACCELERATOR)
    fails(2, "--device is required", "--dir", DIRECTORY)
    fails(2, "extra", "--dir", DIRECTORY, "--device", ACCELERATOR, "extra")
    fails(2, "no device type", "--dir", DIRECTORY, "--device", "toaster,bdf=00:04.0")
    fails(2, "bdf= is missing", "--dir", DIRECTORY, "--device", "accelerator")
    fails(2, "bdf=", "--dir", DIRECTORY, "--device", "accelerator,bdf=zz")
    fails(2, "colour", "--dir", DIRECTORY, "--device", "accelerator,bdf=00:04.0,colour=red")
    fails(2, "name=", "--dir", DIRECTORY, "--device", "accelerator,bdf=00:04.0,name=../x")
    fails(2, "another device", "--dir", DIRECTORY, "--device", ACCELERATOR, "--device", ACCELERATOR)
    fails(2, "too many devices: at most 64", "--dir", DIRECTORY, *["--device", "accelerator"] * 65)
    fails(2, "unrecognized option --nonsense; see --help", "--nonsense")
    fails(2, "unrecognized option -x; see --help", "-x")
    fails(2, "option --dir requires an argument", "--dir")
    fails(2, "option --poll does not take an argument", "--poll=1")
    fails(2, "--root-port name=: ", "--dir", DIRECTORY, "--root-port", "name=", "--device", ACCELERATOR)
    equal(leftovers(), [])


def test_environment_fails():
    """What the machine refuses ends with 1 and one line"""
    device = ("--device", ACCELERATOR)
    fails(1, "/nonexistent", "--dir", "/nonexistent", *device)
    fails(1, "/dev/null", "--dir", "/dev/null", *device)
    fails(1, "--trace /nonexistent/t: ", "--dir", DIRECTORY, "--trace", "/nonexistent/t", *device)
    fails(1, "--pcapng /nonexistent/p: ", "--dir", DIRECTORY, "--pcapng", "/nonexistent/p", *device)
    fails(1, "Is a directory", "--dir", DIRECTORY, "--trace", DIRECTORY, *device)
    fails(1, "/proc/acc.sock", "--dir", "/proc", *device)
    deep = os.path.join(DIRECTORY, "d" * 60, "e" * 60)
    os.makedirs(deep)
    fails(1, "longer than the 107 bytes", "--dir", deep, *device)
    equal(leftovers(), [])


def test_standard_output_is_full():
    """When "ready" cannot be said, the program ends with 1"""
    with open("/dev/full", "wb") as full:
        code, _, err = program("--dir", DIRECTORY, "--device", ACCELERATOR, stdout=full)
    equal((code, leftovers()), (1, []))
    true("standard output" in err, err)


def test_trace_is_full():
    """A trace that cannot be written is told at the end"""
    server = Endpoints(ACCELERATOR, arguments=("--trace", "/dev/full"))
    with server.connect("acc") as client:
        client.config_write(4, 2, 2)
        client.read32(0, 0)
    server.stop(check=False)
    equal(server.process.returncode, 1)
    true("/dev/full: TLPs are missing: No space left" in server.log(), server.log())
    shutil.rmtree(server.directory)


def test_sockets():
    """Sockets are named after devices, for the owner alone, and gone afterwards"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server:
        for name in ("acc", "dma"):
            mode = os.stat(server.path(name)).st_mode
            true(stat.S_ISSOCK(mode), f"{name} is no socket")
            equal(stat.S_IMODE(mode) & 0o77, 0, f"mode of {name}: {mode:o}")


def test_signals():
    """SIGTERM and SIGINT end the program with 0, with clients and without"""
    for number in (signal.SIGTERM, signal.SIGINT):
        for connected in (False, True):
            server = Endpoints(ACCELERATOR, trace=True)
            client = server.connect("acc") if connected else None
            server.process.send_signal(number)
            equal(server.process.wait(vu.SECONDS), 0, f"exit code after {number!r}")
            server.stop()
            if client:
                true(client.at_end(), "the client is still connected")
                client.close()
            shutil.rmtree(server.directory)


def test_ends_while_starting():
    """A failure at the second device leaves nothing of the first"""
    code, _, _ = program("--dir", DIRECTORY, "--device", ACCELERATOR, "--device", "toaster")
    equal((code, leftovers()), (2, []))


def test_second_server():
    """A second server on the same folder is refused, and the first goes on"""
    with Endpoints(ACCELERATOR) as server:
        fails(1, "another server listens there", "--dir", server.directory, "--device", ACCELERATOR)
        with server.connect("acc") as client:
            equal(client.device_info()[0], 16, "argsz")


def test_busy_server():
    """So it is when the first one is too busy to accept"""
    path = os.path.join(DIRECTORY, "acc.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = []
        while True:
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            waiting.append(client)
            try:
                client.connect(path)
            except BlockingIOError:
                break
        fails(1, "another server listens there", "--dir", DIRECTORY, "--device", ACCELERATOR)
        for client in waiting:
            client.close()
    os.unlink(path)


def test_stale_socket():
    """A socket that a killed server left is replaced"""
    server = Endpoints(ACCELERATOR, directory=DIRECTORY)
    server.process.kill()
    server.process.wait()
    true(leftovers(), "SIGKILL left no socket")
    with Endpoints(ACCELERATOR, directory=DIRECTORY) as server:
        server.connect("acc").close()
    equal(leftovers(), [])


def test_something_in_the_way():
    """A file that is no socket is left alone"""
    path = os.path.join(DIRECTORY, "acc.sock")
    with open(path, "w", encoding="ascii") as file:
        file.write("precious")
    fails(1, "in the way", "--dir", DIRECTORY, "--device", ACCELERATOR)
    with open(path, encoding="ascii") as file:
        equal(file.read(), "precious")
    os.unlink(path)


def test_replaced_socket():
    """A socket that is not the program's own any more is left alone at the end"""
    server = Endpoints(ACCELERATOR, directory=DIRECTORY)
    path = server.path("acc")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        server.stop(check=False)
        equal((server.process.returncode, os.path.exists(path)), (0, True))
    os.unlink(path)


def test_second_client():
    """A second client of a device is turned away at once, and the first goes on"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("acc") as first:
        for _ in range(3):
            with server.connect("acc", negotiate=False) as second:
                true(second.at_end(), "the second client was not turned away")
        with server.connect("dma") as other:
            equal(other.device_info()[0], 16, "argsz")
        equal(first.device_info()[0], 16, "argsz")
        server.wait_log("turned away: another client is connected")


def test_successor_before_the_end():
    """A client that came a moment before the first one left is let in"""
    with Endpoints(ACCELERATOR) as server:
        for _ in range(5):
            first = server.connect("acc")
            server.process.send_signal(signal.SIGSTOP)
            second = server.connect("acc", negotiate=False)
            first.close()
            server.process.send_signal(signal.SIGCONT)
            second.call(vu.VERSION, vu.version_payload())
            second.close()


def test_nobody_reads_the_log():
    """The program lives on when nobody reads its standard error any more"""
    process = subprocess.Popen([PROGRAM, "--dir", DIRECTORY, "--device", ACCELERATOR],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    equal(process.stdout.readline(), b"ready\n")
    process.stderr.close()
    for _ in range(3):
        with vu.Client(os.path.join(DIRECTORY, "acc.sock")) as client:
            equal(client.device_info()[0], 16, "argsz")
    process.terminate()
    equal(process.wait(vu.SECONDS), 0, "exit code")
    process.stdout.close()


def test_client_that_says_nothing():
    """A client that does not even negotiate has the device until it goes"""
    with Endpoints(ACCELERATOR) as server:
        with server.connect("acc", negotiate=False):
            with server.connect("acc", negotiate=False) as second:
                true(second.at_end(), "the second client was not turned away")
        with server.connect("acc") as third:
            equal(third.device_info()[0], 16, "argsz")


def test_reconnect():
    """A successor can come at once, again and again, and finds the device as after a reset"""
    with Endpoints(ACCELERATOR) as server:
        fds = None
        for i in range(300):
            with server.connect("acc") as client:
                equal(client.config_read(4, 2) & 6, 0, "command register")
                equal(client.config_read(0x10, 4), 0, "BAR0")
                client.config_write(4, 2, 6)
                client.config_write(0x10, 4, 0xfe000000)
                if i % 2:
                    client.send_raw(b"\0" * 5)
                fds = fds or server.fds()
                settles(server.open_fds, fds, "descriptors")


def test_two_machines():
    """Two machines can use one fabric side by side, and one can restart"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as stays:
        for _ in range(10):
            with server.connect("acc") as client:
                client.dma_map(0, 4096)
            equal(stays.device_info()[0], 16, "argsz")


def test_out_of_descriptors():
    """Without descriptors clients are turned away, and served again when there are some"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("acc") as client:
        client.device_info()
        used = server.fds()
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used, hard))
        with server.connect("dma", negotiate=False) as turned_away:
            true(turned_away.at_end(), "accepted without descriptors")
        settles(server.fds, used, "descriptors, the spare one included")
        ram = vu.memfd(4096)
        dma_map = struct.pack("=IIQQQ", 32, 3, 0, 0x100000, 4096)
        for _ in range(3):
            equal(client.refused(vu.DMA_MAP, dma_map, [ram]), "EINVAL", "the descriptor got lost")
        equal(client.device_info()[0], 16, "argsz")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        with server.connect("dma") as served:
            equal(served.device_info()[0], 16, "argsz")
        server.wait_log("dma: client turned away: too many open files")
        os.close(ram)


def test_idle():
    """With clients and nothing to do the program uses no time"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("acc"), server.connect("dma"):
        time.sleep(0.2)
        before = cpu_ticks(server)
        time.sleep(0.5)
        true(cpu_ticks(server) - before <= 2, f"{cpu_ticks(server) - before} ticks in 0.5 s")


def cpu_ticks(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


run(globals(), lambda: shutil.rmtree(DIRECTORY))

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: tphbuf serve with 1,000 connections, 100,000 hand-overs, clients that are killed at random and clients that
flood it or do not receive: it keeps nothing of them, and a client that behaves does not wait for the others.

The last argument is the program of the clients.
"""
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

LOAD = sys.argv.pop()

from fake_machine import BDF, BOUND, FAKE, PAGE, Tree, ok, run_tests, same, wait_for  # pylint: disable=wrong-import-position
import tap  # pylint: disable=wrong-import-position

WORKERS, CONNECTIONS, HANDOVERS = 20, 50, 100000
LIMIT_MS = 1000


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """Bytes of memory that are the process's own."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        _, resident, shared = statm.read().split()[:3]
    return (int(resident) - int(shared)) * PAGE


class Crowd:
    """Processes of clients, and how often they have been killed."""

    def __init__(self, path, counter):
        self.path, self.counter = path, counter
        self.processes, self.killed = [], 0
        self.ended = []

    def start(self, kind, connections=CONNECTIONS):
        self.processes.append((kind, subprocess.Popen([LOAD, self.path, "frames", str(connections), self.counter, kind],
                                                      stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))

    def kill(self, index):
        kind, process = self.processes.pop(index)
        process.send_signal(signal.SIGKILL)
        # One that behaves has nothing to complain of. The others are disconnected, which they may notice.
        if process.wait() != -signal.SIGKILL and kind == "get":
            self.ended.append(process.returncode)
        self.killed += 1
        return kind

    def replace_one(self):
        self.start(self.kill(random.randrange(len(self.processes))))

    def end(self):
        while self.processes:
            self.kill(0)

    def total(self):
        with open(self.counter, "rb") as file:
            return int.from_bytes(file.read(8), sys.byteorder)


def wait_ms(path):
    """How long a client that comes anew waits for its buffer, with all that belongs to a connection."""
    start = time.monotonic()
    done = subprocess.run([FAKE, "get", "--socket", path, "frames", "true"], timeout=60, capture_output=True, text=True)
    if done.returncode:
        tap.diag(done.stderr)
    return (time.monotonic() - start) * 1000 if done.returncode == 0 else float("inf")


def test_load():
    with tempfile.TemporaryDirectory() as place, Tree(*BOUND) as tree:
        path, counter = f"{place}/socket", f"{place}/counter"
        with open(counter, "wb") as file:
            file.write(bytes(8))
        command = tree.command("serve", "--socket", path, "-d", BDF, "--max-clients", "4000", "--max-per-user", "4000",
                               "--buffer", "frames", "--bar", "2", "--st", "7")
        # AddressSanitizer keeps what was freed, up to 256 MiB, unless it is told not to.
        env = tree.environment()
        env["ASAN_OPTIONS"] = f"{env.get('ASAN_OPTIONS', '')}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
            server.stdout.readline()
            before = files(server.pid)
            alone = statistics.median(wait_ms(path) for _ in range(10))
            crowd = Crowd(path, counter)
            for _ in range(WORKERS):
                crowd.start("get")
            ok(wait_for(lambda: files(server.pid) >= before + WORKERS * CONNECTIONS), "1,000 connections", files(server.pid))
            for kind in ("deaf", "rubbish", "churn"):
                crowd.start(kind)
            waits, warm = [], 0
            deadline = time.monotonic() + 120
            while crowd.total() < HANDOVERS and time.monotonic() < deadline:
                crowd.replace_one()
                waits.append(wait_ms(path))
                if not warm and crowd.total() > HANDOVERS // 4:
                    warm = memory(server.pid)
            total, used, seconds = crowd.total(), memory(server.pid), time.monotonic() - deadline + 120
            ok(total >= HANDOVERS, f"{HANDOVERS} hand-overs, {crowd.killed} processes killed", total)
            ok(crowd.killed >= 20, "clients were killed meanwhile", crowd.killed)
            ok(used < warm + (1 << 20), "the server's memory does not grow", warm, used)
            ok(max(waits) < LIMIT_MS, f"no client waits on another longer than {LIMIT_MS} ms", sorted(waits)[-5:])
            tap.diag(f"{total} hand-overs in {seconds:.1f} s; a new process with one waits {statistics.median(waits):.0f} ms, "
                     f"at most {max(waits):.0f} ms, alone {alone:.0f} ms; the server's memory {warm >> 10} KiB, then "
                     f"{used >> 10} KiB")
            crowd.end()
            ok(wait_for(lambda: files(server.pid) == before), "its files are those of the start", before, files(server.pid))
            same(crowd.ended, [], "clients ran until they were killed")
            same(server.poll(), None, "it still runs")
            ok(wait_ms(path) < LIMIT_MS, "and serves")
            server.terminate()
            server.wait(timeout=60)


run_tests((test_load,))

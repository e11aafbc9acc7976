# SPDX-License-Identifier: GPL-2.0-or-later
"""The mlx5 devices of a suite: their driver, their state page, and the programs of rdma-core on them."""

import contextlib
import mmap
import os
import subprocess
import time
from pathlib import Path

import tap
from lab import trace
from lab.registers import Registers

DRIVER = Path("/sys/bus/pci/drivers/mlx5_core")
LISTENING = "0A"
PAGE = 4096
# How long a program, or a change in the device, may take.
PATIENCE = 30 * tap.SLOWDOWN
TRACE = Path("/job/trace.txt")
# Bytes of operands that an AtomicOp has.
OPERANDS = {"FAdd": 8, "CAS": 16}
# What a driver holds; all 0 after it has left.
OBJECTS = ("HCA", "PAGES", "UARS", "PDS", "XRCDS", "EQS", "CQS", "MKEYS", "SRQS", "QPS", "TRANSLATIONS")
# Objects of processes. Memory keys are not among them: the driver keeps those of ended processes in a pool.
OF_PROCESSES = ("UARS", "PDS", "CQS", "SRQS", "QPS")
# Counters of faults that no program of ours causes, whichever end leaves first.
FAULTLESS = ("UNKNOWN_COMMANDS", "FAILED_COMMANDS", "BAD_REGISTERS", "BAD_DOORBELLS", "DMA_ERRORS", "FATAL_ERRORS",
             "PAGE_FAULT_ERRORS")

STATE = Registers("mlx5_state.h")
# Those in the state page, by name.
REGISTERS = {name: number for name, number in STATE.prefixed("MLX5_STATE_").items()
             if number < STATE.MLX5_STATE_REGISTERS}

_ports = iter(range(18515, 18999))


def nics():
    """Names of all mlx5 devices of the suite."""
    names = [name.removeprefix("TPHBUF_DEV_").lower() for name in os.environ if name.startswith("TPHBUF_DEV_NIC")]
    return sorted(names)


def address(name):
    """PCI address of a device of the suite, "nic0"."""
    return os.environ[f"TPHBUF_DEV_{name.upper()}"]


def sysfs(name):
    return Path("/sys/bus/pci/devices") / address(name)


def wait_for(what, condition, seconds=PATIENCE):
    """Return what @condition() gives as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        tap.true(time.monotonic() < end, f"not after {seconds} s: {what}")
        time.sleep(0.05)


def state(name):
    """All registers of the state page by name."""
    fd = os.open(sysfs(name) / "resource0", os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    try:
        with mmap.mmap(fd, PAGE, offset=STATE.MLX5_STATE_PAGE) as page, memoryview(page).cast("Q") as words:
            values = {register: int.from_bytes(words[number].to_bytes(8, "little"), "big")
                      for register, number in REGISTERS.items()}
    finally:
        os.close(fd)
    tap.equal(values["ID"], STATE.MLX5_STATE_MAGIC, f"{name}: first register of the state page")
    return values


def objects(name, names=OBJECTS):
    """The counts of objects."""
    values = state(name)
    return {register: values[register] for register in names}


def ib_device(name):
    """Name of the InfiniBand device, "mlx5_0", or None."""
    try:
        names = os.listdir(sysfs(name) / "infiniband")
    except FileNotFoundError:
        return None
    return names[0] if names else None


def active(name):
    """Whether the port is active."""
    device = ib_device(name)
    try:
        return device and Path(f"/sys/class/infiniband/{device}/ports/1/state").read_text() == "4: ACTIVE\n"
    except OSError:
        return False


def wait_active(name):
    """Wait until the driver has the device and its port is active."""
    wait_for(f"{name} has an active port", lambda: active(name))


def unbind(name):
    (DRIVER / "unbind").write_text(address(name))
    tap.equal(ib_device(name), None, f"InfiniBand device of {name} without a driver")


def bind(name):
    (DRIVER / "bind").write_text(address(name))
    wait_active(name)


def expect_empty(name):
    """Nothing is left in the model."""
    tap.equal(objects(name), dict.fromkeys(OBJECTS, 0), f"{name} without a driver")


def loopback_up():
    """The programs find each other through the loopback interface."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def run(*command, seconds=PATIENCE):
    """Output of a program that has to end well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    tap.equal(done.returncode, 0, f"{' '.join(command)}: {done.stdout}{done.stderr}\nexit status")
    return done.stdout


def _listens(port):
    lines = [line for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == LISTENING for line in lines)


def _atomics(name, kind, begin):
    """The AtomicOps of a device that the trace has behind byte @begin."""
    with open(TRACE, "rb") as file:
        file.seek(begin)
        lines = file.read().decode("ascii").split("\n")[1:-1]
    bdf = address(name).removeprefix("0000:")
    return [tlp for tlp in (trace.parse_line(line) for line in lines) if tlp.kind == kind and tlp.requester == bdf]


@contextlib.contextmanager
def expect_atomics(name, kind, count):
    """What follows makes a device send at least @count AtomicOps, without hints; all are completed."""
    begin = TRACE.stat().st_size
    yield
    wait_for(f"{kind} in the trace", lambda: len(_atomics(name, kind, begin)) >= count)
    for tlp in _atomics(name, kind, begin):
        tap.equal((tlp.length, tlp.tag, tlp.result), (OPERANDS[kind], None, "ok"),
                  f"{kind} {tlp.number}: bytes, hint, result")


@contextlib.contextmanager
def listening(program, option):
    """A server that is told its port by @option and runs until the end; gives the port."""
    port = next(_ports)
    server = subprocess.Popen([program, option, str(port)], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        wait_for(f"{program} listens", lambda: server.poll() is not None or _listens(port))
        yield port
    finally:
        server.kill()
        server.wait()


class Pair:
    """The two ends of a program of rdma-core or perftest, each a process, on a device each."""

    def __init__(self, server, client, *command):
        port = next(_ports)
        self.command = command
        program = [*command, "-p", str(port)]
        self.server = self._start(server, program)
        wait_for(f"{command[0]} listens", lambda: self.server.poll() is not None or _listens(port))
        if self.server.poll() is not None:
            raise AssertionError(f"{' '.join(program)} ended with {self.server.returncode}: {self.server.stdout.read()}")
        self.client = self._start(client, program + ["127.0.0.1"])

    @staticmethod
    def _start(name, program):
        return subprocess.Popen([*program, "-d", ib_device(name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, text=True)

    def finish(self, seconds=PATIENCE):
        """Wait for both to end well; returns the output of the client."""
        ends = (self.client, self.server)
        try:
            outputs = [end.communicate(timeout=seconds)[0] for end in ends]
        finally:
            self.kill()
        tap.equal([end.returncode for end in ends], [0, 0], f"{' '.join(self.command)}: {outputs}\nexit status")
        return outputs[0]

    def kill(self):
        """End both, if they have not ended."""
        for end in (self.client, self.server):
            end.kill()
            end.wait()
            end.stdout.close()


def pingpong(server, client, *options):
    """ibv_rc_pingpong to its end, both sides comparing what they receive."""
    return Pair(server, client, "ibv_rc_pingpong", "-c", *options).finish()


@contextlib.contextmanager
def endless(server, client, *command):
    """A program that does not get to its end: packets flow when this is entered, both sides are killed at the end."""
    before = state(client)["SENT_PACKETS"]
    pair = Pair(server, client, *command)
    try:
        wait_for("packets flow", lambda: state(client)["SENT_PACKETS"] > before + 100)
        yield pair
    finally:
        pair.kill()

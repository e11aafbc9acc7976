# SPDX-License-Identifier: GPL-2.0-or-later
"""One client sends garbage; what the others do goes on, and every byte is right."""
import os
import random
import select
import threading
import time

import vfio_user as vu
from devices import ENGINE, Accelerator, DmaEngine, Ram
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import diag, equal, run, true

SERVER = Endpoints(ACCELERATOR, DMA_ENGINE, "accelerator,name=victim,bdf=00:06.0",
                   "dma-engine,name=victim2,bdf=00:07.0")
RAM = 0x100000
SECONDS = float(os.environ.get("TPHBUF_ISOLATION_SECONDS", "1"))


class Traffic:
    """Copies from memory to the accelerator in a thread, each compared byte for byte."""

    def __init__(self):
        self.copies = 0
        self.failure = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def _run(self):
        try:
            with (Ram(RAM, 1 << 20) as ram, Accelerator(SERVER.connect("acc")) as acc,
                  DmaEngine(SERVER.connect("dma")) as engine):
                ram.map(acc, engine)
                engine.client.dma_map(acc.mem, acc.size)
                engine.start(RAM)
                while not self.stop.is_set():
                    self._copy(ram, acc, engine)
        except Exception as failure:
            self.failure = failure

    def _copy(self, ram, acc, engine):
        data = os.urandom(random.randrange(1, 20000))
        offset = random.randrange(1 << 20)
        ram.write(RAM + 0x10000, data)
        equal(engine.copy(ram, RAM + 0x10000, acc.mem + offset, len(data)),
              ENGINE.DMA_ENGINE_DONE_OK, "status")
        equal(acc.memory[offset:offset + len(data)] == data, True, "data")
        self.copies += 1


def attack(step, names=("victim", "victim2")):
    """Lets step(client, random) loose on fresh connections for a while, beside the traffic."""
    rng = random.Random(os.environ.get("TPHBUF_SEED", "1"))
    rounds = 0
    with Traffic() as traffic:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and traffic.failure is None:
            try:
                with SERVER.connect(rng.choice(names)) as client:
                    client.sock.settimeout(5)
                    step(client, rng)
            except (vu.Closed, vu.Refused, BrokenPipeError, ConnectionResetError):
                pass
            rounds += 1
    diag(f"{rounds} rounds of attack, {traffic.copies} copies beside them")
    if traffic.failure:
        raise traffic.failure
    true(rounds >= 3, f"only {rounds} rounds of attack")
    true(traffic.copies >= 3, f"only {traffic.copies} copies beside {rounds} rounds")
    true(SERVER.alive(), "the server is dead")


def test_random_bytes():
    """Random bytes"""
    def step(client, rng):
        client.send_raw(rng.randbytes(rng.randrange(1, 5000)))
    attack(step)


def test_random_payloads():
    """Good headers in front of random payloads"""
    def step(client, rng):
        for _ in range(100):
            command = rng.randrange(1, 19)
            size = rng.choice((0, 8, 16, 20, 24, 32, rng.randrange(200)))
            client.send(command, rng.randbytes(size), flags=rng.choice((0, vu.NO_REPLY)))
    attack(step)


def test_random_fields():
    """Good messages with single fields spoilt, and descriptors"""
    good = {
        vu.DMA_MAP: bytes.fromhex("20000000030000000000000000000000") + b"\0\0\1\0\0\0\0\0" * 2,
        vu.DMA_UNMAP: bytes.fromhex("1800000000000000") + b"\0\0\1\0\0\0\0\0" * 2,
        vu.DEVICE_SET_IRQS: bytes.fromhex("1400000024000000020000000000000001000000"),
        vu.REGION_READ: bytes(8) + b"\7\0\0\0\4\0\0\0",
        vu.REGION_WRITE: bytes(8) + b"\7\0\0\0\4\0\0\0" + bytes(4),
        vu.DEVICE_GET_REGION_INFO: b"\x20" + bytes(31),
    }
    fds = [vu.memfd(1 << 20), vu.eventfd(), os.open("/dev/null", os.O_RDWR)]

    def step(client, rng):
        for _ in range(100):
            command, payload = rng.choice(list(good.items()))
            payload = bytearray(payload)
            for _ in range(rng.randrange(3)):
                payload[rng.randrange(len(payload))] = rng.choice((0, 1, 0x7f, 0x80, 0xff))
            chosen = rng.choices(fds, k=rng.choice((0, 0, 1, 2)))
            client.send(command, bytes(payload), chosen, flags=rng.choice((0, vu.NO_REPLY)))
        last = client.send(vu.DEVICE_GET_INFO, b"\x10" + bytes(15))
        reply = None
        while reply is None or reply.id != last:
            reply = client.receive()
            for fd in reply.fds:
                os.close(fd)
    names = ("acc", "dma", "victim", "victim2")
    before = SERVER.fds_with(*names)
    attack(step)
    for fd in fds:
        os.close(fd)
    settles(lambda: SERVER.fds_with(*names), before, "descriptors")


def test_never_reads():
    """Clients that send and never read"""
    def step(client, _rng):
        client.sock.setblocking(False)
        message = vu.header(vu.REGION_READ, 16) + bytes(8) + b"\7\0\0\0\0\x10\0\0"
        for _ in range(200):
            try:
                client.sock.send(message * 64)
            except BlockingIOError:
                time.sleep(0.001)
    attack(step)


def test_stuck_dma():
    """A DMA engine whose client never answers"""
    def step(client, rng):
        engine = DmaEngine(client)
        client.dma_map(0, 1 << 20)
        engine.start(0)
        engine.doorbell()
        client.receive_command()
        client.send_raw(rng.randbytes(rng.randrange(64)))
    attack(step, ["victim2"])


def test_wrong_replies():
    """A DMA engine whose client answers at random"""
    def step(client, rng):
        engine = DmaEngine(client)
        client.dma_map(0, 1 << 20)
        for _ in range(20):
            if not client.commands and not select.select([client.sock], [], [], 0.01)[0]:
                engine.write(ENGINE.DMA_ENGINE_REG_CONTROL, ENGINE.DMA_ENGINE_CONTROL_RESET)
                engine.start(0)
                engine.doorbell()
                continue
            command = client.receive_command()
            kind = rng.randrange(4)
            if kind == 0:
                client.reply(command, error=rng.randrange(200))
            elif kind == 1:
                client.reply(command, rng.randbytes(rng.randrange(64)))
            else:
                count = int.from_bytes(command.payload[8:16], "little")
                data = rng.randbytes(count) if command.command == vu.DMA_READ else b""
                client.reply(command, command.payload[:16] + data)
    attack(step, ["victim2"])


run(globals(), SERVER.stop)

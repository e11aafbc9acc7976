# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that hand over things which wait for them: every other device is served."""
import contextlib
import errno
import os
import resource
import signal
import socket
import struct
import time

import vfio_user as vu
from devices import ENGINE, DmaEngine
from endpoints import ACCELERATOR, DMA_ENGINE, Endpoints, settles
from tap import SLOWDOWN, equal, run, true

PAGE = 4096
LINGER_SECONDS = 8
# A second is what it takes on a machine that does nothing else.
SERVED_SECONDS = 3 * SLOWDOWN
INFO = struct.pack("=IIII", 16, 0, 0, 0)


def served(server, name):
    """A client of the device is let in and answered, without waiting for what others wait for."""
    start = time.monotonic()
    with server.connect(name) as client:
        client.device_info()
    seconds = time.monotonic() - start
    true(seconds < SERVED_SECONDS, f"{name} answered after {seconds:.1f} s")


@contextlib.contextmanager
def stopped(server):
    """Holds the server still, so that what it receives has lost its other owner before."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def lingering_socket():
    """A TCP socket whose last close waits for a peer that does not read, and the peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sender.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            sender.send(b"x" * 65536)
    sender.setblocking(True)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER_SECONDS))
    return sender, peer


def test_full_eventfd():
    """An eventfd whose counter is full, and that may block, holds up nobody"""
    event = os.eventfd(0, os.EFD_CLOEXEC)
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as client:
        client.set_irqs(vu.SET_DATA_EVENTFD | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 1, fds=(event,))
        os.set_blocking(event, True)
        for _ in range(300):
            client.set_irqs(vu.SET_DATA_NONE | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 1)
        equal(os.eventfd_read(event), 300, "events")
        os.eventfd_write(event, 2**64 - 2)
        client.set_irqs(vu.SET_DATA_NONE | vu.SET_TRIGGER, vu.IRQ_MSIX, 0, 1)
        served(server, "acc")
        true(os.get_blocking(event), "the server has changed a flag of the client's descriptor")
    os.close(event)


def test_lingering_descriptor():
    """A descriptor whose close waits is closed beside the server's thread"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as client:
        sender, peer = lingering_socket()
        with peer:
            with stopped(server), sender:
                client.send(vu.DEVICE_GET_INFO, INFO, fds=(sender.fileno(),))
            equal(client.receive().error, errno.EINVAL, "a descriptor that the command does not take")
            served(server, "acc")
            client.device_info()


def test_lingering_in_the_socket():
    """So is one that the server has not received when its client leaves"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server:
        sender, peer = lingering_socket()
        with peer:
            with stopped(server), sender, server.connect("dma", negotiate=False) as client:
                client.send_raw(b"x", fds=(sender.fileno(),))
            served(server, "acc")
            served(server, "dma")


def test_foreign_file_system():
    """A file is mapped only where no process is asked for its pages: tmpfs, hugetlbfs"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as client:
        fd = os.open("/proc/self/maps", os.O_RDONLY)
        equal(client.refused(vu.DMA_MAP, struct.pack("=IIQQQ", 32, 1, 0, 0, PAGE), [fd]),
              "EMEDIUMTYPE", "a file of procfs")
        os.close(fd)
        server.wait_log("dma: DMA_MAP refused: the file is neither on tmpfs (a memfd is) nor on "
                        "hugetlbfs")


def test_many_files():
    """One device cannot take the descriptors and mappings that all share"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as client:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (128, 128))
        before = server.fds()
        maps, refusal = 0, None
        while refusal is None and maps < 2000:
            fd = vu.memfd(PAGE)
            try:
                client.dma_map(maps * PAGE, PAGE, fd)
                maps += 1
            except vu.Refused as refused:
                refusal = vu.errno_name(refused.code)
            os.close(fd)
        equal((maps, refusal), (512, "ENOSPC"), "files that are mapped")
        settles(server.fds, before, "descriptors")
        served(server, "acc")


def test_sparse_files():
    """Nor its address space: of a large file only the part that is announced is mapped"""
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as client:
        refusal = None
        for i in range(400):
            fd = os.memfd_create("sparse", os.MFD_CLOEXEC)
            os.ftruncate(fd, 1 << 46)
            try:
                client.dma_map(i * PAGE, PAGE, fd)
            except vu.Refused as refused:
                refusal = vu.errno_name(refused.code)
            os.close(fd)
        equal(refusal, "ENOSPC", "pages of files of 64 TiB")
        with server.connect("acc") as other:
            ram = vu.memfd(8 << 20)
            other.dma_map(0, 8 << 20, ram)
            equal(len(other.region_read(2, 0, 1 << 20)), 1 << 20, "a long read")
            os.close(ram)


def test_sealed_file():
    """A file that is sealed against writing can be announced for reading"""
    import fcntl
    fd = vu.memfd(PAGE, seal=False)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK)
    with Endpoints(ACCELERATOR, DMA_ENGINE) as server, server.connect("dma") as client:
        equal(client.refused(vu.DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, 0, PAGE), [fd]), "EACCES",
              "for writing")
        client.dma_map(0, PAGE, fd, flags=1)
    os.close(fd)


def test_reset_ends_dma():
    """A reset ends a DMA request that the client never answers, whoever asks for it"""
    def message_reset(engine):
        engine.client.reset()

    def register_reset(engine):
        engine.write(ENGINE.DMA_ENGINE_REG_CONTROL, ENGINE.DMA_ENGINE_CONTROL_RESET)

    def function_level_reset(engine):
        control = engine.capability(0x10) + 8
        engine.client.config_write(control, 2, engine.client.config_read(control, 2) | 0x8000)

    for reset in message_reset, register_reset, function_level_reset:
        with Endpoints(ACCELERATOR, DMA_ENGINE) as server, \
                DmaEngine(server.connect("dma")) as engine:
            engine.client.dma_map(0x10000, 0x20000)
            engine.start(0x10000)
            engine.doorbell()
            unanswered = engine.client.receive_command()
            reset(engine)
            engine.set_bar(0, 0xfe010000)
            engine.enable()
            engine.start(0x20000)
            engine.doorbell()
            command = engine.client.receive_command()
            equal((command.command, struct.unpack_from("=Q", command.payload)[0]),
                  (vu.DMA_READ, 0x20000), f"after {reset.__name__}: the new ring is read")
            engine.client.reply(unanswered, unanswered.payload + bytes(32))
            engine.client.device_info()
            true(command.id != unanswered.id, "the id is used again while its reply may come")


def test_unannounced_address():
    """An address that was not announced is refused without a message to the client"""
    with Endpoints(ACCELERATOR, DMA_ENGINE, trace=True) as server, \
            DmaEngine(server.connect("dma")) as engine:
        engine.start(0x10000)
        engine.doorbell()
        end = time.monotonic() + vu.SECONDS
        while not engine.read(ENGINE.DMA_ENGINE_REG_STATUS) & ENGINE.DMA_ENGINE_STATUS_RING_ERROR:
            true(time.monotonic() < end, "the engine does not stop with an error")
        engine.client.device_info()
        equal(engine.client.commands, [], "commands of the server")
        fault = [line for line in server.trace(until="result=fault") if "result=fault" in line]
        equal(len(fault), 1, "faults in the trace")


def try_to_connect(server, name):
    """0 when the device takes a client of this process, 1 when it turns it away, 2 for anything else."""
    try:
        with server.connect(name, negotiate=False) as client:
            client.send(vu.VERSION, vu.version_payload())
            return 1 if client.at_end() else 0
    except (BrokenPipeError, ConnectionResetError):
        return 1
    except Exception:
        return 2


def test_other_process():
    """A client of another process is turned away while one has a device, unless it is allowed"""
    for arguments, turned_away in ((), True), (("--any-process",), False):
        with Endpoints(ACCELERATOR, DMA_ENGINE, arguments=arguments) as server, \
                server.connect("acc"):
            served(server, "dma")
            child = os.fork()
            if not child:
                os._exit(try_to_connect(server, "dma"))
            equal(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), int(turned_away),
                  f"turned away with {arguments}")


if __name__ == "__main__":
    run(globals())

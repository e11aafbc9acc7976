# SPDX-License-Identifier: GPL-2.0-or-later
"""--stats: on SIGUSR1 the numbers of TLPs by requester, completer and tag, while clients are served."""
import re
import signal
import subprocess

from devices import ENGINE, TPH_DS, TPH_EXT, Accelerator, DmaEngine, Ram
from endpoints import ACCELERATOR, DMA_ENGINE, PROGRAM, STOP_SECONDS, Endpoints, environment, settles
from tap import equal, run

RAM, RAM_SIZE = 0x100000, 1 << 20
SRC = RAM + 0x10000
HINT = ENGINE.DMA_ENGINE_DESC_TH | 2 << ENGINE.DMA_ENGINE_DESC_PH_SHIFT
TAG = 0x4301    # adds: whole lanes
ROW = re.compile(r"^- +(\S+) +(\S+) +(\S+) +(no hint|st\S* ph=\d) +(\S+) +(\d+) +(\d+)$", re.MULTILINE)


def rows(text):
    """What a table says of the engine's writes to the accelerator: tag to (result, TLPs, bytes)."""
    return {tag: (result, int(tlps), int(size)) for requester, completer, kind, tag, result, tlps, size
            in ROW.findall(text) if (requester, completer, kind) == ("00:05.0", "00:04.0", "MWr")}


def ask(server, number):
    """SIGUSR1; returns the table, the @number'th one in the log."""
    server.process.send_signal(signal.SIGUSR1)
    settles(lambda: server.log().count("TLPs, "), number, "tables")
    return server.log().split("phase ")[number]


def test_counts():
    """each table counts all TLPs until then, by tag; the devices go on"""
    with Endpoints(ACCELERATOR, DMA_ENGINE, arguments=["--stats", "--unannounced-dma"]) as server:
        with Ram(RAM, RAM_SIZE) as ram, Accelerator(server.connect("acc")) as acc, \
                DmaEngine(server.connect("dma")) as engine:
            ram.map(acc, engine)
            engine.client.dma_map(acc.mem, acc.size)
            engine.start(RAM)
            equal(rows(ask(server, 1)), {}, "before")
            for _ in range(3):
                engine.copy(ram, SRC, acc.mem, 64)
            engine.set_tph(TPH_DS, TPH_EXT)
            engine.set_st(5, TAG)
            for _ in range(2):
                engine.copy(ram, SRC, acc.mem, 32, HINT, 5)
            want = {"no hint": ("ok", 3, 192), f"st-ext={TAG:#06x} ph=2": ("ok", 2, 64)}
            equal(rows(ask(server, 2)), want, "after five")
            engine.copy(ram, SRC, acc.mem, 32, HINT, 5)
            want[f"st-ext={TAG:#06x} ph=2"] = ("ok", 3, 96)
            equal(rows(ask(server, 3)), want, "after another")


def test_without():
    """without --stats nobody has asked for SIGUSR1, and it ends the program as any other does"""
    server = Endpoints(ACCELERATOR)
    server.process.send_signal(signal.SIGUSR1)
    equal(server.process.wait(STOP_SECONDS), -signal.SIGUSR1, "exit status")


def test_help():
    """--help names the option"""
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True, env=environment())
    equal("--stats" in done.stdout and "SIGUSR1" in done.stdout, True, done.stdout)


if __name__ == "__main__":
    run(globals())

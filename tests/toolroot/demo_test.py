# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo as a user sees it: exit status, last words and build/demo.json, in both domains, and by RDMA. Then its trace,
counted by tshark with the dissector, and its bytes, decoded by the specification."""

import contextlib
import functools
import io
import json
import os
import re
import tempfile
from collections import Counter, defaultdict

import dwords
import tap
import tshark
from lab import demo, progress, registers, vm

tap.TEST_SECONDS = 400
# Neither a multiple of a page nor of a TLP nor of a lane.
LENGTH = 123457
VARIANTS = (("identity", ""), ("translated", ""), ("identity", "mlx5"))
LINE = re.compile(r"(\d+) (\S+) -> (\S+) (\S+) (?:0x([0-9a-f]+) )?(.*)")


@functools.cache
def _run(domain, nic):
    """Figures of a demo, and its trace as pcapng and as text."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(number * number >> 5 & 0xff for number in range(LENGTH)))
        file.flush()
        os.environ.update(FILE=file.name, DOMAIN=domain, NIC=nic)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = demo.main([], contextlib.nullcontext)
    tap.diag(output.getvalue())
    tap.equal(status, 0, "exit status")
    tap.true(output.getvalue().count("PASS") == 1, "no verdict")
    job = vm.RUNS / "demo"
    return (json.loads(demo.JSON_FILE.read_text()), (job / "trace.pcapng").read_bytes(),
            (job / "trace.txt").read_text().splitlines())


def _figures(domain, nic=""):
    figures, _, _ = _run(domain, nic)
    tap.equal(figures["verdict"], "pass", "verdict")
    tap.equal(figures["nic"], nic or None, "nic")
    phases = {phase["name"]: phase for phase in figures["phases"]}
    tap.equal(tuple(phases), demo.PHASES, "phases")
    for name, phase in phases.items():
        tap.true(phase["data_ok"], f"{name}: data_ok")
        tap.equal(phase["wrong_tag"], 0, f"{name}: wrong_tag")
        if name == "revoked":
            tap.equal((phase["bytes"], phase["tlps"]), (0, 0), "revoked: bytes and TLPs")
        else:
            tap.true(LENGTH <= phase["bytes"] < LENGTH + 4, f"{name}: bytes {phase['bytes']}")
            tap.equal(phase["tagged"], phase["tlps"] if name in ("store", "add", "retagged") else 0, f"{name}: tagged")
    tap.equal(len({tag for phase in phases.values() for tag in phase["tags"]}), 3, "different tags")


def test_identity():
    """identity domain: the fabric routes, hints arrive"""
    _figures("identity")


def test_translated():
    """translated domain: through the root complex"""
    _figures("translated")


def test_mlx5():
    """NIC=mlx5: the same through RDMA"""
    _figures("identity", "mlx5")


FIELDS = ("frame.comment", "pcie.tlp.name", "tphbuf.requester", "tphbuf.completer", "pcie.tlp.address",
          "pcie.tlp.namespace", "pcie.tlp.st", "pcie.tlp.ph", "pcie.tlp.data", "tphbuf.vector")


class Phases:
    """TLPs by phase and tag, from what tshark prints. The engine writes to its descriptor ring as well, whose place the
    driver's register writes tell."""

    def __init__(self):
        self.tags = defaultdict(Counter)
        self.now = None
        engine = registers.Registers("dma_engine_regs.h")
        self.places = {engine.DMA_ENGINE_REG_RING_BASE: 0, engine.DMA_ENGINE_REG_RING_BASE + 4: 32}
        self.size = engine.DMA_ENGINE_REG_RING_SIZE
        self.ring = {}

    def take(self, comment, name, sender, receiver, address, space, st, ph, data, vector):
        if vector:
            return
        if name == "MWr" and sender == "rc":
            offset, value = int(address, 16) & 0xfff, int.from_bytes(bytes.fromhex(data), "little")
            if offset in self.places or offset == self.size:
                self.ring[receiver, offset] = value
        if comment.startswith("phase "):
            words = comment.split()
            self.now = words[1], *(word.partition("=")[2] for word in words[2:4])
        elif comment == "end":
            self.now = None
        elif self.now and name == "MWr" and (sender, receiver) == self.now[1:] and not self._own(sender, int(address, 16)):
            self.tags[self.now[0]][f"st{'-ext' if space == '16' else ''}={st if space == '16' else '0x' + st[-2:]} ph={ph}"
                                   if space else None] += 1

    def _own(self, sender, address):
        start = sum(self.ring.get((sender, offset), 0) << shift for offset, shift in self.places.items())
        return start <= address < start + self.ring.get((sender, self.size), 0) * demo.DESCRIPTOR_SIZE


def test_tshark_counts_the_same():
    """tshark, with the dissector, finds the TLPs of demo.json: by phase and tag"""
    for variant in VARIANTS:
        figures, trace, _ = _run(*variant)
        counted = Phases()
        for row in tshark.fields(trace, *FIELDS):
            counted.take(*row)
        for phase in figures["phases"]:
            wanted = Counter(phase["tags"])
            wanted[None] += phase["tlps"] - phase["tagged"]
            tap.equal(+counted.tags[phase["name"]], +wanted, f"{variant}, {phase['name']}: tshark's counts and demo.json's")


def _fields(line):
    """Fields of a line of the text form that the bytes of the TLP have to tell."""
    number, sender, receiver, kind, address, rest = LINE.fullmatch(line).groups()
    words = dict(word.split("=", 1) for word in rest.split())
    # An interrupt is a write.
    kind = kind.replace("MSI-X", "MWr")
    tlp = {"requester": sender, "type": kind, "len": int(words["len"]), "th": int(words.get("th", 0))}
    if "value" in words:
        tlp["value"] = int(words["value"], 16)
    if kind.startswith("Cpl"):
        tlp |= {"status": words["status"], "byte-count": int(words["byte-count"]), "tag": int(words["tag"]), "to": receiver,
                "lower-address": int(words["lower-address"], 16)}
        return (int(number), receiver), tlp
    tlp["address"] = int(address, 16)
    if tlp["th"]:
        tlp["ph"] = int(words["ph"])
        tlp |= {key: int(words[key], 16) for key in ("st", "st-ext") if key in words}
    if not (tlp["th"] and not kind.startswith("MWr")):
        tlp["be"] = words["be"]
    if not (tlp["th"] and kind.startswith("MWr")):
        tlp["tag"] = int(words.get("tag", 0))
    return (int(number), receiver), tlp


def test_bytes_by_the_specification():
    """the DWs of each TLP, decoded by the specification, say what its line says; a line for each packet"""
    for variant in VARIANTS:
        _, trace, lines = _run(*variant)
        packets = list(dwords.packets(trace))
        tap.equal(len(packets), len(lines), f"{variant}: packets and lines")
        kinds = Counter()
        for (number, receiver, data, full), line in zip(packets, lines):
            place, wanted = _fields(line)
            tap.equal((number, receiver), place, f"{variant}: header of the packet of {line!r}")
            got = dwords.decode(data, full)
            if "value" not in wanted:
                got.pop("value", None)
            tap.equal(got, wanted, f"{variant}: {data[:20].hex()} of {line!r}")
            kinds[got["type"], "st" in got, "st-ext" in got] += 1
        tap.diag(f"{variant}: {dict(kinds)}")
        tap.true(kinds["CplD", False, False] > 100, f"{variant}: no completions were checked")
        tap.true(kinds["MWr32", False, True] + kinds["MWr64", False, True] > 100, f"{variant}: no tags were checked")


def test_refused():
    """a NIC that there is not, and one where the demo cannot count"""
    for variables in ({"NIC": "mlx4", "DOMAIN": ""}, {"NIC": "mlx5", "DOMAIN": "translated"}):
        os.environ.update(variables)
        try:
            demo.main([], contextlib.nullcontext)
        except progress.StepError:
            continue
        raise AssertionError(f"taken: {variables}")


if __name__ == "__main__":
    tap.run(globals())

# SPDX-License-Identifier: GPL-2.0-or-later
"""make demo: send a file into the accelerator in several phases and count, in the trace of the fabric, what went
over the wire. The guest (guest/demo) says what should have happened; every count comes from the trace."""

import functools
import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lab import PROJECT, cache, kernel, page, prepare, progress, registers, topology, trace, vm

JSON_FILE = PROJECT / "build/demo.json"
PHASES = ("untagged", "store", "add", "retagged", "cleared", "revoked")
MIB = 1 << 20
DESCRIPTOR_SIZE = 32
# What writes into the accelerator, by NIC=; tphbuf-endpoints serves it second.
SENDERS = {"": "dma-engine,name=dma0", "mlx5": "mlx5,name=nic0"}
# The guest writes at an offset into a BAR range of its own choice.
BAR_SLACK = 4 * MIB
BAR_MIN = 64 * MIB
BAR_MAX = 8 << 30


@dataclass
class Phase:
    """What the trace says about one phase, beside what the guest expects and reports."""

    name: str
    expected: dict
    bytes: int = 0
    tlps: int = 0
    tags: Counter = field(default_factory=Counter)
    wrong_tag: int = 0
    odd: dict = field(default_factory=dict)  # what is odd about single TLPs, with their numbers
    wrong: list = field(default_factory=list)
    marks: list = field(default_factory=list)

    @functools.cached_property
    def tag(self):
        """trace.Tag that every TLP of the phase has to carry, or None."""
        if self.expected["tag"] == "none":
            return None
        space, _, value = self.expected["tag"].partition("=")
        return trace.Tag(space == "st-ext", int(value, 16), self.expected["ph"])

    @property
    def tagged(self):
        return sum(self.tags.values())


class Count:
    """Goes through the trace once and puts every write of the sender to its phase, if it is payload.

    The DMA engine also writes to its descriptor ring, whose place the driver's register writes tell. A NIC also writes
    to its queues, behind the root complex and without hints.
    """

    def __init__(self, records, accelerator, engine, domain, nic=""):
        self.accelerator = accelerator
        self.engine = engine
        self.own = self._to_queue if nic else self._in_ring
        self.destination = accelerator if domain == "identity" else "rc"
        self.phases = [Phase(record["phase"], record) for record in records]
        self.begin = {phase.expected["mark"]: phase for phase in self.phases}
        self.end = {phase.expected["mark_end"]: phase for phase in self.phases}
        self.current = None
        self.mark = registers.Registers("accelerator_regs.h").ACC_REG_MARK
        engine_regs = registers.Registers("dma_engine_regs.h")
        self.base, self.size = engine_regs.DMA_ENGINE_REG_RING_BASE, engine_regs.DMA_ENGINE_REG_RING_SIZE
        self.ring = {}

    def read(self, tlps):
        for tlp in tlps:
            if tlp.requester == "rc":
                if trace.register_write(tlp, self.accelerator) == self.mark:
                    self._divide(tlp.value)
                offset = trace.register_write(tlp, self.engine)
                if offset in (self.base, self.base + 4, self.size):
                    self.ring[offset] = tlp.value
            elif self.current and tlp.kind == "MWr" and tlp.requester == self.engine and not self.own(tlp):
                self._add(self.current, tlp)

    def _divide(self, value):
        if value in self.begin:
            self.current = self.begin[value]
            self.current.marks.append("begin")
        elif value in self.end:
            self.end[value].marks.append("end")
            self.current = None

    def ring_range(self):
        """Bus address and bytes of the descriptor ring."""
        start = self.ring.get(self.base, 0) | self.ring.get(self.base + 4, 0) << 32
        return start, self.ring.get(self.size, 0) * DESCRIPTOR_SIZE

    def _in_ring(self, tlp):
        start, length = self.ring_range()
        return start <= tlp.address < start + length

    @staticmethod
    def _to_queue(tlp):
        return tlp.completer == "rc" and not tlp.tag

    def _add(self, phase, tlp):
        phase.tlps += 1
        phase.bytes += tlp.length
        if tlp.tag:
            phase.tags[tlp.tag] += 1
            phase.wrong_tag += tlp.tag != phase.tag
        if tlp.result != "ok":
            phase.odd.setdefault(f"ended as '{tlp.result}'", []).append(tlp.number)
        if tlp.completer != self.destination:
            phase.odd.setdefault(f"went to {tlp.completer}, not to {self.destination}", []).append(tlp.number)


def judge(phase):
    """Add to phase.wrong whatever is not as the guest says it should be."""
    record = phase.expected
    if phase.marks != ["begin", "end"]:
        phase.wrong.append("its marks are not in the trace once each, in order")
    for what, numbers in phase.odd.items():
        phase.wrong.append(f"{len(numbers):,} TLPs {what}, the first is number {numbers[0]}")
    if phase.bytes != record["bytes"]:
        phase.wrong.append(f"{phase.bytes} bytes on the wire, {record['bytes']} were sent")
    if record["op"] != "none" and not phase.tlps:
        phase.wrong.append("no TLP on the wire")
    if record["op"] == "none" and phase.tlps:
        phase.wrong.append(f"{phase.tlps} TLPs after the buffer was revoked")
    if phase.tag and phase.tagged != phase.tlps:
        phase.wrong.append(f"{phase.tlps - phase.tagged} TLPs without a hint")
    if phase.wrong_tag:
        phase.wrong.append(f"{phase.wrong_tag} TLPs with a hint other than {phase.tag or 'none'}")
    if not record["data_ok"]:
        phase.wrong.append("the accelerator's memory is wrong")
    if not record["ok"]:
        phase.wrong.append(f"guest: {record['why']}")


def _records(job):
    """Records of the guest program; StepError with its own words when it did not get to its end."""
    path = job / "demo.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    errors = [record["error"] for record in records if record.keys() == {"error"}]
    if errors:
        raise progress.StepError(f"the demo's guest program: {errors[0]}", log=job / "console.log")
    if not records or "end" not in records[-1]:
        raise progress.StepError("the demo's guest program did not get to its end", log=job / "console.log",
                                 tail=(job / "demo.err").read_text().splitlines()[-10:]
                                 if (job / "demo.err").is_file() else ())
    phases = [record for record in records if "phase" in record]
    if tuple(record["phase"] for record in phases) != PHASES:
        raise progress.StepError(f"the guest reports the phases {', '.join(record['phase'] for record in phases)}")
    return phases


def _bar_size(length):
    size = BAR_MIN
    while size < length + BAR_SLACK:
        size *= 2
    if size > BAR_MAX:
        raise progress.StepError(f"FILE is too large: it has {length:,} bytes, the accelerator's memory at most "
                                 f"{BAR_MAX >> 30} GiB, of which {BAR_SLACK // MIB} MiB are kept free")
    return size


def _memory(length):
    """MiB of memory for a guest that keeps the file, what memory should be and what it reads back."""
    return 1024 + 4 * (length // MIB)


def _own_file(name):
    """The file that FILE= names, when it is one that can be sent."""
    path = Path(name)
    if not path.exists():
        raise progress.StepError(f"FILE={name} does not exist")
    if not path.is_file():
        raise progress.StepError(f"FILE={name} is no regular file")
    if not os.access(path, os.R_OK):
        raise progress.StepError(f"FILE={name} may not be read: no permission")
    length = path.stat().st_size
    if not length:
        raise progress.StepError(f"FILE={name} is empty: there is nothing to send")
    _bar_size(length)
    available = vm.memory_of_host()
    if _memory(length) > available:
        raise progress.StepError(f"FILE={name} is too large for this machine: the virtual machine would take "
                                 f"{_memory(length):,} MiB of memory, {available:,} MiB are free")
    return path


def _run(prepared, path, domain, nic):
    """Run the guest program; returns the machine's result and the addresses of accelerator and engine."""
    length = path.stat().st_size
    devices = [f"accelerator,name=acc0,completer=ext,size={_bar_size(length) // MIB}M", SENDERS[nic]]
    modules = [] if nic else [prepared.module(kernel.DEMO, "tph_dma")]
    job = vm.prepare("demo")
    machine = vm.Machine(prepared.root, prepared.kernels[kernel.DEMO], devices, domain, modules,
                         input=True, memory=f"{_memory(length)}M", pcapng=True)
    (job / "input").mkdir()
    shutil.copyfile(path, job / "input/file")
    script = "/build/guest/demo/demo /mnt/file >demo.jsonl 2>demo.err\n"
    with progress.step("virtual machine") as step:
        def watch():
            ended = (job / "demo.jsonl").read_text().count('"phase"') if (job / "demo.jsonl").is_file() else None
            step.detail = "booting" if ended is None else f"phase {min(ended + 1, len(PHASES))} of {len(PHASES)}"
            step.fraction = (ended or 0) / len(PHASES)
        result = vm.run(machine, job, script, timeout=120 + length // MIB, watch=watch)
        step.detail = f"{nic or 'DMA engine'}, {domain} domain"
    cache.remove(job / "input")
    return result


def _hints(phase):
    """The hints of a phase as counted on the wire; how often, where they differ."""
    counts = [(str(tag), count) for tag, count in phase.tags.most_common(3)]
    if len(phase.tags) > 3:
        counts.append((f"{len(phase.tags) - 3} more", phase.tagged - sum(count for _, count in counts)))
    if phase.tlps - phase.tagged:
        counts.append(("none", phase.tlps - phase.tagged))
    return [text if count == phase.tlps else f"{count:,} {text}" for text, count in counts] or ["-"]


def _accelerator(phase, domain):
    """What the accelerator counted in a phase."""
    counted = phase.expected["accelerator"]
    if phase.expected["op"] == "none":
        return f"{counted['writes']:,} writes"
    if domain == "translated":
        return f"{counted['writes']:,} writes as TLPs"
    if not phase.tag:
        return f"stored {counted['untagged']:,} without a hint"
    partition = phase.tag.st & (0xff if phase.tag.extended else 0xf)
    return f"{phase.expected['op']} {counted['with_tag']:,}, partition {partition}: {counted['in_partition']:,}"


def _table(phases, domain):
    rows = [("phase", "TLPs", "hint on the wire", "accelerator", "memory")]
    for phase in phases:
        hints = _hints(phase)
        rows.append((phase.name, f"{phase.tlps:,}", hints[0], _accelerator(phase, domain),
                     "right" if phase.expected["data_ok"] else "WRONG"))
        rows += [("", "", hint, "", "") for hint in hints[1:]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [row[column].rjust(width) if column == 1 else row[column].ljust(width)
                 for column, width in enumerate(widths)]
        text = "  ".join(cells).rstrip()
        lines.append(progress.paint(text, "bold") if number == 0 else text)
    return lines


def _verdict(phases, wrong, domain):
    if wrong:
        return progress.paint("FAIL", "red") + "  " + wrong[0] + (f" (and {len(wrong) - 1} more)" if wrong[1:] else "")
    meant = [phase for phase in phases if phase.tag]
    others = [phase for phase in phases if not phase.tag]
    seen = sum(phase.expected["accelerator"][key] for phase in phases for key in ("tagged", "tagged_ext"))
    text = (f"{progress.paint('PASS', 'green')}  {sum(phase.tagged - phase.wrong_tag for phase in meant):,} of "
            f"{sum(phase.tlps for phase in meant):,} TLPs under a tag carried it, "
            f"{sum(phase.tagged for phase in others):,} of {sum(phase.tlps for phase in others):,} others carried one\n")
    if domain == "translated":
        text += f"      {seen:,} of these tags passed the root complex\n"
    return text + "      the memory is right in all phases"


def _write_json(path, domain, nic, phases, wrong):
    JSON_FILE.parent.mkdir(parents=True, exist_ok=True)
    JSON_FILE.write_text(json.dumps({
        "verdict": "fail" if wrong else "pass", "file": str(path), "domain": domain, "nic": nic or None,
        "wrong": wrong,
        "phases": [{"name": phase.name, "bytes": phase.bytes, "tlps": phase.tlps, "tagged": phase.tagged,
                    "wrong_tag": phase.wrong_tag, "data_ok": phase.expected["data_ok"],
                    "tags": {str(tag): count for tag, count in phase.tags.items()},
                    "accelerator": phase.expected["accelerator"]} for phase in phases]}, indent=1) + "\n")


def main(_args, alone):
    """Run the demo; whoever holds @alone() has build/ to itself."""
    vm.accelerator()
    domain = vm.domain()
    nic = os.environ.get("NIC") or ""
    if nic not in SENDERS:
        raise progress.StepError(f"NIC={nic}: expected mlx5, or nothing for the DMA engine")
    if nic and domain == "translated":
        raise progress.StepError("DOMAIN=translated is for the DMA engine: of a NIC's writes to the root complex, the trace "
                                 "does not tell payload from queues")
    opens = page.wanted()
    own = _own_file(os.environ["FILE"]) if os.environ.get("FILE") else None
    with alone():
        JSON_FILE.unlink(missing_ok=True)
        prepared = prepare.prepare()
        path = own or prepared.kernels[kernel.DEMO] / "bzImage"
        result = _run(prepared, path, domain, nic)
        code = report(result, path, domain, nic, prepared.root)
        if opens:
            page.show(page.PAGE_FILE)
        return code


def _write_page(root, result, title, accelerator, engine, nic, ring):
    names = [f"{accelerator}=accelerator:accelerator", f"{engine}=requester:{'ConnectX' if nic else 'DMA engine'}"]
    with progress.step("page") as step:
        path = page.write(root, result.job, title, names, ring if ring[1] else None)
        step.detail = f"{path.stat().st_size / MIB:.1f} MiB"
    return path


def report(result, path, domain, nic="", root=None):
    """Evaluate a finished run, print the table and the verdict, write build/demo.json and, with the tool root @root,
    the page; returns the exit status."""
    if result.reason and not (result.job / "demo.jsonl").is_file():
        raise progress.StepError(result.reason, log=result.job / "console.log",
                                 tail=vm.console(result.job).splitlines()[-10:])
    records = _records(result.job)
    accelerator, engine = (topology.root_address(index).removeprefix("0000:") for index in (0, 1))
    count = Count(records, accelerator, engine, domain, nic)
    count.read(trace.read(result.job / "trace.txt", "MWr"))
    phases = count.phases
    for phase in phases:
        judge(phase)
    wrong = [f"{phase.name}: {text}" for phase in phases for text in phase.wrong]
    wrong += [f"kernel log, line {line}: {text}" for _, line, text in result.hits[:5]]
    if result.reason:
        wrong.append(result.reason)
    how = "by RDMA (mlx5)" if nic else "by tph_dma"
    title = f"{path.name} ({path.stat().st_size:,} bytes) into the accelerator, {how}; {domain} domain"
    shown = root and _write_page(root, result, title, accelerator, engine, nic, count.ring_range())
    print(f"\n{title}\n")
    print("\n".join(_table(phases, domain)) + "\n")
    for text in wrong:
        print(f"  {progress.paint('wrong:', 'red')} {text}")
    print(_verdict(phases, wrong, domain))
    print(f"every TLP: {result.job / 'trace.txt'}    figures: {JSON_FILE}")
    if shown:
        print(f"to look at: {shown}    in Wireshark: {result.job / 'trace.pcapng'}")
    _write_json(path, domain, nic, phases, wrong)
    return 1 if wrong else 0

# SPDX-License-Identifier: GPL-2.0-or-later
"""The suites: the test programs of the host, and what tests/suites.toml makes of the others."""

import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab import PROJECT, vm
from lab.topology import Topology

TESTS = PROJECT / "tests"
PROGRAM = re.compile(r"_test\.(c|cc|py|sh)$")
# How many times as long everything may take on kernels that watch themselves.
SLOWDOWN = {"debug": 8, "race": 8}


@dataclass
class Suite:
    """One suite.

    kind: the folder of tests/ that its program is in. "host": any machine with compiler and Meson; "toolroot": needs the
    tool root, and mostly the kernel tree; "guest": runs in the virtual machine, programs of bench/ too.

    program: the program, tests/KIND/NAME_test.EXT; in the list the NAME, where it is not that of the suite.
    args, env: arguments for it, and variables of its environment.

    timeout: seconds; that of a Meson test is Meson's.

    machine: name of an entry of the list's table of machines, which gives @devices: devices, and the ports above them
    (lab/topology.py).

    boot: more words for the command line of the guest's kernel; "{NAME}" is the PCI address of a device or port.

    cpu: the processor, by which the kernel decides whether peer-to-peer DMA may pass the host bridge; empty: it may.

    icount: the machine has one processor, whose time stamp counter counts instructions.

    inject: faults that requests meet, rules of tphbuf-endpoints --inject; "{NAME}" is the BDF of a device.

    slow: make check, which is to take minutes, leaves the suite out; make check-ci and make check-full run it.

    full: only make check-full runs the suite, or who names it.

    selftests: collections of the kernel's selftests that the suite finds, installed, in the folder selftests of its job.

    installed: the guest's file system is a Debian root in which the project's packages are installed, not the tool root.
    ucx: it is the root with UCX.

    known: case name to reason, failures that are known and not counted as failed; a known failure that passes is
    a failure. expect: "kernel-log" when a sign of trouble in the kernel log is what the suite has to cause.

    alone: no other suite runs on the same start of the machine, because the suite may end it.

    reboots: the suite restarts the machine, and is run anew after each restart; what it prints the last time counts.
    """

    name: str
    kind: str
    program: Path
    timeout: int = 60
    args: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    devices: list = field(default_factory=list)
    domain: str = "identity"
    kernel: str = "base"
    boot: str = ""
    icount: bool = False
    inject: list = field(default_factory=list)
    cpu: str = ""
    modules: list = field(default_factory=lambda: ["tph_dma"])
    selftests: list = field(default_factory=list)
    installed: bool = False
    ucx: bool = False
    known: dict = field(default_factory=dict)
    expect: str = ""
    reboots: bool = False
    alone: bool = False
    slow: bool = False
    full: bool = False

    def on_kernel(self, flavour):
        """The same suite for another kernel."""
        return replace(self, name=f"{self.name}@{flavour}", kernel=flavour, timeout=SLOWDOWN[flavour] * self.timeout)

    def again(self, case):
        """The command that repeats a case."""
        return f"tests/run.py '{self.name}/{case.name}'"

    def machine_key(self):
        """Suites with the same key can share one start of the virtual machine."""
        return (self.kernel, self.boot, self.cpu, self.domain, tuple(self.devices), tuple(self.modules), tuple(self.selftests),
                self.icount, self.installed, self.ucx, tuple(self.inject), (self.reboots or self.alone) and self.name)


def _check(suite, where):
    """A mistake in the list is worth a clear word: a suite that is never run looks like one that passes."""
    if suite.kind != "guest" and (suite.devices or suite.domain != "identity" or suite.boot or suite.cpu
                                  or suite.expect or suite.icount or suite.inject or suite.reboots or suite.installed
                                  or suite.ucx):
        raise ValueError(f"{where}: devices, domain, boot, cpu, expect, icount, inject, reboots, installed and ucx are "
                         "for programs of tests/guest")
    if suite.domain not in vm.DOMAINS:
        raise ValueError(f"{where}: domain {suite.domain!r} is none of {', '.join(vm.DOMAINS)}")
    if suite.expect not in ("", "kernel-log"):
        raise ValueError(f"{where}: expect {suite.expect!r} is unknown")
    try:
        for text in (suite.boot, *suite.inject):
            text.format_map(Topology(suite.devices).addresses)
    except (KeyError, ValueError) as err:
        raise ValueError(f"{where}: {err}") from None


def programs(folder):
    """The test programs below @folder by name: FOLDER/NAME_test.EXT is FOLDER_NAME."""
    table = {}
    for path in sorted(path for path in folder.rglob("*_test.*") if PROGRAM.search(path.name)):
        name = "_".join(path.relative_to(folder).with_suffix("").parts).removesuffix("_test")
        if name in table:
            raise ValueError(f"{path} and {table[name]} would both be suite {name}")
        table[name] = path
    return table


def _suite(entry, found, where):
    """The suite of an entry of the list; @found has the programs by kind."""
    name = entry.pop("program", entry.get("name"))
    kinds = [kind for kind in ("toolroot", "guest") if name in found[kind]]
    if len(kinds) != 1:
        raise ValueError(f"{where}: expected a program {name}_test in one of tests/toolroot and tests/guest")
    try:
        suite = Suite(kind=kinds[0], program=found[kinds[0]][name], **entry)
    except TypeError as err:
        raise ValueError(f"{where}: {err}") from None
    _check(suite, where)
    return suite


def load(tests=TESTS):
    """All suites: those of the host, then the others in the order of the list."""
    found = {kind: programs(tests / kind) for kind in ("host", "toolroot", "guest")}
    found["guest"].update(programs(tests.parent / "bench"))
    path = tests / "suites.toml"
    with open(path, "rb") as file:
        table = tomllib.load(file)
    suites = [Suite(name, "host", program) for name, program in found["host"].items()]
    for number, entry in enumerate(table.get("suite", []), 1):
        where = f"{path.name}, suite {number} ({entry.get('name', 'no name')})"
        machine = entry.pop("machine", None)
        if machine is not None:
            if machine not in table.get("machine", {}):
                raise ValueError(f"{where}: there is no machine {machine!r}")
            entry["devices"] = table["machine"][machine]
        suites.append(_suite(entry, found, where))
    names = [suite.name for suite in suites]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{path.name}: suite {name} is there twice")
    idle = {program for table in found.values() for program in table.values()} - {suite.program for suite in suites}
    if idle:
        raise ValueError(f"{path.name}: no suite runs {', '.join(sorted(map(str, idle)))}")
    return suites

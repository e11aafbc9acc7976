# SPDX-License-Identifier: GPL-2.0-or-later
"""The declarative list of suites, tests/suites.toml."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab import vm

PROJECT = Path(__file__).resolve().parent.parent
LIST = PROJECT / "tests/suites.toml"
# How many times as long everything may take on kernels that watch themselves.
SLOWDOWN = {"debug": 4, "race": 4}


@dataclass
class Suite:
    """One suite.

    kind: "host" runs on any machine with compiler and Meson: a Meson test of that name, or @command;
    "lab" needs the tool root, and mostly the kernel tree: the program tests/toolroot/NAME_test.py;
    "guest" runs in the virtual machine: @command, or the program tests/guest/NAME_test of the build.

    machine: name of an entry of the list's table of machines, which gives @devices.

    boot: more words for the command line of the guest's kernel.

    full: only make check-full runs the suite, or who names it.

    selftests: collections of the kernel's selftests that the suite finds, installed, in the folder selftests of its job.

    known: case name to reason, failures that are known and not counted as failed; a known failure that passes is
    a failure. expect: "kernel-log" when a sign of trouble in the kernel log is what the suite has to cause.

    reboots: the suite restarts the machine, and is run anew after each restart; what it prints the last time counts.
    """

    name: str
    kind: str
    timeout: int = 60
    command: list = field(default_factory=list)
    devices: list = field(default_factory=list)
    domain: str = "identity"
    kernel: str = "base"
    boot: str = ""
    modules: list = field(default_factory=lambda: ["tph_dma"])
    selftests: list = field(default_factory=list)
    known: dict = field(default_factory=dict)
    expect: str = ""
    reboots: bool = False
    full: bool = False

    def on_kernel(self, flavour):
        """The same suite for another kernel."""
        return replace(self, name=f"{self.name}@{flavour}", kernel=flavour, timeout=SLOWDOWN[flavour] * self.timeout,
                       command=self.command or [f"/build/tests/guest/{self.name}_test"])

    def machine_key(self):
        """Suites with the same key can share one start of the virtual machine."""
        return (self.kernel, self.boot, self.domain, tuple(self.devices), tuple(self.modules), tuple(self.selftests),
                self.reboots and self.name)


def _check(suite, where):
    """A mistake in the list is worth a clear word: a suite that is never run looks like one that passes."""
    if suite.kind not in ("host", "lab", "guest"):
        raise ValueError(f"{where}: kind {suite.kind!r} is none of host, lab, guest")
    if suite.kind != "guest" and (suite.devices or suite.domain != "identity" or suite.boot or suite.expect
                                  or suite.reboots):
        raise ValueError(f"{where}: devices, domain, boot, expect and reboots are for guest suites")
    if suite.domain not in vm.DOMAINS:
        raise ValueError(f"{where}: domain {suite.domain!r} is none of {', '.join(vm.DOMAINS)}")
    if suite.expect not in ("", "kernel-log"):
        raise ValueError(f"{where}: expect {suite.expect!r} is unknown")
    names = [vm.device_name(device) for device in suite.devices]
    if len(set(names)) != len(names):
        raise ValueError(f"{where}: two devices of the same name")


def load(path=LIST):
    """All suites, in the order of the list."""
    with open(path, "rb") as file:
        table = tomllib.load(file)
    suites = []
    for number, entry in enumerate(table.get("suite", []), 1):
        where = f"{path.name}, suite {number} ({entry.get('name', 'no name')})"
        machine = entry.pop("machine", None)
        if machine is not None:
            if machine not in table.get("machine", {}):
                raise ValueError(f"{where}: there is no machine {machine!r}")
            entry["devices"] = table["machine"][machine]
        try:
            suite = Suite(**entry)
        except TypeError as err:
            raise ValueError(f"{where}: {err}") from None
        _check(suite, where)
        suites.append(suite)
    names = [suite.name for suite in suites]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{path.name}: suite {name} is there twice")
    return suites

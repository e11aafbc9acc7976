# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the devices of a machine are: on the root bus, or below root ports and switches.

A machine is a list of entries "KIND,name=NAME,key=value,...", each a device as tphbuf-endpoints accepts it, or a part of
the tree above the devices:

    root-port,name=rp0                   a port of the root complex
    switch,name=sw0,below=rp0            a switch; its upstream port has the name
    downstream-port,name=dp0,below=sw0   a port of that switch
    root-complex,hints=keep              properties of the root complex
    accelerator,name=acc0,below=dp0      a device below a port; without below= it is on the root bus

QEMU and tphbuf-endpoints get the same tree. The other keys of a port are properties in the fabric. A key "fabric.KEY"
sets a property in the fabric alone: what the guest is told differs then, which is how a test shows that it notices.
"""

from dataclasses import dataclass

FIRST_SLOT = 0x10
LAST_SLOT = 0x1e
PORTS = ("root-port", "switch", "downstream-port")
# What an entry of each kind may be below.
PLACES = {"root-port": (), "switch": ("root-port", "downstream-port"), "downstream-port": ("switch",)}
DEVICE_PLACES = ("root-port", "downstream-port")
QEMU_DRIVERS = {"root-port": "pcie-root-port", "switch": "x3130-upstream", "downstream-port": "xio3130-downstream"}
FABRIC = "fabric."
# Properties that the guest itself sets, which the fabric has no key for.
GUEST_ONLY = ("blocks",)
# acs= of a port without the capability; with it, acs=none says that nothing of it is enabled.
ABSENT = "absent"
# Keys of the module port_view and what it calls their values.
VIEWS = {"completer": {"none": 0, "8bit": 1, "ext": 3}, "prefix": {"no": 0, "yes": 1}}


@dataclass(frozen=True)
class Entry:
    """An entry of a machine; @text is what it was made from."""

    text: str
    kind: str
    options: dict

    @property
    def name(self):
        return self.options.get("name")

    @property
    def below(self):
        return self.options.get("below")

    @property
    def is_port(self):
        return self.kind in PORTS

    @property
    def is_device(self):
        return not self.is_port and self.kind != "root-complex"

    def in_fabric(self):
        """Its options as tphbuf-endpoints gets them."""
        only = {key.removeprefix(FABRIC): value for key, value in self.options.items() if key.startswith(FABRIC)}
        options = {key: value for key, value in (self.in_guest() | only).items() if key not in GUEST_ONLY}
        if options.get("acs") == ABSENT:
            options["acs"] = "none"
        return options

    def in_guest(self):
        """Its options as the guest is told."""
        return {key: value for key, value in self.options.items() if not key.startswith(FABRIC)}


def _entry(text):
    kind, *words = text.split(",")
    pairs = [word.partition("=")[::2] for word in words]
    return Entry(text, kind, dict(pairs))


def root_address(index):
    """PCI address of the @index-th entry on the root bus."""
    return f"0000:00:{FIRST_SLOT + index:02x}.0"


class Topology:
    """The tree that a list of entries describes; ValueError when it is not one."""

    def __init__(self, texts):
        self.entries = [_entry(text) for text in texts]
        self._by_name = {}
        for entry in self.entries:
            self._check(entry)
        self.addresses = {}  # PCI address of each port and device by name
        self._number()

    def _check(self, entry):
        if entry.kind == "root-complex":
            return
        if not entry.name:
            raise ValueError(f"device {entry.text}: no name=")
        if entry.name in self._by_name:
            raise ValueError(f"{entry.text}: two devices of the same name")
        places = PLACES.get(entry.kind, DEVICE_PLACES)
        above = self._by_name.get(entry.below)
        if entry.below and (above is None or above.kind not in places):
            raise ValueError(f"{entry.text}: below= needs an earlier {' or '.join(places) or 'nothing'}")
        if not entry.below and entry.kind in PORTS and places:
            raise ValueError(f"{entry.text}: no below=")
        if above and above.kind != "switch" and any(other.below == above.name for other in self._by_name.values()):
            raise ValueError(f"{entry.text}: {above.name} has a device already")
        self._by_name[entry.name] = entry

    def _below(self, name):
        return [entry for entry in self._by_name.values() if entry.below == name]

    def _number(self):
        """Bus numbers as firmware gives them: depth first, in the order of the slots."""
        self._buses = 0
        roots = self._below(None)
        if len(roots) > LAST_SLOT - FIRST_SLOT + 1:
            raise ValueError(f"{len(roots)} entries on the root bus, there is room for {LAST_SLOT - FIRST_SLOT + 1}")
        for slot, entry in enumerate(roots, FIRST_SLOT):
            self._place(entry, 0, slot)

    def _place(self, entry, bus, slot):
        self.addresses[entry.name] = f"0000:{bus:02x}:{slot:02x}.0"
        if not entry.is_port:
            return
        self._buses += 1
        bus = self._buses
        for number, child in enumerate(self._below(entry.name)):
            self._place(child, bus, number)

    @property
    def devices(self):
        return [entry for entry in self.entries if entry.is_device]

    @property
    def ports(self):
        return [entry for entry in self.entries if entry.is_port]

    def endpoints_argv(self):
        """Words of the command line of tphbuf-endpoints."""
        argv = []
        for entry in self.entries:
            options = entry.in_fabric()
            if entry.name:
                options["bdf"] = self.addresses[entry.name].removeprefix("0000:")
            words = [f"{key}={value}" for key, value in options.items()]
            if entry.is_device:
                argv += ["--device", ",".join([entry.kind, *words])]
            else:
                argv += [f"--{entry.kind}", ",".join(words)]
        return argv

    def qemu_devices(self):
        """For each port and device the properties of QEMU's device that says where it is."""
        table = []
        for number, entry in enumerate(self._by_name.values()):
            slot = int(self.addresses[entry.name].split(":")[2].split(".")[0], 16)
            place = {"id": entry.name, "bus": entry.below or "pcie.0", "addr": hex(slot)}
            if entry.is_port:
                place["driver"] = QEMU_DRIVERS[entry.kind]
            if entry.kind in ("root-port", "downstream-port"):
                # Nothing is plugged in later: no room for it in the address space, no driver that waits for it.
                place |= {"chassis": number + 1, "slot": number, "hotplug": False}
            table.append((entry, place))
        return table

    def description(self):
        """For programs of the guest: the ports by name, with address and properties as the guest should see them."""
        return {entry.name: {"kind": entry.kind, "address": self.addresses[entry.name], **entry.in_guest()}
                for entry in self._by_name.values()}

    def port_view(self):
        """What the guest's module port_view shows of the ports (tests/modules/port_view)."""
        words = []
        for entry in self.ports:
            options = entry.in_guest()
            shown = [f"{key}={VIEWS[key][options[key]]}" for key in VIEWS if options.get(key) in VIEWS[key]]
            # Of QEMU's ports only the root port has ACS. The parameter of a module has at most 1024 characters.
            has = "acs" in options and options["acs"] != ABSENT
            if "acs" in options and entry.kind != "switch" and has != (entry.kind == "root-port"):
                shown.append(f"acs={int(has)}")
            if shown:
                words.append("/".join([self.addresses[entry.name], *shown]))
        return ",".join(words)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What "tphbuf path" says of a way, beside what the fabric's trace shows of a write that took it: the cells of
tests/topologies.toml for the machine of this suite.

A verdict is a promise: "arrives" is wrong where the tag does not, "cannot" where it does, "may-be-lost" where the
write itself does not arrive. So the cells that are flipped, in which the fabric has another property than the guest,
have to be seen to disagree.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import flight
import port
import tap
from tphbuf_command import OK, PATIENCE, TPHBUF, UNSUPPORTED, driver, unbind_device

CELLS = Path("/src/tests/topologies.toml")
TPH_DMA = Path("/sys/bus/pci/drivers/tph_dma")
DOMAINS = {"identity": "identity", "translated": "DMA"}
PROMISES = {"arrives": ("arrives", "closed"), "may-be-lost": ("arrives", "dropped", "refused"),
            "cannot": ("dropped", "error", "untagged", "refused", "closed")}
ARRIVES = "arrives"
MAY_BE_LOST_CODE = 7
VERDICT_CODES = (OK, UNSUPPORTED, MAY_BE_LOST_CODE)
# enum tphbuf_requester
ENABLED_8BIT, ENABLED_EXT = 2, 3


def cells_of(machine):
    """The cells by domain and device."""
    table = defaultdict(list)
    for cell in tomllib.loads(CELLS.read_text())["cell"]:
        if cell["machine"] == machine:
            for domain in cell.get("domains", DOMAINS):
                table[domain, cell["device"]].append(cell)
    return table


def check_tree():
    """The ports are where the lab has put them, and have the properties that the fabric was told."""
    wrong = []
    for name, entry in port.TREE.items():
        if not (port.DEVICES / entry["address"]).exists():
            wrong.append(f"{name}: nothing at {entry['address']}")
        elif entry["kind"] in port.TYPES.values():
            seen, wanted = port.seen(name), port.wanted(name)
            wrong += [f"{name}: {key} is {seen[key]}, want {value}" for key, value in wanted.items() if seen[key] != value]
        elif "below" in entry and port.parent(name) != port.address(entry["below"]):
            wrong.append(f"{name} is below {port.parent(name)}, want {entry['below']}")
    tap.diag("\n".join(wrong))
    tap.result(not wrong, f"{len(port.TREE)} ports and devices are as the lab describes them")


def translate(names):
    """Let the IOMMU translate for these engines; QEMU takes its time to change over."""
    for name in sorted(name for name in names if driver(name.upper()) == TPH_DMA.name):
        group = port.DEVICES / port.address(name) / "iommu_group/type"
        (TPH_DMA / "unbind").write_text(port.address(name))
        group.write_text(DOMAINS["translated"])
        (TPH_DMA / "bind").write_text(port.address(name))
        tap.equal(group.read_text().strip(), DOMAINS["translated"], f"domain of {name}")


def examine(cell):
    """Verdict of the command and the facts behind it, for the kind of tag that the peer is enabled to send."""
    # The exit code is that of a verdict: no failure, and nothing on standard error.
    result = subprocess.run([TPHBUF, "path", "--json", port.address(cell["device"]), port.address(cell["peer"])],
                            capture_output=True, text=True, timeout=PATIENCE, check=False)
    if result.stderr or result.returncode not in VERDICT_CODES:
        raise AssertionError(f"tphbuf path: exit code {result.returncode}, {result.stderr}")
    answer = json.loads(result.stdout)
    enabled = [fact["value"] for fact in answer["facts"] if fact["fact"] == "enabled"]
    kinds = {ENABLED_8BIT: ["st"], ENABLED_EXT: ["st_ext"]}.get(enabled[0] if enabled else None, ["st", "st_ext"])
    order = list(PROMISES)

    def better(entry):
        return min((entry[kind] for kind in kinds), key=order.index)
    return better(answer), sorted({fact["fact"] for fact in answer["facts"] if better(fact) != ARRIVES})


def because(cell, domain):
    """Facts that should be behind the verdict: on its way to the root complex a request is translated."""
    facts = set(cell["because"])
    if domain == "translated" and facts & {"acs", "root-complex"}:
        facts.add("domain")
    return sorted(facts)


def judge(cell, domain, verdict, facts, flown):
    """What is wrong with a cell."""
    wrong = []
    kept = flown.wire in PROMISES[verdict]
    if kept == cell.get("flipped", False):
        wrong.append(f"the verdict is {verdict}, and the write {flown.wire}: they {'agree' if kept else 'disagree'}")
    if verdict != cell["verdict"]:
        wrong.append(f"the verdict is {verdict}, want {cell['verdict']}")
    if facts != because(cell, domain):
        wrong.append(f"the verdict is because of {facts}, want {because(cell, domain)}")
    if flown.wire != cell["wire"]:
        wrong.append(f"on the wire: {flown.wire}, want {cell['wire']} ({flown.why})")
    # In a translated domain QEMU stands for the root complex: the trace ends there.
    if "at" in cell and flown.wire == cell["wire"] and flown.at != cell["at"] and not (
            domain == "translated" and flown.wire == "dropped"):
        wrong.append(f"at {flown.at or 'no place'}, want {cell['at']}")
    return wrong


def run_cell(cell, domain, dmabuf):
    """One cell; @dmabuf is None where VFIO did not open the device, with the reason."""
    name = cell["name"] + ("-translated" if domain == "translated" else "")
    try:
        verdict, facts = examine(cell)
        flown = dmabuf if isinstance(dmabuf, flight.Flight) else flight.fly(dmabuf, cell["device"], cell["peer"])
    except AssertionError as err:
        tap.diag(err)
        tap.result(False, name)
        return
    wrong = judge(cell, domain, verdict, facts, flown)
    tap.diag("\n".join(wrong))
    tap.result(not wrong, f"{name}: {verdict}, {flown.wire}{' at ' + flown.at if flown.at else ''}")


def run_device(device, domain, cells):
    try:
        with flight.exported(device) as dmabuf:
            for cell in cells:
                run_cell(cell, domain, dmabuf)
    except flight.Closed as err:
        for cell in cells:
            run_cell(cell, domain, flight.Flight("closed", why=str(err)))
    finally:
        unbind_device(device.upper())


def main():
    for name, entry in port.TREE.items():
        if entry.get("blocks") == "yes":
            port.block_prefixes(name)
    check_tree()
    table = cells_of(os.environ["TPHBUF_MACHINE"])
    for domain in DOMAINS:
        if domain == "translated":
            translate({cell["peer"] for (where, _), cells in table.items() if where == domain for cell in cells})
        for (where, device), cells in table.items():
            if where == domain:
                run_device(device, domain, cells)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()

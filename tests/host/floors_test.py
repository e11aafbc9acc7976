# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: no circle of files. Which source calls which is read from the symbols of the objects, and compared
with the floors that docs/internals/code-map.md shows: a file calls only what lies below it.

usage: floors_test.py PROJECT BUILD [TEST...]
"""

import collections
import json
import re
import subprocess
import sys
from pathlib import Path

import tap

PROJECT, BUILD = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
FOLDERS = ("cli/", "endpoints/", "lib/", "trace/")
PAGE = "docs/internals/code-map.md"


def _objects():
    """Source, relative to the project, to the object of it that the programs themselves are linked from."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = (Path(entry["directory"]) / entry["file"]).resolve()
        if not source.is_relative_to(PROJECT.resolve()) or entry["output"].startswith("tests/"):
            continue
        name = str(source.relative_to(PROJECT.resolve()))
        if name.startswith(FOLDERS) and name.endswith(".c"):
            found.setdefault(name, BUILD / entry["output"])
    return found


def _symbols(path):
    """Symbols that an object defines for others, and those that it wants."""
    defined, wanted = set(), set()
    done = subprocess.run(["nm", "--extern-only", str(path)], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        kind, name = line.split()[-2:]
        (wanted if kind in "Uw" else defined).add(name)
    return defined, wanted


def _edges(symbols):
    """Caller to callee to one of the symbols that say so. A name of the caller's own program comes first."""
    where = {(source.split("/")[0], name): source for source, (defined, _) in symbols.items() for name in defined}
    edges = collections.defaultdict(dict)
    for source, (_, wanted) in symbols.items():
        for name in sorted(wanted):
            places = (source.split("/")[0], "lib", "trace")
            callee = next((where[place, name] for place in places if (place, name) in where), None)
            if callee and callee != source:
                edges[source].setdefault(callee, name)
    return edges


def circle(edges):
    """One circle as a list of files, or None. The files that call nobody, or only such ones, are taken away until
    nothing changes: what stays leads back to itself."""
    left = {source: set(callees) for source, callees in edges.items()}
    while True:
        done = {source for source, callees in left.items() if not callees & left.keys()}
        if not done:
            break
        left = {source: callees for source, callees in left.items() if source not in done}
    if not left:
        return None
    path = [min(left)]
    while path.count(path[-1]) < 2:
        path.append(min(left[path[-1]] & left.keys()))
    return path[path.index(path[-1]):]


def page_floors(text):
    """The floors of each folder as the page shows them, from the roof down: folder to (folders below, floors)."""
    section = re.search(r"^## Floors\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    houses = {}
    for block in re.findall(r"^```\n(.*?)^```", section[1] if section else "", re.MULTILINE | re.DOTALL):
        for house in block.strip().split("\n\n"):
            head, *floors = house.splitlines()
            folder, _, below = head.partition(" above ")
            houses[folder.strip()] = (below.split(), [floor.split() for floor in floors])
    return houses


def _name(folder, word):
    return f"{folder}/{word}.c"


EDGES = _edges({source: _symbols(path) for source, path in _objects().items()})
SOURCES = _objects()
HOUSES = page_floors((PROJECT / PAGE).read_text())


def test_finder():
    """what looks for circles finds one, and none where there is none"""
    tap.equal(circle({"a": {"b": ""}, "b": {"c": ""}}), None, "a line")
    tap.equal(circle({"a": {"b": ""}, "b": {"c": ""}, "c": {"b": ""}}), ["b", "c", "b"], "a circle")


def test_circles():
    """no files call each other in a circle"""
    tap.true(len(SOURCES) > 30, f"the build has only {len(SOURCES)} objects")
    found = circle(EDGES)
    if found:
        for caller, callee in zip(found, found[1:]):
            tap.diag(f"{caller} calls {EDGES[caller][callee]}() of {callee}")
    tap.equal(found, None, "circle")


def test_page_is_whole():
    """the page has each source on one floor, and no other"""
    shown = collections.Counter(_name(folder, word) for folder, (_, floors) in HOUSES.items()
                                for floor in floors for word in floor)
    tap.equal([name for name, count in shown.items() if count > 1], [], "files shown twice")
    missing = set(SOURCES) - shown.keys()
    tap.equal(sorted(missing), [], f"sources without a floor in {PAGE}")
    built = {Path(name).parent for name in SOURCES}
    tap.equal(sorted(name for name in shown.keys() - set(SOURCES) if Path(name).parent in built), [],
              f"files in {PAGE} that are not there")


def test_page_is_true():
    """a file calls lower floors of its folder, and the folders below it"""
    height = {_name(folder, word): -depth for folder, (_, floors) in HOUSES.items()
              for depth, floor in enumerate(floors) for word in floor}
    wrong = []
    for caller, callees in EDGES.items():
        for callee, symbol in callees.items():
            folder, other = str(Path(caller).parent), str(Path(callee).parent)
            if folder == other and height.get(callee, 0) >= height.get(caller, 0):
                wrong.append(f"{caller} calls {symbol}() of {callee}, which is not below it")
            elif folder != other and other not in HOUSES.get(folder, ([], []))[0]:
                wrong.append(f"{caller} calls {symbol}() of {callee}: {folder} is not above {other}")
    tap.diag("\n".join(wrong))
    tap.equal(len(wrong), 0, f"calls against the floors of {PAGE}")


if __name__ == "__main__":
    tap.run(globals())

# SPDX-License-Identifier: GPL-2.0-or-later
"""rdma-core's own tests, from the package of pyverbs, on the kernel's mlx5 driver and the model of its device.

Each of their tests is a case. rdma_core_skips.toml lists those that are skipped, and what the device lacks for
them: a skip that is not listed fails, and so does a listed test that runs.
"""

import contextlib
import gzip
import random
import re
import shutil
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import rdma
import tap

PACKAGED = Path("/usr/share/doc/rdma-core/tests")
SKIPS = Path(__file__).with_name("rdma_core_skips.toml")
DEVICE = "nic0"
# The tests are written for real machines, where none of them takes a second.
SECONDS_FOR_ONE = 5 * tap.TEST_SECONDS


def _unpack(folder):
    """Copy the tests to @folder; the package has compressed the larger files, as it does with documents."""
    folder.mkdir()
    for path in PACKAGED.iterdir():
        if path.suffix == ".gz":
            (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        else:
            shutil.copy(path, folder)


def _modules(folder):
    """The modules of tests in @folder, which have read their command line and will use DEVICE."""
    # They import one another as members of the package "tests", and one of them by its bare name.
    sys.path[:0] = [str(folder.parent), str(folder)]
    own = sys.argv
    sys.argv = [own[0], "--dev", rdma.ib_device(DEVICE)]
    __import__("args_parser").parser.parse_args()
    sys.argv = own
    return __import__("tests").__test_modules__


def _tests(modules):
    """All tests by name, "test_qp.QPTest.test_query_qp"."""
    found = {}

    def walk(entry):
        if isinstance(entry, unittest.TestSuite):
            for inner in entry:
                walk(inner)
        else:
            found[entry.id().removeprefix("tests.")] = entry
    for module in modules:
        walk(unittest.defaultTestLoader.loadTestsFromModule(module))
    return found


def _skip_of(entries, name):
    """The entry of the list for a test, or None."""
    matching = [entry for entry in entries if any(re.fullmatch(pattern, name) for pattern in entry["tests"])]
    tap.true(len(matching) < 2, f"{SKIPS.name} has {len(matching)} entries for {name}")
    return matching[0] if matching else None


def _case(name, test, entries):
    """A function for tap.run() that runs a test."""
    def run():
        # The tests choose sizes and flags by chance.
        random.seed(name)
        result = unittest.TestResult()
        with contextlib.redirect_stdout(sys.stderr):
            unittest.TestSuite([test]).run(result)
        for _, trace in result.errors + result.failures:
            raise AssertionError(trace)
        said = [reason for _, reason in result.skipped]
        skip = _skip_of(entries, name)
        if skip is None:
            tap.equal(said, [], f"reasons to skip of a test that {SKIPS.name} does not list")
            return
        tap.equal(len(said), 1, f"reasons to skip of a test that {SKIPS.name} lists")
        tap.true(re.search(skip["says"], said[0]), f"the test says {said[0]!r}, want {skip['says']!r}")
        raise tap.Skip(skip["lacks"])
    run.__doc__ = name.split(".")[-1].removeprefix("test_").replace("_", " ")
    return run


def main():
    rdma.wait_active(DEVICE)
    tap.TEST_SECONDS = SECONDS_FOR_ONE
    entries = tomllib.loads(SKIPS.read_text())["skip"]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder) / "tests"
        _unpack(folder)
        tests = _tests(_modules(folder))

        def test_list():
            """each entry of the list of skips is for a test"""
            for pattern in (pattern for entry in entries for pattern in entry["tests"]):
                tap.true(any(re.fullmatch(pattern, name) for name in tests), f"{SKIPS.name}: no test is {pattern}")
        cases = {name: _case(name, test, entries) for name, test in tests.items()}
        tap.run({"test_list": test_list, **cases})


if __name__ == "__main__":
    main()

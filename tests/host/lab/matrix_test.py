# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix of kernels and suites: what counts as expected, and that the list fits suites and topics."""

import tap
from lab import matrix, results, series

LOG = results.Case("kernel log is clean", "pass")
EXPECTED = matrix.Expected(["tph"], words="ENOTTY")


def _case(status, *notes, name="one"):
    return results.Case(name, status, "", list(notes))


def test_with_the_topic():
    """a suite passes where its topics are, and a failure is none of the expected ones"""
    tap.equal(matrix.outcome([_case("pass"), LOG], EXPECTED, True), ("passes", []))
    tap.equal(matrix.outcome([_case("fail", "ENOTTY"), LOG], EXPECTED, True), ("fails", ["one: failed"]))


def test_unsupported():
    """without the topic, cases fail and say so in the right words"""
    tap.equal(matrix.outcome([_case("fail", "got -ENOTTY"), LOG], EXPECTED, False), ("unsupported", []))
    got, wrong = matrix.outcome([_case("fail", "got -EINVAL"), LOG], EXPECTED, False)
    tap.equal((got, len(wrong)), ("fails", 1))
    got, wrong = matrix.outcome([_case("pass"), LOG], EXPECTED, False)
    tap.equal((got, wrong), ("passes", ["one: passes"]))
    tap.equal(matrix.outcome([results.Case("one", "skip", "got -ENOTTY"), LOG], EXPECTED, False), ("unsupported", []))
    tap.equal(matrix.outcome([LOG], EXPECTED, False), ("passes", ["nothing says ENOTTY"]))


def test_passing():
    """cases that pass without the topic have to be listed, and to pass"""
    listed = matrix.Expected(["tph"], words="ENOTTY", passing=["two"])
    both = [_case("fail", "ENOTTY"), _case("pass", name="two"), LOG]
    tap.equal(matrix.outcome(both, listed, False), ("unsupported", []))
    got, wrong = matrix.outcome(both, EXPECTED, False)
    tap.equal(wrong, ["two: passes"])
    got, wrong = matrix.outcome([_case("fail", "ENOTTY"), LOG], listed, False)
    tap.equal((got, wrong), ("fails", ["two: does not pass"]))


def test_more():
    """a case that needs another topic fails without it, in the right words, and the others pass"""
    more = matrix.Expected(["mmap"], words="ENOTTY", more={"two": ["wc"]})
    tap.equal(more.missing(["mmap"]), {"two"})
    tap.equal(more.missing(["mmap", "wc"]), set())
    for cases, wrong in (([_case("pass"), _case("fail", "ENOTTY", name="two")], []),
                         ([_case("pass"), _case("pass", name="two")], ["two: passes"]),
                         ([_case("pass"), _case("fail", "EINVAL", name="two")], ["two: does not say ENOTTY"]),
                         ([_case("fail", "ENOTTY"), _case("fail", "ENOTTY", name="two")], ["one: failed"]),
                         ([_case("pass")], ["nothing says ENOTTY"])):
        tap.equal(matrix.outcome([*cases, LOG], more, True, more.missing(["mmap"]))[1][:1], wrong[:1])
    described = [_case("pass"), _case("fail", "ENOTTY", name="two: what it shows"), LOG]
    tap.equal(matrix.outcome(described, more, True, {"two"}), ("partly", []), "a name and what the case shows")
    tap.equal(matrix.outcome(described[1:], more, True, {"two"}), ("unsupported", []), "nothing passes")


def test_words():
    """what a case may say follows from the topics that are missing, and those below them"""
    words = {"tph": "no tph", "mmap": "no mmap", "wc": "no wc"}
    row = matrix.Expected(["mmap"], words="its own", more={"two": ["wc"]})
    tap.equal(row.on([], words).words, "no tph|no mmap|no wc|its own")
    tap.equal(row.on(["tph"], words).words, "no mmap|no wc|its own")
    tap.equal(row.on(["tph", "mmap", "wc"], words).words, "its own")
    tap.equal(matrix.Expected(["wc"], "fails", "its own").on([], words).words, "its own", "a suite that fails")


def test_panic():
    """a panic of the kernel is an outcome of its own"""
    panics = matrix.Expected(["fixes-mm"], without="panics")
    panic = [_case("fail", "[    9.1] Kernel panic - not syncing: Fatal exception", name="run")]
    tap.equal(matrix.outcome(panic, panics, False), ("panics", []))
    tap.equal(matrix.outcome(panic, EXPECTED, False), ("panics", ["a panic of the kernel"]))
    tap.equal(matrix.outcome([_case("fail")], panics, False), ("fails", ["no panic"]))
    tap.equal(matrix.outcome(panic, panics, True)[0], "panics")


def test_list():
    """rows are those of suites, and name topics of the series"""
    words, expected = matrix.load()
    topics = [topic.name for topic in series.topics()]
    named = [name for entry in expected.values() for needs in [entry.needs, *entry.more.values()] for name in needs]
    named += words
    tap.equal([name for name in named if name not in topics], [], "topics")
    tap.equal(sorted(suite.name for suite in matrix.listed(expected)), sorted(expected), "a row for each suite of the machine")


if __name__ == "__main__":
    tap.run(globals())

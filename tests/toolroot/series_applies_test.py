# SPDX-License-Identifier: GPL-2.0-or-later
"""The series applies to the pristine tree with git am, each topic also on its base alone, and each patch compiles by itself."""

import sys

import tap
from lab import check_tree, series

tap.TEST_SECONDS = 900


def test_applies():
    """git am takes every patch of all topics, one after the other"""
    tap.equal(len(check.states), 1 + len(check.patches), "states")
    for topic in series.topics():
        tap.true(topic.cover.is_file(), f"{topic.name} has no cover letter")
        tap.true(topic.patches, f"{topic.name} has no patch")


def test_alone():
    """git am takes each topic with nothing but its base"""
    everything = series.topics()
    for topic in everything:
        base = series.base(topic, everything)
        series.apply(check.tree.original, sum((other.files for other in base), []) + topic.files)


def _compile(out, number):
    """Complaints about the touched files in a state of the series."""
    check.go(number)
    ok, output = check.make(out, check.targets(out, number))
    found = sorted(check_tree.warnings(output))
    if not ok or found:
        tap.diag("\n".join(output.splitlines()[-30:]))
    tap.true(ok, f"{series.label(check.patches[number - 1])}: does not compile")
    return found


def test_builds():
    """after each patch, the files that the series touches compile without a warning"""
    out = check.objects("base")
    # From the last to the first, because the objects to start from are those of the whole series. What only includes a
    # touched header is compiled with the whole series, when the lab's kernel is built.
    for number in range(len(check.patches), 0, -1):
        found = check.once(out, number, "plain", lambda: _compile(out, number))
        tap.equal(found, [], f"warnings after {series.label(check.patches[number - 1])}")


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())
    sys.exit(1)

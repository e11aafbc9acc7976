# SPDX-License-Identifier: GPL-2.0-or-later
"""The series applies to the pristine tree with git am, each topic also on its base alone, and each patch compiles by itself."""

import sys

import tap
from lab import check_tree, series

tap.TEST_SECONDS = 2600


def test_applies():
    """git am takes every patch of all topics, one after the other"""
    tap.equal(len(check.states), 1 + len(check.patches), "states")
    for topic in series.topics():
        tap.true(topic.cover.is_file(), f"{topic.name} has no cover letter")
        tap.true(topic.patches, f"{topic.name} has no patch")


def _compile(out, path, state):
    """Complaints about the touched files in the state after the patch @path."""
    check.go(state)
    targets = check.targets(out, state)
    if not targets:
        # make without a target would build a whole kernel. What the configuration leaves out, the debug kernel and arm64 have.
        return []
    ok, output = check.make(out, targets)
    found = sorted(check_tree.warnings(output))
    if not ok or found:
        tap.diag("\n".join(output.splitlines()[-30:]))
    tap.true(ok, f"{series.label(path)}: does not compile")
    return found


def test_alone():
    """git am takes each topic on its base alone, and after each patch the touched files compile without a warning"""
    out = check.objects("base")
    # From the last to the first, because the objects to start from are those of the whole series. What only includes a
    # touched header is compiled with the whole series, when the lab's kernel is built.
    for topic in reversed(series.topics()):
        for path, state in reversed(check.chain(topic)):
            found = check.once(out, state, "plain", lambda path=path, state=state: _compile(out, path, state))
            tap.equal(found, [], f"warnings after {series.label(path)}")


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())
    sys.exit(1)

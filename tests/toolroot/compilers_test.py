# SPDX-License-Identifier: GPL-2.0-or-later
"""User space builds without a warning with gcc and with clang."""

import tap
from lab import progress, toolroot, userspace

tap.TEST_SECONDS = 600


def _builds(variant):
    try:
        userspace.build(toolroot.obtain(), variant)
    except progress.StepError as err:
        tap.diag("\n".join(err.tail))
        raise AssertionError(err.reason) from None


def test_gcc():
    """gcc, all warnings are errors"""
    _builds("plain")


def test_release():
    """gcc with the highest optimization"""
    _builds("release")


def test_clang():
    """clang, all warnings are errors"""
    _builds("clang")


if __name__ == "__main__":
    tap.run(globals())

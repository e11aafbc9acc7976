# SPDX-License-Identifier: GPL-2.0-or-later
"""Each topic applies with its base to the other kernels that Debian ships, with the patches of kernel/replaced."""

import tap
from lab import kernel_source, other_kernels, series

tap.TEST_SECONDS = 900


def _applies(kernel):
    try:
        original = kernel.original
        tap.diag(f"{kernel.package} {kernel.version}")
    except kernel_source.Gone as err:
        raise tap.Skip(err.reason) from None
    everything = series.topics()
    for topic in everything:
        base = sum((other.files for other in series.base(topic, everything)), [])
        series.apply(original, series.for_kernel(base + topic.files, kernel.name))


def test_older():
    """Linux 7.2.y"""
    _applies(other_kernels.OTHERS[0])


def test_candidate():
    """the release candidate of Linux 7.3"""
    _applies(other_kernels.OTHERS[1])


def test_replaced():
    """each replaced patch takes the place of one of the series, and changes the same files"""
    known = {series.label(path): path for path in series.patches()}
    names = {kernel.name for kernel in other_kernels.OTHERS}
    for path in series.REPLACED.glob("*/*/*"):
        tap.true(path.parent.parent.name in names, f"{path}: no such kernel")
        tap.true(series.label(path) in known, f"{path} replaces nothing")
        tap.equal(series.touched([path]), series.touched([known[series.label(path)]]), f"files of {path}")


if __name__ == "__main__":
    tap.run(globals())

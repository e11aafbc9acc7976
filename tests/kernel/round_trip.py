# SPDX-License-Identifier: GPL-2.0-or-later
"""make kernel-tree and make kernel-series are inverse: patches to commits to patches changes no byte."""

import tempfile
from pathlib import Path

import tap
from lab import kernel_source, series


def _round_trip(files, target):
    """Write into @target what the commits made from @files are exported as."""
    tree = kernel_source.obtain()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        base = series.repository(work, tree.original, series.touched(files))
        series.commit(work, files)
        series.export(work, base, target)


def test_series():
    """the series comes back byte for byte"""
    files = series.files()
    with tempfile.TemporaryDirectory() as target:
        _round_trip(files, target)
        back = series.files(target)
        tap.equal([path.name for path in back], [path.name for path in files], "file names")
        for old, new in zip(files, back):
            tap.true(old.read_bytes() == new.read_bytes(), f"{old.name} comes back with other bytes")


def test_notices():
    """a byte that git does not keep is noticed"""
    with tempfile.TemporaryDirectory() as copies, tempfile.TemporaryDirectory() as target:
        files = []
        for path in series.files():
            files.append(Path(copies) / path.name)
            files[-1].write_bytes(path.read_bytes())
        files[-1].write_bytes(files[-1].read_bytes() + b"-- \n2.47.3\n\n")
        _round_trip(files, target)
        tap.true(series.files(target)[-1].read_bytes() != files[-1].read_bytes(), "the signature came back")


if __name__ == "__main__":
    tap.run(globals())

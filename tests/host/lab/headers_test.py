# SPDX-License-Identifier: GPL-2.0-or-later
"""Where make check-host finds kernel headers for the NIC model: without fetching anything, and not those of another kernel."""

import os
import tempfile
from pathlib import Path
from unittest import mock

import tap
from lab import kernel_source

HEADERS = [pattern.replace("*", "mlx5_ifc") for pattern in kernel_source.LAYOUT_HEADERS]


def _make(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def _found(cache, **env):
    with mock.patch.dict(os.environ, {"TPHBUF_CACHE": str(cache), **env}), \
            mock.patch.object(kernel_source, "DEBIAN_HEADERS", cache / "src"):
        return kernel_source.headers_at_hand()


def test_cache():
    """what an earlier run has kept, the newest first; an entry that is being made is none"""
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        tap.equal(_found(cache), None, "an empty cache")
        _make(cache / "layouts/0123456789abcdef.part", HEADERS)
        tap.equal(_found(cache), None, "an entry that is not whole")
        old = _make(cache / "layouts/0123456789abcdef", HEADERS)
        os.utime(old, (1, 1))
        tap.equal(_found(cache), old, "an entry")
        new = _make(cache / "layouts/fedcba9876543210", HEADERS)
        tap.equal(_found(cache), new, "the newest")


def test_tree():
    """a tree of the caller's own comes first, if it has the headers"""
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        kept = _make(cache / "layouts/0123456789abcdef", HEADERS)
        own = _make(cache / "linux", HEADERS)
        tap.equal(_found(cache, KERNEL_TREE=str(own)), own.resolve(), "a tree")
        bare = _make(cache / "bare", HEADERS[1:])
        tap.equal(_found(cache, KERNEL_TREE=str(bare)), kept, "a tree without device headers")


def test_version():
    """headers of a distribution count when they are of the kernel that the series is for"""
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        headers = _make(cache / "src/linux-headers-amd64-common", HEADERS)
        tap.equal(_found(cache), None, "no Makefile")
        for version, want in (((7, 3), headers), ((7, 2), None), ((6, 1), None)):
            (headers / "Makefile").write_text("VERSION = %d\nPATCHLEVEL = %d\nSUBLEVEL = 0\n" % version)
            tap.equal(_found(cache), want, "Linux %d.%d" % version)


if __name__ == "__main__":
    tap.run(globals())

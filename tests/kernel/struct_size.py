# SPDX-License-Identifier: GPL-2.0-or-later
"""The series does not make struct vfio_pci_dma_buf larger."""

import re

import tap
from lab import kernel_bench

tap.TEST_SECONDS = 900
OBJECT = "drivers/vfio/pci/vfio_pci_dmabuf.o"


def _size(state):
    """Bytes of the structure after @state patches, as pahole sees them."""
    out = bench.objects("base")
    bench.go(state)
    ok, output = bench.make(out, ["KCFLAGS=-g", OBJECT])
    tap.true(ok, output)
    ok, output = bench.run(["pahole", "-F", "dwarf", "-C", "vfio_pci_dma_buf", f"/obj/{OBJECT}"], [(out, "/obj", "ro")])
    tap.true(ok, output)
    tap.diag(output)
    return int(re.search(r"/\* size: (\d+),", output)[1])


def test_size():
    """the same size with and without the series"""
    tap.equal(_size(len(bench.patches)), _size(0), "bytes")


if __name__ == "__main__":
    with kernel_bench.bench() as bench:
        tap.run(globals())

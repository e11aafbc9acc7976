# SPDX-License-Identifier: GPL-2.0-or-later
"""What the series touches compiles without the options that it depends on."""

import tap
from lab import kernel, kernel_bench

tap.TEST_SECONDS = 900


def _compiles(name):
    out = bench.objects(name, [kernel.CONFIGS / f"{name}.config"])
    bench.go(len(bench.patches))
    ok, output = bench.make(out, bench.folders())
    found = kernel_bench.warnings(output)
    tap.diag("\n".join(output.splitlines()[-30:]) if not ok else "\n".join(sorted(found)))
    tap.true(ok, "does not compile")
    tap.equal(len(found), 0, "warnings")


def test_pcie_tph():
    """without CONFIG_PCIE_TPH"""
    _compiles("no-tph")


def test_vfio_pci_dmabuf():
    """without CONFIG_VFIO_PCI_DMABUF"""
    _compiles("no-dmabuf")


if __name__ == "__main__":
    with kernel_bench.bench() as bench:
        tap.run(globals())

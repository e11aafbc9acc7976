# SPDX-License-Identifier: GPL-2.0-or-later
"""What the series touches compiles without the options that it depends on."""

import tap
from lab import kernel, kernel_bench

tap.TEST_SECONDS = 900


def _compile(out, state):
    bench.go(state)
    ok, output = bench.make(out, bench.targets(out, state))
    found = sorted(kernel_bench.warnings(output))
    tap.diag("\n".join(output.splitlines()[-30:]) if not ok else "\n".join(found))
    tap.true(ok, "does not compile")
    return found


def _compiles(name):
    out = bench.objects(name, [kernel.CONFIGS / f"{name}.config"])
    state = len(bench.patches)
    tap.equal(bench.once(out, state, "plain", lambda: _compile(out, state)), [], "warnings")


def test_pcie_tph():
    """without CONFIG_PCIE_TPH"""
    _compiles("no-tph")


def test_vfio_pci_dmabuf():
    """without CONFIG_VFIO_PCI_DMABUF, which goes with CONFIG_PCI_P2PDMA"""
    _compiles("no-p2pdma")


if __name__ == "__main__":
    with kernel_bench.bench() as bench:
        tap.run(globals())

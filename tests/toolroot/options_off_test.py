# SPDX-License-Identifier: GPL-2.0-or-later
"""What the series touches compiles without the options that it depends on."""

import tap
from lab import check_tree, kernel

tap.TEST_SECONDS = 2600


def _compile(out, state):
    check.go(state)
    ok, output = check.make(out, check.targets(out, state))
    found = sorted(check_tree.warnings(output))
    tap.diag("\n".join(output.splitlines()[-30:]) if not ok else "\n".join(found))
    tap.true(ok, "does not compile")
    return found


def _compiles(name):
    out = check.objects(name, [kernel.CONFIGS / f"{name}.config"])
    state = check.states[-1]
    tap.equal(check.once(out, state, "plain", lambda: _compile(out, state)), [], "warnings")


def test_pcie_tph():
    """without CONFIG_PCIE_TPH"""
    _compiles("no-tph")


def test_vfio_pci_dmabuf():
    """without CONFIG_VFIO_PCI_DMABUF, which goes with CONFIG_PCI_P2PDMA"""
    _compiles("no-p2pdma")


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())

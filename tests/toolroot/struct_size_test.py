# SPDX-License-Identifier: GPL-2.0-or-later
"""The hints do not make struct vfio_pci_dma_buf larger. What mmap() needs does, and is not measured."""

import re

import tap
from lab import check_tree, series

tap.TEST_SECONDS = 900
OBJECT = "drivers/vfio/pci/vfio_pci_dmabuf.o"


def _measure(out, state):
    check.go(state)
    ok, output = check.make(out, ["KCFLAGS=-g", OBJECT])
    tap.true(ok, output)
    # All structures, because pahole 1.30 ends with an error when it is asked for one of an object file.
    ok, output = check.run(["pahole", "-F", "dwarf", f"/obj/{OBJECT}"], [(out, "/obj", "ro")])
    tap.true(ok, output[-2000:])
    text = re.search(r"^struct vfio_pci_dma_buf \{\n.*?^\}", output, re.MULTILINE | re.DOTALL)
    tap.true(text, "the object has no struct vfio_pci_dma_buf")
    tap.diag(text[0])
    return int(re.search(r"/\* size: (\d+),", text[0])[1])


def _size(state):
    """Bytes of the structure in a state of the series, as pahole sees them."""
    out = check.objects("base")
    return check.once(out, state, "struct vfio_pci_dma_buf", lambda: _measure(out, state))


def test_size():
    """the same size after the first patch of the topic tph, which is for PCI, and after its last"""
    topic = next(topic for topic in series.topics() if topic.name == "tph")
    states = [state for _, state in check.chain(topic)]
    tap.equal(_size(states[-1]), _size(states[0]), "bytes")


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())

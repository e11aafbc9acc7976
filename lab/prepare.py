# SPDX-License-Identifier: GPL-2.0-or-later
"""All that a virtual machine needs, made or found in the cache; what can go on side by side does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import kernel, kernel_source, process, toolroot, userspace


@dataclass
class Prepared:
    root: Path
    kernels: dict  # flavour to folder with bzImage
    modules: dict  # flavour to folder with tph_dma.ko and its KUnit test


def _side_by_side(*calls):
    """Run the calls in threads; returns their results, or raises what the first failed one raised."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            return [future.result() for future in futures]
        except BaseException:
            process.stop_all()
            raise


def prepare(flavours=("base",), variants=("plain",)):
    """Tool root, kernels of these flavours with their modules, and user-space builds of these variants."""
    root, _ = _side_by_side(toolroot.obtain, kernel_source.obtain)

    def kernels():
        return {flavour: (kernel.obtain(root, flavour), kernel.modules(root, flavour=flavour)) for flavour in flavours}

    def builds():
        for variant in variants:
            userspace.build(root, variant)
    made, _ = _side_by_side(kernels, builds)
    return Prepared(root, {flavour: pair[0] for flavour, pair in made.items()},
                    {flavour: pair[1] for flavour, pair in made.items()})

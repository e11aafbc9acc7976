# SPDX-License-Identifier: GPL-2.0-or-later
"""All that a virtual machine needs, made or found in the cache; what can go on side by side does."""

from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from pathlib import Path

from lab import deb, kernel, kernel_source, process, toolroot, userspace


@dataclass
class Prepared:
    root: Path
    kernels: dict  # flavour to folder with bzImage
    folders: dict  # (flavour, key of kernel.MODULES) to folder with the modules
    selftests: dict  # tuple of collections of the kernel's selftests to folder with these
    installed: deb.Installed | None = None
    ucx: Path | None = None

    def module(self, flavour, name):
        """Path of @name.ko for a kernel."""
        return self.folders[flavour, kernel.module_folder(name)] / f"{name}.ko"


def _side_by_side(*calls):
    """Run the calls in threads; returns their results. The first that fails ends the others."""
    with process.threads(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
    return [future.result() for future in futures]


def prepare(flavours=(kernel.DEMO,), variants=("plain",), modules=((kernel.DEMO, "tph_dma"),), selftests=(), installed=False,
            ucx=False):
    """Tool root, kernels of these flavours, and user-space builds of these variants.

    @modules: pairs of a flavour and a module for it; no module builds for each kernel. @selftests: tuples of collections of
    the kernel's selftests. @installed: the Debian root with the project's packages too. @ucx: the root with UCX.
    """
    root, _ = _side_by_side(toolroot.obtain, kernel_source.layouts)

    def kernels():
        return {flavour: kernel.obtain(root, flavour) for flavour in flavours}

    def folders():
        wanted = sorted({(flavour, kernel.module_folder(name)) for flavour, name in modules})
        return {(flavour, folder): kernel.modules(root, folder, flavour) for flavour, folder in wanted}

    def tests():
        return {collections: kernel.selftests(root, collections) for collections in selftests}

    def builds():
        for variant in variants:
            userspace.build(root, variant)
        return deb.installed() if installed else None, toolroot.ucx() if ucx else None
    (made, built, tested), others = _side_by_side(lambda: (kernels(), folders(), tests()), builds)
    return Prepared(root, made, built, tested, *others)

# SPDX-License-Identifier: GPL-2.0-or-later
"""make shell: a shell in the virtual machine, with one accelerator, one DMA engine and one RDMA NIC."""

import os

from lab import prepare, progress, vm

DEVICES = ["accelerator,name=acc0,completer=ext", "dma-engine,name=dma0", "mlx5,name=nic0"]


def prepared():
    """Make all that the machine needs; returns the function that boots it and gives its exit status."""
    if not os.isatty(0):
        raise progress.StepError("a shell needs a terminal")
    vm.accelerator()
    domain = vm.domain()
    made = prepare.prepare()
    machine = vm.Machine(made.root, made.kernels["base"], DEVICES, domain, [made.module("base", "tph_dma")])
    job = vm.prepare("shell")
    print(f"tphbuf is on the path, other programs are in /build, files in /job (here {job}), the trace is /job/trace.txt; "
          "'exit' powers off")
    return lambda: vm.shell(machine, job)

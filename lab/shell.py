# SPDX-License-Identifier: GPL-2.0-or-later
"""make shell: a shell in the virtual machine, with one accelerator and one DMA engine."""

import os

from lab import prepare, progress, vm

DEVICES = ["accelerator,name=acc0,completer=ext", "dma-engine,name=dma0"]


def main(_args):
    if not os.isatty(0):
        raise progress.StepError("a shell needs a terminal")
    prepared = prepare.prepare()
    machine = vm.Machine(prepared.root, prepared.kernels["base"], DEVICES, os.environ.get("DOMAIN") or "identity",
                         [prepared.modules["base"] / "tph_dma.ko"])
    job = vm.prepare("shell")
    print(f"programs are in /build, files in /job (here {job}), the trace is /job/trace.txt; 'exit' powers off")
    return vm.shell(machine, job)

# SPDX-License-Identifier: GPL-2.0-or-later
"""make shell: a shell in the virtual machine, with one accelerator, one DMA engine and one RDMA NIC."""

import os

from lab import kernel, live, prepare, progress, vm

DEVICES = ["accelerator,name=acc0,completer=ext", "dma-engine,name=dma0", "mlx5,name=nic0"]
PAGE_NAMES = {"acc0": "accelerator:accelerator", "dma0": "requester:DMA engine", "nic0": "ConnectX"}


def _serve(machine, job, root, port):
    """The page of the trace, on the loopback address."""
    places = machine.topology.addresses
    names = [f"{places[name].removeprefix('0000:')}={text}" for name, text in PAGE_NAMES.items()]
    server = live.Server(root, job / "trace.txt", port, "make shell: TLPs as they come", names)
    server.start()
    print(f"the page of the trace, as long as the machine runs: {server.url}")
    return server


def prepared():
    """Make all that the machine needs; returns the function that boots it and gives its exit status."""
    if not os.isatty(0):
        raise progress.StepError("a shell needs a terminal")
    vm.accelerator()
    domain = vm.domain()
    port = live.wanted()
    made = prepare.prepare()
    machine = vm.Machine(made.root, made.kernels[kernel.DEMO], DEVICES, domain,
                         [made.module(kernel.DEMO, "tph_dma")])
    job = vm.prepare("shell")
    server = None if port is None else _serve(machine, job, made.root, port)
    print(f"tphbuf is on the path, other programs are in /build, files in /job (here {job}), the trace is /job/trace.txt; "
          "'exit' powers off")

    def start():
        try:
            return vm.shell(machine, job)
        finally:
            if server:
                server.stop()
    return start

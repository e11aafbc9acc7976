# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine: QEMU with one vfio-user-pci device for each endpoint, a job to run, and what it left.

This is a runner of its own, and not virtme-ng, because the guest's file system is the tool root and not the
host's, QEMU and the endpoints have to run inside that root without root's rights, and the machine type, the
virtual IOMMU and the shared memory are fixed by what vfio-user needs; what would be left of virtme-ng is the
mounting of a 9p root.
"""

import functools
import json
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab import PROJECT, cache, deb, initrd, kernel_log, process, progress, sandbox, userspace
from lab.topology import Topology

RUNS = PROJECT / "build/vm"
# Seconds from the start of QEMU to that of the script; it takes a minute with 80 devices on a busy host.
BOOT_TIMEOUT = 300
# The kernel allows peer-to-peer DMA through the host bridges of AMD's family 17h and later, whatever bridge it is.
CPU = "EPYC"
ACCELERATORS = ("tcg", "kvm")
# What an installation has changed, over the root that it was made in: the guest's file system is at /mnt.
OVER_ROOT = "mount -t overlay -o ro,lowerdir=/scratch:/mnt overlay /mnt"
DOMAINS = {"identity": "iommu=pt", "translated": "iommu=nopt iommu.strict=1"}


@dataclass
class Machine:
    """What a virtual machine consists of."""

    root: Path
    kernel: Path
    devices: list = field(default_factory=list)  # entries of lab/topology.py: devices and the ports above them
    domain: str = "identity"
    modules: list = field(default_factory=list)  # paths of .ko files, in the order of loading
    variant: str = "plain"  # the build that tphbuf-endpoints comes from; guest programs are from "plain"
    input: bool = False  # the guest sees the folder input of the job at /mnt, for files too large to be read from /job
    memory: str = "1G"
    reboots: bool = False  # a restart of the guest runs the script again; else it ends the machine
    pcapng: bool = False  # the trace as pcapng too
    icount: bool = False  # one processor whose time stamp counter counts instructions; TCG whatever ACCEL= says
    inject: list = field(default_factory=list)  # rules of tphbuf-endpoints --inject; {NAME} is the BDF of a device
    boot: str = ""  # more words for the kernel's command line; {NAME} is the PCI address of a device or port
    cpu: str = CPU  # by which the kernel allows peer-to-peer DMA through the host bridge, or does not
    selftests: Path | None = None  # folder of installed selftests of the kernel
    installed: deb.Installed | None = None  # the guest's file system, in place of the tool root
    ucx: Path | None = None  # or this root

    @functools.cached_property
    def topology(self):
        """The tree that @devices describes."""
        return Topology(self.devices)


@dataclass
class Result:
    """What a run left behind: its folder, why it did not end well (or None), and the signs in its kernel log."""

    job: Path
    reason: str
    hits: list
    seconds: float


def _setting(name, default, values):
    """The setting @name of the environment, one of @values; @default where it is empty or not there."""
    value = os.environ.get(name) or default
    if value not in values:
        raise progress.StepError(f"{name}={value}: expected {' or '.join(values)}")
    return value


def accelerator():
    """QEMU's accelerator, as ACCEL= names it; StepError for one that is not known."""
    return _setting("ACCEL", "tcg", ACCELERATORS)


def domain():
    """The IOMMU domain of the devices, as DOMAIN= names it; StepError for one that is not known."""
    return _setting("DOMAIN", "identity", DOMAINS)


def memory_of_host():
    """MiB of memory that programs on this machine can still get."""
    return int(re.search(r"^MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)[1]) // 1024


def _environment(machine, extra):
    topology = machine.topology
    lines = {f"TPHBUF_DEV_{entry.name.upper()}": topology.addresses[entry.name] for entry in topology.devices}
    lines["TPHBUF_DOMAIN"] = machine.domain
    lines["TPHBUF_MODULE"] = "/job/tph_dma.ko"
    lines.update(extra)
    return "".join(f"{name}='{value}'\nexport {name}\n" for name, value in lines.items())


def _endpoints(machine):
    if not machine.devices:
        return []
    # QEMU does not announce the registers of other devices, which a device of a real machine reaches.
    argv = ["/endpoints/endpoints/tphbuf-endpoints", "--dir", "/job/sock", "--trace", "/job/trace.txt",
            "--unannounced-dma"]
    if machine.pcapng:
        argv += ["--pcapng", "/job/trace.pcapng"]
    if machine.inject:
        argv += ["--inject", "/job/faults"]
    return argv + machine.topology.endpoints_argv()


def _qemu(machine, interactive):
    topology = machine.topology
    command_line = ["console=ttyS0", "oops=panic",
                    # A panic ends the machine, or, where that would be one restart after the other, stops it.
                    "panic=0" if machine.reboots else "panic=-1",
                    # An emulator that is short of CPU time delivers timer ticks late.
                    "no_timer_check",
                    # Half of a boot under emulation is spent on 256 terminals that nobody opens.
                    "pty.legacy_count=0", "printk.time=1", "printk.devkmsg=on", "intel_iommu=on", DOMAINS[machine.domain],
                    "tsc=reliable" if machine.icount else "", machine.boot.format_map(topology.addresses)]
    argv = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-action", "reboot=reset" if machine.reboots else "reboot=shutdown",
            "-machine",
            f"q35,accel={'tcg' if machine.icount else accelerator()},kernel-irqchip=split,memory-backend=ram",
            "-cpu", machine.cpu, *(["-icount", "shift=0"] if machine.icount else []),
            # After a restart the second processor measures its delay loop by ticks, which come late under emulation.
            "-smp", "1" if machine.reboots or machine.icount else "2",
            "-m", machine.memory,
            "-object", f"memory-backend-memfd,id=ram,size={machine.memory},share=on",
            "-device", "intel-iommu,caching-mode=on,intremap=on",
            "-device", "virtio-rng-pci",
            "-kernel", "/kernel/bzImage", "-initrd", "/job/initrd", "-append", " ".join(command_line)]
    shares = [("rootfs", "/mnt", "on"), ("src", "/src", "on"), ("build", "/build", "on"), ("job", "/job", "off")]
    if machine.input:
        shares.append(("input", "/job/input", "on"))
    for tag, path, readonly in shares:
        argv += ["-fsdev", f"local,id={tag},path={path},security_model=none,readonly={readonly},multidevs=remap",
                 "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    argv += ["-serial", "mon:stdio" if interactive else "file:/job/console.log"]
    for entry, place in topology.qemu_devices():
        if entry.is_device:
            place |= {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": f"/job/sock/{entry.name}.sock"}}
        argv += ["-device", json.dumps(place)]
    return argv


def prepare(name):
    """An empty job folder; the last run of the same name is gone with it."""
    job = RUNS / name
    cache.remove(job)
    (job / "sock").mkdir(parents=True)
    return job


def _sandbox(machine, job):
    binds = userspace.binds("plain") + [
        (userspace.BUILD / machine.variant, "/endpoints", "ro"), (machine.kernel, "/kernel", "ro"), (job, "/job", "rw")]
    command = ["python3", "-B", "/src/lab/session.py"]
    if machine.ucx:
        binds.append((machine.ucx, "/mnt", "ro"))
    if machine.installed:
        binds += [(machine.installed.root, "/mnt", "ro"), (machine.installed.layer, "/scratch", "ro")]
        command = ["sh", "-euc", f"{OVER_ROOT} && exec \"$@\"", "sh", *command]
    return sandbox.argv(machine.root, command, binds, userspace.SANITIZERS)


def _write_job(machine, job, interactive, env, timeout=None, boot_timeout=None):
    shutil.copy(PROJECT / "lab/guest/init", job)
    initrd.write(job / "initrd", sorted((machine.kernel / "modules").glob("*.ko")))
    (job / "environment").write_text(_environment(machine, env))
    bdfs = {name: address.removeprefix("0000:") for name, address in machine.topology.addresses.items()}
    (job / "faults").write_text("".join(f"{rule.format_map(bdfs)}\n" for rule in machine.inject))
    (job / "topology.json").write_text(json.dumps(machine.topology.description(), indent=1) + "\n")
    parameters = {"port_view.ko": f" ports={machine.topology.port_view()}"}
    (job / "modules").write_text("".join(f"{path.name}{parameters.get(path.name, '')}\n" for path in machine.modules))
    for module in machine.modules:
        shutil.copy(module, job)
    if machine.selftests:
        shutil.copytree(machine.selftests, job / "selftests")
    plan = {"endpoints": _endpoints(machine), "qemu": _qemu(machine, interactive), "interactive": interactive,
            "timeout": timeout, "boot_timeout": boot_timeout}
    (job / "session.json").write_text(json.dumps(plan, indent=1) + "\n")


def run(machine, job, script, timeout, env=None, watch=None, boot_timeout=BOOT_TIMEOUT):
    """Boot @machine, run the shell script @script in the guest, power off.

    @timeout: seconds for the script. @boot_timeout: seconds until it begins.
    @watch() is called some times a second. The result's reason is None when the guest ran the script to its
    end and everything ended in good order; what the script did is for the caller to read in the job folder.
    """
    (job / "script").write_text(script)
    _write_job(machine, job, False, env or {}, timeout + boot_timeout, boot_timeout)
    start = time.monotonic()
    process.run(_sandbox(machine, job), f"session-{job.name}", idle=watch)
    seconds = time.monotonic() - start
    return Result(job, _reason(machine, job), kernel_log.scan(console(job)), seconds)


def console(job):
    path = job / "console.log"
    return path.read_text(errors="replace") if path.is_file() else ""


def _reason(machine, job):
    """Why a finished session is no good, or None."""
    status = json.loads((job / "session.status").read_text())
    if status["reason"]:
        return status["reason"]
    if machine.devices and status["endpoints"] != 0:
        return f"tphbuf-endpoints ended with {status['endpoints']}, see {job / 'endpoints.log'}"
    if status["qemu"] != 0:
        words = [line for line in (job / "qemu.log").read_text().splitlines() if "warning:" not in line]
        return f"QEMU ended with {status['qemu']}: {words[-1] if words else 'it said nothing'}"
    if not (job / "status").is_file():
        return f"the guest did not finish its job, see {job / 'console.log'}"
    return None


def shell(machine, job):
    """Boot @machine with a shell on this terminal."""
    _write_job(machine, job, True, {"LAB_SHELL": "1"})
    return process.foreground(_sandbox(machine, job))

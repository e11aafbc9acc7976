# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that Debian ships for amd64 machines, as it is, with an initramfs of its own modules that boots the guest."""

import lzma
import re
import subprocess
import tempfile
from pathlib import Path

from lab import PROJECT, cache, kernel_source, process, progress, sandbox, toolroot

FLAVOUR = "debian"
# Its dependency is the package of one version.
META = "linux-image-amd64"
# What the guest needs to boot, and to open a device.
MODULES = ("9p", "9pnet_virtio", "virtio_rng", "vfio_iommu_type1", "vfio-pci")
INIT = PROJECT / "lab/initramfs.c"
# It unpacks to some hundred MiB, of which a few are kept.
KEPT = 2


def _release(env):
    """Version string of the kernel that META stands for."""
    text = subprocess.run(["apt-cache", "depends", META], env=env, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Depends: linux-image-(\d\S*)", text)
    if not found:
        raise progress.StepError(f"the package mirror has no {META} in {toolroot.SUITES[1]}")
    return found[1]


def _download(work, step):
    """The packages of the kernel, unpacked below @work; returns its release."""
    uri = toolroot.mirror()
    if uri is None:
        raise progress.StepError("apt on this machine names no Debian archive: set MIRROR= to one")
    with toolroot.mirror_errors():
        env = kernel_source.open_archive(work, uri, toolroot.SUITES[1], step, ["-o", "Acquire::Check-Valid-Until=false"])
        release = _release(env)
        for part in ("base", "binary", "modules"):
            package = f"linux-{part}-{release}"
            step.detail = f"downloading {package}"
            process.run(["apt-get", "-q", "download", package], "debian-kernel-download", cwd=work, env=env)
    step.detail = "unpacking"
    for package in work.glob("*.deb"):
        process.run(["dpkg-deb", "-x", str(package), str(work / "root")], "debian-kernel-unpack")
    return release


def _modules(root, work, release):
    """Paths of MODULES and of what they need, below @work / "root", in the order of loading."""
    inside = [(work / "root/usr", "/scratch", "rw")]
    script = f"mkdir /tmp/k && ln -s /scratch/lib /tmp/k/lib && depmod -b /tmp/k {release} && " + " && ".join(
        f"modprobe -d /tmp/k -S {release} --show-depends {name}" for name in MODULES)
    done = subprocess.run(sandbox.argv(root, ["sh", "-euc", script], inside), capture_output=True, text=True, check=False)
    if done.returncode:
        raise progress.StepError(f"modprobe does not know the modules of {release}: {done.stderr.strip()}")
    found = re.findall(r"^insmod /tmp/k/(\S+)", done.stdout, re.MULTILINE)
    return [work / "root/usr" / path for path in dict.fromkeys(found)]


def _entry(name, mode, data=b"", number=(0, 0)):
    """A file, directory or device of this @number in the format that the kernel unpacks (cpio, "newc")."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *number, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def _initrd(init, modules):
    files = {f"{number:02}-{path.name.removesuffix('.xz')}": lzma.decompress(path.read_bytes())
             for number, path in enumerate(modules)}
    parts = [_entry("dev", 0o040755), _entry("dev/console", 0o020600, number=(5, 1)),
             _entry("init", 0o100755, init.read_bytes()),
             _entry("modules", 0o100644, "".join(f"/{name}\n" for name in files).encode())]
    parts += [_entry(name, 0o100644, data) for name, data in files.items()]
    return b"".join(parts) + _entry("TRAILER!!!", 0)


def _build(part, root):
    with progress.step("Debian's kernel") as step, tempfile.TemporaryDirectory(dir=part, prefix="deb-") as work:
        work = Path(work)
        release = _download(work, step)
        step.detail = "making the initramfs"
        compile_init = ["gcc", "-static", "-Os", "-s", "-Wall", "-o", "/scratch/init", f"/src/{INIT.relative_to(PROJECT)}"]
        process.run(sandbox.argv(root, compile_init, [(PROJECT, "/src", "ro"), (work, "/scratch", "rw")]), "debian-kernel-init")
        (part / "initrd").write_bytes(_initrd(work / "init", _modules(root, work, release)))
        (work / f"root/usr/lib/modules/{release}/vmlinuz").rename(part / "bzImage")
        (work / f"root/usr/lib/modules/{release}/config").rename(part / "config")
        (part / "release").write_text(release + "\n")
        step.detail = release


def obtain(root):
    """Folder of the cache with bzImage, initrd and config."""
    inputs = {"package": META, "suite": toolroot.SUITES[1], "modules": MODULES,
              "init": cache.files_digest(PROJECT, [INIT.relative_to(PROJECT)]), "recipe": 1}
    return cache.obtain("debian-kernel", inputs, lambda part: _build(part, root), keep=KEPT)

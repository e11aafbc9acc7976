# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that Debian ships for amd64 machines, as it is, and its modules that boot the guest."""

import lzma
import re
import subprocess
import tempfile
from pathlib import Path

from lab import cache, kernel_source, process, progress, sandbox, toolroot

FLAVOUR = "debian"
# Its dependency is the package of one version.
META = "linux-image-amd64"
# What the guest needs to boot, and to open a device.
MODULES = ("9p", "9pnet_virtio", "virtio_rng", "vfio_iommu_type1", "vfio-pci")
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


def _build(part, root):
    with progress.step("Debian's kernel") as step, tempfile.TemporaryDirectory(dir=part, prefix="deb-") as work:
        work = Path(work)
        release = _download(work, step)
        (part / "modules").mkdir()
        for number, path in enumerate(_modules(root, work, release)):
            (part / f"modules/{number:02}-{path.name.removesuffix('.xz')}").write_bytes(lzma.decompress(path.read_bytes()))
        (work / f"root/usr/lib/modules/{release}/vmlinuz").rename(part / "bzImage")
        (work / f"root/usr/lib/modules/{release}/config").rename(part / "config")
        (part / "release").write_text(release + "\n")
        step.detail = release


def obtain(root):
    """Folder of the cache with bzImage, config and the folder of modules that the initramfs needs, named in their order."""
    inputs = {"package": META, "suite": toolroot.SUITES[1], "modules": MODULES, "recipe": 2}
    return cache.obtain("debian-kernel", inputs, lambda part: _build(part, root), keep=KEPT)

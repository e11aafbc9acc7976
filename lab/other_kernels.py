# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels beside the one that the lab builds, on which the series is tried: the files of theirs that it touches."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import cache, kernel_source, process, progress, series, toolroot


@dataclass
class Other:
    """A kernel that Debian ships as @package of @suite. Its @name is that of the folder of patches that differ for it."""

    name: str
    package: str
    suite: str

    @property
    def files(self):
        """Folder of the cache with Makefile and the files that the series touches, as they are in that kernel."""
        names = sorted(["Makefile", ".gitattributes", *series.touched(series.patches())])
        inputs = {"package": self.package, "suite": self.suite, "names": names}
        return cache.obtain("other-kernel", inputs, lambda part: self._extract(part, names), keep=4)

    def _extract(self, part, names):
        with progress.step(f"Linux {self.name}") as step, tempfile.TemporaryDirectory(dir=part, prefix="deb-") as work:
            package = self._download(Path(work), step)
            step.detail = "unpacking"
            process.run(["dpkg-deb", "-x", str(package), f"{work}/deb"], "other-kernel-unpack")
            archive = next(Path(work).glob("deb/usr/src/linux-source-*.tar.xz"))
            wanted = Path(work) / "names"
            wanted.write_text("".join(f"{archive.name.removesuffix('.tar.xz')}/{name}\n" for name in names))
            # tar fails at the end when files are not there: those that the series adds.
            subprocess.run(["tar", "-xJf", str(archive), "-C", str(part), "--strip-components=1", "-T", str(wanted)],
                           capture_output=True, check=False)
            (part / "version").write_text(package.name.split("_")[1].replace("%3a", ":"))
            if not (part / "Makefile").is_file():
                raise progress.StepError(f"{archive.name} has no Makefile at its top")

    def _download(self, work, step):
        uri = toolroot.mirror()
        if uri is None:
            raise progress.StepError("apt on this machine names no Debian archive: set MIRROR= to one")
        with toolroot.mirror_errors():
            # A mirror may be one that is no longer updated. It is good enough for a kernel that is neither built nor run.
            return kernel_source.download(work, uri, self.package, self.suite, step, ["-o", "Acquire::Check-Valid-Until=false"])

    @property
    def version(self):
        return (self.files / "version").read_text()

    def original(self, name):
        """Content of a file before the series, None when this kernel has no such file."""
        path = self.files / name
        return path.read_bytes() if path.is_file() else None


OTHERS = [Other("7.2", "linux-source-7.2", "trixie-backports"), Other("7.3-rc", "linux-source-7.3", "experimental")]

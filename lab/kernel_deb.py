# SPDX-License-Identifier: GPL-2.0-or-later
"""make kernel-deb: Debian packages of a kernel with the series, configured as the user's own kernel is."""

import argparse
import re
from pathlib import Path

from lab import PROJECT, cache, kernel, kernel_source, process, progress, sandbox, series, toolroot

PLACE = PROJECT / "build/kernel-deb"
FRAGMENT = kernel.CONFIGS / "owner.config"
# Files of a distribution's keys; a kernel that checks no signatures has none of these options.
KEYS = ("CONFIG_MODULE_SIG_KEY", "CONFIG_SYSTEM_TRUSTED_KEYS", "CONFIG_SYSTEM_REVOCATION_KEYS")
# Objects of a distribution's configuration, to show how far a build has come.
TYPICAL_OBJECTS = 28000


def options(text):
    """Option to value, out of a configuration or a fragment."""
    found = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.MULTILINE))
    found.update({name: "n" for name in re.findall(r"^# (CONFIG_\w+) is not set$", text, re.MULTILINE)})
    return found


def wanted(config, fragment):
    """Lines for the options of @fragment that @config does not have yet; what is built in there stays so.

    Files of keys are replaced where @config has some.
    """
    have = options(config)
    return "".join(f"{name}={value}\n" for name, value in options(fragment).items()
                   if not (value == "m" and have.get(name) == "y") and have.get(name) != value
                   and not (name in KEYS and name not in have))


def make_argv(root, source, place, args):
    """Command line of make; the packages end up in @place, which has the objects in a folder."""
    make = ["make", "-C", "/linux", "O=/scratch/obj", f"-j{process.processors()}", *args]
    return sandbox.argv(root, make, [(source, "/linux", "ro"), (place, "/scratch", "rw")])


def source_tree():
    """Folder with the kernel's source and the series, a tree of its own beside the lab's."""
    tree = kernel_source.obtain()
    with cache.exclusive(f"tree/{tree.path.name}.work"):
        other = kernel_source.Tree(tree.path).clone("deb")
        other.sync(series.apply(other.original, series.patches())[-1])
        other.save()
        return other.source


def configure(root, source, place, config):
    """Write the configuration below @place; every option of FRAGMENT has to come out as it is there, or built in."""
    out = place / "obj"
    out.mkdir(parents=True, exist_ok=True)
    text = config.read_text(errors="replace")
    added = wanted(text, FRAGMENT.read_text())
    (out / "added.config").write_text(added)
    (out / ".config").write_text(f"{text}\n{added}")
    process.run(make_argv(root, source, place, ["olddefconfig"]), "kernel-deb-config")
    process.run(["sh", str(kernel.CONFIGS / "check.sh"), str(out / ".config"), str(out / "added.config")], "kernel-deb-config")


class _Watch:
    """Counts the objects that make reports."""

    def __init__(self, step):
        self.step = step
        self.objects = 0

    def __call__(self, line):
        found = re.match(r"\s+(CC|AS|LD|AR|BUILD)\s+(?:\[M\]\s+)?(\S+)", line)
        if found:
            self.objects += 1
            self.step.fraction = min(self.objects / TYPICAL_OBJECTS, 0.99)
            self.step.detail = found[2]


def build(config, place):
    """Build packages of a kernel configured as the file @config, and with what a tag needs; returns their paths, in @place."""
    root = toolroot.packagers()
    source = source_tree()
    with progress.step("kernel packages") as step:
        step.detail = "configuring"
        configure(root, source, place, config)
        # Each build is a revision of its own: what is returned are the packages of this one.
        for path in place.glob("linux-*_*"):
            path.unlink()
        process.run(make_argv(root, source, place, ["bindeb-pkg"]), "kernel-deb-build", watch=_Watch(step))
        step.detail = ""
    return sorted(place.glob("linux-*.deb"))


def main(args):
    """Configure and build; prints where the packages are."""
    parser = argparse.ArgumentParser(prog="make kernel-deb CONFIG=/boot/config-$(uname -r)")
    parser.add_argument("config", nargs="?", type=Path)
    config = parser.parse_args(args).config
    if config is None:
        raise progress.StepError("CONFIG is missing; name the configuration of your kernel: "
                                 "make kernel-deb CONFIG=/boot/config-$(uname -r)")
    if not config.is_file():
        raise progress.StepError(f"CONFIG={config} is not a file; Debian has the configuration of a kernel in "
                                 "/boot/config-VERSION")
    if not options(config.read_text(errors="replace")):
        raise progress.StepError(f"CONFIG={config} is not a kernel configuration: it has no CONFIG_ line")
    for package in build(config, PLACE):
        print(package)
    print("to install: dpkg -i build/kernel-deb/linux-image-*.deb, and boot it")
    return 0

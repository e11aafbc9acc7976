# SPDX-License-Identifier: GPL-2.0-or-later
"""make kernel-deb on the configuration of Debian's kernel: every option that a tag needs comes out, and the kernel's own
packaging begins to compile. A whole build of that takes hours; the lab's configuration goes to the end, and the kernel of
the package boots and takes tags."""

import subprocess

import tap
from lab import PROJECT, cache, debian_kernel, kernel, kernel_deb, prepare, toolroot, vm

tap.TEST_SECONDS = 2700
PLACE = PROJECT / "build/kernel-deb-test"
SMALL = PROJECT / "build/kernel-deb-small"
# As many objects as show that it compiles what the configuration asks for, and not only its own tools.
OBJECTS = 40


def _ready():
    root, source = toolroot.packagers(), kernel_deb.source_tree()
    if not (PLACE / "obj/.config").is_file():
        kernel_deb.configure(root, source, PLACE, debian_kernel.obtain(toolroot.obtain()) / "config")
    return root, source


def test_configuration():
    """all that is needed is there, and the rest is as Debian has it"""
    cache.remove(PLACE)
    _ready()
    theirs = kernel_deb.options((debian_kernel.obtain(toolroot.obtain()) / "config").read_text())
    ours = kernel_deb.options((PLACE / "obj/.config").read_text())
    for name, value in kernel_deb.options(kernel_deb.FRAGMENT.read_text()).items():
        if name in kernel_deb.KEYS and name not in theirs:
            continue
        tap.true(ours.get(name, "n") in (value, "y") if value == "m" else ours.get(name) == value, f"{name}={ours.get(name)}")
    tap.equal((theirs["CONFIG_PCIE_TPH"], ours["CONFIG_PCIE_TPH"]), ("n", "y"), "TPH before and after")
    same = [name for name in theirs if ours.get(name) == theirs[name]]
    tap.true(len(same) > 0.97 * len(theirs), f"{len(same)} of {len(theirs)} options are as they were")


def test_refused():
    """an option that cannot be is reported"""
    check = subprocess.run(["sh", str(kernel.CONFIGS / "check.sh"), str(PLACE / "obj/.config"), "/dev/stdin"],
                           input="CONFIG_PCIE_TPH=n\n", capture_output=True, text=True, check=False)
    tap.equal((check.returncode, "CONFIG_PCIE_TPH=n asked for" in check.stdout), (1, True), check.stdout + check.stderr)


def test_build_begins():
    """the kernel's bindeb-pkg accepts the tree and the root, and compiles"""
    root, source = _ready()
    with subprocess.Popen(kernel_deb.make_argv(root, source, PLACE, ["bindeb-pkg"]), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as build:
        lines, objects = [], 0
        for line in build.stdout:
            lines.append(line)
            objects += line.lstrip().startswith("CC ")
            if objects == OBJECTS:
                build.terminate()
                break
    if objects < OBJECTS:
        tap.diag("".join(lines[-30:]))
    tap.equal(objects, OBJECTS, "objects")
    tap.true(any("dpkg-buildpackage" in line or "dpkg-source" in line for line in lines), "by Debian's tools")
    cache.remove(PLACE)


def test_packages():
    """packages of a small kernel: the image boots, says its version, and a device of it can be tagged"""
    prepared = prepare.prepare(("base",), modules=())
    packages = kernel_deb.build(prepared.kernels["base"] / "config", SMALL)
    image, = (path for path in packages if path.name.startswith("linux-image-"))
    subprocess.run(["dpkg-deb", "-x", str(image), str(SMALL / "unpacked")], check=True)
    image, = (SMALL / "unpacked/boot").glob("vmlinuz-*")
    image.rename(SMALL / "bzImage")
    machine = vm.Machine(prepared.root, SMALL, ["accelerator,name=acc0,completer=ext"])
    job = vm.prepare("kernel_deb")
    script = ("uname -r\n"
              "exec /build/cli/tphbuf exec --bind -d $TPHBUF_DEV_ACC0 --bar 2 --range 0:4K --st-ext 0x21 --ph 1 -- echo tagged\n")
    result = vm.run(machine, job, script, 120)
    tap.equal(result.reason, None, "the machine")
    tap.equal((job / "script.log").read_text().split(), [image.name.removeprefix("vmlinuz-"), "tagged"], "version and command")
    tap.true(image.name.endswith("-tphbuf"), image.name)
    tap.equal((job / "status").read_text(), "0\n", "exit status")
    cache.remove(SMALL)


if __name__ == "__main__":
    tap.run(globals())

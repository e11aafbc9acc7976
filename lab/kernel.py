# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab kernel: source plus series plus configuration, built in the tool root; and the modules on top of it."""

import contextlib
import re
import shutil
import tempfile
from pathlib import Path

from lab import PROJECT, cache, debian_kernel, kernel_source, process, progress, sandbox, series, toolroot

CONFIGS = PROJECT / "kernel/configs"
# Flavour of the kernels with some topics of the series only. They share a folder of objects, configured as base is.
PARTS = "parts"
# Flavour of what people look at: to watch the locks is more than half of the instructions of a boot.
DEMO = "clean"
# Flavour of the clean kernel without the series, to tell what the series costs.
UNPATCHED = "unpatched"
# Folders of modules that are built on top of a lab kernel.
MODULES = {
    "tph_dma": "kernel/modules/tph_dma",
    "tph_fault": "tests/modules/tph_fault",
    "tph_query": "tests/modules/tph_query",
    "mlx5_st_test": "tests/modules/mlx5_st_test",
    "tph_bench": "bench/tph_bench",
    "port_view": "tests/modules/port_view",
}
# Objects of a full build, to show how far the first one has come; later ones know their own number.
TYPICAL_OBJECTS = 1800
# Results that are kept of each kind: a kernel for each flavour, and for each topic of the series.
KEPT = 24
# File of an object folder that takes the place of the kernel's Kconfig.
KCONFIG = "lab.Kconfig"
# Nothing of the machine or the moment goes into the image.
REPRODUCIBLE = ["KBUILD_BUILD_TIMESTAMP=2026-01-01", "KBUILD_BUILD_USER=tphbuf", "KBUILD_BUILD_HOST=lab"]


def fragments(flavour):
    """Configuration fragments of a kernel flavour: base, or base with the fragment of that name on top."""
    names = {"base": ["base"], PARTS: ["base"], UNPATCHED: ["base", "clean"]}.get(flavour, ["base", flavour])
    return [CONFIGS / f"{name}.config" for name in names]


def _kconfigs(paths):
    """Additions to the kernel's Kconfig that stand beside fragments, for options which have no prompt there."""
    return [path.with_suffix(".Kconfig") for path in paths if path.with_suffix(".Kconfig").is_file()]


def config_digest(paths):
    """Hash of all that a configuration made from these fragments depends on."""
    return _digest([*paths, *_kconfigs(paths)])


def make_argv(root, tree, out, args, bind=()):
    """Command line of make in the kernel tree, objects in the folder @out.

    Source and objects have the same path inside whatever folders they are, so that objects can be copied.
    """
    make = ["make", "-C", "/linux", "O=/obj", f"-j{process.processors()}", *REPRODUCIBLE, *args]
    if (out / KCONFIG).is_file():
        make.append(f"KBUILD_KCONFIG=/obj/{KCONFIG}")
    return sandbox.argv(root, make, bind=[(tree.source, "/linux", "ro"), (out, "/obj", "rw"), *bind])


def configure(root, tree, out, paths, log, args=()):
    """Write .config from tinyconfig and fragments; every option named has to survive. @args: more words for make."""
    out.mkdir(exist_ok=True)
    (out / KCONFIG).unlink(missing_ok=True)
    additions = [path.read_text() for path in _kconfigs(paths)]
    if additions:
        (out / KCONFIG).write_text("\n".join([(tree.source / "Kconfig").read_text(), *additions]))
    process.run(make_argv(root, tree, out, [*args, "tinyconfig"]), log)
    with open(out / ".config", "a", encoding="utf-8") as file:
        for path in paths:
            file.write(path.read_text())
    process.run(make_argv(root, tree, out, [*args, "olddefconfig"]), log)
    process.run(["sh", str(CONFIGS / "check.sh"), str(out / ".config"), *map(str, paths)], log)


def _digest(paths):
    return cache.files_digest(PROJECT, [path.relative_to(PROJECT) for path in paths])


def _patches(flavour, topics):
    """The patches of the topics @topics, by default of all that the flavour has."""
    if flavour == UNPATCHED:
        return []
    return series.patches() if topics is None else series.selected(topics)


def _inputs(tree, flavour, root, topics=None):
    """What a kernel depends on."""
    return {
        "source": tree.state["identity"],
        "series": _digest(_patches(flavour, topics)),
        "config": config_digest(fragments(flavour)),
        "flavour": flavour,
        "toolchain": toolroot.toolchain(root),
        "recipe": 1,
    }


class _Watch:
    """Counts the objects that make reports."""

    def __init__(self, step, expected):
        self.step = step
        self.expected = expected
        self.objects = 0

    def __call__(self, line):
        found = re.match(r"  (CC|AS|LD|AR|HOSTCC|LZ4|BUILD)\s+(?:\[M\]\s+)?(\S+)", line)
        if not found:
            return
        if found[1] in ("CC", "AS"):
            self.objects += 1
        if self.expected:
            self.step.fraction = min(self.objects / self.expected, 0.99)
        self.step.detail = found[2]


def usable(tree, flavour, inputs):
    """Whether the objects of a flavour are whole and of the same compiler: make finds out what is too old."""
    built = tree.state["built"].get(flavour, {})
    return built.get("unfinished") is False and built["toolchain"] == inputs["toolchain"]


def _make(root, tree, flavour, inputs, patches):
    """Bring the objects of @flavour, with these patches, up to date in the tree; returns their folder."""
    main = kernel_source.Tree(tree.path)
    out = tree.path / f"obj-{flavour}"
    built = tree.state["built"].setdefault(flavour, {})
    if built.get("key") == cache.digest(inputs) and tree.state.get("series") == inputs["series"]:
        return out
    with progress.step("kernel") as step:
        step.detail = "applying the series"
        # make trusts an object by its date, even one half written by a killed build or made by another compiler. And after
        # another configuration a copy of the base objects is the better start.
        if not usable(tree, flavour, inputs) or (flavour != "base" and built.get("config") != inputs["config"]):
            cache.remove(out)
        start = "clean" if flavour == UNPATCHED and usable(main, "clean", inputs) else "base"
        if flavour != "base" and not out.is_dir() and usable(main, start, inputs):
            process.run(["cp", "-a", str(tree.path / f"obj-{start}"), str(out)], f"kernel-copy-{flavour}")
            if tree.source != main.source:
                tree.touch(main)
        first = not out.is_dir()
        built.pop("key", None)
        built.update(unfinished=True, toolchain=inputs["toolchain"], config=inputs["config"])
        tree.state["series"] = None
        tree.save()
        try:
            tree.sync(series.apply(tree.original, patches)[-1])
            tree.state["series"] = inputs["series"]
            step.detail = "configuring"
            configure(root, tree, out, fragments(flavour), f"kernel-config-{flavour}")
            watch = _Watch(step, built.get("objects", TYPICAL_OBJECTS) if first else None)
            process.run(make_argv(root, tree, out, ["bzImage", "modules"]), f"kernel-build-{flavour}", watch=watch)
            built["objects"] = max(watch.objects, built.get("objects", 0))
            built["key"] = cache.digest(inputs)
        finally:
            built["unfinished"] = False
            tree.save()
        step.detail = "%s, %d patches, %d objects" % (release(out), len(patches), watch.objects)
    return out


def release(out):
    return (out / "include/config/kernel.release").read_text().strip()


@contextlib.contextmanager
def objects(root, flavour="base", topics=None):
    """(tree, object folder) of the built kernel, held against all who would change it.

    @topics: names of the topics of the series that it has, with flavour PARTS.
    """
    tree = kernel_source.obtain()
    with cache.exclusive(f"tree/{tree.path.name}.work"):
        fresh = kernel_source.Tree(tree.path)
        if flavour in (PARTS, UNPATCHED):
            # A tree of its own: the objects of the other flavours would have to follow each change of this one.
            fresh = fresh.clone(PARTS)
        yield fresh, _make(root, fresh, flavour, _inputs(fresh, flavour, root, topics), _patches(flavour, topics))


def obtain(root, flavour="base", topics=None):
    """Folder of the cache with bzImage and config of the kernel with the series, or with some topics of it.

    @flavour "debian" is Debian's own kernel, which has an initrd too.
    """
    if flavour == debian_kernel.FLAVOUR:
        return debian_kernel.obtain(root)

    def build(part):
        with objects(root, flavour, topics) as (_, out):
            shutil.copyfile(out / "arch/x86/boot/bzImage", part / "bzImage")
            shutil.copyfile(out / ".config", part / "config")
            (part / "release").write_text(release(out) + "\n")
    return cache.obtain("kernel", _inputs(kernel_source.obtain(), flavour, root, topics), build, keep=KEPT)


def selftests(root, collections, flavour="base", topics=None):
    """Folder with the kernel's selftests of these collections, as its own Makefile builds and installs them."""
    inputs = {"source": kernel_source.obtain().state["identity"], "series": _digest(_patches(flavour, topics)),
              "toolchain": toolroot.toolchain(root), "collections": list(collections), "recipe": 1}

    def build(part):
        with objects(root, flavour, topics) as (tree, out), progress.step("selftests") as step:
            step.detail = " ".join(collections)
            process.run(make_argv(root, tree, out, ["headers"]), "selftests-headers")
            # FORCE_TARGETS: by default it is enough that one of the collections can be built.
            make = ["make", "-C", "/linux/tools/testing/selftests", f"-j{process.processors()}",
                    f"TARGETS={' '.join(collections)}", "FORCE_TARGETS=1", "O=/obj", "KSFT_INSTALL_PATH=/scratch", "install"]
            process.run(sandbox.argv(root, make, bind=[(tree.source, "/linux", "ro"), (out, "/obj", "rw"),
                                                       (part, "/scratch", "rw")]), "selftests")
    return cache.obtain("selftests", inputs, build, keep=KEPT)


def module_folder(module):
    """Key of MODULES for the folder that @module.ko is built in."""
    return module if module in MODULES else "tph_dma"


def _module_inputs(name):
    """Files that a module is built from: its own and the register headers."""
    files = [path for path in (PROJECT / MODULES[name]).iterdir()
             if path.suffix in (".c", ".h") or path.name in ("Kbuild", "Makefile")]
    return sorted(files + list((PROJECT / "registers").glob("*_regs.h")))


def module_argv(root, tree, out, name, target, args):
    """Command line that builds the modules of the folder @name into the folder @target."""
    return make_argv(root, tree, out, [f"M=/src/{MODULES[name]}", "MO=/scratch", *args, "modules"],
                     bind=[(PROJECT, "/src", "ro"), (target, "/scratch", "rw")])


def modules(root, name="tph_dma", flavour="base", topics=None):
    """Folder of the cache with the modules of the folder @name, built for the kernel that obtain() gives."""
    inputs = {"kernel": _inputs(kernel_source.obtain(), flavour, root, topics), "name": name,
              "files": _digest(_module_inputs(name))}

    def build(part):
        with objects(root, flavour, topics) as (tree, out), progress.step(f"module {name}"), \
                tempfile.TemporaryDirectory(prefix="tphbuf-module-") as work:
            process.run(module_argv(root, tree, out, name, work, []), f"module-{name}")
            for path in Path(work).glob("*.ko"):
                shutil.copy(path, part)
    return cache.obtain("module", inputs, build, keep=KEPT)

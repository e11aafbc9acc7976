# SPDX-License-Identifier: GPL-2.0-or-later
"""User-space builds in the tool root, one build folder a variant below build/user."""

import json
import re

from lab import PROJECT, cache, kernel_source, process, progress, sandbox

BUILD = PROJECT / "build/user"
VARIANTS = {
    "plain": (["-Dguest=true"], {}),
    "sanitized": (["-Db_sanitize=address,undefined", "-Db_lundef=false"], {}),
    "clang": (["-Dguest=true"], {"CC": "ccache clang"}),
    # What a packager asks for: more inlining, and so more that the compiler can warn of.
    "release": (["--buildtype=release"], {}),
}
# Objects by what was compiled, for all checkouts: what one of them has compiled, a fresh one need not. Meson calls
# ccache by itself.
CCACHE = {"CCACHE_DIR": "/ccache", "CCACHE_MAXSIZE": "1G"}

# A sanitizer's report ends the program with an error: nobody has to look for it in the output.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def binds(variant):
    """The project and a build folder, as every user of them inside the tool root sees them."""
    return [(PROJECT, "/src", "ro"), (BUILD / variant, "/build", "rw")]


def build(root, variant="plain"):
    """Bring a variant up to date; returns its build folder."""
    options, env = VARIANTS[variant]
    folder = BUILD / variant
    objects = cache.folder("ccache")
    layouts = kernel_source.layouts()
    options = [*options, "-Dkernel_tree=/linux"]
    inside = binds(variant) + [(layouts, "/linux", "ro"), (objects, "/ccache", "rw")]
    env = env | CCACHE
    stamp = folder / "configured"
    made_for = json.dumps([root.parent.name, layouts.name, options, env])
    with progress.step(f"user space ({variant})") as step:
        if not stamp.is_file() or stamp.read_text() != made_for:
            # Not --wipe: it fails when an option of the last setup is gone from the project.
            cache.remove(folder)
            folder.mkdir(parents=True)
            setup = ["meson", "setup", "-Db_colorout=never", *options, "/build", "/src"]
            process.run(sandbox.argv(root, setup, inside, env), f"meson-{variant}")
            stamp.write_text(made_for)
        process.run(sandbox.argv(root, ["ninja", "-C", "/build", f"-j{process.processors()}"], inside, env),
                    f"ninja-{variant}", watch=watch(step))
        step.detail = ""
    return folder


def examples(root):
    """Build the examples as a user does: against the installed library, by pkg-config. They are in /build/examples."""
    stage = "/build/examples/installed"
    # DESTDIR is not where the library will be found in the end, which is what pkg-config's files say.
    script = f"""
        meson install -C /build --no-rebuild --quiet --destdir {stage}
        folder=$(dirname "$(find {stage} -name libtphbuf.pc)")
        export PKG_CONFIG_PATH="$folder" PKG_CONFIG_SYSROOT_DIR={stage}
        for source in /src/examples/*/Makefile; do
            name=$(basename "$(dirname "$source")")
            mkdir -p /build/examples/"$name"
            make -B -C /build/examples/"$name" -f "$source" VPATH=/src/examples/"$name" CFLAGS='-O2 -Wall -Wextra -Werror'
        done"""
    with progress.step("examples") as step:
        process.run(sandbox.argv(root, ["sh", "-euc", script], binds("plain")), "examples")
        step.detail = ""


def watch(step):
    """Reader of ninja's "[3/17] ..." lines."""
    def read(line):
        found = re.match(r"\[(\d+)/(\d+)\] (.*)", line)
        if found:
            step.fraction = int(found[1]) / int(found[2])
            step.detail = found[3]
    return read

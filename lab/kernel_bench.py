# SPDX-License-Identifier: GPL-2.0-or-later
"""A second kernel tree for the tests of the series: any state of it can be compiled there, in parts, without
disturbing the objects that the lab's kernel is built from."""

import contextlib
import re
import subprocess

from lab import cache, kernel, kernel_source, sandbox, series, toolroot


class Bench:
    """The tree in one of the states of the series, and object folders by configuration."""

    def __init__(self, root, tree, check):
        self.root = root
        self.tree = check
        self.lab_tree = tree
        self.patches = series.patches()
        self.states = series.apply(check.original, self.patches)
        self.touched = series.touched(self.patches)

    def _kernel_sources(self):
        """C files that the series touches and that end up in the kernel: what is in tools/ has a make of its own."""
        return [name for name in self.touched if name.endswith(".c") and not name.startswith("tools/")]

    def sources(self, state):
        """C files that the series touches and that are there in the state after @state patches."""
        return [name for name in self._kernel_sources() if self.states[state].get(name) is not None]

    def folders(self):
        """Folders of the C files that the series touches, as make targets."""
        return sorted({name.rsplit("/", 1)[0] + "/" for name in self._kernel_sources()})

    def go(self, state):
        """Bring the files to the state after @state patches."""
        self.tree.sync(self.states[state])

    def objects(self, name, fragments=()):
        """Object folder of a configuration: base with @fragments (paths) on top. Made from what the lab has built."""
        out = self.tree.path / f"bench-{name}"
        wanted = {"config": cache.files_digest(kernel.PROJECT, [path.relative_to(kernel.PROJECT) for path in
                                                               [*kernel.fragments("base"), *fragments]]),
                  "toolchain": toolroot.toolchain(self.root)}
        if self.tree.state["built"].get(name) != wanted or not out.is_dir():
            cache.remove(out)
            base = self.lab_tree.path / "obj-base"
            with cache.exclusive(f"tree/{self.tree.path.name}.work"):
                lab = kernel_source.Tree(self.lab_tree.path)
                if kernel.usable(lab, "base", wanted):
                    subprocess.run(["cp", "-a", str(base), str(out)], check=True)
            kernel.configure(self.root, self.tree, out, [*kernel.fragments("base"), *fragments], f"bench-config-{name}")
            self.tree.state["built"][name] = wanted
            self.tree.save()
        return out

    @staticmethod
    def call(argv):
        """Run a command line; returns (whether it succeeded, its output)."""
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                              errors="replace")
        return done.returncode == 0, done.stdout + done.stderr

    def make(self, out, args):
        """Run make with the objects in @out."""
        return self.call(kernel.make_argv(self.root, self.tree, out, args, [(kernel.PROJECT, "/src", "ro")]))

    def run(self, command, bind=()):
        """Run a program of the tool root in the tree."""
        return self.call(sandbox.argv(self.root, ["env", "-C", "/linux", *command],
                                      [(self.tree.source, "/linux", "ro"), *bind]))


def warnings(output):
    """What compiler and sparse complain about, without line numbers: the same complaint about moved code is old."""
    found = set()
    for line in output.splitlines():
        match = re.match(r"(?:\.\./|/linux/|/src/)*(\S+?):\d+:(?:\d+:)? ((?:warning|error): .*)", line)
        if match:
            found.add(f"{match[1]}: {match[2]}")
    return found


@contextlib.contextmanager
def bench():
    """Open the bench; one user at a time."""
    root = toolroot.obtain()
    tree = kernel_source.obtain()
    with cache.exclusive(f"tree/{tree.path.name}.bench"):
        with cache.exclusive(f"tree/{tree.path.name}.work"):
            check = kernel_source.Tree(tree.path).clone("bench")
        yield Bench(root, tree, check)

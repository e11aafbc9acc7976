# SPDX-License-Identifier: GPL-2.0-or-later
"""A second kernel tree for the tests of the series: any state of it can be compiled there, in parts, without
disturbing the objects that the lab's kernel is built from."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

from lab import PROJECT, cache, kernel, kernel_source, process, sandbox, series, toolroot

# Programs in the kernel's tree that are not part of a kernel.
NOT_KERNEL = ("tools/", "samples/")
# Results that are kept: some for each state of the series.
RESULTS = 500


class CheckTree:
    """The tree in one of the states of the series, and object folders by configuration.

    A state is what series.apply() returns: dict from the names of files that patches touch to their content.
    """

    def __init__(self, root, tree, check):
        self.root = root
        self.tree = check
        self.lab_tree = tree
        self.patches = series.patches()
        self.states = series.apply(check.original, self.patches)
        self.touched = series.touched(self.patches)

    def chain(self, topic):
        """(patch, state after it) for each patch of a topic, applied with nothing but its base."""
        base = sum((other.patches for other in series.base(topic, series.topics())), [])
        states = series.apply(self.tree.original, base + topic.patches)
        return list(zip(topic.patches, states[1 + len(base):]))

    @staticmethod
    def sources(state):
        """C files of the kernel that patches touch and that are there in a state."""
        return [name for name, content in state.items() if name.endswith(".c") and not name.startswith(NOT_KERNEL)
                and content is not None]

    def targets(self, out, state):
        """The objects of these files that the configuration in @out has."""
        config = (out / ".config").read_text()
        return [name[:-2] + ".o" for name in self.sources(state) if self._configured(name[:-2] + ".o", config, state)]

    def _configured(self, name, config, state):
        """Whether the makefile of an object makes it depend on no option that is off."""
        for folder in Path(name).parents:
            makefile = state.get(str(folder / "Makefile")) or self.tree.original(str(folder / "Makefile"))
            text = (makefile or b"").decode().replace("\\\n", " ")
            entry = re.escape(os.path.relpath(name, folder))
            line = re.search(rf"^\S+-(?:\$\((CONFIG_\w+)\)|y)\s*[:+]?=(?:.*\s)?{entry}(?:\s|$)", text, re.MULTILINE)
            if line:
                return line[1] is None or f"{line[1]}=" in config
        return True

    def go(self, state):
        """Bring the files to a state."""
        self.tree.sync(state)

    def objects(self, name, fragments=(), args=()):
        """Object folder of a configuration: base with @fragments (paths) on top. Made from what the lab has built.

        With @args, words for make that name another architecture, the configuration is that of @fragments alone.
        """
        out = self.tree.path / f"check-{name}"
        fragments = list(fragments) if args else [*kernel.fragments("base"), *fragments]
        wanted = {"config": kernel.config_digest(fragments), "toolchain": toolroot.toolchain(self.root)}
        if self.tree.state["built"].get(name) != wanted or not out.is_dir():
            cache.remove(out)
            base = self.lab_tree.path / "obj-base"
            with cache.exclusive(f"tree/{self.tree.path.name}.work"):
                lab = kernel_source.Tree(self.lab_tree.path)
                if not args and kernel.usable(lab, "base", wanted):
                    process.run(["cp", "-a", str(base), str(out)], f"check-copy-{name}")
            # The objects may be newer than files that have another content here: make goes by dates.
            self.tree.touch(kernel_source.Tree(self.lab_tree.path))
            kernel.configure(self.root, self.tree, out, fragments, f"check-config-{name}", args)
            self.tree.state["built"][name] = wanted
            self.tree.save()
        return out

    def once(self, out, state, args, function):
        """The value of @function(), which depends on the configuration in @out, a state of the series and @args alone.

        A value that a run before this one got is taken from there: a second check does not compile again what has not
        changed. Values are JSON.
        """
        content = {name: text and hashlib.sha256(text).hexdigest() for name, text in state.items()}
        ours = cache.files_digest(PROJECT, ["lab/check_tree.py", "kernel/configs/sparse.sh"])
        key = cache.digest([self.tree.state["identity"], self.tree.state["built"][out.name.removeprefix("check-")],
                            content, ours, args])
        path = self.tree.path / "check-results.json"
        results = json.loads(path.read_text()) if path.is_file() else {}
        if key not in results:
            results[key] = function()
            part = path.with_suffix(".new")
            part.write_text(json.dumps(dict(list(results.items())[-RESULTS:])))
            part.rename(path)
        return results[key]

    @staticmethod
    def call(argv):
        """Run a command line; returns (whether it succeeded, its output)."""
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                              errors="replace")
        return done.returncode == 0, done.stdout + done.stderr

    def make(self, out, args):
        """Run make with the objects in @out.

        They count as built only after it: a killed make may leave half an object, which the next one would trust.
        """
        name = out.name.removeprefix("check-")
        built = self.tree.state["built"].pop(name)
        self.tree.save()
        result = self.call(kernel.make_argv(self.root, self.tree, out, args, [(PROJECT, "/src", "ro")]))
        self.tree.state["built"][name] = built
        self.tree.save()
        return result

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
def opened():
    """Open the tree; one user at a time."""
    root = toolroot.obtain()
    tree = kernel_source.obtain()
    with cache.exclusive(f"tree/{tree.path.name}.check"):
        with cache.exclusive(f"tree/{tree.path.name}.work"):
            check = kernel_source.Tree(tree.path).clone("check")
        yield CheckTree(root, tree, check)

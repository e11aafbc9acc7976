# SPDX-License-Identifier: GPL-2.0-or-later
"""What the series touches gives no new warning with W=1, sparse and kernel-doc; the modules give none at all."""

import re
import tempfile

import tap
from lab import check_tree, kernel, series

tap.TEST_SECONDS = 2600
SPARSE = ["C=2", "CHECK=sh /src/kernel/configs/sparse.sh"]


def _compile(out, state, args, names):
    check.go(state)
    objects = [name for name in check.targets(out, state) if name[:-2] + ".c" in names]
    if not objects:
        return []
    for name in objects:
        (out / name).unlink(missing_ok=True)
    ok, output = check.make(out, [*args, *objects])
    tap.true(ok, "\n".join(output.splitlines()[-20:]))
    return sorted(check_tree.warnings(output))


def _complaints(state, args, names):
    """Complaints about the files @names in a state of the series."""
    out = check.objects("base")
    return set(check.once(out, state, [args, names], lambda: _compile(out, state, args, names)))


def _new(args):
    """Nothing new in the whole series, and in the files of each topic on its base alone."""
    before = _complaints(check.states[0], args, check.touched)
    for name, state, names in _ends():
        new = sorted(_complaints(state, args, names) - before)
        tap.diag("\n".join(new))
        tap.equal(len(new), 0, f"new warnings of {name}")


def _ends():
    """(name, state, files) of each topic and of the whole series."""
    return [("the whole series", check.states[-1], check.touched),
            *((topic.name, check.chain(topic)[-1][1], series.touched(topic.patches)) for topic in series.topics())]


def _module(args):
    """Complaints about the modules, built for the lab's kernel."""
    with kernel.objects(check.root) as (tree, out), tempfile.TemporaryDirectory() as work:
        ok, output = check.call(kernel.module_argv(check.root, tree, out, "tph_dma", work, args))
    tap.true(ok, "\n".join(output.splitlines()[-20:]))
    found = sorted(check_tree.warnings(output))
    tap.diag("\n".join(found))
    tap.equal(len(found), 0, "warnings")


def test_series_w1():
    """the series, W=1"""
    _new(["W=1"])


def _kernel_doc(state):
    check.go(state)
    names = [name for name, content in state.items() if name.endswith((".c", ".h")) and content is not None]
    _, output = check.run(["scripts/kernel-doc", "-none", "-Wall", *names])
    return sorted({re.sub(r":\d+ ", ": ", line) for line in output.splitlines() if line.strip()})


def test_series_kernel_doc():
    """the series, kernel-doc"""
    out = check.objects("base")
    before, after = (set(check.once(out, state, "kernel-doc", lambda state=state: _kernel_doc(state)))
                     for state in (check.states[0], check.states[-1]))
    tap.true(before, "no remark on any touched file of the pristine tree: did it run?")
    new = sorted(after - before)
    tap.diag("\n".join(new))
    tap.equal(len(new), 0, "new warnings")


def test_series_sparse():
    """the series, sparse"""
    _new(SPARSE)


def test_sparse_runs():
    """sparse says something about a file that it is known to have remarks on"""
    found = _complaints(check.states[0], SPARSE, check.touched)
    tap.true(found, "no remark on any touched file of the pristine tree: did it run?")


def test_module_w1():
    """tph_dma, W=1"""
    _module(["W=1"])


def test_module_sparse():
    """tph_dma, sparse"""
    _module(SPARSE)


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())

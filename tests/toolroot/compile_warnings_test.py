# SPDX-License-Identifier: GPL-2.0-or-later
"""What the series touches gives no new warning with W=1 and sparse; the modules give none at all."""

import tempfile

import tap
from lab import check_tree, kernel

tap.TEST_SECONDS = 900
SPARSE = ["C=2", "CHECK=sh /src/kernel/configs/sparse.sh"]


def _compile(out, state, args):
    check.go(state)
    objects = check.targets(out, state)
    for name in objects:
        (out / name).unlink(missing_ok=True)
    ok, output = check.make(out, [*args, *objects])
    tap.true(ok, "\n".join(output.splitlines()[-20:]))
    return sorted(check_tree.warnings(output))


def _complaints(state, args):
    """Complaints about the touched files in a state of the series."""
    out = check.objects("base")
    return set(check.once(out, state, [args, check.sources(state)], lambda: _compile(out, state, args)))


def _new(args):
    before = _complaints(0, args)
    after = _complaints(len(check.patches), args)
    new = sorted(after - before)
    tap.diag("\n".join(new))
    tap.equal(len(new), 0, "new warnings")


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


def test_series_sparse():
    """the series, sparse"""
    _new(SPARSE)


def test_sparse_runs():
    """sparse says something about a file that it is known to have remarks on"""
    tap.true(_complaints(0, SPARSE), "no remark on any touched file of the pristine tree: did it run?")


def test_module_w1():
    """tph_dma, W=1"""
    _module(["W=1"])


def test_module_sparse():
    """tph_dma, sparse"""
    _module(SPARSE)


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())

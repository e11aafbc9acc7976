# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes of the caller end in one line at once, also while another run, here that of this test, has the checkout."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import tap
from lab import PROJECT, process, progress, series_tree



def _refused(verb, words, **env):
    done = subprocess.run([sys.executable, "-B", "-m", "lab", *verb], cwd=PROJECT, env={**os.environ, **env}, timeout=30,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    tap.equal((done.returncode, done.stdout.strip()), (1, f"error: {words}"), f"{env} {' '.join(verb)}")


def test_values():
    """settings of the demo and of the machine"""
    _refused(["demo"], "DOMAIN=foo: expected identity or translated", DOMAIN="foo")
    _refused(["demo"], "NIC=foo: expected mlx5, or nothing for the DMA engine", NIC="foo")
    _refused(["demo"], "FILE=/none does not exist", FILE="/none")
    _refused(["demo"], "ACCEL=foo: expected tcg or kvm", ACCEL="foo")
    _refused(["check", "kunit"], "ACCEL=foo: expected tcg or kvm", ACCEL="foo")


def test_suites():
    """names of suites"""
    _refused(["check", "none"], "no suite none; tests/run.py --list shows all")
    _refused(["check", "--host", "tag"], "tag: no host suite; without --host it runs in the virtual machine "
             "or in the tool root")


def test_unfinished_rebase():
    """make kernel-series does not take the first half of a rebase for the series"""
    with tempfile.TemporaryDirectory() as name:
        series_tree.TREE = Path(name)
        process.run(["git", "init", "-q", name], "lab-settings")
        (series_tree.TREE / ".git/rebase-merge").mkdir()
        try:
            series_tree.write_series([])
        except progress.StepError as err:
            tap.true("in the middle of a rebase" in err.reason, err.reason)
            return
        raise AssertionError("written")


if __name__ == "__main__":
    tap.run(globals())

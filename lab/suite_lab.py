# SPDX-License-Identifier: GPL-2.0-or-later
"""Suites that need the tool root but no virtual machine: programs tests/toolroot/NAME_test.py, which print TAP."""

import sys
import time
from pathlib import Path

from lab import progress, suite_host

PROJECT = Path(__file__).resolve().parent.parent


def run(suites, report):
    """Run the suites one after the other: they share a kernel tree and keep all processors busy."""
    for suite in suites:
        command = ["env", f"PYTHONPATH={suite_host.PYTHON_PATH}", sys.executable, "-B",
                   str(PROJECT / f"tests/toolroot/{suite.name}_test.py")]
        start = time.monotonic()
        with progress.quiet_step(suite.name):
            cases = suite_host.run_program(suite.name, command, suite.timeout)
        report.add(suite, cases, time.monotonic() - start)

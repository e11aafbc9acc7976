# SPDX-License-Identifier: GPL-2.0-or-later
"""Suites that need the tool root but no virtual machine."""

import sys
import time

from lab import progress, suite_host


def run(suites, report):
    """Run the suites one after the other: they share a kernel tree and keep all processors busy."""
    for suite in suites:
        command = ["env", f"PYTHONPATH={suite_host.PYTHON_PATH}", sys.executable, "-B",
                   str(suite.program)]
        start = time.monotonic()
        with progress.quiet_step(suite.name):
            cases = suite_host.run_program(suite.name, command, suite.timeout)
        report.add(suite, cases, time.monotonic() - start)

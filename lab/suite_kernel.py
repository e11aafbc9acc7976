# SPDX-License-Identifier: GPL-2.0-or-later
"""Suites on the source of the series: programs tests/kernel/NAME.py, which print TAP."""

import sys
import time
from pathlib import Path

from lab import progress, suite_host

PROJECT = Path(__file__).resolve().parent.parent


def run(suites, report):
    """Run kernel suites one after the other: they share a source tree and keep all processors busy."""
    for suite in suites:
        command = ["env", f"PYTHONPATH={PROJECT}:{PROJECT}/tests/protocol", sys.executable, "-B",
                   str(PROJECT / f"tests/kernel/{suite.name}.py")]
        start = time.monotonic()
        with progress.quiet_step(suite.name):
            cases = suite_host.run_program(suite.name, command, suite.timeout)
        report.add(suite, cases, time.monotonic() - start)

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run test suites: all, some, or one case. tests/run.py --help says more."""

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    os.execv(PROJECT / "lab/bootstrap", ["bootstrap", "check", *sys.argv[1:]])

# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: what make calls. Each verb is a module; python3 -m lab VERB starts it."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

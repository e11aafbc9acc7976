# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of tests: reading and writing of the Test Anything Protocol."""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"(not )?ok\b\s*(\d+)?\s*(?:-\s*)?(.*?)(?:\s+#\s*(SKIP)\b\s*(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(?:SKIP)?\s*(.*))?$", re.IGNORECASE)


@dataclass
class Case:
    """One result: status is "pass", "fail" or "skip"; @notes are the diagnostics in front of it."""

    name: str
    status: str
    why: str = ""
    notes: list = field(default_factory=list)

    @property
    def text(self):
        """The name, and why it is not passed."""
        return self.name + (f": {self.why}" if self.why else "")


def parse(text, status):
    """Cases of one TAP stream of a program that ended with exit status @status.

    Whatever the stream lacks is a failed case of its own: no plan, fewer or more results than planned, a bail-out,
    an exit status that the results do not explain. Indented lines (subtests) are diagnostics.

    Diagnostics belong to the result behind them, as all programs of the project print them: the next case may have
    something to say before its own result comes. Those at the end of the stream belong to the last result.
    """
    cases = []
    notes = []
    planned = None
    whole_skipped = None
    for line in text.splitlines():
        plan = PLAN.match(line)
        result = RESULT.match(line)
        if plan and planned is None:
            planned = int(plan[1])
            if planned == 0:
                whole_skipped = plan[2] or "no reason given"
        elif result:
            negative, _, name, directive, why = result.groups()
            state = "fail" if negative else "pass"
            if directive and directive.upper() == "SKIP" and not negative:
                state = "skip"
            cases.append(Case(name or f"case {len(cases) + 1}", state, why or "", notes))
            notes = []
        elif line.startswith("Bail out!"):
            cases.append(Case("bail out", "fail", line[9:].strip(), notes))
            notes = []
        elif line.startswith("#") or line.startswith(" "):
            notes.append(line.removeprefix("# ").rstrip())
    gaps = _gaps(cases, notes, planned, whole_skipped, status)
    if cases and not gaps:
        cases[-1].notes.extend(notes)
    return cases + gaps


def _gaps(cases, notes, planned, whole_skipped, status):
    """What is wrong with a stream as a whole."""
    if whole_skipped is not None and not cases and status == 0:
        return [Case("all cases", "skip", whole_skipped, notes)]
    if planned is None:
        return [Case("plan", "fail", f"no plan; exit status {status}", notes)]
    if planned != len(cases):
        return [Case("plan", "fail", f"planned {planned}, got {len(cases)}; exit status {status}", notes)]
    if status != 0 and all(case.status != "fail" for case in cases):
        return [Case("exit status", "fail", f"all passed, but exit status {status}", notes)]
    return []


def write(file, suites):
    """Write all cases of @suites ((name, cases) pairs) as one stream."""
    file.write("TAP version 13\n")
    number = 0
    for suite, cases in suites:
        for case in cases:
            number += 1
            for note in case.notes:
                file.write(f"# {note}\n")
            if case.status == "fail" and case.why:
                file.write(f"# {case.why}\n")
            word = "not ok" if case.status == "fail" else "ok"
            tail = f" # SKIP {case.why}" if case.status == "skip" else ""
            file.write(f"{word} {number} - {suite}/{case.name}{tail}\n")
    file.write(f"1..{number}\n")

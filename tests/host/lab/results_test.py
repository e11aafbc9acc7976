# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner's reading of TAP: what a stream lacks is a failure."""

import io
import subprocess
import sys

import tap
from lab import results


def _statuses(text, status=0):
    return [case.status for case in results.parse(text, status)]


def test_results():
    """passed, failed and skipped cases, with their names and notes"""
    cases = results.parse("1..3\nok 1 - one\n# got 1\nnot ok 2 - two\n# slow\nok 3 - three # SKIP no device\n", 1)
    tap.equal([(case.name, case.status, case.why) for case in cases],
                [("one", "pass", ""), ("two", "fail", ""), ("three", "skip", "no device")])
    tap.equal([case.notes for case in cases], [[], ["got 1"], ["slow"]], "notes")


def test_notes_at_the_end():
    """notes behind the last result belong to it, or to what the stream lacks"""
    tap.equal([case.notes for case in results.parse("1..1\nnot ok 1 - one\n# at the end\n", 1)], [["at the end"]])
    tap.equal([case.notes for case in results.parse("1..2\nnot ok 1 - one\n# at the end\n", 1)], [[], ["at the end"]])


def test_notes_of_programs():
    """what the project's own programs say of a failed case stands in front of its result, and not with the next case"""
    program = ("import tap\ndef test_one():\n  tap.equal(1, 2, 'one')\ndef test_two():\n  tap.diag('from two')\n"
               "  tap.true(False, 'two')\ntap.run(globals())\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    one, two = results.parse(done.stdout, done.returncode)
    tap.true("AssertionError: one: got 1, want 2" in one.notes, f"notes of the first case: {one.notes}")
    tap.true("from two" not in one.notes and "from two" in two.notes, f"notes of the second case: {two.notes}")


def test_no_plan():
    """no plan: failed"""
    tap.equal(_statuses("ok 1 - one\n"), ["pass", "fail"])


def test_nothing():
    """no output at all: failed"""
    tap.equal(_statuses(""), ["fail"])


def test_too_few():
    """fewer results than planned: failed, wherever the plan stands"""
    tap.equal(_statuses("1..2\nok 1 - one\n"), ["pass", "fail"])
    tap.equal(_statuses("ok 1 - one\n1..2\n"), ["pass", "fail"])


def test_too_many():
    """more results than planned: failed"""
    tap.equal(_statuses("1..1\nok 1 - one\nok 2 - two\n"), ["pass", "pass", "fail"])


def test_exit_status():
    """all passed and a bad exit status: failed"""
    tap.equal(_statuses("1..1\nok 1 - one\n", 1), ["pass", "fail"])
    tap.equal(_statuses("1..1\nok 1 - one\n", -11), ["pass", "fail"])


def test_timeout():
    """a program that was ended by the timeout: failed"""
    tap.equal(_statuses("1..1\nok 1 - one\n", "timeout after 1 s"), ["pass", "fail"])


def test_bail_out():
    """a bail-out is a failure"""
    tap.true("fail" in _statuses("1..2\nok 1 - one\nBail out! no memory\n", 1), "bail-out")


def test_skipped_whole():
    """a whole program that skips is one skipped case"""
    tap.equal(_statuses("1..0 # SKIP no compiler\n"), ["skip"])


def test_skipped_failure():
    """a failed case does not become a skipped one by a directive"""
    tap.equal(_statuses("1..1\nnot ok 1 - one # SKIP really\n", 1), ["fail"])


def test_write():
    """what is written can be read again"""
    cases = [results.Case("one", "pass"), results.Case("two", "fail", "why", ["note"]),
             results.Case("three", "skip", "no device")]
    out = io.StringIO()
    results.write(out, [("suite", cases)])
    back = results.parse(out.getvalue().removeprefix("TAP version 13\n"), 1)
    tap.equal([(case.name, case.status) for case in back],
                [("suite/one", "pass"), ("suite/two", "fail"), ("suite/three", "skip")])


if __name__ == "__main__":
    tap.run(globals())

# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner's reading of TAP: what a stream lacks is a failure."""

import io

import tap as check
from lab import tap


def _statuses(text, status=0):
    return [case.status for case in tap.parse(text, status)]


def test_results():
    """passed, failed and skipped cases, with their names and notes"""
    cases = tap.parse("1..3\nok 1 - one\n# got 1\nnot ok 2 - two\n# want 2\nok 3 - three # SKIP no device\n", 1)
    check.equal([(case.name, case.status, case.why) for case in cases],
                [("one", "pass", ""), ("two", "fail", ""), ("three", "skip", "no device")])
    check.true("want 2" in cases[1].notes, "the note behind a failed case belongs to it")


def test_no_plan():
    """no plan: failed"""
    check.equal(_statuses("ok 1 - one\n"), ["pass", "fail"])


def test_nothing():
    """no output at all: failed"""
    check.equal(_statuses(""), ["fail"])


def test_too_few():
    """fewer results than planned: failed, wherever the plan stands"""
    check.equal(_statuses("1..2\nok 1 - one\n"), ["pass", "fail"])
    check.equal(_statuses("ok 1 - one\n1..2\n"), ["pass", "fail"])


def test_too_many():
    """more results than planned: failed"""
    check.equal(_statuses("1..1\nok 1 - one\nok 2 - two\n"), ["pass", "pass", "fail"])


def test_exit_status():
    """all passed and a bad exit status: failed"""
    check.equal(_statuses("1..1\nok 1 - one\n", 1), ["pass", "fail"])
    check.equal(_statuses("1..1\nok 1 - one\n", -11), ["pass", "fail"])


def test_timeout():
    """a program that was ended by the timeout: failed"""
    check.equal(_statuses("1..1\nok 1 - one\n", "timeout after 1 s"), ["pass", "fail"])


def test_bail_out():
    """a bail-out is a failure"""
    check.true("fail" in _statuses("1..2\nok 1 - one\nBail out! no memory\n", 1), "bail-out")


def test_skipped_whole():
    """a whole program that skips is one skipped case"""
    check.equal(_statuses("1..0 # SKIP no compiler\n"), ["skip"])


def test_skipped_failure():
    """a failed case does not become a skipped one by a directive"""
    check.equal(_statuses("1..1\nnot ok 1 - one # SKIP really\n", 1), ["fail"])


def test_write():
    """what is written can be read again"""
    cases = [tap.Case("one", "pass"), tap.Case("two", "fail", "why", ["note"]), tap.Case("three", "skip", "no device")]
    out = io.StringIO()
    tap.write(out, [("suite", cases)])
    back = tap.parse(out.getvalue().removeprefix("TAP version 13\n"), 1)
    check.equal([(case.name, case.status) for case in back],
                [("suite/one", "pass"), ("suite/two", "fail"), ("suite/three", "skip")])


if __name__ == "__main__":
    check.run(globals())

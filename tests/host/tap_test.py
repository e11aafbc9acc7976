# SPDX-License-Identifier: GPL-2.0-or-later
"""The module that prints the results of test programs: what a program with it prints, and how it ends."""

import subprocess
import sys

import tap
from lab import results

TESTS = """import sys, time, tap
def test_good():
    "It is good."
def test_bad():
    "It is bad."
    tap.diag("first")
    tap.equal(1, 2, "number")
def test_skipped():
    "It is skipped."
    raise tap.Skip("no device")
"""


def _run(program, *args):
    """Exit status, results and standard error of a program."""
    done = subprocess.run([sys.executable, "-B", "-c", program, *args], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, results.parse(done.stdout, done.returncode), done.stderr


def _states(cases):
    return [(case.name, case.status) for case in cases]


def test_functions():
    """one result for each function, with its reason and what it had to say"""
    status, cases, _ = _run(TESTS + "tap.run(globals())")
    tap.equal(status, 1, "exit status")
    tap.equal(_states(cases), [("test_good: It is good", "pass"), ("test_bad: It is bad", "fail"),
                               ("test_skipped: It is skipped", "skip")])
    tap.equal(cases[2].why, "no device", "reason")
    tap.equal((cases[1].notes[0], cases[1].notes[-1]), ("first", "AssertionError: number: got 1, want 2"), "notes")


def test_some():
    """names as arguments: these functions and no other; a name that there is not is an error"""
    status, cases, _ = _run(TESTS + "tap.run(globals())", "test_good")
    tap.equal((status, _states(cases)), (0, [("test_good: It is good", "pass")]))
    status, cases, said = _run(TESTS + "tap.run(globals())", "test_good", "test_none")
    tap.equal((status, [case.status for case in cases], said), (1, ["fail"], "-c: no test test_none\n"))


def test_teardown():
    """the teardown is a result, also of a program that was told which tests to run"""
    program = TESTS + "def end():\n    'The end.'\n    raise ValueError\ntap.run(globals(), end)"
    status, cases, _ = _run(program, "test_good")
    tap.equal((status, _states(cases)), (1, [("test_good: It is good", "pass"), ("teardown: The end", "fail")]))


def test_time():
    """a test that hangs fails"""
    status, cases, _ = _run(TESTS + "def test_slow():\n    time.sleep(20)\ntap.TEST_SECONDS = 1\ntap.run(globals())",
                            "test_slow")
    tap.equal((status, [case.status for case in cases]), (1, ["fail"]))
    tap.true("still running after 1 s" in cases[0].notes[-1], cases[0].notes[-1])


def test_checks():
    """one result for each check; a program without any is not a good one"""
    program = ("import sys, tap\ntap.result(True, 'one')\ntap.result({}, 'two')\ntap.result(True, 'three', skip='why')\n"
               "sys.exit(tap.done())")
    status, cases, _ = _run(program.format(1))
    tap.equal((status, _states(cases)), (0, [("one", "pass"), ("two", "pass"), ("three", "skip")]))
    status, cases, _ = _run(program.format(0))
    tap.equal((status, [case.status for case in cases]), (1, ["pass", "fail", "skip"]))
    tap.equal(_run("import sys, tap\nsys.exit(tap.done())")[0], 1, "exit status without a result")


if __name__ == "__main__":
    tap.run(globals())

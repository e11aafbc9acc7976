# SPDX-License-Identifier: GPL-2.0-or-later
"""Test Anything Protocol for the protocol tests: every function test_*() of a module is one test.

A test fails by an exception, skips by Skip, and gets one line of explanation from its docstring.
A test that hangs fails after TEST_SECONDS.
"""
import os
import signal
import sys
import traceback

# Set where everything takes longer: on a kernel that watches itself.
SLOWDOWN = int(os.environ.get("TPHBUF_SLOWDOWN", "1"))
TEST_SECONDS = 60 * SLOWDOWN


class Skip(Exception):
    """The test cannot run here; the message says why."""


def diag(text):
    """Prints lines that belong to the test at hand."""
    for line in str(text).splitlines():
        print("# " + line)


def equal(got, want, what="value"):
    """Fails unless both are equal, showing both."""
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def one_of(got, wanted, what="value"):
    """Fails unless got is among wanted."""
    if got not in wanted:
        raise AssertionError(f"{what}: got {got!r}, want one of {wanted!r}")


def true(condition, what):
    """Fails unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def _alarm(_signum, _frame):
    raise AssertionError(f"still running after {TEST_SECONDS} s")


def _run_one(number, name, function):
    what = (function.__doc__ or name).strip().splitlines()[0].rstrip(".")
    signal.alarm(TEST_SECONDS)
    try:
        function()
    except Skip as reason:
        print(f"ok {number} - {name}: {what} # SKIP {reason}")
    except Exception:
        diag(traceback.format_exc())
        print(f"not ok {number} - {name}: {what}")
        return False
    else:
        print(f"ok {number} - {name}: {what}")
    finally:
        signal.alarm(0)
        sys.stdout.flush()
    return True


def run(namespace, teardown=None):
    """Runs the tests among the given globals in the order of the file; exits with 0 if none failed.

    Names of tests as arguments of the program run those only. teardown() comes last and counts as
    a test: it sees what no single test can, such as the exit code of a server.
    """
    tests = [(name, value) for name, value in namespace.items()
             if name.startswith("test_") and callable(value)]
    if sys.argv[1:]:
        tests = [(name, value) for name, value in tests if name in sys.argv[1:]]
    if teardown:
        tests.append(("teardown", teardown))
    signal.signal(signal.SIGALRM, _alarm)
    # A test that is ended from outside cleans up as one that fails does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"1..{len(tests)}")
    results = [_run_one(number, name, function)
               for number, (name, function) in enumerate(tests, 1)]
    sys.exit(0 if all(results) else 1)

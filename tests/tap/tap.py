# SPDX-License-Identifier: GPL-2.0-or-later
"""Test Anything Protocol for test programs in Python. Two forms of program:

Every function test_*() of a module is one result, and run(globals()) is the program. A test fails by an
exception, is skipped by Skip, is explained by the first line of its docstring, and fails when it takes longer
than TEST_SECONDS.

Every check is one result: result() for each, and sys.exit(done()) in the end.
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


_results = []


def diag(text):
    """Prints lines that belong to the next result."""
    for line in str(text).splitlines():
        print("# " + line)


def plan(count):
    """Announces the number of results; done() does it otherwise."""
    print(f"1..{count}", flush=True)


def result(good, name, skip=None):
    """Prints a result; with skip, the reason, it was not run. Returns whether it is good."""
    _results.append(bool(good))
    end = f" # SKIP {skip}" if skip is not None else ""
    print(f"{'ok' if good else 'not ok'} {len(_results)} - {name}{end}", flush=True)
    return bool(good)


def done(planned=False):
    """Ends the results; the value is the exit status."""
    if not planned:
        plan(len(_results))
    return 0 if _results and all(_results) else 1


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


def _run_one(name, function):
    what = f"{name}: " + (function.__doc__ or name).strip().splitlines()[0].rstrip(".")
    signal.alarm(TEST_SECONDS)
    try:
        function()
    except Skip as reason:
        result(True, what, str(reason))
    except Exception:
        diag(traceback.format_exc())
        result(False, what)
    else:
        result(True, what)
    finally:
        signal.alarm(0)


def run(namespace, teardown=None):
    """Runs the tests among the given globals in the order of the file; exits with 0 if none failed.

    Names of tests as arguments of the program run those only. teardown() comes last and counts as
    a test: it sees what no single test can, such as the exit code of a server.
    """
    tests = {name: value for name, value in namespace.items() if name.startswith("test_") and callable(value)}
    chosen = sys.argv[1:] or list(tests)
    unknown = [name for name in chosen if name not in tests]
    if unknown:
        sys.exit(f"{sys.argv[0]}: no test {', '.join(unknown)}")
    table = [(name, value) for name, value in tests.items() if name in chosen]
    if teardown:
        table.append(("teardown", teardown))
    signal.signal(signal.SIGALRM, _alarm)
    # A test that is ended from outside cleans up as one that fails does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan(len(table))
    for name, function in table:
        _run_one(name, function)
    sys.exit(done(planned=True))

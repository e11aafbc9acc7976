# SPDX-License-Identifier: GPL-2.0-or-later
"""Suites that run without a virtual machine: Meson's tests and programs of the project, here or in the tool root."""

import functools
import json
import shutil
import subprocess
import sys
import time

from lab import PROJECT, cache, kernel_source, process, progress, results, sandbox, userspace

HOST_BUILD = PROJECT / "build/host"
OUTPUT = PROJECT / "build/check"
HOST_TESTS = PROJECT / "tests/host"
# Where Python programs among the tests find the lab and the module that prints TAP.
PYTHON_PATH = f"{PROJECT}:{PROJECT}/tests/tap"


class Here:
    """Build and run with what this machine has."""

    build = HOST_BUILD

    def prepare(self):
        """A sanitized build in build/host, with the mlx5 model where there are kernel headers for it."""
        tree = _headers()
        options = ["-Db_sanitize=address,undefined", "-Db_lundef=false", f"-Dkernel_tree={tree}"]
        stamp = HOST_BUILD / "configured"
        with progress.step("user space (host)") as step:
            if not stamp.is_file() or stamp.read_text() != json.dumps(options):
                cache.remove(HOST_BUILD)
                process.run(["meson", "setup", *options, str(HOST_BUILD)], "meson-host", cwd=PROJECT)
                stamp.write_text(json.dumps(options))
            process.run(["ninja", "-C", str(HOST_BUILD)], "ninja-host", watch=userspace.watch(step))
            step.detail = ""

    def argv(self, command, env):
        return ["env", *(f"{name}={value}" for name, value in env.items()), *command]


def _headers():
    """Folder in build/ with kernel headers for the mlx5 model, "" when this machine has none.

    A copy: nobody deletes it while a build reads it. Its name tells one set of headers from another.
    """
    found = kernel_source.headers_at_hand()
    if not found:
        return ""
    names = [path.relative_to(found) for pattern in kernel_source.LAYOUT_HEADERS for path in found.glob(pattern)]
    folder = PROJECT / "build/headers" / cache.files_digest(found, names)[:16]
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        cache.remove(part)
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found / name, part / name)
        part.rename(folder)
    return str(folder)


class InRoot:
    """Run what userspace.build() has made, in the tool root."""

    build = "/build"

    def __init__(self, root):
        self.root = root

    def prepare(self):
        userspace.build(self.root, "sanitized")

    def argv(self, command, env):
        return sandbox.argv(self.root, command, userspace.binds("sanitized"), env)


def _without_build(suite):
    """Whether the suite may test the lab or the sources themselves, of which Meson knows nothing."""
    return suite.program.suffix == ".py" and suite.program.parent in (HOST_TESTS, HOST_TESTS / "lab")


def meson_tests(place):
    """What Meson knows about its tests: name to description."""
    command = place.argv(["meson", "introspect", "--tests", str(place.build)], {})
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    return {test["name"]: test for test in json.loads(done.stdout)}


def run_program(name, argv, timeout, cwd=None):
    """Run a program that speaks TAP; returns its cases. Its output stays in build/check/NAME.tap and .err."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    out, err = OUTPUT / f"{name}.tap", OUTPUT / f"{name}.err"
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        child = process.start(argv, stdout=stdout, stderr=stderr, cwd=cwd)
        try:
            status = child.wait(timeout)
        except subprocess.TimeoutExpired:
            status = f"timeout after {timeout} s"
        finally:
            process.stop(child)
    return read_output(out, err, status)


def read_output(out, err, status):
    """Cases of a finished program; what it said on standard error goes to what failed."""
    cases = results.parse(out.read_text(errors="replace") if out.is_file() else "", status)
    words = err.read_text(errors="replace").splitlines() if err.is_file() else []
    failed = [case for case in cases if case.status == "fail"]
    if failed:
        failed[-1].notes += words[-40:]
    return cases


def _run_one(place, suite, tests):
    if suite.name not in tests and _without_build(suite):
        command = ["env", f"PYTHONPATH={PYTHON_PATH}", sys.executable, "-B", str(suite.program)]
        return run_program(suite.name, command, suite.timeout, PROJECT)
    if suite.name not in tests:
        return [results.Case("is built", "fail", f"Meson has no such test for {suite.program.relative_to(PROJECT)}")]
    test = tests[suite.name]
    env = {**userspace.SANITIZERS, **test["env"]}
    # Meson gives paths below the build folder as relative ones.
    command = ["env", "-C", test["workdir"] or str(place.build), *test["cmd"]]
    return run_program(suite.name, place.argv(command, env), test["timeout"])


def nameless(place, suites):
    """Meson's tests that no test program gives its name: nobody would run them."""
    return sorted(set(meson_tests(place)) - {suite.name for suite in suites})


def jobs(place, suites, report):
    """A call for each of the suites, that runs it and reports; any thread may make it."""
    tests = meson_tests(place) if suites else {}
    return [functools.partial(_run_and_report, place, suite, tests, report) for suite in suites]


def run(place, suites, report):
    """Run host suites, as many at once as there are processors."""
    with process.threads(process.processors()) as pool:
        for running in [pool.submit(job) for job in jobs(place, suites, report)]:
            running.result()


def _run_and_report(place, suite, tests, report):
    start = time.monotonic()
    cases = _run_one(place, suite, tests)
    report.add(suite, cases, time.monotonic() - start)

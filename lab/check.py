# SPDX-License-Identifier: GPL-2.0-or-later
"""make check: run suites and report."""

import argparse
import fnmatch
import threading
import time

from lab import PROJECT, process, progress, results, suite_guest, suite_host, suite_toolroot, suites, vm

TAP_FILE = PROJECT / "build/check.tap"
# How many of the suites that took longest the end of a check names.
SLOWEST = 6
# Kernels that make check-full adds.
FULL = ("debug", "race")


class Report:
    """Collects the cases of all suites, shows them as they come and says how it all went."""

    def __init__(self, names, only_case=None):
        """Of suites @names, in the order of the results file; @only_case is a pattern of cases that count."""
        self.order = {name: number for number, name in enumerate(names)}
        self.results = []
        self.seconds = {}
        self._lock = threading.Lock()
        self.start = time.monotonic()
        self.only_case = only_case

    def add(self, suite, cases, seconds):
        """Take the cases of a finished suite; @seconds is None where the suite was not timed by itself."""
        cases = [self._judge(suite, case) for case in cases]
        if self.only_case:
            cases = ([case for case in cases if self._chosen(case)]
                     or [results.Case(self.only_case, "fail", f"suite {suite.name} has no such case")])
        with self._lock:
            self._add(suite, cases, seconds)

    def _add(self, suite, cases, seconds):
        self.results.append((suite.name, cases))
        counts = {status: sum(case.status == status for case in cases) for status in ("pass", "fail", "skip")}
        words = [f"{counts['pass']:4d} passed"]
        words += [f"{counts[status]} {word}" for status, word in (("fail", "failed"), ("skip", "skipped"))
                  if counts[status]]
        if seconds is not None:
            self.seconds[suite.name] = seconds
            words.append(progress.duration(seconds))
        mark = progress.paint("✗", "red") if counts["fail"] else progress.paint("✓", "green")
        progress.say(progress.line(mark, suite.name, ", ".join(words)))
        for case in cases:
            if case.status == "fail":
                self._explain(suite, case)

    def _chosen(self, case):
        """Whether the pattern is for a case: for its whole name, or for what is in front of its description."""
        return any(fnmatch.fnmatchcase(name, self.only_case) for name in (case.name, case.name.split(": ")[0]))

    @staticmethod
    def _judge(suite, case):
        """Known failures are neither passed nor failed; when they pass, the list is wrong."""
        reason = suite.known.get(case.name)
        if reason and case.status == "fail":
            return results.Case(case.name, "skip", f"known failure: {reason}", case.notes)
        if reason and case.status == "pass":
            return results.Case(case.name, "fail", "passes, but tests/suites.toml lists it as a known failure", case.notes)
        return case

    @staticmethod
    def _explain(suite, case):
        progress.say(f"    {progress.paint('failed:', 'red')} {case.text}")
        for note in case.notes[-25:]:
            progress.say(progress.paint(f"      | {note}", "dim"))
        progress.say(f"    again: {suite.again(case)}")

    def add_failure(self, name, case, why):
        """Something outside of any suite failed."""
        self.results.append((name, [results.Case(case, "fail", why)]))
        progress.say(progress.line(progress.paint("✗", "red"), name, f"{case}: {why}"))

    def _print_times(self):
        if len(self.seconds) < 2:
            return
        slowest = sorted(self.seconds, key=self.seconds.get, reverse=True)[:SLOWEST]
        words = ", ".join(f"{name} {progress.duration(self.seconds[name])}" for name in slowest)
        print(f"took {progress.duration(time.monotonic() - self.start)}; the slowest suites: {words}")

    def finish(self, path=TAP_FILE):
        """Write the file of results, print the last line; returns the exit status."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Suites end in an order that differs from run to run.
        self.results.sort(key=lambda result: self.order.get(result[0], -1))
        with open(path, "w", encoding="utf-8") as file:
            results.write(file, self.results)
        passed = sum(case.status == "pass" for _, own in self.results for case in own)
        failed, skipped = ([f"{name}/{case.text}" for name, own in self.results for case in own if case.status == status]
                           for status in ("fail", "skip"))
        for text in skipped:
            print(f"skipped: {text}")
        last = f"{passed} passed, {len(failed)} failed" + (f", {len(skipped)} skipped" if skipped else "")
        self._print_times()
        # The last lines are what is left of a long run: they name what the last one counts.
        for text in failed:
            print(f"{progress.paint('failed:', 'red')} {text}")
        print(f"results: {path}")
        print(progress.paint(last, "red" if failed or not passed else "green"), flush=True)
        return 0 if passed and not failed else 1


def _arguments(args):
    parser = argparse.ArgumentParser(prog="tests/run.py", description="Run test suites, all when none is named.")
    parser.add_argument("names", nargs="*", metavar="SUITE[@KERNEL][/CASE]",
                        help="a suite, a guest suite on the debug or the race kernel, or one case; CASE may be a pattern")
    parser.add_argument("--list", action="store_true", help="list the suites")
    parser.add_argument("--host", action="store_true", help="only what needs a compiler and Meson, and no packages")
    parser.add_argument("--slow", action="store_true", help="the suites that take long as well, on the base kernel")
    parser.add_argument("--full", action="store_true", help="guest suites on the debug and the race kernel as well")
    parser.add_argument("--unreachable", metavar="WHY", help="run the host suites, then fail: the rest cannot run")
    return parser.parse_args(args)


def _other_kernels(chosen):
    """The guest suites of the base kernel once more, for each kernel that make check-full adds."""
    return [suite.on_kernel(flavour) for flavour in FULL for suite in chosen
            if suite.kind == "guest" and suite.kernel == "base"]


def left_out(everything, slow, full):
    """The suites that a run of all is without, unless the @slow ones, or those of @full, are asked for."""
    return [suite for suite in everything if not full and (suite.full or suite.slow and not slow)]


def left_out_words(out):
    """What a run says of the suites @out that it was without."""
    counts = [(sum(suite.slow for suite in out), "make check-ci runs"),
              (sum(suite.full for suite in out), "only make check-full runs")]
    return "left out: " + ", ".join(f"{count} suite{'s' * (count > 1)} that {target}" for count, target in counts if count)


def _select(everything, names):
    """(suites, pattern of the one case) that the command line asks for."""
    if not names:
        return everything, None
    table = {suite.name: suite for suite in everything + _other_kernels(everything)}
    unknown = [name for name in names if name.split("/", 1)[0] not in table]
    if unknown:
        raise progress.StepError(f"no suite {', '.join(unknown)}; tests/run.py --list shows all")
    if len(names) > 1 and any("/" in name for name in names):
        raise progress.StepError("name one case, or some suites")
    case = names[0].split("/", 1)[1] if "/" in names[0] else None
    return [table[name.split("/", 1)[0]] for name in names], case


def _prepare_host(place, chosen, everything, report):
    """Host suites that are to run in @place, where all is built for them; the whole list is seen to be whole."""
    host = [suite for suite in chosen if suite.kind == "host"]
    if host:
        place.prepare()
        if len(chosen) == len(everything):
            for name in suite_host.nameless(place, everything):
                report.add_failure(name, "has a file", "Meson has this test, but no program in tests/host has its name")
    return host


def _host(place, chosen, everything, report):
    """Run host suites in @place."""
    suite_host.run(place, _prepare_host(place, chosen, everything, report), report)


def _without_root(chosen, everything, report, why):
    """What can be run when there is no tool root: the host suites, and a failure for each of the others."""
    _host(suite_host.Here(), chosen, everything, report)
    for suite in chosen:
        if suite.kind != "host":
            report.add_failure(suite.name, "runs", why)


def main(args, alone):
    """Run what the command line asks for; whoever holds @alone() has build/ to itself."""
    options = _arguments(args)
    try:
        everything = suites.load()
    except ValueError as err:
        raise progress.StepError(str(err)) from None
    if options.list:
        for suite in everything:
            where = f"{suite.domain} domain, {suite.kernel} kernel, {len(suite.devices)} devices"
            print(f"{suite.name:<24} {suite.kind:<8} {where if suite.kind == 'guest' else ''}".rstrip())
        return 0
    out = [] if options.names else left_out(everything, options.slow, options.full)
    everything = [suite for suite in everything if suite not in out]
    chosen, case = _select(everything, options.names)
    if options.host and options.names and any(suite.kind != "host" for suite in chosen):
        raise progress.StepError(f"{', '.join(suite.name for suite in chosen if suite.kind != 'host')}: no host suite; "
                                 "without --host it runs in the virtual machine or in the tool root")
    vm.accelerator()
    with alone():
        report = Report([suite.name for suite in chosen], case)
        if options.host:
            chosen = [suite for suite in chosen if suite.kind == "host"]
            _host(suite_host.Here(), chosen if options.names else everything, everything, report)
        elif options.unreachable:
            _without_root(chosen, everything, report, options.unreachable)
        else:
            _all(chosen, everything, report, options.full)
        if out and not options.host:
            print(left_out_words(out))
        return report.finish()


def _all(chosen, everything, report, full):
    """The guest's suites and, beside the first machine, those of the tool root and of the host."""
    from lab import prepare, userspace
    guest = [suite for suite in chosen if suite.kind == "guest"]
    runs = guest + (_other_kernels(guest) if full else [])
    # The base kernel first: the objects of the others begin as copies of its own. A suite of another kind boots no machine,
    # or names the kernel.
    booted = runs + [suite for suite in chosen if suite.kernel != "base"]
    flavours = sorted({suite.kernel for suite in booted}, key=lambda name: (name != "base", name))
    modules = sorted({(suite.kernel, name) for suite in runs for name in suite.modules})
    variants = ["sanitized"] + (["plain"] if guest else [])
    try:
        prepared = prepare.prepare(flavours, variants, modules,
                                   sorted({tuple(suite.selftests) for suite in runs if suite.selftests}),
                                   any(suite.installed for suite in runs), any(suite.ucx for suite in runs))
    except progress.Unreachable as err:
        progress.fail(err)
        _without_root(chosen, everything, report, err.reason.split(":")[0])
        return
    if any("/build/examples/" in value for suite in guest for value in suite.env.values()):
        userspace.examples(prepared.root)
    work = suite_guest.jobs(prepared, runs, report)
    # Where something is new the suites of the tool root compile for minutes, so they begin early; else they take one.
    work.insert(1, lambda: suite_toolroot.run([suite for suite in chosen if suite.kind == "toolroot"], report))
    place = suite_host.InRoot(prepared.root)
    work[2:2] = suite_host.jobs(place, _prepare_host(place, chosen, everything, report), report)
    with process.threads(suite_guest.at_once()) as pool:
        for running in [pool.submit(job) for job in work]:
            running.result()

# SPDX-License-Identifier: GPL-2.0-or-later
"""make matrix: the guest suites on the kernel without the series, with each topic and its base, and with all of it.

It shows what each topic is needed for. tests/matrix.toml has the result that each suite must have on each kernel.
"""

import re
import threading
import tomllib
from dataclasses import dataclass, field, replace

from lab import PROJECT, check, kernel, process, progress, results, series, suite_guest, suites, toolroot, userspace
from lab.prepare import Prepared

LIST = PROJECT / "tests/matrix.toml"
TABLE = PROJECT / "build/matrix.txt"
RESULTS = PROJECT / "build/matrix.tap"
UNPATCHED = "unpatched"
ALL = "all"
# The topic that the modules of a folder, keys of kernel.MODULES, cannot be built without, and the selftests.
MODULE_TOPICS = {"tph_dma": "tph", "tph_fault": "tph", "tph_query": "tph", "mlx5_st_test": "mlx5", "port_view": "tph"}
SELFTESTS_TOPIC = "tph"
WITHOUT = ("unsupported", "fails", "panics")
MARKS = {"passes": "+", "partly": "p", "unsupported": "-", "fails": "F", "panics": "P"}


@dataclass
class Expected:
    """What a suite needs to pass, and how it ends without.

    needs: topics. without: "unsupported", every case that fails says so in the words of the list for the topics that are
    missing, or in those of the pattern @words; "fails", in those of @words; or "panics", the kernel does. passing: cases that
    pass all the same. hangs: without its topics the suite does not end, because it waits for what does not come. One that
    hangs or panics gets a machine of its own. more: dict from a case to topics that this case needs beside; where they are
    missing, it fails in the same words.
    """

    needs: list = field(default_factory=list)
    without: str = "unsupported"
    words: str = ""
    passing: list = field(default_factory=list)
    hangs: bool = False
    more: dict = field(default_factory=dict)

    def met(self, topics):
        return set(self.needs) <= set(topics)

    def missing(self, topics):
        """The cases that need more than these topics."""
        return {case for case, needs in self.more.items() if not set(needs) <= set(topics)}

    def on(self, topics, words):
        """The same on a kernel with these topics, where @words, a dict by topic, says what a kernel without one answers."""
        if self.without != "unsupported":
            return self
        below = kernels()
        needed = {name for needs in [self.needs, *self.more.values()] for topic in needs for name in below[topic]}
        patterns = [words[name] for name in words if name in needed and name not in topics]
        return replace(self, words="|".join([*patterns, self.words] if self.words else patterns))


def load(path=LIST):
    """(dict from topic to the words of a kernel without it, dict from suite to Expected)."""
    with open(path, "rb") as file:
        table = tomllib.load(file)
    expected = {name: Expected(**entry) for name, entry in table["suite"].items()}
    for name, entry in expected.items():
        if entry.without not in WITHOUT:
            raise progress.StepError(f"{path.name}: {name}: without = {entry.without!r} is none of {', '.join(WITHOUT)}")
    return table["words"], expected


def kernels():
    """Dict from the name of a kernel to the names of the topics it has."""
    everything = series.topics()
    table = {UNPATCHED: []}
    for topic in everything:
        table[topic.name] = [other.name for other in series.base(topic, everything)] + [topic.name]
    table[ALL] = [topic.name for topic in everything]
    return table


def listed(expected):
    """The suites that the table has a row for: those of the base kernel that make check runs."""
    chosen = [suite for suite in suites.load() if suite.kind == "guest" and suite.kernel == "base" and not suite.full]
    names = {suite.name for suite in chosen}
    for wrong, why in ((names - expected.keys(), "has no expected result"),
                       (expected.keys() - names, "is no suite of the base kernel")):
        if wrong:
            raise progress.StepError(f"{LIST.name}: {', '.join(sorted(wrong))} {why}")
    return chosen


def _on(suite, name, topics, expected):
    """A suite as it runs on one of the kernels."""
    met = expected.met(topics) and not expected.missing(topics)
    return replace(suite, name=f"{suite.name}@{name}", kernel=name,
                   alone=not met and (expected.hangs or expected.without == "panics"),
                   modules=[module for module in suite.modules if MODULE_TOPICS[kernel.module_folder(module)] in topics],
                   selftests=suite.selftests if SELFTESTS_TOPIC in topics else [])


def outcome(cases, expected, met, missing=()):
    """(what happened in the words of Expected, what differs from what was expected).

    @met: the suite has the topics that it needs, except for the cases @missing.
    """
    failed = [case for case in cases if case.status == "fail"]
    panicked = any("Kernel panic" in note for case in failed for note in [case.why, *case.notes])
    got = "panics" if panicked else "fails" if failed else "passes"
    if met and missing and not panicked:
        own = [case for case in cases if _name(case) in missing]
        others = [case for case in failed if _name(case) not in missing and not (expected.hangs and case.name == "plan")]
        partly = any(case.status == "pass" for case in cases if case not in own and case.name != suite_guest.LOG_CASE)
        return "partly" if partly else expected.without, _wrong(own, replace(expected, passing=[])) + _failures(others)
    if met:
        return got, _failures(failed)
    if panicked or expected.without == "panics":
        return got, [] if panicked and expected.without == "panics" else ["a panic of the kernel" if panicked else "no panic"]
    wrong = _wrong(cases, expected)
    return (got if wrong else expected.without), wrong


def _name(case):
    """The name of a case, which may stand before what it shows."""
    return case.name.split(":")[0]


def _failures(failed):
    return [f"{case.name}: {case.why or 'failed'}" for case in failed]


def _wrong(cases, expected):
    """What in the cases of a suite whose topics are not there is not as expected."""
    passed = [_name(case) for case in cases if case.status == "pass" and case.name != suite_guest.LOG_CASE]
    others = [case for case in cases if case.status != "pass" and not (expected.hangs and case.name == "plan")]
    silent = [case for case in others if not re.search(expected.words, "\n".join([case.name, case.why, *case.notes]))]
    wrong = [f"{case.name}: does not say {expected.words}" for case in silent]
    wrong += [f"{name}: passes" for name in passed if name not in expected.passing]
    wrong += [f"{name}: does not pass" for name in expected.passing if name not in passed]
    return wrong or ([] if others else [f"nothing says {expected.words}"])


class Outcomes:
    """Stands where suites report their cases: judges them, and keeps what the table shows."""

    def __init__(self, report, words, expected, table):
        self.report = report
        self.words = words
        self.expected = expected
        self.table = table
        self.marks = {}
        self._lock = threading.Lock()

    def add(self, suite, cases, seconds):
        name, kernel_name = suite.name.split("@")
        topics = self.table[kernel_name]
        expected = self.expected[name].on(topics, self.words)
        met = expected.met(topics)
        got, wrong = outcome(cases, expected, met, expected.missing(topics))
        with self._lock:
            self.marks[name, kernel_name] = MARKS[got] + ("!" if wrong else "")
        notes = wrong + [note for case in cases if case.status == "fail" for note in [f"{case.name}:", *case.notes[-8:]]]
        self.report.add(suite, [results.Case("as expected", "fail" if wrong else "pass",
                                         f"{got}: {wrong[0]}" if wrong else "", notes if wrong else [])], seconds)

    def text(self, names):
        """The table: a row for each suite, a column for each kernel."""
        columns = list(self.table)
        width = max(len(name) for name in names)
        head = [" " * width + "  " + " ".join(str(number + 1).rjust(3) for number in range(len(columns)))]
        rows = [f"{name.ljust(width)}  " + " ".join(self.marks.get((name, column), "?").rjust(3) for column in columns)
                for name in names]
        legend = [f"{number:3d} {column}" for number, column in enumerate(columns, 1)]
        return "\n".join([*head, *rows, "", *legend, "", "+ passes   - says that it is not supported   F fails   "
                          "P the kernel panics   ! not as expected", "p passes, but for the cases that need another topic", ""])


def _prepare(table, chosen):
    """Everything that the machines need. Kernels are built one after the other, each from the objects of the one before."""
    root = toolroot.obtain()
    for variant in ("sanitized", "plain"):
        userspace.build(root, variant)
    if any("/build/examples/" in value for suite in chosen for value in suite.env.values()):
        userspace.examples(root)
    collections = {tuple(suite.selftests) for suite in chosen if suite.selftests}
    prepared = Prepared(root, {}, {}, {})
    for name, topics in table.items():
        progress.say(f"kernel {name}: {', '.join(topics) or 'as it is'}")
        prepared.kernels[name] = kernel.obtain(root, kernel.PARTS, topics)
        for folder in sorted({kernel.module_folder(module) for suite in chosen for module in suite.modules}):
            if MODULE_TOPICS[folder] in topics:
                prepared.folders[name, folder] = kernel.modules(root, folder, kernel.PARTS, topics)
        if SELFTESTS_TOPIC in topics:
            for collection in collections:
                prepared.selftests[name, collection] = kernel.selftests(root, list(collection), kernel.PARTS, topics)
    return prepared


def main(args, alone):
    """Run the matrix, or the kernels and suites of it that @args names; whoever holds @alone() has build/ to itself."""
    words, expected = load()
    table, chosen = kernels(), listed(expected)
    unknown = [name for name in args if name not in table and name not in expected]
    if unknown:
        raise progress.StepError(f"no kernel or suite {', '.join(unknown)}: kernels are {', '.join(table)}; suites are in "
                                 f"{LIST.relative_to(PROJECT)}")
    table = {name: table[name] for name in table if name in args} or table
    chosen = [suite for suite in chosen if suite.name in args] or chosen
    with alone():
        prepared = _prepare(table, chosen)
        runs = [_on(suite, name, topics, expected[suite.name]) for name, topics in table.items() for suite in chosen]
        report = check.Report([suite.name for suite in runs])
        outcomes = Outcomes(report, words, expected, table)
        jobs = sum((suite_guest.jobs(_of_kernel(prepared, name), [suite for suite in runs if suite.kernel == name], outcomes)
                    for name in table), [])
        with process.threads(suite_guest.at_once()) as pool:
            for running in [pool.submit(job) for job in jobs]:
                running.result()
        TABLE.write_text(outcomes.text([suite.name for suite in chosen]))
        print(TABLE.read_text())
        return report.finish(RESULTS)


def _of_kernel(prepared, name):
    """The part of @prepared that belongs to one kernel."""
    return replace(prepared, selftests={collection: folder for (owner, collection), folder in prepared.selftests.items()
                                        if owner == name})

# SPDX-License-Identifier: GPL-2.0-or-later
"""The series applies to the pristine tree with git am, and each of its patches compiles by itself."""

import re
import sys

import tap
from lab import kernel_bench, series

tap.TEST_SECONDS = 900


def test_applies():
    """git am takes every patch"""
    bench.states[len(bench.patches)]
    tap.true(bench.patches, "kernel/series has no patch")


def _compile(out, number):
    """Complaints about the touched files in a state of the series."""
    bench.go(number)
    ok, output = bench.make(out, bench.targets(out, number))
    found = sorted(kernel_bench.warnings(output))
    if not ok or found:
        tap.diag("\n".join(output.splitlines()[-30:]))
    tap.true(ok, f"{bench.patches[number - 1].name}: does not compile")
    return found


def test_builds():
    """after each patch, the files that the series touches compile without a warning"""
    out = bench.objects("base")
    # From the last to the first, because the objects to start from are those of the whole series. What only includes a
    # touched header is compiled with the whole series, when the lab's kernel is built.
    for number in range(len(bench.patches), 0, -1):
        found = bench.once(out, number, "plain", lambda: _compile(out, number))
        tap.equal(found, [], f"warnings after {bench.patches[number - 1].name}")


def test_cover_letter():
    """the cover letter lists the subjects of the patches, in order"""
    cover = series.files()[0]
    tap.equal(cover.name, "0000-cover-letter.patch", "first file")
    subjects = []
    for path in bench.patches:
        head = re.search(r"^Subject: \[PATCH[^\]]*\] (.*(?:\n .*)*)", path.read_text(), re.MULTILINE)
        subjects.append(re.sub(r"\n ", " ", head[1]))
    listed = re.findall(r"^      (\S.*(?:\n        \S.*)*)", cover.read_text(), re.MULTILINE)
    tap.equal([re.sub(r"\s*\n\s*", " ", line) for line in listed], subjects, "subjects")


if __name__ == "__main__":
    with kernel_bench.bench() as bench:
        tap.run(globals())
    sys.exit(1)

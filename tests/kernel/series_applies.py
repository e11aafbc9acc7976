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


def test_builds():
    """after each patch, the folders that the series touches compile without a warning"""
    out = bench.objects("base")
    for number, path in enumerate([None, *bench.patches]):
        bench.go(number)
        ok, output = bench.make(out, bench.folders())
        what = path.name if path else "the pristine tree"
        if not ok or (path and kernel_bench.warnings(output)):
            tap.diag("\n".join(output.splitlines()[-30:]))
            raise AssertionError(f"{what}: {'warnings' if ok else 'does not compile'}")


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

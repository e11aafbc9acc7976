# SPDX-License-Identifier: GPL-2.0-or-later
"""checkpatch --strict has nothing to say about the series and the modules."""

import re
from concurrent.futures import ThreadPoolExecutor

import tap
from lab import PROJECT, check_tree, kernel, process, series

tap.TEST_SECONDS = 280

# Who posts the series adds the sign-off: it certifies the origin in the name of a person. And checkpatch asks at every
# new file whether MAINTAINERS should change: test_maintainers() has the answer. The tree has no history in which it could look
# for the commits that Fixes: lines name.
COMMAND = ["perl", "scripts/checkpatch.pl", "--strict", "--show-types", "--terse", "--no-summary",
           "--ignore", "MISSING_SIGN_OFF,FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID"]

# Whether the commit exists is for a clone with the history of Linux to say.
FIXES = re.compile(r'Fixes: [0-9a-f]{12} \("\S.*\S"\)')
STABLE = "Cc: stable@vger.kernel.org"


def _complaints(args, bind):
    ok, output = check.run([*COMMAND, *args], bind)
    lines = [line for line in output.splitlines() if line.strip()]
    tap.true(ok == (not lines), f"checkpatch ended oddly: {output}")
    return lines


def test_series():
    """no patch of the series gets a remark"""
    files = [f"/src/{path.relative_to(PROJECT)}" for path in check.patches]
    # Most of the time goes into one processor's pattern matching: one call for each processor.
    shares = [files[number::process.processors()] for number in range(min(process.processors(), len(files)))]
    with ThreadPoolExecutor(len(shares)) as pool:
        wrong = sum(pool.map(lambda share: _complaints(share, [(PROJECT, "/src", "ro")]), shares), [])
    tap.diag("\n".join(wrong))
    tap.equal(len(wrong), 0, "remarks")


def test_fixes():
    """each patch of a topic of fixes names the commit that it fixes: 12 digits of its hash, and its subject"""
    wrong = []
    for topic in series.topics():
        for path in topic.patches:
            message = path.read_text().split("\n---\n", 1)[0]
            named = re.findall(r"^Fixes:.*$", message, re.MULTILINE)
            wrong += [f"{series.label(path)}: {line}" for line in named if not FIXES.fullmatch(line)]
            if topic.name.startswith("fixes-") and not named:
                wrong.append(f"{series.label(path)}: no Fixes:")
            stable = re.findall(r"^cc:.*stable.*$", message, re.MULTILINE | re.IGNORECASE)
            wrong += [f"{series.label(path)}: {line}" for line in stable if line != STABLE or not named]
    tap.diag("\n".join(wrong))
    tap.equal(len(wrong), 0, "lines")


def test_maintainers():
    """every new file belongs to an entry of MAINTAINERS"""
    before, after = check.states[0], check.states[-1]
    new = [name for name in check.touched if before[name] is None and after[name] is not None]
    tap.true(new, "the series adds no file")
    for name in new:
        ok, output = check.run(["perl", "scripts/get_maintainer.pl", "--nogit", "--nogit-fallback", "-f", name])
        tap.true(ok, output)
        tap.true([line for line in output.splitlines() if "maintainer:" in line or "supporter:" in line],
                 f"{name}: nobody in particular maintains it: {output}")


def test_module():
    """no source of the modules gets a remark"""
    files = sorted(f"/src/{folder}/{path.name}" for folder in kernel.MODULES.values()
                   for path in (PROJECT / folder).glob("*.[ch]"))
    tap.true(files, "no module sources")
    wrong = _complaints(["--no-tree", "-f", *files], [(PROJECT, "/src", "ro")])
    tap.diag("\n".join(wrong))
    tap.equal(len(wrong), 0, "remarks")


if __name__ == "__main__":
    with check_tree.opened() as check:
        check.go(check.states[-1])
        tap.run(globals())

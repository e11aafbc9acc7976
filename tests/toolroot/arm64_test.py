# SPDX-License-Identifier: GPL-2.0-or-later
"""What the series touches compiles for arm64, where write-combining is a matter of the page tables alone, and gives no new
warning with W=1."""

import tap
from lab import check_tree, kernel

tap.TEST_SECONDS = 2600
ARM64 = ["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"]
# Not for this architecture, or with an option that cannot be had there.
ELSEWHERE = ("arch/x86/",)


def _targets(out, state):
    return [name for name in check.targets(out, state) if not name.startswith(ELSEWHERE)]


def _compile(out, state):
    check.go(state)
    for name in _targets(out, state):
        (out / name).unlink(missing_ok=True)
    ok, output = check.make(out, [*ARM64, "W=1", *_targets(out, state)])
    tap.true(ok, "\n".join(output.splitlines()[-20:]))
    return sorted(check_tree.warnings(output))


def _complaints(state):
    out = check.objects("arm64", [kernel.CONFIGS / "arm64.config"], ARM64)
    return set(check.once(out, state, "arm64", lambda: _compile(out, state)))


def test_series():
    """the series, W=1"""
    new = sorted(_complaints(check.states[-1]) - _complaints(check.states[0]))
    tap.diag("\n".join(new))
    tap.equal(len(new), 0, "new warnings")


def test_all_files():
    """the configuration has every file that the series touches"""
    out = check.objects("arm64", [kernel.CONFIGS / "arm64.config"], ARM64)
    state = check.states[-1]
    wanted = [name[:-2] + ".o" for name in check.sources(state) if not name.startswith(ELSEWHERE)]
    tap.equal(sorted(set(wanted) - set(_targets(out, state))), [], "files that are not compiled")


if __name__ == "__main__":
    with check_tree.opened() as check:
        tap.run(globals())

# SPDX-License-Identifier: GPL-2.0-or-later
"""What in a kernel log says that the kernel, or a program, has gone wrong."""

import re

STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[CT]\d+\])?\s?")

# Matched against the text behind the time stamp. A report has many lines; one hit is enough to find it.
SIGNS = re.compile(
    r"-+\[ cut here \]-+"
    r"|(?:WARNING|BUG|UBSAN|KASAN|KCSAN|KFENCE): "
    # It also says at boot that it is there.
    r"|DMA-API: (?!preallocated |debugging enabled )"
    r"|(?:Oops|stack segment|invalid opcode|general protection fault|double fault)\b.*"
    r"|.*\bkernel BUG at "
    r"|.*\bKernel panic\b"
    r"|.*\bUnable to handle\b"
    r"|INFO: (?:task .* blocked|trying to register non-static key|lockdep is turned off|possible |suspicious )"
    r"|.*\brcu\w*: INFO: .*stall"
    r"|.*(?:detected stalls on|self-detected stall)"
    r"|.*\bpossible (?:recursive locking|circular locking|irq lock inversion|deadlock)"
    r"|.*\b(?:suspicious RCU usage|sleeping function called from invalid context|scheduling while atomic)"
    r"|.*\b(?:refcount_t|list_add|list_del|plist)\b.*(?:corruption|underflow|overflow|saturated|leaking|addition on 0)"
    r"|.*\b(?:soft lockup|hard LOCKUP|hung_task|irq .*: nobody cared)\b"
    r"|kmemleak: .*suspected"
    r"|Call Trace:"
    r"|Out of memory: |.*invoked oom-killer"
    r"|.*: segfault at |traps: "
)
# Data races that KCSAN finds in the kernel as it is, far from what the series touches, with the reason why each is no error.
# Whatever is not here counts.
KNOWN_RACES = {
    # "Active" is of the moment anyway, and "not active" is said only when a sequence count has not changed.
    "BUG: KCSAN: data-race in __hrtimer_run_queues / hrtimer_active",
}
SUITE = re.compile(r"lab: suite (\S+) begins")
# What lab/guest/state writes.
STATE = re.compile(r"lab: state tainted=(\d+)(?: debug_locks=(\d))?")
# Bits of the taint mask, and those of them that a run has a right to set.
TAINTS = ("a proprietary module", "a module was forced", "the processor is out of its specification",
          "a module was removed by force", "machine check", "bad page", "a user asked for it", "the kernel has died",
          "ACPI table overridden", "a warning", "a staging driver", "firmware workaround",
          "a module from outside the tree", "an unsigned module", "soft lockup", "live patch", "the distribution's own",
          "randomized structures", "an in-kernel test", "fwctl")
EXPECTED_TAINTS = {
    12,  # tph_dma
    14,  # sw_sync sets it for each fence that it makes, because nothing forces a program to signal one
    18,  # KUnit
}


def message(line):
    """A line of the log without its time stamp."""
    return STAMP.sub("", line.rstrip("\r\n"))


def _state(mask, seen, debug_locks):
    """What is wrong with a state of the kernel: new taints, in words, and lockdep that watches no more."""
    wrong = [f"the kernel is tainted: {TAINTS[bit] if bit < len(TAINTS) else f'bit {bit}'}"
             for bit in range(mask.bit_length()) if mask >> bit & 1 and not seen >> bit & 1 and bit not in EXPECTED_TAINTS]
    return wrong + (["lockdep is off"] if debug_locks == "0" else [])


def scan(text):
    """List of (suite, line number, line) for each line that is a sign of trouble.

    The suite is the one that ran when the line was logged, None before the first.
    """
    hits = []
    suite = None
    taints = 0
    for number, line in enumerate(text.splitlines(), 1):
        content = message(line)
        begin = SUITE.match(content)
        state = STATE.match(content)
        if begin:
            suite = begin[1]
        elif state:
            hits += [(suite, number, wrong) for wrong in _state(int(state[1]), taints, state[2])]
            taints |= int(state[1])
        elif SIGNS.match(content) and content not in KNOWN_RACES:
            hits.append((suite, number, content))
    return hits

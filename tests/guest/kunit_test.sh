#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kunit_test.sh SUITE...
# Runs KUnit suites of the kernel and of loaded modules, and gives their results as TAP.
cd /sys/kernel/debug/kunit || exit 1

for suite; do
    if [ -d "$suite" ]; then
        echo 1 >"$suite/run"
        cat "$suite/results"
    else
        echo "    not ok 0 there is no suite $suite"
    fi
done | awk '
    # A case is a result indented by one level; those of its parameters are indented further.
    /^    # Subtest: / { suite = $NF ": " }
    /^    (not )?ok [0-9]+/ {
        state = ($1 == "not") ? "not ok" : "ok"
        sub(/^    (not )?ok [0-9]+ *-? */, "")
        printf "%s %d - %s%s\n", state, ++cases, suite, $0
        if (state != "ok")
            bad = 1
        next
    }
    { print "# " $0 }
    END {
        printf "1..%d\n", cases
        exit bad
    }
'

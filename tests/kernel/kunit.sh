#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kunit.sh SUITE...
# Results of all KUnit suites of the kernel and of the loaded modules, as TAP. The suites named have to be among them.
cd /sys/kernel/debug/kunit || exit 1

for suite in *; do
    # A suite that is built in has run when the kernel started, one in a module waits to be asked.
    if ! grep -q "^ok\|^not ok" "$suite/results"; then
        echo 1 >"$suite/run"
    fi
done

# A case is a result indented by one level; those of its parameters are indented further.
cat ./*/results | awk -v wanted="$*" '
    function result(state, name) {
        printf "%s %d - %s\n", state, ++cases, name
        if (state != "ok")
            bad = 1
    }
    { line = $0 }
    match(line, /# Subtest: /) && line !~ /^        / {
        suite = substr(line, RSTART + RLENGTH)
        seen[suite] = 1
    }
    line ~ /^    (not )?ok [0-9]+/ {
        state = (line ~ /^    not/) ? "not ok" : "ok"
        sub(/^    (not )?ok [0-9]+ *-? */, "", line)
        result(state, suite ": " line)
        next
    }
    { print "# " $0 }
    END {
        count = split(wanted, names, " ")
        for (i = 1; i <= count; i++)
            result((names[i] in seen) ? "ok" : "not ok", names[i] " is there")
        printf "1..%d\n", cases
        exit bad
    }
'

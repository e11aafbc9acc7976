#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh CONFIG FRAGMENT...
#
# Kconfig drops an option whose dependencies are not met, and says nothing. Compare a finished
# .config with the fragments that it was made from, and list every option that came out otherwise.
# A later fragment overrides an earlier one, as in a merge. Exit: 0 all there, 1 some are not,
# 2 wrong use.

set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG FRAGMENT..." >&2
    exit 2
fi
for file; do
    if [ ! -r "$file" ]; then
        echo "$0: $file: cannot be read" >&2
        exit 2
    fi
done

exec awk -v config="$1" '
    # One form for "=n" and "is not set", which mean the same.
    function parse(line) {
        if (line ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/) {
            split(line, word, " ")
            name = word[2]
            value = "n"
            return 1
        }
        if (line !~ /^CONFIG_[A-Za-z0-9_]+=/)
            return 0
        name = substr(line, 1, index(line, "=") - 1)
        value = substr(line, index(line, "=") + 1)
        return 1
    }
    # FILENAME cannot tell the two apart when a fragment is compared with itself: ARGIND is not POSIX.
    FNR == 1 { nfile++ }
    !parse($0) { next }
    nfile == 1 { got[name] = value; next }
    {
        if (!(name in want))
            order[++n] = name
        want[name] = value
        from[name] = FILENAME
    }
    END {
        for (i = 1; i <= n; i++) {
            name = order[i]
            is = (name in got) ? got[name] : "n"
            if (is != want[name]) {
                printf "%s: %s=%s asked for by %s, the result has %s\n", config, name, want[name], from[name], is
                bad = 1
            }
        }
        exit bad
    }
' "$@"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make C=1 CHECK=.../sparse.sh OBJECT...
#
# sparse 0.6.4, the release that distributions have, does not know two things that kernel headers
# use. Without them it reports an error for each MODULE_*() line, and after an error sparse prints no
# warning about the rest of the file; or kbuild finds it too old and builds without it. Either way a
# run looks clean that has checked nothing. Give sparse the same meaning in words it knows.

exec sparse -D__typeof_unqual__=__typeof__ '-D__builtin_strlen(s)=(sizeof(s)-1)' "$@"

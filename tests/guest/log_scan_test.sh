#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the kernel print a real WARNING: the runner has to find it, or it would find none anywhere.
echo "1..1"
if echo WARNING >/sys/kernel/debug/provoke-crash/DIRECT; then
    echo "ok 1 - lkdtm takes the request"
else
    echo "not ok 1 - lkdtm takes the request"
    exit 1
fi

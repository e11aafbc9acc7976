#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# where.sh TRACE DEVICE [ADDRESS[:LENGTH]]
# Where did my bytes go? Reads the trace of tphbuf-endpoints: who wrote to DEVICE (bus address without the domain,
# 00:10.0), how much under which tag, what never arrived with its hint, and the last writes to ADDRESS.
set -eu

if [ $# -lt 2 ]; then
    echo "usage: where.sh TRACE DEVICE [ADDRESS[:LENGTH]]" >&2
    exit 2
fi
trace=$1
device=$2

echo "== writes that arrived at $device, by sender and tag"
tphbuf-trace count --type MWr --completer "$device" "$trace"
echo "== writes whose hint was dropped on the way"
tphbuf-trace count --type MWr --result hint-dropped "$trace"
echo "== writes that nobody claimed"
tphbuf-trace count --type MWr --completer - "$trace"
if [ $# -gt 2 ]; then
    echo "== the last writes to $3"
    tphbuf-trace print --type MWr --address "$3" "$trace" | tail -n 5
fi

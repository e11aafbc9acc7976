#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# install.sh install|uninstall: the library and the command, in PREFIX below DESTDIR, as make install calls it.
# PREFIX, DESTDIR and INSTALL_BUILD come from the environment. INSTALL_BUILD is the build directory, by default a
# temporary one, so that root leaves nothing in a checkout of somebody else.
set -eu

fail() {
    echo "error: $1" >&2
    exit 1
}

# The nearest directory that exists, of $1 and those above it.
existing() {
    place=$1
    while [ ! -d "$place" ]; do
        place=$(dirname "$place")
    done
    printf '%s\n' "$place"
}

# quiet COMMAND...: its output only when it fails.
quiet() {
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        fail "$1 $2 failed"
    }
}

verb=$1
here=$(pwd)
project=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR:-}
case $prefix in
/*) ;;
*) fail "PREFIX $prefix is not an absolute path" ;;
esac
case $destdir in
'' | /*) ;;
*) destdir=$here/$destdir ;;
esac
command -v meson >/dev/null || fail "meson is missing (Debian package meson)"
command -v ninja >/dev/null || fail "ninja is missing (Debian package ninja-build)"
place=$(existing "$destdir$prefix")
[ -w "$place" ] || fail "cannot write to $place: no permission; become root, or choose another PREFIX or DESTDIR"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
log=$scratch/log
build=${INSTALL_BUILD:-$scratch/build}

# Meson asks dpkg-architecture, which is often missing, for the directory where Debian looks for libraries.
libdir=
multiarch=$(cc -print-multiarch 2>/dev/null || true)
if [ -n "$multiarch" ] && [ -d "/usr/lib/$multiarch" ]; then
    libdir=lib/$multiarch
fi

if [ ! -f "$build/build.ninja" ]; then
    quiet meson setup ${libdir:+"--libdir=$libdir"} --prefix "$prefix" --buildtype release \
        -Dwerror=false -Dtests=false -Dendpoints=false --default-library both "$build" "$project"
else
    quiet meson configure "$build" -Dprefix="$prefix"
fi

if [ "$verb" = uninstall ]; then
    # Nobody keeps a record of what was installed: this is what would be, with the links that lead there.
    meson introspect --installed "$build" | python3 -c '
import json, pathlib, sys
files = {pathlib.Path(sys.argv[1] + name) for name in json.load(sys.stdin).values()}
links = {link for folder in {file.parent for file in files} if folder.is_dir()
         for link in folder.iterdir() if link.is_symlink() and link.resolve() in {file.resolve() for file in files}}
for path in links | files:
    path.unlink(missing_ok=True)
for folder in {file.parent for file in files}:
    if folder.name == "tphbuf" and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
' "$destdir" || fail "cannot uninstall from $destdir$prefix"
    exit
fi

quiet meson compile -C "$build"
quiet env DESTDIR="$destdir" meson install -C "$build" --no-rebuild
# For programs that are linked without pkg-config; the rest finds the library by its path.
if [ -z "$destdir" ] && [ "$(id -u)" = 0 ]; then
    PATH=$PATH:/usr/sbin:/sbin ldconfig 2>/dev/null || true
fi

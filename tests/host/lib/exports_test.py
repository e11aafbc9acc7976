#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: headers, symbol map, shared library and man pages name the same functions.

Arguments: source root, shared library, version of the project.
"""
import pathlib
import re
import shutil
import subprocess
import sys

import tap

LINT = "mandoc has nothing against the man pages"
root = pathlib.Path(sys.argv[1])
library, version = sys.argv[2:4]


def same(got, want, what):
    for name in sorted(set(got) ^ set(want)):
        tap.diag(f"only in the {'first' if name in got else 'second'}: {name}")
    tap.result(sorted(got) == sorted(want), what)


headers = "".join(path.read_text() for path in sorted((root / "include/tphbuf").glob("*.h")))
documented = set(re.findall(r"^ \* (tphbuf_\w+) - ", headers, re.M))
code = re.sub(r"/\*.*?\*/", "", headers, flags=re.S)
declared = set(re.findall(r"\b(tphbuf_\w+)\(", code))
mapped = set(re.findall(r"^\t\t(tphbuf_\w+);", (root / "lib/libtphbuf.map").read_text(), re.M))
nm = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True,
                    text=True).stdout
exported = {line.split()[2].split("@")[0] for line in nm.splitlines() if " T " in line}
everything = {line.split()[2].split("@")[0] for line in nm.splitlines()} - {"TPHBUF_0.1"}
pages = {path.stem for path in (root / "man").glob("*.3")}

same(declared, mapped, "functions of the headers and of the symbol map")
same(exported, mapped, "functions of the library and of the symbol map")
same(everything, exported, "nothing but functions is exported")
same(declared, documented, "functions with and without kernel-doc")
same(declared, pages, "functions with and without a man page")
for page in sorted((root / "man").glob("*.3")):
    link = re.match(r"\.so man3/(\S+)\n", page.read_text())
    if link:
        target = root / "man" / link.group(1)
        named = target.exists() and re.search(
            rf"^\.BI? .*\b{page.stem}\b", target.read_text(), re.M)
        same([page.name] if named else [], [page.name], f"{page.name} leads to a page about it")
if shutil.which("mandoc"):
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                           *sorted(str(page) for page in (root / "man").glob("*.[137]")
                                   if not page.read_text().startswith(".so "))],
                          capture_output=True, text=True)
    same(lint.stdout.splitlines(), [], LINT)
else:
    tap.result(True, LINT, skip="mandoc is not installed")
reasons = re.findall(r"^\t(TPHBUF_REASON_\w+)\s*= \d+,", headers, re.M)
rows = re.findall(r"^\t\[(TPHBUF_REASON_\w+)\] = \{", (root / "lib/reason.c").read_text(), re.M)
explained = re.findall(r"^ \* @(TPHBUF_REASON_\w+):", headers, re.M)
same(rows, reasons, "reasons of the headers and rows of the table")
same(explained, reasons, "reasons with and without kernel-doc")
words = re.findall(r"^\t\[TPHBUF_REASON_\w+\] = \{ \"([a-z0-9-]+)\"", (root / "lib/reason.c").read_text(), re.M)
page = (root / "man/tphbuf_reason_text.3").read_text().replace("\\-", "-")
same([word for word in words if re.search(rf"^\.B {word}$", page, re.M)], words, "reasons and the man page")
table = re.search(r"^## Reasons\n(.*?)^## ", (root / "docs/troubleshooting.md").read_text(), re.M | re.S)[1]
same(re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.M), words, "reasons and rows of docs/troubleshooting.md")
numbers = [re.search(rf"TPHBUF_VERSION_{part} (\d+)", headers).group(1)
           for part in ("MAJOR", "MINOR", "PATCH")]
same([".".join(numbers)], [version], "version of the headers and of the project")
sys.exit(tap.done())

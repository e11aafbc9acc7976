#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: the examples of the manual pages and of the texts compile as they stand, and those that are programs run.

usage: examples_test.py SOURCE LIBRARY
"""
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE, LIBRARY = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
# A program has the sanitizer of the library: those of addresses and of threads do not go together.
SANITIZE = "thread" if b"__tsan_init" in LIBRARY.read_bytes() else "address,undefined"
FLAGS = ["-Wall", "-Wextra", "-Werror", f"-I{SOURCE}/include", f"-fsanitize={SANITIZE}"]
results = []


def ok(good, what, note=""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} - {what}")
    if not good:
        print("".join(f"# {line}\n" for line in note.splitlines()), end="")


def examples(page):
    """Programs below EXAMPLES of a page, as a reader sees them."""
    part = re.search(r"^\.SH EXAMPLES\n(.*?)(?=^\.SH |\Z)", page.read_text(), re.M | re.S)
    for text in re.findall(r"^\.EX\n(.*?)^\.EE", part[1] if part else "", re.M | re.S):
        yield text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def programs(page):
    """Blocks of C in a page in Markdown."""
    return re.findall(r"^```c\n(.*?)^```", page.read_text(), re.M | re.S)


def check(name, text, folder):
    """Compile an example, and run it when it is a program: without such a device it ends with one line."""
    source, program = folder / "example.c", folder / "example"
    source.write_text(text)
    for standard in ("c11", "c17"):
        done = subprocess.run(["cc", f"-std={standard}", "-D_DEFAULT_SOURCE", *FLAGS, "-c", "-o", folder / "example.o", source],
                              capture_output=True, text=True, check=False)
        ok(not done.returncode, f"{name}: compiles as {standard}", done.stderr)
    if "int main(" not in text:
        return
    done = subprocess.run(["cc", *FLAGS, "-o", program, source, LIBRARY, f"-Wl,-rpath,{LIBRARY.parent}"], capture_output=True,
                          text=True, check=False)
    ok(not done.returncode, f"{name}: links", done.stderr)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    ok(done.returncode in (0, 1) and not done.stderr and done.stdout.count("\n") == 1, f"{name}: runs",
       done.stdout + done.stderr)


with tempfile.TemporaryDirectory() as place:
    for path in sorted((SOURCE / "man").glob("*.3")):
        for example in examples(path):
            check(path.name, example, pathlib.Path(place))
    for path in [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))]:
        for number, example in enumerate(programs(path), 1):
            check(f"{path.relative_to(SOURCE)}, block {number}", example, pathlib.Path(place))
ok(len(programs(SOURCE / "README.md")) == 1, "README.md has an example")
ok(len(programs(SOURCE / "docs/cookbook.md")) >= 5, "docs/cookbook.md has programs")
ok(len(results) >= 8, "the pages have examples")
print(f"1..{len(results)}")
sys.exit(not all(results))

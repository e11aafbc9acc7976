# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers read from the headers in registers/ are the ones that the compiler sees."""

import re
import subprocess
import tempfile
from pathlib import Path

import tap
from lab import registers


def _compiled(header, names):
    """The values that a C compiler gives the names."""
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(f'printf("%s %llu\\n", "{name}", (unsigned long long)({name}));' for name in names)
        source = Path(folder) / "print.c"
        source.write_text(f"#include <stdio.h>\n#include <linux/types.h>\n#include <{header}>\n"
                          f"int main(void) {{ {rows} return 0; }}\n")
        subprocess.run(["cc", "-I", str(registers.HEADERS), "-o", f"{folder}/print", str(source)], check=True)
        out = subprocess.run([f"{folder}/print"], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in (line.split() for line in out.splitlines())}


def test_values():
    """each number is the compiler's"""
    for path in sorted(registers.HEADERS.glob("*.h")):
        names = registers.Registers(path.name).names
        tap.true(len(names) > 20, f"{path.name}: only {len(names)} numbers found")
        tap.equal(names, _compiled(path.name, names), path.name)


def test_nothing_left_out():
    """every object-like macro with a value is read"""
    for path in sorted(registers.HEADERS.glob("*.h")):
        macros = re.findall(r"^#define (\w+)[ \t]+[^\s/]", path.read_text(), re.MULTILINE)
        tap.equal(sorted(set(macros) - registers.Registers(path.name).names.keys()), [], path.name)


def test_unknown():
    """a name that the header does not define is an error that names both"""
    try:
        registers.Registers("accelerator_regs.h").ACC_REG_NOTHING
    except AttributeError as error:
        tap.equal(str(error), "registers/accelerator_regs.h does not define ACC_REG_NOTHING", "message")
    else:
        tap.true(False, "no error")


if __name__ == "__main__":
    tap.run(globals())

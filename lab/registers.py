# SPDX-License-Identifier: GPL-2.0-or-later
"""The headers in registers/, read for programs in Python: offsets, bits and identifiers as the devices are built with."""

import functools
import operator
import re

from lab import PROJECT

HEADERS = PROJECT / "registers"
NUMBER = r"(0[xX][0-9a-fA-F]+|\d+)(?:u|ull)?"
MACRO = re.compile(rf"^#define\s+(\w+)\s+\(?{NUMBER}(?:\s*<<\s*(\d+))?\)?\s*(?:/\*.*)?$", re.MULTILINE)
# Bits joined, also over several lines.
JOINED = re.compile(r"^#define\s+(\w+)[\s\\]+\(([A-Z]\w*(?:[\s\\]*\|[\s\\]*\w+)*)\)", re.MULTILINE)
ENUM = re.compile(r"^enum \w+ \{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
ENUMERATOR = re.compile(rf"^\t(\w+)(?: = {NUMBER})?,", re.MULTILINE)


class Registers:
    """Enumerators and macros of a header as attributes: numbers, numbers shifted left, and bits joined from these."""

    def __init__(self, header):
        self._header = header
        text = (HEADERS / header).read_text(encoding="utf-8")
        self.names = {name: int(value, 0) << int(shift or 0) for name, value, shift in MACRO.findall(text)}
        for name, words in JOINED.findall(text):
            self.names[name] = functools.reduce(operator.or_, (self.names[word] for word in re.findall(r"\w+", words)))
        for enumerators in ENUM.findall(text):
            number = -1
            for name, value in ENUMERATOR.findall(enumerators):
                number = int(value, 0) if value else number + 1
                self.names[name] = number

    def __getattr__(self, name):
        try:
            return self.names[name]
        except KeyError:
            raise AttributeError(f"registers/{self._header} does not define {name}") from None

    def prefixed(self, prefix):
        """Names that begin with the prefix, without it, and their numbers."""
        return {name.removeprefix(prefix): value for name, value in self.names.items() if name.startswith(prefix)}

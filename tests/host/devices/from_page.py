# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the files whose code docs/internals/adding-a-device.md shows, and the registry with the device in it.

usage: from_page.py PAGE REGISTRY FOLDER
"""

import re
import sys
from pathlib import Path

NAMES = ("doorbell_counter_regs.h", "doorbell_counter.h", "doorbell_counter.c", "plugin_line.c", "doorbell_counter_test.c")
PLUGIN = "doorbell_counter_plugin.c"


def main(page, registry, folder):
    blocks = re.findall(r"^```c\n(.*?)^```$", Path(page).read_text(), re.MULTILINE | re.DOTALL)
    if len(blocks) != len(NAMES):
        sys.exit(f"{page}: {len(blocks)} blocks of C, want {len(NAMES)}")
    code = dict(zip(NAMES, blocks))
    code[PLUGIN] = code["doorbell_counter.c"] + code.pop("plugin_line.c")
    for name, text in code.items():
        (Path(folder) / name).write_text(text)
    text = Path(registry).read_text()
    for before, more in (('#include "dma_engine.h"\n', '#include "doorbell_counter.h"\n'),
                         ("\t&dma_engine_type,\n", "\t&doorbell_counter_type,\n")):
        if text.count(before) != 1:
            sys.exit(f"{registry}: no place behind {before.strip()}")
        text = text.replace(before, before + more)
    (Path(folder) / "registry_with_counter.c").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])

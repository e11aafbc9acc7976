# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices as shared objects: that of docs/internals/adding-a-device.md, built as the page says, and files that are none.

PAGE_CODE is the folder with the code of the page, PLUGIN_HEADERS are the headers that are installed.
"""

import atexit
import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import tap
from endpoints import PROGRAM, Endpoints, environment
from tap import equal

PAGE = Path(os.environ["PAGE_CODE"])
HEADERS = [Path(name).resolve() for name in os.environ["PLUGIN_HEADERS"].split(":")]
INCLUDES = ["-I", HEADERS[0].parent.parent, "-I", HEADERS[0].parent]
PLACE = Path(tempfile.mkdtemp(prefix="tphbuf-plugin-"))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
COUNTER = PLACE / "doorbell_counter.so"
DEVICE = "doorbell-counter,bdf=00:04.0,every=2"
DOORBELL, COUNT = 0, 4
COMMAND, MEMORY = 4, 2
CONFIG_REGION = 7
# What a plugin says when it is none, and the last words of the line about it.
OBJECTS = {
    "nothing.so": ("", "no tphbuf_device_plugin in it: see DEVICE_PLUGIN() in device_type.h"),
    "old.so": ("const struct device_plugin tphbuf_device_plugin = { .abi = 0 };",
               "built for version 0 of the device interface, not 1: build it with the headers of these endpoints"),
    "empty.so": ("static const struct device_type type; DEVICE_PLUGIN(type);",
                 "its device type lacks a name, a help text or create()"),
    "taken.so": ("static int no(struct fabric *f, struct options *o, struct pci_function_desc *d, struct pci_function **n)"
                 "{ (void)f; (void)o; (void)d; (void)n; return -1; }"
                 "static const struct device_type type = { .name = \"accelerator\", .help = \"\", .create = no };"
                 "DEVICE_PLUGIN(type);", "there is another device type 'accelerator'"),
    "missing.so": ("int not_there(void); int call(void); int call(void) { return not_there(); }",
                   "undefined symbol: not_there"),
}


def build(source, target, *more):
    """As the page says."""
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *INCLUDES, *more, source, "-o", target],
                   check=True)


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False, env=environment())


def fails(path, words):
    """A file that is no plugin ends the program with one line, which ends with @words."""
    result = run("--plugin", path, "--help")
    lines = result.stderr.splitlines()
    equal((result.returncode, result.stdout, len(lines)), (2, "", 1), f"{path}: {result.stderr}")
    equal(lines[0].startswith(f"tphbuf-endpoints: --plugin {path}: ") and lines[0].endswith(words), True, lines[0])


def test_device():
    """the device works, and answers to its options"""
    build(PAGE / "doorbell_counter_plugin.c", COUNTER, "-I", PAGE)
    with Endpoints(DEVICE, arguments=["--plugin", COUNTER]) as server, server.connect("doorbell-counter") as client:
        client.region_write(CONFIG_REGION, COMMAND, struct.pack("<H", MEMORY))
        for _ in range(3):
            client.region_write(0, DOORBELL, bytes(4))
        equal(client.region_read(0, COUNT, 4), struct.pack("<I", 3), "doorbells")
        client.reset()
        client.region_write(CONFIG_REGION, COMMAND, struct.pack("<H", MEMORY))
        equal(client.region_read(0, COUNT, 4), bytes(4), "doorbells after a reset")


def test_help():
    """--help after it has its options; without it there is no such type"""
    result = run("--plugin", COUNTER, "--help")
    equal((result.returncode, "for the type doorbell-counter,\n    every=1..1000" in result.stdout), (0, True), result.stdout)
    equal("doorbell-counter" in run("--help").stdout, False, "without the plugin")
    result = run("--dir", PLACE, "--device", DEVICE)
    equal((result.returncode, "expected one of accelerator" in result.stderr), (2, True), result.stderr)


def test_path():
    """a name without a slash is a file of the current directory, and of no other"""
    result = subprocess.run([PROGRAM, "--plugin", COUNTER.name, "--help"], capture_output=True, text=True, check=False,
                            cwd=PLACE, env=environment())
    equal((result.returncode, result.stderr), (0, ""), "in its directory")
    fails("libc.so.6", "No such file or directory")


def test_wrong():
    """one line for each file that is no plugin for these endpoints"""
    for name, (code, words) in OBJECTS.items():
        source = PLACE / f"{name}.c"
        source.write_text(f"#include \"device_type.h\"\n{code}\n")
        build(source, PLACE / name)
        fails(PLACE / name, words)
    (PLACE / "text.so").write_text("no shared object\n" * 99)
    fails(PLACE / "text.so", "invalid ELF header")
    fails(PLACE, "Is a directory")
    fails("x" * 5000, "File name too long")
    result = run("--plugin", COUNTER, "--plugin", COUNTER, "--help")
    equal((result.returncode, "another device type 'doorbell-counter'" in result.stderr), (2, True), result.stderr)


def test_headers():
    """each header stands alone with those that are installed, and each function in them can be called"""
    declared = set()
    for header in HEADERS:
        rule = subprocess.run(["cc", "-MM", *INCLUDES, header], capture_output=True, text=True, check=True).stdout
        equal(sorted({Path(word) for word in rule.split()[1:] if word != "\\"} - set(HEADERS)), [], f"{header} includes")
        declared |= set(re.findall(r"^[a-z][a-z_0-9 ]*[ *]([a-z_0-9]+)\([^{]*?\)[^{;]*;", header.read_text(), re.MULTILINE))
    symbols = subprocess.run(["nm", "-D", "--defined-only", PROGRAM], capture_output=True, text=True, check=True).stdout
    equal(sorted(declared - {line.split()[-1] for line in symbols.splitlines()}), [], "not exported")
    equal({"pci_function_create", "fabric_write", "options_finish"} - declared, set(), "what is looked for")


if __name__ == "__main__":
    tap.run(globals())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: the commands "tphbuf ..." of the texts and of the manual pages run as they stand there, on a fake device."""
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile

from fake_machine import BDF, BOUND, FAKE, SOURCE, Tree, ok, run_tests

TEXTS = ["README.md", "docs/*.md", "docs/*/*.md", "examples/README.md"]
COMMAND = re.compile(r"(?:# )?(?:/build/cli/)?tphbuf ((?:list|probe|path|exec|read|write|serve|get)\b.*)")
DEVICE = re.compile(r"^(?:[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d|DEVICE|NIC)$")
# What the fake device has of what a real one may have: one BAR of a megabyte.
RANGE = re.compile(r"\b(?:0|64M):64M\b")
# Two functions that are in one place of a machine, for the path from one to the other.
ENDS = ["0000:03:00.0", "0000:03:00.1"]
# Exit codes that say something about the machine, and nothing about the command line.
ABOUT_THE_MACHINE = (0, 3, 7)


def blocks(path):
    """Blocks of code of a page, and the commands that stand in sentences with their device."""
    text = path.read_text()
    if path.suffix != ".md":
        for block in re.findall(r"^\.EX\n(.*?)^\.EE", text, re.M | re.S):
            yield block.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\").replace("\\&", "")
        return
    yield from re.findall(r"(?:^ {4,}\S.*\n)+", text, re.M)
    for command in re.findall(r"`(tphbuf [^`\n]*)`", text):
        if "DEVICE" in command or command.startswith("tphbuf list"):
            yield command


def commands(path):
    """Arguments of each tphbuf in the blocks of a page: up to what the shell makes of the rest."""
    for block in blocks(path):
        for line in block.replace("\\\n", " ").splitlines():
            found = COMMAND.match(line.strip())
            if found:
                lexer = shlex.shlex(found[1], posix=True, punctuation_chars=True)
                lexer.whitespace_split = True
                words = list(lexer)
                ends = [i for i, word in enumerate(words) if set(word) <= set("|;<>&")]
                yield words[:min(ends, default=len(words))]


def adapted(words, place):
    """The same for the fake device: its address, its size, files in @place, and a command that is there."""
    words = [DEVICE.sub(BDF, RANGE.sub("0:1M", word)) for word in words]
    if words[0] == "path":
        words[-2:] = ENDS
    words = [word.replace("/run/tphbuf", str(place)) for word in words]
    if words[0] in ("exec", "get"):
        end = words.index("--") if "--" in words else len(words)
        return words[:end] + ["--", "true"]
    return [str(place / word) if re.fullmatch(r"\w+\.bin", word) else word for word in words]


def serve(tree, words, users):
    """A server, and the commands of its clients while it runs."""
    words = [{"video": "0", "alice": "0"}.get(word, word) for word in words]
    with subprocess.Popen(tree.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=tree.environment()) as server:
        ready = server.stdout.readline() == "ready\n"
        codes = [subprocess.run([FAKE, *client], env=tree.environment(), timeout=60, check=False).returncode
                 for client in users]
        server.send_signal(signal.SIGTERM)
        error = server.communicate(timeout=60)[1]
    ok(ready and not any(codes), f"tphbuf {shlex.join(words)[:90]}: with {len(codes)} clients", error, codes)


def test_commands():
    texts = [path for pattern in TEXTS for path in sorted(pathlib.Path(SOURCE).glob(pattern))]
    pages = sorted(pathlib.Path(SOURCE, "man").glob("*.[17]"))
    seen = set()
    with tempfile.TemporaryDirectory() as name, Tree(*BOUND) as tree:
        place = pathlib.Path(name)
        (place / "weights.bin").write_bytes(bytes(4096))
        for end in ENDS:
            function = pathlib.Path(tree.path("sys/devices/pci0000:00", end))
            function.mkdir(parents=True)
            (function / "config").write_bytes(bytes(4096))
            pathlib.Path(tree.path("sys/bus/pci/devices", end)).symlink_to(function)
        found = [(path.name, adapted(words, place)) for path in texts + pages for words in commands(path)]
        clients = [words for _, words in found if words[0] == "get"]
        for page, words in found:
            seen.add(words[0])
            if words[0] == "get":
                continue
            if words[0] == "serve":
                serve(tree, words, clients)
                continue
            done = tree.run(*words, stdin=subprocess.DEVNULL)
            ok(done.returncode in ABOUT_THE_MACHINE, f"{page}: tphbuf {shlex.join(words)[:90]}", done.returncode, done.stderr)
    ok(seen == {"list", "probe", "path", "exec", "read", "write", "serve", "get"}, "a command of each kind", seen)
    ok(len(found) >= 12, f"{len(found)} commands")


run_tests([test_commands])

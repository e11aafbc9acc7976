# SPDX-License-Identifier: GPL-2.0-or-later
"""The short programs of examples/, built against the installed library: what the DMA engine finds in their buffers."""

import json
import os
import subprocess
from pathlib import Path

import tap
from tap import equal
from tphbuf_command import CHILD, EXTENDED, MAPPED, PATIENCE, TAGGED, bind, device, driver, unbind_all

tap.TEST_SECONDS = 120 * tap.SLOWDOWN

PLACE = Path(os.environ["EXAMPLES"])
LIBRARY = next((PLACE / "installed").rglob("libtphbuf.so.0")).parent


def example(name, *args):
    return subprocess.run([PLACE / name / name, *args], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARY)})


def answers(result):
    """What each command has found in its buffer: (size, state, tag, hint)."""
    equal((result.returncode, result.stderr), (0, ""), "exit status and errors")
    found, at = [], 0
    while "{" in result.stdout[at:]:
        answer, used = json.JSONDecoder().raw_decode(result.stdout[result.stdout.index("{", at):])
        at = result.stdout.index("{", at) + used
        found.append((answer["size"], answer["state"], answer["tag"], answer["ph"]))
    return found


def test_adopt_export():
    """a device that the program has opened"""
    unbind_all()
    bind("ACC0")
    file = next(Path(f"/sys/bus/pci/devices/{device('ACC0')}/vfio-dev").iterdir()).name
    result = example("adopt_export", f"/dev/vfio/devices/{file}", "2", *CHILD)
    equal(answers(result), [(1 << 20, MAPPED | TAGGED | EXTENDED, 0x4305, 2)], "the buffer")
    equal(result.stdout.splitlines()[0], f"memory of {device('ACC0')}", "it says which device")


def test_two_tags():
    """two ranges with two tags, at once"""
    unbind_all()
    equal(answers(example("two_tags", device("ACC0"), "2", *CHILD)),
          [(1 << 16, MAPPED | TAGGED | EXTENDED, 0x0021, 2), (1 << 16, MAPPED | TAGGED | EXTENDED, 0x0022, 1)], "the buffers")
    equal(driver("ACC0"), "", "driver afterwards")


def test_hand_over():
    """another process writes, and learns of the revocation"""
    unbind_all()
    result = example("hand_over", device("ACC0"), "2", "/tmp/hand_over")
    equal((result.returncode, result.stderr, result.stdout.splitlines()),
          (0, "", ["65536 bytes with the tag 0x12, written", "frames is revoked"]), "what it says")
    equal((driver("ACC0"), Path("/tmp/hand_over").exists()), ("", False), "driver and socket afterwards")


def test_reasons():
    """one line where it cannot be done"""
    unbind_all()
    for name, args, words in (("two_tags", (device("ACC2"), "2", "true"), "does not complete TPH"),
                              ("two_tags", ("0000:7f:00.0", "2", "true"), "cannot find"),
                              ("adopt_export", ("/dev/null", "2", "true"), "cannot bind it")):
        result = example(name, *args)
        equal((result.returncode, len(result.stderr.splitlines()), words in result.stderr), (1, 1, True), result.stderr)


if __name__ == "__main__":
    try:
        tap.run(globals())
    finally:
        unbind_all()

# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo as a user sees it: exit status, last words and build/demo.json, in both domains, and by RDMA."""

import contextlib
import io
import json
import os
import tempfile

import tap
from lab import demo, progress

tap.TEST_SECONDS = 140
# Neither a multiple of a page nor of a TLP nor of a lane.
LENGTH = 123457


def _run(domain, nic=""):
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(number * number >> 5 & 0xff for number in range(LENGTH)))
        file.flush()
        os.environ.update(FILE=file.name, DOMAIN=domain, NIC=nic)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = demo.main([], contextlib.nullcontext)
    tap.diag(output.getvalue())
    tap.equal(status, 0, "exit status")
    tap.true(output.getvalue().count("PASS") == 1, "no verdict")
    figures = json.loads(demo.JSON_FILE.read_text())
    tap.equal(figures["verdict"], "pass", "verdict")
    tap.equal(figures["nic"], nic or None, "nic")
    phases = {phase["name"]: phase for phase in figures["phases"]}
    tap.equal(tuple(phases), demo.PHASES, "phases")
    for name, phase in phases.items():
        tap.true(phase["data_ok"], f"{name}: data_ok")
        tap.equal(phase["wrong_tag"], 0, f"{name}: wrong_tag")
        if name == "revoked":
            tap.equal((phase["bytes"], phase["tlps"]), (0, 0), "revoked: bytes and TLPs")
        else:
            tap.true(LENGTH <= phase["bytes"] < LENGTH + 4, f"{name}: bytes {phase['bytes']}")
            tap.equal(phase["tagged"], phase["tlps"] if name in ("store", "add", "retagged") else 0, f"{name}: tagged")
    tap.equal(len({tag for phase in phases.values() for tag in phase["tags"]}), 3, "different tags")


def test_identity():
    """identity domain: the fabric routes, hints arrive"""
    _run("identity")


def test_translated():
    """translated domain: through the root complex"""
    _run("translated")


def test_mlx5():
    """NIC=mlx5: the same through RDMA"""
    _run("identity", "mlx5")


def test_refused():
    """a NIC that there is not, and one where the demo cannot count"""
    for variables in ({"NIC": "mlx4", "DOMAIN": ""}, {"NIC": "mlx5", "DOMAIN": "translated"}):
        os.environ.update(variables)
        try:
            demo.main([], contextlib.nullcontext)
        except progress.StepError:
            continue
        raise AssertionError(f"taken: {variables}")


if __name__ == "__main__":
    tap.run(globals())

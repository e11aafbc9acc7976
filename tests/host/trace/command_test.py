#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: tphbuf-trace as a process: what it counts, chooses, converts, compares; broken input; the page's data."""
import base64
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zlib

import tap

PROGRAM = sys.argv.pop(1)
TAGGED = "th=1 ph=2 st-ext=0x4305"


def line(number, hint="th=0", address=0xf8101000, bytes_=512, mark="", result="ok", requester="00:11.0", completer="00:10.0"):
    be = "f/f" if bytes_ > 4 else "f/0"
    return (f"{number} {requester} -> {completer} MWr32 0x{address:016x} len={bytes_} {hint} be={be} t={1000 + number}"
            + (f" mark={mark}" if mark else "") + f" result={result}\n")


def others(number):
    """A read of two completions, two that are of other requests, an interrupt."""
    lines = (
        "00:11.0 -> 00:10.0 MRd32 0x00000000f8101000 len=512 th=0 be=f/f tag=7 t=20 result=ok",
        "00:10.0 -> 00:11.0 CplD len=256 tag=7 status=SC byte-count=512 lower-address=0x00 t=21 result=ok",
        "00:10.0 -> 00:11.0 CplD len=256 tag=7 status=SC byte-count=256 lower-address=0x00 t=22 result=poisoned",
        "00:10.0 -> 00:11.0 Cpl len=0 tag=8 status=CA byte-count=1 lower-address=0x7f t=23 result=ok",
        "00:10.0 -> rc CplD len=3 tag=0 status=SC byte-count=3 lower-address=0x01 value=0x030201 t=24 result=ok",
        "00:11.0 -> rc MSI-X32 0x00000000fee01000 len=4 th=0 be=f/0 value=0x00004021 vector=3 t=25 result=ok")
    return "".join(f"{number + i} {one}\n" for i, one in enumerate(lines))


def run_of(tagged=3, plain=2, wrong=0):
    """Lines of a run with one phase under a tag and one without."""
    lines = [line(1, bytes_=4, requester="rc", mark="phase%20add%20from=00:11.0%20to=00:10.0%20expect=st-ext=0x4305,ph=2")]
    lines += [line(2 + i, TAGGED if i >= wrong else "th=1 ph=2 st-ext=0x4304", 0xf8101000 + 4096 * i) for i in range(tagged)]
    lines += [line(2 + tagged, bytes_=4, requester="rc", mark="end")]
    lines += [line(3 + tagged, bytes_=4, requester="rc", mark="phase%20cleared%20from=00:11.0%20to=00:10.0%20expect=none")]
    lines += [line(4 + tagged + i, address=0xf8101000 + 4096 * i) for i in range(plain)]
    lines += [line(4 + tagged + plain, bytes_=4, requester="rc", mark="end")]
    return "".join(lines)


def call(*args, text="", code=0):
    """Standard output of the command; fails on another exit code."""
    done = subprocess.run([PROGRAM, *args], input=text.encode() if isinstance(text, str) else text, capture_output=True,
                          timeout=60, check=False)
    tap.equal(done.returncode, code, f"{args}: exit code; it said {done.stderr.decode()!r}")
    if code:
        tap.equal(done.stderr.decode().count("\n"), 1, f"{args}: lines of an error")
    return done.stdout


def error_of(*args, code):
    """Standard error of the command, one line; fails on another exit code."""
    done = subprocess.run([PROGRAM, *args], input=b"", capture_output=True, timeout=60, check=False)
    error = done.stderr.decode()
    tap.equal((done.returncode, error.count("\n")), (code, 1), f"{args}: exit code and lines of {error!r}")
    return error


def page_of(text, *args, code=0):
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "page.html")
        call("page", "-o", path, *args, "-", text=text, code=code)
        with open(path, encoding="utf-8") as file:
            html = file.read()
    data = re.search(r'<script type="application/json" id="trace">(.*?)</script>', html, re.S)[1]
    return html, json.loads(data)


def test_count():
    """counts by phase, parties, tag"""
    rows = json.loads(call("count", "--json", "-", text=run_of()))["rows"]
    found = {(row["phase"], row.get("st"), row["requester"]): row["tlps"] for row in rows}
    tap.equal(found, {("add", 0x4305, "00:11.0"): 3, ("cleared", None, "00:11.0"): 2, (None, None, "rc"): 4}, "rows")


def test_filters():
    """each filter chooses what it says"""
    text = (line(1) + line(2, TAGGED) + line(3, "th=1 ph=0 st=0x12") + line(4, address=0xf9000000, result="ur", completer="-")
            + line(5, requester="00:12.0") + line(6, address=0xfa000000, completer="-", result="ur at=dp1 inject=ur")
            + line(7, address=0xfa000000, result="dropped inject=drop"))
    cases = [(["--tag", "st-ext=0x4305"], "2"), (["--tag", "st=0x12"], "3"), (["--tag", "st=0x05"], ""),
             (["--hint", "no"], "14567"),
             (["--hint", "yes"], "23"), (["--namespace", "16"], "2"), (["--namespace", "8"], "3"), (["--ph", "2"], "2"),
             (["--requester", "00:12.0"], "5"), (["--completer", "-"], "46"), (["--result", "ur"], "46"),
             (["--type", "MRd"], ""),
             (["--address", "0xf9000000:4K"], "4"), (["--address", "0xf81011ff"], "1235"), (["--address", "0xf8101200"], ""),
             (["--address", "0xf8101200", "--address", "0xf9000000:1"], "4"),
             (["--address", "0:0xffffffffffffffff"], "1234567"),
             (["--at", "dp1"], "6"), (["--at", "dp"], ""), (["--inject", "yes"], "67"), (["--inject", "no"], "12345"),
             (["--inject", "drop"], "7"), (["--inject", "poison"], ""),
             (["--time", "1:2"], "23"), (["--tag", "st-ext=0x4305", "--ph", "1"], "")]
    for args, wanted in cases:
        printed = call("print", *args, "-", text=text).decode()
        tap.equal("".join(row.split()[0] for row in printed.splitlines()), wanted, f"{args}")
    tap.equal(call("print", "-", text=text).decode(), text, "without a filter everything, unchanged")
    tap.equal(call("print", "--phase", "add", "-", text=run_of()).decode().count("\n"), 3, "TLPs of a phase")


def test_completions():
    """completions and interrupts are kinds of their own, and no requests without a hint"""
    text = line(1) + line(2, TAGGED) + others(3)
    for args, wanted in ((["--hint", "no"], [1, 3]), (["--hint", "yes"], [2]), (["--type", "CplD"], [4, 5, 7]),
                         (["--type", "Cpl"], [6]), (["--type", "MSI-X"], [8]), (["--result", "poisoned"], [5]),
                         (["--address", "0:128"], []), (["--requester", "00:10.0"], [4, 5, 6, 7])):
        printed = call("print", *args, "-", text=text).decode()
        tap.equal([int(row.split()[0]) for row in printed.splitlines()], wanted, f"{args}")
    rows = json.loads(call("count", "--json", "-", text=text))["rows"]
    tap.equal(sorted((row["type"], row["tlps"]) for row in rows),
              [("Cpl", 1), ("CplD", 1), ("CplD", 1), ("CplD", 1), ("MRd", 1), ("MSI-X", 1), ("MWr", 1), ("MWr", 1)], "rows")
    table = call("count", "-", text=text).decode()
    tap.equal(table.count("no hint"), 2, f"requests without a hint in {table}")
    html, data = page_of(text)
    tap.equal((data["tlps"], len(data["rows"])), (3, 3), "the page shows requests")
    html, data = page_of(text, "--completions")
    tap.equal((data["tlps"], len(data["rows"])), (8, 8), "and the others when asked")
    tap.true("CplD" in html, "types")


def test_convert_and_back():
    """text to pcapng and back is the same trace; and the bytes are those of the specification"""
    text = run_of() + line(10, TAGGED, result="malformed at=sw0") + line(11, TAGGED, result="hint-dropped at=rc")
    text += line(12, result="dropped inject=drop") + line(13, TAGGED, result="blocked at=sw0 inject=spoof") + others(14)
    pcapng = call("convert", "--to", "pcapng", "-", text=text)
    tap.equal(call("convert", "--to", "text", "-", text=pcapng).decode(), text, "the trace again")
    # TPH prefix with the upper byte, DW 0 with TH, requester 00:11.0 and the lower byte, address with PH
    tap.true(bytes.fromhex("90430000" "40010080" "008805ff" "f8101002") in pcapng, "the TLP is not in the file")


def test_compare():
    """equal traces are equal, a TLP of another tag is shown"""
    with tempfile.TemporaryDirectory() as work:
        paths = [os.path.join(work, name) for name in ("a", "b", "c")]
        for path, text in zip(paths, (run_of(), run_of(), run_of(wrong=1))):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        tap.true(b"9 TLPs equal, 0 differ" in call("compare", paths[0], paths[1]), "equal")
        done = subprocess.run([PROGRAM, "compare", paths[0], paths[2]], capture_output=True, timeout=60, check=False)
        tap.equal(done.returncode, 1, "exit code for a difference")
        tap.true(b"st-ext=0x4304" in done.stdout and b"1 differ" in done.stdout, "the difference is not shown")


def test_broken_input():
    """one line for each kind of broken trace, and what was whole before it is there"""
    tap.equal(call("print", "-", text=line(1) + "rubbish\n", code=1).decode(), line(1), "before rubbish")
    tap.equal(call("print", "-", text=line(1) + line(2)[:30], code=1).decode(), line(1), "before the cut")
    tap.equal(call("print", "-", text=line(1) + line(3), code=1).decode(), line(1) + line(3), "around a gap")
    pcapng = call("convert", "--to", "pcapng", "-", text=line(1) + line(2))
    tap.equal(call("print", "-", text=pcapng[:-3], code=1).decode(), line(1), "pcapng before the cut")
    call("print", "-", text=pcapng[:100] + b"\xff" * 40, code=1)
    call("print", "-", text="x" * 100000, code=1)
    call("print", "/nonexistent", code=1)
    tap.equal(call("count", "-", text="").decode().splitlines()[-1], "0 TLPs, 0 bytes", "an empty trace")


def test_usage():
    """wrong command lines: one line, exit code 2"""
    for args in ([], ["frob"], ["print"], ["print", "a", "b"], ["print", "--frob", "-"], ["print", "--tag"],
                 ["print", "--tag", "7", "-"], ["print", "--tag", "st=0x100", "-"], ["print", "--ph", "4", "-"],
                 ["count", "--address", "x", "-"], ["convert", "-"], ["convert", "--to", "xlsx", "-"],
                 ["compare", "-"], ["page", "-"], ["page", "-o", "/dev/null", "-n", "x", "-"]):
        tap.equal(call(*args, code=2), b"", f"{args}: output")
    for command in ("print", "count", "convert", "compare", "page"):
        usage = call(command, "--help")
        tap.true(usage.startswith(f"usage: tphbuf-trace {command} ".encode()), f"{command} --help")
        tap.equal(call(command, "a", "-h"), usage, f"{command}: help behind an argument")


def test_filter_errors():
    """a value that cannot be: the option and what is expected"""
    for option, value, expected in (("tag", "5", "st=0x12 or st-ext=0x4305"), ("hint", "x", "yes or no"), ("ph", "4", "0 to 3"),
                                    ("namespace", "9", "8 or 16"), ("requester", "x", "bus:device.function"),
                                    ("completer", "x", "rc, or -"), ("type", "x", "MWr"), ("result", "x", "ok"),
                                    ("address", "x", "ADDRESS:LENGTH"), ("time", "x", "FROM:TO")):
        for command in ("print", "count"):
            error = error_of(command, f"--{option}", value, "-", code=2)
            tap.true(f': --{option} "{value}" is not valid: expected ' in error and expected in error, error)


def test_output_fails():
    """one line names the file; what was there before and is not a file stays"""
    with tempfile.TemporaryDirectory() as work:
        full, trace = os.path.join(work, "full"), os.path.join(work, "trace")
        os.symlink("/dev/full", full)
        with open(trace, "w", encoding="ascii") as file:
            file.write(run_of())
        for args in (("page", "-o"), ("convert", "--to", "text", "-o")):
            error = error_of(*args, full, trace, code=1)
            tap.equal(error, f"tphbuf-trace: cannot write {full}: No space left on device\n", f"{args}")
            tap.true(os.path.islink(full), f"{args}: the link is gone")
            error = error_of(*args, os.path.join(work, "no/page"), trace, code=1)
            tap.true(": cannot open " in error, error)


def test_follow():
    """a trace that grows is followed, and SIGINT ends that"""
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
        file.write(line(1))
        file.flush()
        with subprocess.Popen([PROGRAM, "print", "-f", file.name], stdout=subprocess.PIPE, text=True) as child:
            tap.equal(child.stdout.readline(), line(1), "what was there")
            second = line(2)
            file.write(second[:20])
            file.flush()
            time.sleep(0.3)
            file.write(second[20:])
            file.flush()
            tap.equal(child.stdout.readline(), second, "what came, in two pieces")
            child.send_signal(signal.SIGINT)
            tap.equal(child.wait(timeout=10), 0, "exit code")


def test_page_counts():
    """the page says what the trace says, and a flipped bit changes it"""
    _, data = page_of(run_of())
    tap.equal([(p["name"], p["tlps"], p["right"], p["ok"]) for p in data["phases"]],
              [("add", 3, 3, 1), ("cleared", 2, 2, 1)], "phases")
    tap.equal((data["tlps"], data["lost"], data["cut"]), (9, 0, 0), "totals")
    _, data = page_of(run_of(wrong=1))
    tap.equal([(p["name"], p["tlps"], p["right"], p["ok"]) for p in data["phases"]], [("add", 3, 2, 0), ("cleared", 2, 2, 1)],
              "phases with a wrong tag")


def test_page_rows():
    """the packed records hold number, tag and header of each TLP"""
    html, data = page_of(run_of())
    packed = zlib.decompress(base64.b64decode(re.search(r'id="b0">([^<]*)<', html)[1]))
    tap.equal(len(packed), 9 * data["rowSize"], "bytes of nine rows")
    row = packed[data["rowSize"]:2 * data["rowSize"]]
    tap.equal(int.from_bytes(row[:6], "little"), 2, "number")
    tag = data["tags"][int.from_bytes(row[16:18], "little")]
    tap.equal((tag["ext"], tag["st"], tag["ph"]), (1, 0x4305, 2), "tag")
    tap.equal(row[24:40].hex(), "90430000" "40010080" "008805ff" "f8101002", "header")


def test_page_memory():
    """a write that lost its hint leaves memory without a tag, one that failed leaves it as it was"""
    written = line(1, TAGGED) + line(2, TAGGED, 0xf8102000)
    for result, want in (("hint-dropped at=rc", [[0xf8101, 1, 0, 1], [0xf8102, 1, 1, 1]]),
                         ("malformed at=sw0", [[0xf8101, 2, 1, 1]])):
        html, _ = page_of(written + line(3, TAGGED, result=result))
        memory = json.loads(re.search(r'id="mend">([^<]*)<', html)[1])
        tap.equal([entry[:3] for entry in memory], [entry[:3] for entry in want], result)


def test_page_fates():
    """where a TLP ended and the fault that it met are in its row, their names and counts beside the rows"""
    lines = [line(1), line(2, result="ur at=dp1"), line(3, TAGGED, result="hint-dropped at=rc"),
             line(4, result="ok inject=spoof"), line(5, result="ur at=dp1 inject=ur")]
    html, data = page_of("".join(lines))
    tap.equal(data["places"], [["", 2], ["dp1", 2], ["rc", 1]], "places")
    tap.equal([entry for entry in data["injections"] if entry[1]], [["none", 3], ["ur", 1], ["spoof", 1]], "faults")
    packed = zlib.decompress(base64.b64decode(re.search(r'id="b0">([^<]*)<', html)[1]))
    rows = [packed[i:i + data["rowSize"]] for i in range(0, len(packed), data["rowSize"])]
    tap.equal([(data["injections"][row[44]][0], data["places"][row[45]][0]) for row in rows],
              [("none", ""), ("none", "dp1"), ("none", "rc"), ("spoof", ""), ("ur", "dp1")], "rows")
    many = "".join(line(n, result=f"ur at=p{n}") for n in range(1, 301))
    tap.equal(len(page_of(many)[1]["places"]), 255, "places of a trace with 300")


def test_page_hostile_names():
    """nothing in a trace or a name becomes markup"""
    evil = "</script><script>alert(1)</script><img src=x>"
    mark = "".join(f"%{ord(c):02x}" for c in evil)
    html, data = page_of(line(1, mark=mark), "-t", evil, "-n", f"00:10.0={evil}")
    tap.equal(data["title"], evil, "the title as text")
    tap.equal(data["marks"][0]["text"], evil, "the mark as text")
    tap.true("<script>alert" not in html and "<img" not in html, "markup got through")


def test_page_of_odd_traces():
    """no TLP, a cut trace, a gap: the page says so"""
    tap.equal(page_of("")[1]["tlps"], 0, "an empty trace")
    tap.equal(page_of(line(1) + line(2)[:20], code=1)[1]["cut"], 1, "a cut trace")
    tap.equal(page_of(line(1) + line(9), code=1)[1]["lost"], 7, "a gap")
    tap.equal(page_of(line(1) + "rubbish\n", code=1)[1]["cut"], 1, "rubbish ends it")


if __name__ == "__main__":
    tap.run(globals())

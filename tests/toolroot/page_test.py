# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of tphbuf-trace in a browser: what it shows, and what it does when it is used."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import tap
from browser import Browser
from lab import sandbox, toolroot, userspace

tap.TEST_SECONDS = 300
TAG = "th=1 ph=2 st-ext=0x4305"
CHOOSE = """const f = document.getElementById(arguments[0]);
            f.value = arguments[1];
            f.dispatchEvent(new Event('change'))"""
EVIL = "</script><script>document.title='evil'</script><img src=x onerror=alert(1)>"


def _line(number, hint="th=0", address=0xf8101000, size=512, mark="", who="00:11.0"):
    return (f"{number} {who} -> 00:10.0 MWr32 0x{address:016x} len={size} {hint} be={'f/f' if size > 4 else 'f/0'} "
            f"t={1790000000000000000 + number * 1000}{' mark=' + mark if mark else ''} result=ok\n")


def _trace(tlps, wrong=0):
    """Lines of a run with a phase under a tag and a phase that nothing may reach."""
    yield _line(1, size=4, who="rc", mark="phase%20add%20from=00:11.0%20to=00:10.0%20expect=st-ext=0x4305,ph=2")
    for i in range(tlps):
        yield _line(2 + i, TAG if i >= wrong else "th=0", 0xf8101000 + i % 65536 * 512)
    yield _line(2 + tlps, size=4, who="rc", mark="end")
    yield _line(3 + tlps, size=4, who="rc", mark="phase%20revoked%20from=00:11.0%20to=00:10.0%20expect=nothing")
    yield _line(4 + tlps, size=4, who="rc", mark="end")


def _call(*words, code=0):
    """Run tphbuf-trace with the folder as /job."""
    argv = sandbox.argv(toolroot.obtain(), ["/build/trace/tphbuf-trace", *words],
                        [*userspace.binds("plain"), (FOLDER, "/job", "rw")])
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    tap.equal(done.returncode, code, f"exit code of {words}: {done.stderr}")


def _page(folder, lines, *arguments, name="page.html", code=0):
    (folder / "trace.txt").write_text("".join(lines))
    _call("page", "-o", f"/job/{name}", *arguments, "/job/trace.txt", code=code)


def _opened(browser, name="page.html"):
    browser.open(name)
    tap.equal(browser.errors(), [], "errors of the browser")


def test_loads_and_judges():
    """verdict, phases, table, machine; no error of the script"""
    _page(FOLDER, _trace(50), "-n", "00:11.0=requester:DMA engine", "-n", "00:10.0=accelerator:accelerator")
    _opened(BROWSER)
    tap.equal(BROWSER.text("#verdict").split("\n"), ["PASS", "50 of 50 TLPs sent under a tag carried it"], "verdict")
    tap.equal(BROWSER.run("return document.querySelectorAll('.phase').length"), 2, "phases")
    tap.true("50 of 50 TLPs right" in BROWSER.text("#phases"), BROWSER.text("#phases"))
    tap.true("st-ext=0x4305 ph=2" in BROWSER.text("#tags"), "the tag is not in the table")
    tap.true("DMA engine" in BROWSER.text("#machine"), "the machine has no names")


def test_wrong_tlps_are_seen():
    """TLPs that did not carry the tag turn the verdict, and the phase says how many"""
    _page(FOLDER, _trace(50, wrong=7))
    _opened(BROWSER)
    tap.equal(BROWSER.text("#verdict b"), "FAIL", "verdict")
    tap.true("43 of 50 TLPs right" in BROWSER.text("#phases"), BROWSER.text("#phases"))


def test_a_flipped_bit():
    """a bit of one Steering Tag in the recorded bytes changes verdict, counts and the table"""
    (FOLDER / "trace.txt").write_text("".join(_trace(50)))
    _call("convert", "--to", "pcapng", "-o", "/job/t.pcapng", "/job/trace.txt")
    data = bytearray((FOLDER / "t.pcapng").read_bytes())
    # TPH prefix, DW 0, requester and ST[7:0] of a write (sections 2.2.7.1.1, 2.2.10.4)
    place = data.index(bytes.fromhex("90430000 40010080 008805ff"))
    data[place + 10] ^= 1
    (FOLDER / "t.pcapng").write_bytes(data)
    _call("page", "-o", "/job/page.html", "/job/t.pcapng")
    _opened(BROWSER)
    tap.equal(BROWSER.text("#verdict b"), "FAIL", "verdict")
    tap.true("49 of 50 TLPs right" in BROWSER.text("#phases"), BROWSER.text("#phases"))
    tap.true("st-ext=0x4304 ph=2" in BROWSER.text("#tags"), BROWSER.text("#tags"))


def test_choose_zoom_click():
    """a phase can be chosen, the timeline zooms to single TLPs, a TLP shows its fields"""
    _page(FOLDER, _trace(5000))
    _opened(BROWSER)
    BROWSER.click(".phase:nth-child(1)")
    BROWSER.wait("return document.getElementById('f-count').textContent === '5,000 TLPs'")
    before = BROWSER.text("#range")
    for _ in range(9):
        BROWSER.click("#in")
    BROWSER.wait("return document.getElementById('range').textContent !== arguments[0]", before)
    tap.true(BROWSER.text("#range").startswith("20 of "), f"zoomed in: {BROWSER.text('#range')}")
    BROWSER.click("tr.row:nth-child(3)")
    BROWSER.wait("return document.querySelectorAll('.dw').length === 4")
    detail = BROWSER.text("#detail")
    for wanted in ("st-ext=0x4305 ph=2", "target", "0x90430000", "0x40010080", "ST[15:8]", "made from the fields"):
        tap.true(wanted in detail, f"{wanted} is not in {detail!r}")


def test_keyboard():
    """timeline and list obey the keyboard"""
    _page(FOLDER, _trace(5000))
    _opened(BROWSER)
    before = BROWSER.text("#range")
    BROWSER.keys("#timeline", "++")
    BROWSER.wait("return document.getElementById('range').textContent !== arguments[0]", before)
    BROWSER.keys("#list", "\ue015")
    BROWSER.wait("return document.querySelector('#detail h3')?.textContent === 'TLP 1'")


def test_filter():
    """the list shows what is chosen: by tag, by address"""
    _page(FOLDER, _trace(500, wrong=100))
    _opened(BROWSER)
    BROWSER.run(CHOOSE, "f-tag", "1")
    BROWSER.wait("return document.getElementById('f-count').textContent === '400 TLPs'")
    BROWSER.run(CHOOSE, "f-address", "0xf8101000:1K")
    BROWSER.wait("return document.getElementById('f-count').textContent === '0 TLPs'")
    BROWSER.click("#f-clear")
    BROWSER.wait("return document.getElementById('f-count').textContent === '504 TLPs'")


def test_fates():
    """where a TLP was refused, lost or changed by an injected fault: in the list, in the detail, and to filter by"""
    lines = list(_trace(20))
    _page(FOLDER, lines)
    _opened(BROWSER)
    tap.true(BROWSER.run("return document.getElementById('f-inject').parentElement.hidden"), "a filter without choices")
    for i, fate in ((3, "ur at=dp1"), (4, "dropped inject=drop"), (5, "ok inject=corrupt-tag"), (6, "hint-dropped at=rc")):
        lines[i] = lines[i].replace("result=ok", f"result={fate}")
    _page(FOLDER, lines)
    _opened(BROWSER)
    tap.true("drop met 1 TLP, corrupt-tag met 1 TLP." in BROWSER.text("#warnings"), BROWSER.text("#warnings"))
    for selector, choice, row, detail in (
            ("f-at", "1", "ur at dp1", ("ur: unsupported request", "Ended at", "dp1")),
            ("f-at", "2", "hint-dropped at rc", ("delivered without its hint", "Lost its hint at", "rc")),
            ("f-inject", "3", "dropped (drop)", ("drop: lost on the link", "dropped: lost on a link")),
            ("f-inject", "8", "ok (corrupt-tag)", ("corrupt-tag: bits of the ST flipped", "fields show the TLP before it"))):
        BROWSER.run(CHOOSE, selector, choice)
        BROWSER.wait("return document.getElementById('f-count').textContent === '1 TLP'")
        BROWSER.wait("return document.querySelector('tr.row td:last-child').textContent === arguments[0]", row)
        BROWSER.click("tr.row")
        BROWSER.wait("return document.querySelector('#detail dl').textContent.includes(arguments[0])", detail[0])
        for text in detail:
            tap.true(text in BROWSER.text("#detail"), f"{text} is not in {BROWSER.text('#detail')!r}")
        BROWSER.click("#f-clear")
        BROWSER.wait("return document.getElementById('f-count').textContent === '24 TLPs'")
    tap.equal(BROWSER.errors(), [], "errors of the browser")


def test_completions():
    """a completion has no address; its fields are those of section 2.2.9"""
    _page(FOLDER, [_line(1), "2 rc -> 00:11.0 CplD len=64 tag=9 status=SC byte-count=64 lower-address=0x40 result=ok\n",
                   "3 00:11.0 -> rc MSI-X32 0x00000000fee01000 len=4 th=0 be=f/0 value=0x00004021 vector=3 result=ok\n"],
          "--completions")
    _opened(BROWSER)
    cells = """const rows = [...document.querySelectorAll('tr.row')];
               return rows.map(row => [...row.cells].slice(4, 6).map(cell => cell.textContent).join())"""
    tap.equal(BROWSER.run(cells), ["MWr,0xf8101000", "CplD,\u2013", "MSI-X,0xfee01000"], "types and addresses")
    BROWSER.click("tr.row:nth-child(2)")
    BROWSER.wait("return document.querySelector('#detail h3')?.textContent === 'TLP 2'")
    detail = BROWSER.text("#detail")
    tap.true("Address" not in detail.replace("Lower Address", ""), detail)
    for wanted in ("Completer ID", "Byte Count", "64", "Lower Address", "0x40", "0x4a000010"):
        tap.true(wanted in detail, f"{wanted} is not in {detail!r}")


def test_dark_and_narrow():
    """the theme changes, and nothing is wider than a narrow screen"""
    _page(FOLDER, _trace(50))
    _opened(BROWSER)
    color = "return getComputedStyle(document.body).backgroundColor"
    before = BROWSER.run(color)
    BROWSER.click("#theme")
    tap.true(BROWSER.run(color) != before, f"the background stays {before}")
    BROWSER.resize(375, 1200)
    tap.true(BROWSER.wait("return document.documentElement.scrollWidth <= innerWidth + 1"), "it is wider than the window")
    BROWSER.resize(1280, 1600)
    tap.equal(BROWSER.errors(), [], "errors of the browser")


def test_odd_traces():
    """no TLP, a trace that was cut off: the page says so"""
    _page(FOLDER, [])
    _opened(BROWSER)
    tap.true("The trace holds no TLP" in BROWSER.text("#warnings"), BROWSER.text("#warnings"))
    lines = list(_trace(50))
    _page(FOLDER, [*lines[:20], lines[20][:30]], code=1)
    _opened(BROWSER)
    tap.true("ends in the middle" in BROWSER.text("#warnings"), BROWSER.text("#warnings"))
    tap.equal(BROWSER.text("#verdict b"), "FAIL", "verdict of a trace that was cut off")


def test_hostile_names():
    """names and marks are text, whatever they hold"""
    mark = "".join(f"%{ord(c):02x}" for c in EVIL)
    _page(FOLDER, [_line(1, mark=mark), _line(2)], "-t", EVIL, "-n", f"00:10.0=accelerator:{EVIL}")
    _opened(BROWSER)
    tap.equal(BROWSER.text("#title"), EVIL, "the title")
    tap.true(BROWSER.run("return document.title") == EVIL, "a script ran")
    tap.equal(BROWSER.run("return document.images.length"), 0, "images")


def test_a_million():
    """a million TLPs open in two seconds"""
    _page(FOLDER, _trace(1000000))
    times = []
    # The least of three: other programs on the machine make it longer, nothing makes it shorter.
    for _ in range(3):
        start = time.monotonic()
        _opened(BROWSER)
        BROWSER.wait("return document.querySelectorAll('tr.row').length > 10")
        times.append(time.monotonic() - start)
    tap.diag(f"{times} s; page of {(FOLDER / 'page.html').stat().st_size / 2**20:.1f} MiB")
    # Two seconds of a processor that the browser has for itself.
    busy = max(1, os.getloadavg()[0] / os.cpu_count())
    tap.true(min(times) < 2 * busy * tap.SLOWDOWN, f"it took {min(times):.2f} s")


if __name__ == "__main__":
    userspace.build(toolroot.obtain())
    with tempfile.TemporaryDirectory() as work:
        FOLDER = Path(work)
        with Browser(FOLDER) as BROWSER:
            tap.run(globals())

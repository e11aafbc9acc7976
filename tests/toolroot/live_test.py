# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a trace that grows (PAGE= of make shell), in a browser and asked by hand."""

import http.client
import os
import socket
import tempfile
from pathlib import Path

import tap
from browser import Browser
from lab import live, progress, toolroot, userspace

tap.TEST_SECONDS = 180


def _line(number, hint="th=0", result="ok"):
    return (f"{number} 00:11.0 -> 00:10.0 MWr32 0x{0xf8101000 + number * 512:016x} len=512 {hint} be=f/f "
            f"t={1790000000000000000 + number * 1000} result={result}\n")


def _append(text):
    with open(TRACE, "a", encoding="ascii") as file:
        file.write(text)


class _Served:
    def __init__(self, text="", port=0):
        if TRACE.exists():
            TRACE.unlink()
        if text:
            _append(text)
        self.server = live.Server(ROOT, TRACE, port, "live", ["00:10.0=accelerator:accelerator"])

    def __enter__(self):
        self.server.start()
        return self.server

    def __exit__(self, *_):
        self.server.stop()


def _get(server, path="/", host=None):
    """Status and body of an answer."""
    connection = http.client.HTTPConnection(server.authority, timeout=60)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_grows_in_the_browser():
    """TLPs appear while the page is open; what is chosen stays; a line that is being written waits for its end"""
    with _Served() as server:
        BROWSER.open(server.url)
        tap.true("The trace holds no TLP" in BROWSER.text("#warnings"), BROWSER.text("#warnings"))
        _append("".join(_line(number) for number in range(1, 11)))
        BROWSER.wait("return document.getElementById('f-count').textContent === '10 TLPs'")
        tap.equal(BROWSER.text("#warnings"), "", "warnings")
        tagged = "".join(_line(number, "th=1 ph=2 st-ext=0x4305") for number in range(11, 15))
        _append(tagged + _line(15)[:40])
        BROWSER.wait("return document.getElementById('f-count').textContent === '14 TLPs'")
        BROWSER.run("const f = document.getElementById('f-tag'); f.value = '1'; f.dispatchEvent(new Event('change'))")
        BROWSER.wait("return document.getElementById('f-count').textContent === '4 TLPs'")
        BROWSER.click("tr.row:nth-child(2)")
        BROWSER.wait("return document.querySelector('#detail h3')?.textContent === 'TLP 12'")
        _append(_line(15)[40:] + _line(16, "th=1 ph=2 st-ext=0x4305"))
        BROWSER.wait("return document.getElementById('f-count').textContent === '5 TLPs'")
        tap.equal(BROWSER.text("#detail h3"), "TLP 12", "the TLP that was chosen")
        tap.true(BROWSER.text("#about").startswith("16 TLPs"), BROWSER.text("#about"))
        tap.equal(BROWSER.errors(), [], "errors of the browser")
    BROWSER.wait("return document.getElementById('warnings').textContent.includes('has ended')")
    tap.equal(BROWSER.text("#detail h3"), "TLP 12", "after the end of the server")
    BROWSER.errors()


def test_only_this_machine_and_the_page():
    """the loopback address, two paths, one name"""
    with _Served(_line(1)) as server:
        tap.true(server.url.startswith("http://127.0.0.1:"), server.url)
        port = int(server.authority.split(":")[1])
        own = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
        for address in own:
            with socket.socket() as other:
                other.settimeout(5)
                tap.true(address.startswith("127.") or other.connect_ex((address, port)) != 0, f"{address} answers too")
        tap.equal(_get(server)[0], 200, "the page")
        tap.equal(_get(server, "/state"), (200, str(TRACE.stat().st_size)), "the state")
        for path in ("/trace.txt", "/../etc/passwd", "/state/", "/state?x"):
            tap.equal(_get(server, path)[0], 404, path)
        tap.equal(_get(server, host="evil.example:80")[0], 421, "a name that leads here from elsewhere")
        tap.equal(_get(server, host=server.authority.replace("127.0.0.1", "localhost"))[0], 200, "localhost")


def test_bounded():
    """the page shows the end of a long trace, in whole lines"""
    keep, live.WINDOW = live.WINDOW, 5000
    try:
        with _Served("".join(_line(number) for number in range(1, 1001))) as server:
            _, page = _get(server)
            shown = int(page.split('"tlps":')[1].split(",")[0])
            tap.true(20 < shown < 5000 // 80, f"{shown} TLPs of 5,000 bytes")
            tap.true('"cut":0,"lost":0' in page, "the page says that TLPs are missing")
    finally:
        live.WINDOW = keep


def test_broken_trace():
    """a trace that is none is an answer with its reason, and the server goes on"""
    with _Served("rubbish\n") as server:
        status, text = _get(server)
        tap.true(status == 500 and "line 1" in text, f"{status} {text}")
        TRACE.write_text(_line(1) + _line(2))
        tap.equal(_get(server)[0], 200, "after it was mended")


def test_port_in_use():
    """a port that is taken is one line; PAGE= is a port or 1"""
    with _Served(_line(1)) as server:
        try:
            _Served(port=int(server.authority.split(":")[1]))
        except progress.StepError as err:
            tap.true("is in use" in err.reason, err.reason)
        else:
            raise AssertionError("two servers at one port")
    for value, wanted in (("", None), ("0", None), ("1", 0), ("8017", 8017)):
        os.environ["PAGE"] = value
        tap.equal(live.wanted(), wanted, f"PAGE={value}")
    for value in ("80", "x", "-1", "65536", "1.5"):
        os.environ["PAGE"] = value
        try:
            live.wanted()
        except progress.StepError as err:
            tap.true(f"PAGE={value}: expected" in err.reason, err.reason)
        else:
            raise AssertionError(f"PAGE={value} was accepted")


if __name__ == "__main__":
    ROOT = toolroot.obtain()
    userspace.build(ROOT)
    with tempfile.TemporaryDirectory() as work:
        TRACE = Path(work) / "trace.txt"
        with Browser(work) as BROWSER:
            tap.run(globals())

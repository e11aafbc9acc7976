#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: tphbuf-trace convert: text, pcapng, CSV and hexadecimal, there and back; exports of analyzers; bad CSV."""
import random
import struct
import subprocess
import sys

import tap

PROGRAM = sys.argv.pop(1)
TAGGED = "th=1 ph=2 st-ext=0x4305"
COLUMNS = ("number,t,requester,completer,type,address,len,ph,st,st-ext,be,tag,status,byte-count,lower-address,vector,attr,"
           "address-type,value,result,at,inject,mark,dwords")


def call(*args, text=b"", code=0):
    """Standard output and error of the command; fails on another exit code."""
    done = subprocess.run([PROGRAM, *args], input=text if isinstance(text, bytes) else text.encode(), capture_output=True,
                          timeout=60, check=False)
    tap.equal(done.returncode, code, f"{args}: exit code; it said {done.stderr.decode()!r}")
    return done.stdout, done.stderr.decode()


def to(form, text):
    return call("convert", "--to", form, "-", text=text)[0]


def printed(text):
    return call("print", "-", text=text)[0].decode()


TEXT = "".join((
    "1 rc -> 00:10.0 MWr32 0x00000000febfd00c len=4 th=0 be=f/0 value=0x44454d00 t=1790000000000000001 "
    "mark=phase%20add%20from=00:11.0,\"x\"%25%0a%e9 result=ok\n",
    f"2 00:11.0 -> 00:10.0 MWr32 0x00000000f8101040 len=448 {TAGGED} be=f/f t=1790000000000000002 result=ok\n",
    "3 00:11.0 -> 00:10.0 MWr64 0x00000001f8101040 len=509 th=1 ph=0 st=0x12 be=e/3 t=3 result=malformed at=dp,\"1\"\n",
    "4 00:11.0 -> rc MRd32 0x0000000000340200 len=512 th=0 be=f/f tag=777 result=ok\n",
    "5 00:11.0 -> - MRd64 0x00000001f8101000 len=8 th=1 ph=3 st=0x99 be=f/f tag=7 result=ur inject=spoof\n",
    f"6 00:11.0 -> 00:10.0 MWr32 0x00000000f8101040 len=1 {TAGGED} be=4/0 result=hint-dropped at=rc\n",
    "7 rc -> 00:11.0 CplD len=4 tag=777 status=SC byte-count=4 lower-address=0x42 value=0x44332211 result=ok\n"
    "8 rc -> 00:11.0 Cpl len=0 tag=0 status=UR byte-count=512 lower-address=0x00 result=ok\n"
    "9 00:11.0 -> rc MSI-X32 0x00000000fee01000 len=4 th=0 be=f/0 value=0x00004021 vector=3 result=ok\n"
    "10 00:11.0 -> rc MRd64 0x00000001f8101000 len=8 th=0 be=f/f tag=1 attr=no-snoop+ro+ido address-type=translated "
    "result=ok\n"
    "12 00:11.0 -> 00:10.0 MWr32 0x00000000f8101000 len=4096 th=0 be=f/f result=dropped inject=drop\n"))


def test_text_and_back():
    """each field of the text form comes back through CSV and through pcapng"""
    for form in ("csv", "pcapng"):
        done = subprocess.run([PROGRAM, "convert", "--to", form, "-"], input=TEXT.encode(), capture_output=True, check=False)
        tap.equal(done.returncode, 1, "number 11 is missing")
        out, err = call("convert", "--to", "text", "-", text=done.stdout, code=1)
        tap.equal(out.decode(), TEXT, f"through {form}")
        tap.true("1 TLPs are missing" in err, err)


def test_fields_without_dwords():
    """the columns beside the DWs say the same"""
    csv = subprocess.run([PROGRAM, "convert", "--to", "csv", "-"], input=TEXT.encode(), capture_output=True, check=False).stdout
    fields = b"".join(line.rsplit(b",", 1)[0] + b"\n" for line in csv.splitlines())
    tap.equal(call("convert", "--to", "text", "-", text=fields, code=1)[0].decode(), TEXT, "from the fields")


def _pcapng(tlps):
    """A file of the other byte order, with packets (TLP, bytes it had)."""
    def block(kind, body):
        size = struct.pack(">I", len(body) + 12)
        return struct.pack(">I", kind) + size + body + size
    data = block(0x0a0d0d0a, struct.pack(">IHHq", 0x1a2b3c4d, 1, 0, -1))
    data += block(1, struct.pack(">HHI", 158, 0, 0) + struct.pack(">HHB3xHH", 9, 1, 9, 0, 0))
    for number, (tlp, full) in enumerate(tlps, 1):
        packet = struct.pack(">BBBBHHQ", 1, 0, 0, 0, 0x88, 0x80, number) + tlp
        data += block(6, struct.pack(">IIIII", 0, 0, number, len(packet), 16 + full) + packet + bytes(-len(packet) % 4))
    return data


def test_bytes_and_back():
    """CSV keeps the DWs of pcapng: payload, a payload of which the end was not kept, a type without a text form"""
    tlps = [("90430000 60010002 008805ff 00000001 f8101042 00112233 44556677", 28),
            ("40000040 008812ff fea00100 01020304 05060708", 268),
            ("4a000001 00800004 00882a00 01020304", 16), ("34000000 00880019 00000000 00000000", 16)]
    first = to("pcapng", _pcapng([(bytes.fromhex(tlp), full) for tlp, full in tlps]))
    csv = to("csv", first)
    tap.equal([line.rsplit(",", 1)[1] for line in csv.decode().splitlines()], ["dwords", *(tlp for tlp, _ in tlps)], "DWs")
    tap.equal(to("pcapng", csv), first, "the file again")


def test_lines():
    """lines as docs/reference/trace-format.md shows them"""
    lines = call("convert", "--to", "csv", "-", text=TEXT.splitlines(keepends=True)[1])[0].decode().splitlines()
    tap.equal(lines, [COLUMNS, "2,1790000000000000002,00:11.0,00:10.0,MWr32,0x00000000f8101040,448,2,,"
                      "0x4305,f/f,0,,,,,,,,ok,,,,"
                      "90430000 40010070 008805ff f8101042"], "CSV")


def test_hex():
    """DWs in hexadecimal, a TLP per line: without prefix for rtlp-tool, with it as the bytes on the link"""
    text = "".join(TEXT.splitlines(keepends=True)[:2])
    tap.equal(to("hex", text).decode(), "40000001 0000000f febfd00c 004d4544\n40010070 008805ff f8101042\n", "--to hex")
    tap.equal(call("print", "--hex", "-", text=text)[0].decode(),
              "40000001 0000000f febfd00c 004d4544\n90430000 40010070 008805ff f8101042\n", "print --hex")
    tap.equal(printed(b"dwords\n" + to("hex", text)).split(" be=")[0],
              "1 rc -> - MWr32 0x00000000febfd00c len=4 th=0", "a file of DWs with a first line is CSV")


def test_export_of_an_analyzer():
    """columns in any order, of any case, unknown ones skipped; seconds; upper case; CRLF; quotes; a byte order mark"""
    export = ('\ufeffPacket,Time , Requester,Type,Address,Len,ST-EXT,PH,Comment,Completer\r\n'
              '7,12.000001234,"3A:11.0",MWr,0xF8101002,7,0x4305,2,"a ""b"", c",3B:00.0\r\n\r\n'
              '8,13,3A:11.0,MRd,0x1F8101000,64,,,,\r\n')
    tap.equal(printed(export), "1 3a:11.0 -> 3b:00.0 MWr32 0x00000000f8101000 len=7 th=1 ph=2 st-ext=0x4305 be=c/1 "
              "t=12000001234 result=unknown\n"
              "2 3a:11.0 -> - MRd64 0x00000001f8101000 len=64 th=0 be=f/f t=13000000000 result=unknown\n", "as text")
    dwords = "Time,DWORDS,Mark\n0.5,0x904300004001000100 8805FF0xF8101042,50% done\n"
    tap.true("st-ext=0x4305" not in dwords and "904300004" in dwords, "the DWs decide")
    tap.true(call("print", "-", text=dwords, code=1)[1].startswith("tphbuf-trace: -: line 2: column 'dwords' cannot be"),
             "DWs of ten digits")
    line = printed(dwords.replace("0100 8805FF0xF", "01008805FF 0xF"))
    tap.true("st-ext=0x4305" in line and "mark=50%25%20done" in line, line)


def test_byte_enables_are_derived():
    """without byte enables, address and length say what is enabled (section 2.2.5)"""
    cases = [(0x1000, 4, "0x1000 4 f/0"), (0x1001, 2, "0x1000 2 6/0"), (0x1003, 1, "0x1000 1 8/0"), (0x1003, 2, "0x1000 2 8/1"),
             (0x1002, 8, "0x1000 8 c/3"), (0x1000, 4096, "0x1000 4096 f/f"), (0x1000, 3, "0x1000 3 7/0")]
    rows = "".join(f"00:11.0,MWr32,0x{address:x},{length}\n" for address, length, _ in cases)
    got = [line.split() for line in printed("requester,type,address,len\n" + rows).splitlines()]
    tap.equal([f"0x{int(w[5], 16):x} {w[6][4:]} {w[8][3:]}" for w in got], [wanted for _, _, wanted in cases], "byte enables")
    back = to("pcapng", "requester,type,address,len\n" + rows)
    tap.equal([line.split()[6:9] for line in printed(back).splitlines()], [w[6:9] for w in got], "as bytes")


def test_bad_csv():
    """one line of error, with the number of the line, what is wrong and where"""
    good = "requester,type,address,len\n00:11.0,MWr32,0x1000,4\n"
    cases = [("requester,type,len\n", "line 1: is not a line of a trace, and has no column 'address' or 'dwords'"),
             ("type,len,type\n", "line 1: two columns 'type'"), ("a,b\"c\n", "line 1: is not a line of a trace"),
             ('"a\n', "line 1: a quote that is not closed"), (",".join("a" * 70) + "\n", "line 1: more than 64 columns"),
             (good + "00:11.0,MWr32,0x1000\n", "line 3: 3 fields, the first line has 4 columns"),
             (good + "00:11.0,MWr32,0x1000,4,5\n", "line 3: more fields than the first line has columns"),
             (good + "00:21.0,MWr32,0x1000,4\n", "line 3: column 'requester' cannot be '00:21.0'"),
             (good + "00:11.0,MWrite,0x1000,4\n", "line 3: column 'type' cannot be 'MWrite'"),
             (good + "00:11.0,MWr32,1000,4\n", "line 3: column 'address' cannot be '1000'"),
             (good + "00:11.0,MWr32,0x1000,4097\n", "line 3: column 'len' cannot be '4097'"),
             (good + "00:11.0,MWr32,0x1000,4x\n", "line 3: column 'len' cannot be '4x'"),
             (good + "00:11.0,,0x1000,4\n", "line 3: has neither 'dwords' nor 'type'"),
             (good + '00:11.0,"MWr32,0x1000,4\n', "line 3: a quote that is not closed"),
             (good + '00:11.0,"MWr32"x,0x1000,4\n', "line 3: a quote that is not closed"),
             (good + "00:11.0,MWr32,0x1000,\x004\n", "line 3: holds a byte 0"),
             (good + "00:11.0,\x1b[31m,0x1000,4\n", "line 3: column 'type' cannot be '?[31m'"),
             (good + "0" * 50000 + "\n", "line 3: is too long"),
             ("dwords,st\n40000001,\n", "line 2: column 'dwords' cannot be '40000001'"),
             ("dwords,time\n40000001 0000000f febfd00c,1.2.3\n", "line 2: column 'time' cannot be '1.2.3'"),
             ("dwords,mark\n40000001 0000000f febfd00c," + "m" * 200 + "\n", "line 2: column 'mark' cannot be 'mmm")]
    for text, wanted in cases:
        out, err = call("convert", "--to", "text", "-", text=text, code=1)
        tap.equal(err.count("\n"), 1, f"lines of {err!r}")
        tap.true(wanted in err, f"{text[-60:]!r}: said {err!r}, want {wanted!r}")
        tap.equal(out.count(b"\n"), 1 if text.startswith(good) else 0, f"{text[-60:]!r}: TLPs before it")
    tap.equal(call("convert", "--to", "text", "-", text=good + "00:11.0,MWr3", code=1)[1],
              "tphbuf-trace: -: ends in the middle of a record; what follows is missing\n", "a line that was cut off")


def test_odd_bytes():
    """CSV with bytes changed at random ends with a record or a line of error, never otherwise"""
    source = to("csv", "".join(TEXT.splitlines(keepends=True)[:6]))
    dice = random.Random(1)
    ends = set()
    for _ in range(100):
        data = bytearray(source)
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data))] = dice.choice(b'",\n\r%0x:.fF\x00\xff-7')
        done = subprocess.run([PROGRAM, "convert", "--to", "pcapng", "-"], input=bytes(data), capture_output=True, timeout=60,
                              check=False)
        tap.true(done.returncode in (0, 1) and done.stderr.count(b"\n") <= 2, f"{done.returncode} {done.stderr!r} {data!r}")
        ends.add(done.returncode)
    tap.equal(ends, {0, 1}, "some are right, some are wrong")


if __name__ == "__main__":
    tap.run(globals())

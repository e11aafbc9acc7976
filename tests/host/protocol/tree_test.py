# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags on their way through a tree of ports: what arrives, what a port refuses, what the root complex drops."""
import os
import re
import subprocess
import tempfile

from devices import ACC, ENGINE, TPH_DS, TPH_EXT, Accelerator, DmaEngine, Ram
from endpoints import PROGRAM, Endpoints, environment
from tap import equal, run, true

OK, WRITE_ERROR = ENGINE.DMA_ENGINE_DONE_OK, ENGINE.DMA_ENGINE_DONE_WRITE_ERROR
RAM = 0x100000
RING_SIZE = 0x1000
TAG = 0x4300 | 3        # add, partition 3
TAGGED = ENGINE.DMA_ENGINE_DESC_TH | 2 << ENGINE.DMA_ENGINE_DESC_PH_SHIFT
ACS = "acs=sv+rr+cr+uf"

# One accelerator, and requesters whose writes to it take different paths.
TREE = [
    "--root-port", f"name=rp0,bdf=00:01.0,{ACS}", "--switch", "name=sw0,below=rp0,bdf=01:00.0",
    "--downstream-port", "name=to-acc,below=sw0,bdf=02:00.0",
    "--downstream-port", "name=direct,below=sw0,bdf=02:01.0",
    "--downstream-port", f"name=redirecting,below=sw0,bdf=02:02.0,{ACS}",
    "--downstream-port", "name=to-old,below=sw0,bdf=02:03.0",
    "--switch", "name=old,below=to-old,bdf=06:00.0,prefix=no", "--downstream-port", "name=old-port,below=old,bdf=07:00.0",
    "--root-port", "name=rp1,bdf=00:02.0"]
ENGINES = {"near": ("04:00.0", "direct"), "redirected": ("05:00.0", "redirecting"), "old": ("08:00.0", "old-port"),
           "far": ("09:00.0", "rp1")}
DEVICES = ["accelerator,name=acc,bdf=03:00.0,below=to-acc"] + [
    f"dma-engine,name={name},bdf={bdf},below={port}" for name, (bdf, port) in ENGINES.items()]


class Machine:
    """All devices of a tree on one client, which has no IOMMU."""

    marks = 0xabcd0000       # a value that no other register gets

    def __init__(self, *arguments, acs=ACS, ats=False, flip=None):
        tree = [option.replace(ACS, acs) if "name=redirecting" in option else option for option in TREE]
        for port, more in (flip or {}).items():
            tree = [option + more if option.startswith(port) else option for option in tree]
        devices = [device + (",ats=yes" if ats and device.startswith("dma") else "") for device in DEVICES]
        self.server = Endpoints(*devices, trace=True, arguments=tree + list(arguments))
        self.ram = Ram(RAM, 1 << 20)
        self.acc = Accelerator(self.server.connect("acc"))
        self.ram.map(self.acc)
        self.acc.set_max_payload(512)
        self.engines = {}
        self.types = []      # address types of what send() has sent
        for i, name in enumerate(ENGINES):
            engine = DmaEngine(self.server.connect(name), 0xfe100000 + i * 0x10000, 0xfe101000 + i * 0x10000)
            self.ram.map(engine)
            engine.client.dma_map(self.acc.mem, self.acc.size)
            engine.set_max_payload(512)
            engine.set_tph(TPH_DS, TPH_EXT)
            engine.set_st(0, TAG)
            if ats:
                engine.enable_ats()
            engine.start(RAM + i * RING_SIZE)
            self.engines[name] = engine

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for engine in self.engines.values():
            engine.__exit__()
        self.acc.__exit__()
        self.ram.__exit__()
        self.server.__exit__(*exception)

    def copy(self, name, flags):
        """Status of a descriptor that copies a lane of 7."""
        self.ram.write(RAM + 0x10000, (7).to_bytes(4, "little"))
        return self.engines[name].copy(self.ram, RAM + 0x10000, self.acc.mem, 4, flags, 0)

    def send(self, name, flags=TAGGED):
        """A lane of 7 from an engine to the accelerator, which holds 100: status, lane, "result=..." of the trace."""
        bdf = ENGINES[name][0]
        self.acc.memory[:4] = (100).to_bytes(4, "little")
        written = rf" {bdf} -> 03:00\.0 MWr"
        before = sum(bool(re.search(written, line)) for line in self.server.trace())
        status = self.copy(name, flags)
        # The descriptor's status is written behind the TLP.
        lines = [line for line in self.settled_trace(bdf) if re.search(written, line)][before:]
        equal(len(lines), 1, "TLPs")
        true(f"th={int(flags != 0)}" in lines[0], f"the trace shows what was sent: {lines[0]}")
        self.types.append("translated" if "address-type=translated" in lines[0] else "default")
        return status, int.from_bytes(self.acc.memory[:4], "little"), lines[0][lines[0].index("result="):]

    def settled_trace(self, bdf):
        """The trace up to the write of the last status."""
        self.marks += 1
        self.acc.mark(self.marks)
        lines = self.server.trace(until=f"value=0x{self.marks:08x}")
        true(any(f" {bdf} -> rc MWr" in line for line in lines), "the status is in the trace")
        return lines


def test_one_tag_three_ends():
    """In one run a 16-bit tag arrives below one switch, is refused without prefix support, is lost by redirection"""
    with Machine() as m:
        m.acc.client.write32(0, ACC.ACC_REG_SELECT, 1 << 16 | TAG)
        equal(m.send("near"), (OK, 107, "result=ok"), "below one switch")
        equal(m.send("old"), (WRITE_ERROR, 100, "result=malformed at=old-port"), "through a switch without prefixes")
        equal(m.send("redirected"), (OK, 7, "result=hint-dropped at=rc"), "redirected")
        equal(m.send("far"), (OK, 7, "result=hint-dropped at=rc"), "from another root port")
        equal((m.acc.count(ACC.ACC_REG_TAG_COUNT), m.acc.count(ACC.ACC_REG_UNTAGGED),
               m.acc.count(ACC.ACC_REG_MALFORMED)), (1, 2, 0), "with the tag, without, malformed at the completer")


def test_translated():
    """With Direct Translated, a translated address passes a port that redirects others; Translation Blocking stops it"""
    direct = ACS + "+dt"
    for acs, plain, translated in ((ACS, "result=hint-dropped at=rc", "result=hint-dropped at=rc"),
                                   (direct, "result=hint-dropped at=rc", "result=ok"),
                                   (direct + "+tb", "result=hint-dropped at=rc", "result=blocked at=redirecting")):
        with Machine(acs=acs, ats=True) as m:
            equal(m.send("redirected")[2], plain, f"{acs}: not translated")
            status, lane, result = m.send("redirected", TAGGED | ENGINE.DMA_ENGINE_DESC_DST_TRANSLATED)
            equal(result, translated, f"{acs}: translated")
            ends = {"result=ok": (OK, 107), "result=hint-dropped at=rc": (OK, 7)}
            equal((status, lane), ends.get(result, (WRITE_ERROR, 100)), f"{acs}: descriptor and lane")
            equal(m.types, ["default", "translated"], "address types in the trace")
            m.engines["redirected"].enable_ats(False)
            equal(m.copy("redirected", TAGGED | ENGINE.DMA_ENGINE_DESC_DST_TRANSLATED), ENGINE.DMA_ENGINE_DONE_BAD_DESC,
                  "while ATS is disabled")


def test_untagged():
    """What carries no hint arrives on each of these paths"""
    with Machine() as m:
        for name in ENGINES:
            equal(m.send(name, 0), (OK, 7, "result=ok"), name)


def test_root_complex():
    """The root complex keeps hints, or refuses requests from port to port"""
    with Machine("--root-complex", "hints=keep") as m:
        equal(m.send("redirected"), (OK, 107, "result=ok"), "redirected")
        equal(m.send("far"), (OK, 107, "result=ok"), "from another root port")
    with Machine("--root-complex", "peer=no") as m:
        equal(m.send("near"), (OK, 107, "result=ok"), "below one switch")
        equal(m.send("redirected"), (WRITE_ERROR, 100, "result=ur at=rc"), "redirected")
        equal(m.send("far"), (WRITE_ERROR, 100, "result=ur at=rc"), "from another root port")


def test_completer_of_root_port():
    """Where the root complex keeps hints, TPH Completer Supported of the requester's root port alone decides"""
    for completer, want in (("ext", (OK, 107, "result=ok")), ("8bit", (OK, 7, "result=hint-dropped at=rp1")),
                            ("none", (OK, 7, "result=hint-dropped at=rp1"))):
        with Machine("--root-complex", "hints=keep", flip={"name=rp1": f",completer={completer}"}) as m:
            equal(m.send("far"), want, f"16-bit tag, completer={completer}")
            equal(m.send("near"), (OK, 107, "result=ok"), f"below one switch, completer={completer}")
            equal(m.send("redirected"), (OK, 107, "result=ok"), f"through the other root port, completer={completer}")


def refused(*arguments):
    """What the program says of a command line that it refuses."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([PROGRAM, "--dir", directory, *arguments], capture_output=True, text=True,
                              env=environment(), timeout=60)
        equal((done.returncode, done.stdout, os.listdir(directory)), (2, "", []), f"{arguments}")
        equal(done.stderr.count("\n"), 1, f"lines of {done.stderr!r}")
        return done.stderr.split(": ", 1)[1].rstrip("\n")


def test_command_line():
    """A tree that cannot be is refused in one line"""
    device = ["--device", "accelerator,bdf=03:00.0"]
    root, switch = ["--root-port", "name=a"], ["--switch", "name=b,below=a"]
    for arguments, message in (
            (["--root-port", ""], "Root Port: '' is not an option: expected key=value"),
            (["--root-port", "acs=none"], "Root Port: name= is missing"),
            (["--root-port", "name=rc"], "Root Port: name=rc is the root complex: expected another name"),
            (["--root-port", "name=a,below=b"], "Root Port: there is no option below="),
            (["--root-port", "name=a,acs=rr+x"],
             "Root Port: acs=rr+x: expected some of sv, rr, cr, uf, dt, tb, joined by '+'"),
            (["--root-port", "name=a,max-payload=64"],
             "Root Port: max-payload=64: expected a power of two from 128 to 4K"),
            (["--root-port", "name=a,completer=reserved"],
             "Root Port: completer=reserved: expected one of none, 8bit, ext"),
            ([*root, *root], "Root Port: name=a: another port has this name"),
            ([*switch], "switch: below=a: there is no port of this name before this one"),
            (["--switch", "name=b"], "switch: below= is missing: the name of a Root Port or Downstream Port"),
            ([*root, "--switch", "name=b,below=a,acs=rr"], "switch: there is no option acs="),
            ([*root, *switch, "--switch", "name=c,below=b"],
             "switch: below=b is a switch: expected a Root Port or Downstream Port"),
            ([*root, *switch, "--switch", "name=c,below=a"],
             "switch: below=a: the link of this port has something at its end"),
            ([*root, "--downstream-port", "name=c,below=a"],
             "Downstream Port: below=a is a Root Port: expected a switch"),
            ([*root, *switch, "--downstream-port", "name=c,below=b,prefix=no"],
             "Downstream Port: prefix=no: the switch b has prefix=yes, and all ports of a switch agree"),
            (["--root-complex", "hints=lose"], "root complex: hints=lose: expected one of drop, keep")):
        true(refused(*arguments, *device).endswith(message), f"{arguments}: {refused(*arguments, *device)}")
    equal(refused(*root, *switch, "--device", "accelerator,bdf=03:00.0,below=b"),
          "--device accelerator,bdf=03:00.0,below=b: accelerator: below=b is a switch: "
          "expected a Root Port or a Downstream Port")
    equal(refused(*root, "--device", "accelerator,bdf=03:00.0,below=c"),
          "--device accelerator,bdf=03:00.0,below=c: accelerator: below=c: there is no port of this name")
    equal(refused(*root, "--device", "accelerator,bdf=03:00.0,below=a", "--device",
                  "accelerator,name=x,bdf=04:00.0,below=a"),
          "--device accelerator,name=x,bdf=04:00.0,below=a: accelerator: below=a: the link of this port has another "
          "device at its end")
    with Endpoints("accelerator,name=x,bdf=03:00.0,below=a", "accelerator,name=y,bdf=03:00.1,below=a", arguments=root):
        pass


run(globals())

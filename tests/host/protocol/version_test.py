# SPDX-License-Identifier: GPL-2.0-or-later
"""VERSION: what is negotiated, and every way to get it wrong."""
import json
import struct

import vfio_user as vu
from endpoints import ACCELERATOR, Endpoints
from tap import equal, one_of, run, true

SERVER = Endpoints(ACCELERATOR)

# What QEMU 11.1 proposes.
QEMU = {"capabilities": {
    "pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, "max_data_xfer_size": 1048576,
    "migration": {"max_bitmap_size": 268435456, "pgsize": 4096}, "write_multiple": True}}


def negotiate(payload):
    """The reply to a VERSION with this payload, and the connection."""
    client = SERVER.connect("acc", negotiate=False)
    return client, client.call(vu.VERSION, payload)


def refused(payload):
    """The error for a VERSION with this payload; the server then ends the connection."""
    with SERVER.connect("acc", negotiate=False) as client:
        error = client.refused(vu.VERSION, payload)
        true(client.at_end(), "the connection goes on after a failed VERSION")
        return error


def refused_text(text):
    return refused(vu.version_payload(data=text if isinstance(text, bytes) else text.encode()))


def test_qemu_proposal():
    """QEMU's proposal is agreed to, in a reply no longer than the command"""
    payload = vu.version_payload(data=QEMU)
    client, reply = negotiate(payload)
    with client:
        true(len(reply.payload) <= len(payload), "QEMU has no room for a reply longer than that")
        equal(struct.unpack("=HH", reply.payload[:4]), (0, 0), "version")
        equal(reply.payload[-1:], b"\0", "end of the capabilities")
        equal(json.loads(reply.payload[4:-1]), {"capabilities": {
            "max_msg_fds": 16, "max_data_xfer_size": 1048576, "max_dma_maps": 65535,
            "pgsizes": 4096, "write_multiple": True}})


def test_reply_is_subset():
    """The reply names nothing that the client did not propose"""
    for proposal in ({}, {"max_msg_fds": 1}, {"write_multiple": False}, {"pgsizes": 0x201000},
                     {"migration": {"pgsize": 4096}}, {"twin_socket": {"supported": True}}):
        client, reply = negotiate(vu.version_payload(data={"capabilities": proposal}))
        with client:
            caps = json.loads(reply.payload[4:-1])["capabilities"]
            true(set(caps) <= set(proposal), f"{caps} for {proposal}")
            for absent in ("migration", "twin_socket"):
                true(absent not in caps, f"{absent} is offered")
            true(caps.get("write_multiple", True), "write_multiple false is no capability")


def test_without_capabilities():
    """Version data is optional, and so are the capabilities in it"""
    for data in (None, b"{}\0", b'{"other": [1, {"a": null}]}\0',
                 b' {\t"capabilities" :\n{ } }\r\0'):
        client, reply = negotiate(vu.version_payload(data=data))
        with client:
            equal(json.loads(reply.payload[4:-1]), {"capabilities": {}}, repr(data))
            equal(client.device_info()[0], 16, "argsz")


def test_newer_minor():
    """A newer minor version is answered with ours"""
    client, reply = negotiate(vu.version_payload(0, 7))
    with client:
        equal(struct.unpack("=HH", reply.payload[:4]), (0, 0))


def test_other_major():
    """Another major version is refused"""
    equal(refused(vu.version_payload(1, 0)), "EPROTONOSUPPORT")
    equal(refused(vu.version_payload(0xffff, 0xffff)), "EPROTONOSUPPORT")
    SERVER.wait_log("acc: VERSION refused: version 65535.65535, this server speaks 0.0")


def test_short_payload():
    """A payload that has no room for the version is refused"""
    for size in range(4):
        with SERVER.connect("acc", negotiate=False) as client:
            equal(client.refused(vu.VERSION, bytes(size)), "EINVAL", f"{size} bytes")


MALFORMED = [
    "", " ", "x", "null", "true", "1", '"text"', "[]", "{", "}", "{}}", "{} {}", "{},", "{1:2}",
    '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a" 1}', '{"a":1 "b":2}', "{'a':1}", '{"a":01}',
    '{"a":-}', '{"a":1.}', '{"a":.5}', '{"a":1e}', '{"a":+1}', '{"a":0x10}', '{"a":tru}',
    '{"a":nul}', '{"a":NaN}', '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\\u12g4"}', '{"a":"', '{"a',
    '{"a":"\n"}', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 2]}', '{"a":[1}', '{"a":{"b":1]}',
    "\ufeff{}",
    '{"capabilities":1}', '{"capabilities":[]}', '{"capabilities":null}', '{"capabilities":{}',
    '{"capabilities":{"max_msg_fds":}}', "\\", "\"", "{\"a\":\x00}", "//", "{}\x00{}",
    "{" * 4000, '{"a":"\\u12', '{"a":"\\', '{"capabilities":{"pgsizes":04096}}', '{"a":1e+}',
    '{"a":1E-x}',
    "[" * 4000, '{"a":' * 100 + "1" + "}" * 100, '{"a":' + "[" * 9 + "]" * 9 + "}",
]


def test_junk_json():
    """Text that is no JSON object is refused, and the server goes on"""
    for text in MALFORMED:
        error = refused_text(text.encode() + b"\0")
        equal(error, "EINVAL", repr(text[:60]))


def test_missing_nul():
    """Version data without NUL is refused"""
    equal(refused_text(b'{"capabilities":{}}'), "EINVAL")
    equal(refused_text(b'{"capabilities":{}}\0 '), "EINVAL")
    equal(refused_text(b'{"capabilities":{}}x'), "EINVAL")


def test_oversize_json():
    """Version data beyond 4096 bytes is refused, up to there it is read"""
    def padded(size):
        text = json.dumps(vu.CAPABILITIES).encode()
        return text + b" " * (size - len(text) - 1) + b"\0"
    client, _ = negotiate(vu.version_payload(data=padded(4096)))
    client.close()
    with SERVER.connect("acc", negotiate=False) as client:
        for size in (4097, 65536, vu.MAX_XFER):
            equal(client.refused(vu.VERSION, vu.version_payload(data=padded(size))), "EINVAL")


def test_wrong_values():
    """Capabilities with values that cannot be are refused"""
    for member in ('"max_data_xfer_size":0', '"max_data_xfer_size":-1', '"max_data_xfer_size":1.5',
                   '"max_data_xfer_size":1e6', '"max_data_xfer_size":18446744073709551616',
                   '"max_data_xfer_size":99999999999999999999999999', '"max_data_xfer_size":"1"',
                   '"max_msg_fds":true', '"max_msg_fds":null', '"max_dma_maps":{}',
                   '"pgsizes":0', '"pgsizes":8192', '"pgsizes":[4096]',
                   '"write_multiple":1', '"write_multiple":"true"', '"write_multiple":null'):
        equal(refused_text('{"capabilities":{' + member + "}}\0"), "EINVAL", member)


def test_largest_number():
    """The largest 64-bit number is one"""
    client, _ = negotiate(vu.version_payload(
        data={"capabilities": {"max_data_xfer_size": 2**64 - 1, "max_msg_fds": 2**64 - 1}}))
    client.close()


def test_escaped_name():
    """An escaped name means the same"""
    client, reply = negotiate(vu.version_payload(
        data=b'{"c\\u0061pabilities":{"max\\u005fmsg_fds":3, "\\ud83d\\ude00":"\\u00e9\\n"}}\0'))
    with client:
        one_of("max_msg_fds", json.loads(reply.payload[4:-1])["capabilities"])


def test_second_version():
    """A second VERSION is refused, and the connection goes on"""
    with SERVER.connect("acc") as client:
        equal(client.refused(vu.VERSION, vu.version_payload()), "EINVAL")
        equal(client.device_info()[1:], (3, 9, 3), "device info")


def test_no_reply():
    """VERSION without reply is carried out"""
    with SERVER.connect("acc", negotiate=False) as client:
        client.send(vu.VERSION, vu.version_payload(), flags=vu.NO_REPLY)
        equal(client.device_info()[0], 16, "argsz")


def test_before_version():
    """Any command before VERSION is refused, and VERSION is still possible"""
    with SERVER.connect("acc", negotiate=False) as client:
        for command in list(range(2, 20)) + [0, 0xffff]:
            equal(client.refused(command, bytes(32)), "EINVAL", f"command {command}")
        client.call(vu.VERSION, vu.version_payload())
        equal(client.device_info()[0], 16, "argsz")


def test_transfer_limit_is_ours():
    """A client with a small max_data_xfer_size may still write as much as the server takes"""
    with SERVER.connect("acc", capabilities={"capabilities": {"max_data_xfer_size": 1}}) as client:
        equal(client.server_capabilities, {"max_data_xfer_size": vu.MAX_XFER})
        equal(len(client.region_read(vu.REGION_CONFIG, 0, 64)), 64)


run(globals(), SERVER.stop)

-- SPDX-License-Identifier: GPL-2.0-or-later
-- Wireshark: TLPs of PCI Express in non-flit mode, as tphbuf-endpoints records them (docs/reference/trace-format.md, link type
-- LINKTYPE_USER11). Section numbers are those of the PCI Express Base Specification, Revision 6.x.

local HEADER_SIZE = 16

local tlp = Proto("pcie.tlp", "PCI Express TLP")
local record = Proto("tphbuf", "TLP record")

local RESULTS = {
    [0] = "ok", [1] = "unsupported request", [2] = "malformed", [3] = "rejected by the completer", [4] = "fault", [5] = "abort",
    [6] = "unknown", [7] = "blocked by ACS Source Validation", [8] = "completed, its hint dropped on the way",
    [9] = "dropped", [10] = "poisoned",
}
-- Faults that tphbuf-endpoints --inject makes (docs/reference/faults.md), and what each does to the TLP.
local FAULTS = {
    [0] = "none", [1] = "ur", [2] = "malformed", [3] = "drop", [4] = "delay", [5] = "poison", [6] = "strip-prefix",
    [7] = "clear-th", [8] = "corrupt-tag", [9] = "spoof",
}
local EFFECTS = {
    [1] = "refused as unsupported", [2] = "taken for malformed", [3] = "lost on the link", [4] = "delayed on the link",
    [5] = "EP set on the link", [6] = "TPH prefix removed on the link: an Extended ST arrived as its low byte",
    [7] = "TH cleared on the link, and the prefix removed", [8] = "bits of the ST flipped on the link",
    [9] = "requester ID changed on the link",
}
-- Section 2.2.7.1.1
local HINTS = { [0] = "bidirectional data structure", [1] = "requester", [2] = "target", [3] = "target with priority" }
local NAMESPACES = { [8] = "8-bit", [16] = "Extended (16-bit)" }
-- Section 10.2.1
local ADDRESS_TYPES = { [0] = "default", [1] = "translation request", [2] = "translated", [3] = "reserved" }
-- Section 2.2.9.1
local STATUSES = { [0] = "Successful Completion", [1] = "Unsupported Request", [2] = "Request Retry Status", [4] = "Completer Abort" }
-- Fmt and Type (section 2.2.1.1); the width of the address is not part of the name.
local TYPES = {
    [0x00] = "MRd", [0x20] = "MRd", [0x40] = "MWr", [0x60] = "MWr", [0x02] = "IORd", [0x42] = "IOWr",
    [0x04] = "CfgRd0", [0x44] = "CfgWr0", [0x05] = "CfgRd1", [0x45] = "CfgWr1", [0x0a] = "Cpl", [0x4a] = "CplD",
    [0x4c] = "FetchAdd", [0x6c] = "FetchAdd", [0x4d] = "Swap", [0x6d] = "Swap", [0x4e] = "CAS", [0x6e] = "CAS",
}
local FORMATS = { [0] = "3 DW", [1] = "4 DW", [2] = "3 DW with data", [3] = "4 DW with data", [4] = "TLP prefix" }

local r = {
    version = ProtoField.uint8("tphbuf.version", "Version"),
    result = ProtoField.uint8("tphbuf.result", "Result", base.DEC, RESULTS),
    number = ProtoField.uint64("tphbuf.number", "Number"),
    requester = ProtoField.string("tphbuf.requester", "From"),
    completer = ProtoField.string("tphbuf.completer", "To"),
    vector = ProtoField.uint8("tphbuf.vector", "MSI-X vector"),
    place = ProtoField.string("tphbuf.place", "Ended, or lost its hint, at"),
    inject = ProtoField.uint8("tphbuf.inject", "Injected fault", base.DEC, FAULTS, 0xf0),
}
record.fields = r

local f = {
    fmt = ProtoField.uint8("pcie.tlp.fmt", "Fmt", base.DEC, FORMATS, 0xe0),
    type = ProtoField.uint8("pcie.tlp.type", "Type", base.HEX, nil, 0x1f),
    name = ProtoField.string("pcie.tlp.name", "TLP"),
    tc = ProtoField.uint32("pcie.tlp.tc", "Traffic Class", base.DEC, nil, 0x00700000),
    th = ProtoField.bool("pcie.tlp.th", "TH: hint present", 32, nil, 0x00010000),
    td = ProtoField.bool("pcie.tlp.td", "TD: digest", 32, nil, 0x00008000),
    ep = ProtoField.bool("pcie.tlp.ep", "EP: poisoned", 32, nil, 0x00004000),
    ns = ProtoField.bool("pcie.tlp.no_snoop", "Attr[0]: No Snoop", 32, nil, 0x00001000),
    ro = ProtoField.bool("pcie.tlp.relaxed_ordering", "Attr[1]: Relaxed Ordering", 32, nil, 0x00002000),
    ido = ProtoField.bool("pcie.tlp.id_ordering", "Attr[2]: ID-Based Ordering", 32, nil, 0x00040000),
    at = ProtoField.uint32("pcie.tlp.at", "Address Type", base.DEC, ADDRESS_TYPES, 0x00000c00),
    length = ProtoField.uint32("pcie.tlp.length", "Length (DW)"),
    requester = ProtoField.string("pcie.tlp.requester", "Requester ID"),
    completer = ProtoField.string("pcie.tlp.completer", "Completer ID"),
    tag = ProtoField.uint16("pcie.tlp.tag", "Tag", base.HEX),
    first_be = ProtoField.uint8("pcie.tlp.first_be", "First DW BE", base.HEX),
    last_be = ProtoField.uint8("pcie.tlp.last_be", "Last DW BE", base.HEX),
    address = ProtoField.uint64("pcie.tlp.address", "Address", base.HEX),
    ph = ProtoField.uint8("pcie.tlp.ph", "Processing Hint", base.DEC, HINTS),
    st = ProtoField.uint16("pcie.tlp.st", "Steering Tag", base.HEX),
    namespace = ProtoField.uint8("pcie.tlp.namespace", "Steering Tag size", base.DEC, NAMESPACES),
    prefix = ProtoField.uint32("pcie.tlp.prefix", "TLP prefix", base.HEX),
    status = ProtoField.uint16("pcie.tlp.status", "Completion Status", base.DEC, STATUSES),
    byte_count = ProtoField.uint16("pcie.tlp.byte_count", "Byte Count"),
    lower_address = ProtoField.uint8("pcie.tlp.lower_address", "Lower Address", base.HEX),
    data = ProtoField.bytes("pcie.tlp.data", "Payload"),
    request_in = ProtoField.framenum("pcie.tlp.request_in", "Request in", base.NONE, frametype.REQUEST),
    completed_in = ProtoField.framenum("pcie.tlp.completed_in", "Completed in", base.NONE, frametype.RESPONSE),
}
tlp.fields = f

local e = {
    malformed = ProtoExpert.new("pcie.tlp.malformed", "Malformed TLP", expert.group.MALFORMED, expert.severity.ERROR),
    failed = ProtoExpert.new("pcie.tlp.failed", "Not completed", expert.group.RESPONSE_CODE, expert.severity.WARN),
    status = ProtoExpert.new("pcie.tlp.not_successful", "Completion Status", expert.group.RESPONSE_CODE, expert.severity.WARN),
    unexpected = ProtoExpert.new("pcie.tlp.unexpected", "Unexpected Completion", expert.group.SEQUENCE, expert.severity.WARN),
    injected = ProtoExpert.new("pcie.tlp.injected", "Injected fault", expert.group.ASSUMPTION, expert.severity.NOTE),
    prefix = ProtoExpert.new("pcie.tlp.prefix_without_th", "TPH prefix without TH", expert.group.PROTOCOL, expert.severity.WARN),
}
tlp.experts = e

local result_field = Field.new("tphbuf.result")
local vector_field = Field.new("tphbuf.vector")
local place_field = Field.new("tphbuf.place")
local inject_field = Field.new("tphbuf.inject")
local interface_id, interface_name = Field.new("frame.interface_id"), Field.new("frame.interface_name")

-- Wireshark before 4.4 has Lua 5.2, without operators for bits and for division of integers.
local function bits(value, low, count)
    return math.floor(value / 2 ^ low) % 2 ^ count
end

local function bdf(id)
    return string.format("%02x:%02x.%x", bits(id, 8, 8), bits(id, 3, 5), bits(id, 0, 3))
end

-- Requests that wait for completions, and what was matched: by requester and tag, in the order of the trace. A tag is free again
-- behind the last completion (section 2.2.6.2).
local waiting, request_of, completions_of = {}, {}, {}

-- Names of interfaces by number, as far as packets came over them: Wireshark shows a dissector no others.
local interfaces = {}

function tlp.init()
    interfaces = {}
    waiting, request_of, completions_of = {}, {}, {}
end

local function match_request(pinfo, key)
    if not pinfo.visited then
        waiting[key] = pinfo.number
    end
end

local function match_completion(pinfo, key, last)
    if pinfo.visited or not waiting[key] then
        return
    end
    local request = waiting[key]
    request_of[pinfo.number] = request
    completions_of[request] = completions_of[request] or {}
    table.insert(completions_of[request], pinfo.number)
    if last then
        waiting[key] = nil
    end
end

local function show_match(pinfo, tree, is_completion)
    if request_of[pinfo.number] then
        tree:add(f.request_in, request_of[pinfo.number]):set_generated()
    elseif is_completion then
        tree:add_proto_expert_info(e.unexpected, "no request waits for it")
    end
    for _, number in ipairs(completions_of[pinfo.number] or {}) do
        tree:add(f.completed_in, number):set_generated()
    end
end

local function malformed(tree, text)
    tree:add_proto_expert_info(e.malformed, text)
    return nil
end

-- Prefixes in front of the header; the upper byte of a 16-bit steering tag is in one (section 2.2.7.1.1).
local function dissect_prefixes(buf, tree)
    local at, high = 0, nil
    while at + 4 <= buf:captured_len() and buf(at, 1):uint() >= 0x80 do
        local item = tree:add(f.prefix, buf(at, 4))
        if buf(at, 1):uint() == 0x90 then
            high = buf(at + 1, 1)
            item:append_text(": TPH, ST[15:8] " .. string.format("0x%02x", high:uint()))
        end
        at = at + 4
    end
    return at, high
end

local function add_hint(tree, low, st, high)
    local value = st:uint() + (high and high:uint() * 256 or 0)
    local size = high and 16 or 8
    tree:add(f.ph, low, low:uint() % 4)
    tree:add(f.namespace, st, size)
    tree:add(f.st, st, value)
    return string.format(high and "st-ext=0x%04x ph=%d" or "st=0x%02x ph=%d", value, low:uint() % 4)
end

-- Memory requests and AtomicOps (sections 2.2.4.1, 2.2.5, 2.2.7.1)
local function dissect_request(buf, tree, pinfo, info, high)
    local hint = buf(0, 4):bitfield(15, 1) == 1
    local wide = info.wide
    local low = buf(wide and 12 or 8, 4)
    local write = info.name == "MWr"
    info.requester = buf(4, 2):uint()
    tree:add(f.requester, buf(4, 2), bdf(info.requester))
    if hint and write then
        info.hint = add_hint(tree, low, buf(6, 1), high)
    else
        tree:add(f.tag, buf(6, 1))
    end
    if hint and not write then
        info.hint = add_hint(tree, low, buf(7, 1), high)
    else
        tree:add(f.last_be, buf(7, 1), bits(buf(7, 1):uint(), 4, 4))
        tree:add(f.first_be, buf(7, 1), bits(buf(7, 1):uint(), 0, 4))
    end
    local address = UInt64.new(low:uint() - low:uint() % 4, wide and buf(8, 4):uint() or 0)
    tree:add(f.address, buf(8, wide and 8 or 4), address)
    info.where = "0x" .. address:tohex(wide and 16 or 8):gsub("^0+(%x%x%x%x%x%x%x%x)$", "%1")
    if high and not hint then
        tree:add_proto_expert_info(e.prefix)
    end
    if not write then
        match_request(pinfo, info.requester * 256 + buf(6, 1):uint())
    end
end

-- Section 2.2.9; the last one of a request has all that is left of it.
local function dissect_completion(buf, tree, pinfo, info, payload)
    local status, left, lower = buf(6, 2):bitfield(0, 3), buf(6, 2):bitfield(4, 12), buf(11, 1):uint() % 128
    left = left == 0 and 4096 or left
    info.requester = buf(8, 2):uint()
    info.completion = true
    info.where = string.format("tag 0x%02x", buf(10, 1):uint())
    tree:add(f.completer, buf(4, 2), bdf(buf(4, 2):uint()))
    tree:add(f.status, buf(6, 2), status)
    tree:add(f.byte_count, buf(6, 2), left)
    tree:add(f.requester, buf(8, 2), bdf(info.requester))
    tree:add(f.tag, buf(10, 1))
    tree:add(f.lower_address, buf(11, 1), lower)
    if status ~= 0 then
        info.where = info.where .. " " .. (STATUSES[status] or "reserved status")
        tree:add_proto_expert_info(e.status, STATUSES[status] or "a reserved status")
    end
    match_completion(pinfo, info.requester * 256 + buf(10, 1):uint(), status ~= 0 or payload - lower % 4 >= left)
end

-- @full: bytes that the TLP had, of which the end may not have been kept; a sub-buffer does not know.
local function dissect_header(buf, tree, pinfo, high, full)
    if buf:captured_len() < 12 then
        return malformed(tree, "the header is cut off")
    end
    local first = buf(0, 1):uint()
    local info = { name = TYPES[first] or (bits(first, 3, 2) == 2 and (first >= 0x40 and "MsgD" or "Msg")) or "TLP", wide = bits(first, 5, 1) == 1 }
    local dwords = buf(2, 2):bitfield(6, 10)
    dwords = dwords == 0 and 1024 or dwords
    local header = info.wide and 16 or 12
    local payload = bits(first, 6, 1) == 1 and dwords * 4 or 0
    tree:add(f.name, buf(0, 1), info.name)
    for _, field in ipairs({ f.fmt, f.type }) do tree:add(field, buf(0, 1)) end
    for _, field in ipairs({ f.tc, f.ido, f.th, f.td, f.ep, f.ro, f.ns, f.at }) do tree:add(field, buf(0, 4)) end
    tree:add(f.length, buf(2, 2), dwords)
    if buf:captured_len() < header then
        return malformed(tree, "the header is cut off")
    end
    local digest = buf(0, 4):bitfield(16, 1) * 4
    if full ~= header + payload + digest then
        malformed(tree, string.format("Length says %d bytes, the TLP has %d", header + payload + digest, full))
    end
    if info.name == "Cpl" or info.name == "CplD" then
        dissect_completion(buf, tree, pinfo, info, payload)
    elseif info.name == "MRd" or info.name == "MWr" or bits(first, 2, 3) == 3 then
        dissect_request(buf, tree, pinfo, info, high)
    end
    if payload > 0 and buf:captured_len() > header then
        tree:add(f.data, buf(header))
    end
    show_match(pinfo, tree, info.completion)
    info.bytes = (payload > 0 or info.completion) and payload or dwords * 4
    return info
end

-- What became of the TLP behind its requester: the fields show it as it left.
local function show_fate(pinfo, tree)
    local result, place, fault = result_field(), place_field(), inject_field()
    local where = place and ", at " .. place.value or ""
    if result and result.value == 2 then
        malformed(tree, "the fabric found it malformed" .. where)
    elseif result and result.value ~= 0 then
        tree:add_proto_expert_info(e.failed, (RESULTS[result.value] or "unknown result") .. where)
    end
    if result and result.value ~= 0 then
        pinfo.cols.info:append(string.format(" [%s%s]", RESULTS[result.value] or "unknown result", where))
    end
    if fault and fault.value ~= 0 then
        tree:add_proto_expert_info(e.injected, EFFECTS[fault.value] or "unknown fault")
        pinfo.cols.info:append(string.format(" [inject %s]", FAULTS[fault.value] or "unknown"))
    end
end

local function dissect(buf, pinfo, root, full)
    local tree = root:add(tlp, buf())
    local at, high = dissect_prefixes(buf, tree)
    if at >= buf:captured_len() then
        malformed(tree, "there is a prefix and no header")
        return
    end
    local info = dissect_header(buf(at):tvb(), tree, pinfo, high, full - at)
    pinfo.cols.protocol = "TLP"
    if not info then
        pinfo.cols.info = "cut off"
        return
    end
    local text = string.format("%s %s, %d bytes", info.name, info.where or "", info.bytes)
    if vector_field() then
        text = text .. string.format(", MSI-X vector %d", vector_field().value)
    end
    pinfo.cols.info = text .. (info.hint and " " .. info.hint or "")
    tree:append_text(", " .. text .. (info.hint and ", " .. info.hint or ""))
    show_fate(pinfo, tree)
end

function tlp.dissector(buf, pinfo, root)
    dissect(buf, pinfo, root, buf:reported_len())
end

function record.dissector(buf, pinfo, root)
    if buf:captured_len() < HEADER_SIZE or buf(0, 1):uint() ~= 1 then
        root:add(record, buf()):append_text(": not a record of this version")
        return
    end
    local tree, flags = root:add(record, buf(0, HEADER_SIZE)), buf(1, 1):uint()
    local from = bits(flags, 1, 1) == 1 and "rc" or bdf(buf(4, 2):uint())
    local to = bits(flags, 0, 1) == 1 and "-" or buf(6, 2):uint() == 0 and "rc" or bdf(buf(6, 2):uint())
    tree:add(r.version, buf(0, 1))
    tree:add(r.result, buf(2, 1))
    tree:add(r.number, buf(8, 8))
    tree:add(r.requester, buf(4, 2), from)
    tree:add(r.completer, buf(6, 2), to)
    if interface_id() and interface_name() then
        interfaces[interface_id().value] = interface_name().value
    end
    if bits(flags, 2, 1) == 1 then
        tree:add(r.vector, buf(3, 1))
    elseif buf(3, 1):uint() > 0 then
        local place = buf(3, 1):uint() - 1
        tree:add(r.place, buf(3, 1), interfaces[place] or string.format("interface %d", place))
    end
    if bits(flags, 4, 4) > 0 then
        tree:add(r.inject, buf(1, 1))
    end
    tree:append_text(string.format(", %s -> %s", from, to))
    pinfo.cols.src = from
    pinfo.cols.dst = to
    dissect(buf(HEADER_SIZE):tvb(), pinfo, root, buf:reported_len() - HEADER_SIZE)
end

DissectorTable.get("wtap_encap"):add(wtap.USER11, record)
-- Colours by tag, where nobody has set others: 16-bit, 8-bit, refused.
if gui_enabled() then
    set_color_filter_slot(1, "pcie.tlp.namespace == 16")
    set_color_filter_slot(3, "pcie.tlp.namespace == 8")
    set_color_filter_slot(9, "tphbuf.result != 0")
end

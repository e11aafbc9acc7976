// SPDX-License-Identifier: GPL-2.0-or-later
// The page's script: draws from the JSON behind the blocks, and unpacks a block of records when it is looked at.
"use strict";
(() => {
const VERSION = 1;
const $ = id => document.getElementById(id);
let T = JSON.parse($("trace").textContent);
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e0a800", "#56b4e9", "#7b5cd6", "#a65628", "#2f9e44", "#e64980"];
const NO_PHASE = 255;

// Elements are made from text only: nothing in a trace becomes markup.
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "rect", "text", "g", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}
const number = n => n.toLocaleString("en-US");
const tlpsText = n => `${number(n)} ${n === 1 ? "TLP" : "TLPs"}`;
const hex = (n, digits) => "0x" + n.toString(16).padStart(digits, "0");
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const tagColor = i => i === 0 ? css("--none") : PALETTE[(i - 1) % PALETTE.length];
function tagText(tag) {
  if (!tag.hint) return "no hint";
  return (tag.ext ? "st-ext=" + hex(tag.st, 4) : "st=" + hex(tag.st, 2)) + " ph=" + tag.ph;
}
const party = id => T.parties.find(p => p.id === id);
function partyText(id) {
  const p = party(id);
  if (p && p.name) return p.name;
  return id === "rc" ? "root complex" : id === "-" ? "nobody" : id;
}
function bytesText(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (n >= size) return (n / size).toFixed(1) + " " + unit;
  return n + " B";
}
function timeText(ns) {
  if (ns >= 1e9) return (ns / 1e9).toFixed(3) + " s";
  if (ns >= 1e6) return (ns / 1e6).toFixed(3) + " ms";
  return (ns / 1e3).toFixed(3) + " µs";
}

// Records: blocks of rows, unpacked once.
const blocks = new Map();
function block(i) {
  if (!blocks.has(i)) blocks.set(i, unpack(i));
  return blocks.get(i);
}
async function unpack(i) {
  const text = atob($("b" + i).textContent);
  const packed = Uint8Array.from(text, c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  return { view: new DataView(buffer), bytes: new Uint8Array(buffer), rows: buffer.byteLength / T.rowSize };
}
function record(b, row) {
  const o = row * T.rowSize, v = b.view, size = v.getUint8(o + 22);
  const header = b.bytes.subarray(o + 24, o + 24 + (size & 0x7f));
  const kind = v.getUint8(o + 21);
  return {
    number: v.getUint32(o, true) + v.getUint16(o + 4, true) * 2 ** 32, time: v.getUint32(o + 6, true) + v.getUint32(o + 10, true) * 2 ** 32,
    bytes: v.getUint16(o + 14, true), tag: v.getUint16(o + 16, true), from: v.getUint8(o + 18), to: v.getUint8(o + 19),
    phase: v.getUint8(o + 20), type: kind >> 4, result: kind & 15, recorded: (size & 0x80) !== 0, wide: v.getUint8(o + 23) !== 0, header,
    inject: v.getUint8(o + 44), at: v.getUint8(o + 45),
  };
}
async function at(index) {
  return record(await block(Math.floor(index / T.blockRows)), index % T.blockRows);
}
const id = i => i < T.parties.length ? T.parties[i].id : "?";
function address(r) {
  if (r.header.length < 12 || T.types[r.type].startsWith("Cpl")) return null;
  const prefix = r.header[0] & 0x80 ? 4 : 0, dv = new DataView(r.header.buffer, r.header.byteOffset, r.header.length);
  const low = o => (dv.getUint32(o) & ~3) >>> 0;
  if (r.wide && r.header.length >= prefix + 16) return dv.getUint32(prefix + 8) * 2 ** 32 + low(prefix + 12);
  return low(prefix + 8);
}

// Header and verdict
let chosen = -1;
function renderHead() {
  document.title = T.title;
  $("title").textContent = T.title;
  $("about").textContent = `${number(T.tlps)} TLPs from ${T.source}` + (T.timed ? `, ${timeText(T.span)}` : "");
  const judged = T.phases.filter(p => p.expect), wrong = judged.filter(p => !p.ok);
  const box = $("verdict"), tagged = judged.filter(p => p.expect === "tag"), sum = (list, key) => list.reduce((n, p) => n + p[key], 0);
  if (judged.length) {
    const good = !wrong.length && !T.cut && !T.lost;
    box.className = "verdict " + (good ? "good" : "bad");
    box.replaceChildren(make("b", {}, good ? "PASS" : "FAIL"), wrong.length ? `${wrong.map(p => p.name).join(", ")}: not as expected` : good ?
      `${number(sum(tagged, "right"))} of ${number(sum(tagged, "tlps"))} TLPs sent under a tag carried it` : "the trace is not complete");
  } else {
    box.className = "verdict";
    box.replaceChildren(make("b", {}, "TRACE"), "its marks do not say what was to be expected");
  }
  $("warnings").replaceChildren();
  const warn = text => $("warnings").append(make("p", { class: "warning" }, text));
  if (T.cut) warn("The trace ends in the middle of a record: what follows is missing.");
  if (T.lost) warn(`${number(T.lost)} TLPs are missing, by their numbers.`);
  if (T.other) warn(`${number(T.other)} TLPs are not in the table below: it has no more rows.`);
  const faults = T.injections.slice(1).filter(([, n]) => n);
  if (faults.length) warn(`Faults were injected: ${faults.map(([name, n]) => `${name} met ${tlpsText(n)}`).join(", ")}.`);
  if (!T.tlps) warn("The trace holds no TLP.");
}
function expectText(p) {
  return p.expect === "tag" ? tagText({ hint: 1, ext: p.ext, st: p.st, ph: p.ph }) : p.expect === "none" ? "no hint" : p.expect === "nothing" ? "no TLP may arrive" : "nothing expected";
}
function phaseColor(p) {
  const i = T.tags.findIndex(t => t.hint && p.expect === "tag" && t.ext === p.ext && t.st === p.st && t.ph === p.ph);
  return i > 0 ? tagColor(i) : css("--none");
}
function renderPhases() {
  $("phases").replaceChildren(...T.phases.map((p, i) => make("button", { type: "button", class: "phase", "aria-pressed": String(i === chosen), style: `border-top-color:${phaseColor(p)}`, onclick: () => choose(i === chosen ? -1 : i) },
    make("strong", {}, p.name, p.expect ? make("span", { class: p.ok ? "ok" : "no" }, p.ok ? "✓ right" : "✗ wrong") : null),
    make("code", {}, expectText(p)), make("span", {}, p.tlps || p.expect !== "nothing" ? `${number(p.right)} of ${number(p.tlps)} TLPs right` : "none arrived"),
    make("span", { class: "soft" }, bytesText(p.bytes)))));
}
function choose(i) {
  chosen = i;
  renderPhases(); renderMachine(); renderTags(); renderMemory();
  $("f-phase").value = i < 0 ? "" : String(i);
  filter();
  if (i >= 0) showPhase(i); else showAll();
}

// The machine: requester and completer of the chosen phase around a switch, the root complex above it.
function phaseFlows() {
  const flows = new Map();
  for (const [phase, from, to, type, , hint, ext, st, ph, counts, tlps] of T.rows) {
    if (type !== "MWr" || from === "rc" || to === "-" || (chosen >= 0 ? phase !== chosen || !counts : phase < 0 || !counts)) continue;
    const tag = T.tags.findIndex(t => t.hint === hint && (!hint || (t.ext === ext && t.st === st && t.ph === ph)));
    const key = from + ">" + to + ">" + tag;
    flows.set(key, { from, to, tag, tlps: tlps + (flows.get(key)?.tlps ?? 0) });
  }
  return [...flows.values()].sort((a, b) => b.tlps - a.tlps);
}
function ends() {
  const p = T.phases[chosen >= 0 ? chosen : 0], functions = T.parties.filter(q => q.id !== "rc" && q.id !== "-").map(q => q.id);
  const completer = T.parties.find(q => q.role === "accelerator")?.id ?? (p && p.to !== "rc" && p.to !== "-" ? p.to : functions[1]);
  const requester = T.parties.find(q => q.role === "requester")?.id ?? (p && p.from !== "-" ? p.from : functions.find(f => f !== completer));
  return { requester, completer };
}
function renderMachine() {
  const { requester, completer } = ends(), flows = phaseFlows(), W = 230, H = 66;
  const svg = make("svg", { viewBox: "0 0 640 380", width: "100%", role: "img", "aria-label": machineText(flows) });
  const node = (x, y, w, title, small) => [make("rect", { class: "node", x, y, width: w, height: H, rx: 12 }), make("text", { x: x + w / 2, y: y + 29, "text-anchor": "middle" }, title), make("text", { class: "small", x: x + w / 2, y: y + 51, "text-anchor": "middle" }, small)];
  const up = "M125 300 L125 204 L300 204", down = "L515 204 L515 300", root = "L300 84";
  svg.append(make("path", { class: "link", d: up + " " + down }), make("path", { class: "link", d: "M300 204 " + root }));
  flows.slice(0, 6).forEach((flow, i) => {
    const shift = `translate(${(i - (flows.length - 1) / 2) * 5} ${(i - (flows.length - 1) / 2) * 5})`, color = tagColor(flow.tag);
    if (flow.to === "rc") svg.append(make("path", { class: "flow", d: up + " " + root, stroke: color, transform: shift }), make("path", { class: "flow lost", d: "M312 84 L312 216 L503 216 L503 300", transform: shift }));
    else svg.append(make("path", { class: "flow", d: up + " " + down, stroke: color, transform: shift }));
  });
  if (flows.some(flow => flow.to === "rc")) svg.append(make("text", { class: "small", x: 326, y: 140 }, "hints end at the root complex"));
  svg.append(...node(185, 18, W, partyText("rc"), "CPU and memory"), ...node(235, 171, 130, "switch", "by address"),
    ...node(10, 300, W, requester ? partyText(requester) : "requester", requester ? `requester ${requester}` : "not in the trace"),
    ...node(400, 300, W, completer ? partyText(completer) : "completer", completer ? `completer ${completer}` : "not in the trace"),
    ...node(460, 18, 170, "owner", "sets the tag"), make("path", { d: "M575 84 L575 300", stroke: css("--soft"), "stroke-dasharray": "3 6", fill: "none" }), make("text", { class: "small", x: 567, y: 180, "text-anchor": "end" }, "vfio-pci"));
  $("machine").replaceChildren(svg);
  const used = new Set(flows.map(f => f.tag));
  $("legend").replaceChildren(...T.tags.map((tag, i) => used.has(i) ? make("li", {}, make("i", { style: `background:${tagColor(i)}` }), tagText(tag)) : null).filter(Boolean));
  if (!flows.length) $("legend").replaceChildren(make("li", {}, chosen >= 0 && T.phases[chosen].expect === "nothing" ? "The buffer is revoked: no write reaches the switch." : "No write in this part of the trace."));
}
function machineText(flows) {
  if (!flows.length) return "No TLP in this phase.";
  return flows.map(f => `${number(f.tlps)} writes from ${partyText(f.from)} to ${partyText(f.to)}, ${tagText(T.tags[f.tag])}`).join("; ");
}
function renderTags() {
  const rows = T.rows.filter(r => chosen < 0 || r[0] === chosen);
  const cell = (value, n) => make("td", n ? { class: "n" } : {}, value);
  $("tags").replaceChildren(make("thead", {}, make("tr", {}, ...["Tag", "From", "To", "Type", "Result"].map(h => make("th", { scope: "col" }, h)), make("th", { scope: "col", class: "n" }, "TLPs"), make("th", { scope: "col", class: "n" }, "Bytes"))),
    make("tbody", {}, ...merge(rows).slice(0, 200).map(r => make("tr", {}, make("td", {}, make("span", { class: "swatch", style: `background:${tagColor(r.tag)}` }), tagText(T.tags[r.tag])), cell(r.from), cell(r.to), cell(r.type), cell(r.result), cell(number(r.tlps), true), cell(number(r.bytes), true)))));
}
function merge(rows) {
  const table = new Map();
  for (const [, from, to, type, result, hint, ext, st, ph, , tlps, bytes] of rows) {
    const tag = T.tags.findIndex(t => t.hint === hint && (!hint || (t.ext === ext && t.st === st && t.ph === ph)));
    const key = [tag, from, to, type, result].join(), old = table.get(key) ?? { tag, from, to, type, result, tlps: 0, bytes: 0 };
    old.tlps += tlps; old.bytes += bytes;
    table.set(key, old);
  }
  return [...table.values()].sort((a, b) => (b.tag > 0) - (a.tag > 0) || b.tlps - a.tlps);
}

// Timeline: bins while there are fewer pixels than TLPs, the TLPs themselves when zoomed in.
let view = { from: 0, to: 1 }, timelineRun = 0;
const byTime = () => $("axis").value === "time";
const extent = () => Math.max(1, byTime() ? T.span : T.tlps);
function showAll() { view = { from: 0, to: extent() }; renderTimeline(); }
function clampView(from, to) {
  const least = byTime() ? 100 : 20, size = Math.min(extent(), Math.max(least, to - from));
  from = Math.max(0, Math.min(from, extent() - size));
  view = { from, to: from + size };
  renderTimeline();
}
function zoom(factor, center = 0.5) {
  const size = view.to - view.from, middle = view.from + size * center;
  clampView(middle - size * factor * center, middle + size * factor * (1 - center));
}
const markAt = mark => byTime() ? mark.time : mark.index;
function showPhase(i) {
  const begin = T.marks.findIndex((m, k) => m.text.startsWith("phase ") && T.marks.slice(0, k + 1).filter(x => x.text.startsWith("phase ")).length === i + 1);
  if (begin < 0) return;
  const end = T.marks.slice(begin + 1).find(m => m.text === "end" || m.text.startsWith("phase "));
  const from = markAt(T.marks[begin]), to = end ? markAt(end) : extent(), margin = (to - from) * 0.03 + 1;
  clampView(from - margin, to + margin);
}
function prepare(element, height) {
  const scale = window.devicePixelRatio || 1, width = element.clientWidth;
  element.style.height = height + "px";
  element.width = Math.round(width * scale);
  element.height = Math.round(height * scale);
  const context = element.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = getComputedStyle(document.body).font.replace(/\d+px/, "12px");
  return { context, width };
}
async function columns(width) {
  const size = view.to - view.from, tags = Math.min(T.tags.length, 32), table = Array.from({ length: width }, () => new Float64Array(tags));
  const bins = byTime() ? T.byTime : T.byIndex;
  // Columns and bins do not begin at the same places: a column gets the part of a bin that lies over it.
  const spread = (from, to, tag, n) => {
    const left = (from - view.from) / size * width, right = (to - view.from) / size * width;
    for (let x = Math.max(0, Math.floor(left)); n && x < Math.min(width, right); x++) table[x][tag] += n * (Math.min(right, x + 1) - Math.max(left, x)) / (right - left);
  };
  if (size / bins.width >= width / 2 || !T.blocks) {
    bins.count.forEach((counts, i) => counts.forEach((n, tag) => spread(i * bins.width, (i + 1) * bins.width, tag, n)));
    return table;
  }
  const [first, last] = byTime() ? timeBlocks() : [Math.floor(view.from / T.blockRows), Math.floor((view.to - 1e-9) / T.blockRows)];
  for (let i = first; i <= Math.min(last, T.blocks - 1); i++) {
    const b = await block(i);
    for (let row = 0; row < b.rows; row++) {
      const r = record(b, row), position = byTime() ? r.time : i * T.blockRows + row;
      if (position < view.from || position >= view.to) continue;
      const tag = Math.min(r.tag, tags - 1);
      if (byTime()) table[Math.floor((position - view.from) / size * width)][tag] += 1;
      else spread(position, position + 1, tag, 1);
    }
  }
  return table;
}
function timeBlocks() {
  let first = T.blockTime.findLastIndex(t => t <= view.from), last = T.blockTime.findLastIndex(t => t <= view.to);
  return [Math.max(0, first), Math.max(0, last)];
}
async function renderTimeline() {
  const run = ++timelineRun, element = $("timeline"), width = Math.max(1, Math.floor(element.clientWidth));
  const table = await columns(width);
  if (run !== timelineRun) return;
  const { context } = prepare(element, 210), top = 34, base = 186, most = Math.max(1e-9, ...table.map(c => c.reduce((a, b) => a + b, 0)));
  const colors = Array.from(table[0] ?? [], (_, i) => tagColor(i));
  table.forEach((counts, x) => {
    let y = base;
    counts.forEach((n, tag) => {
      if (!n) return;
      const h = n / most * (base - top);
      context.fillStyle = colors[tag];
      context.fillRect(x, y - h, 1, h);
      y -= h;
    });
  });
  const size = view.to - view.from;
  context.strokeStyle = context.fillStyle = css("--soft");
  context.strokeRect(0, base + 0.5, width, 0);
  context.fillText(byTime() ? timeText(view.from) : `TLP ${number(Math.floor(view.from) + 1)}`, 4, 204);
  const right = byTime() ? timeText(view.to) : `TLP ${number(Math.min(T.tlps, Math.ceil(view.to)))}`;
  context.fillText(right, width - context.measureText(right).width - 4, 204);
  drawMarks(context, width, size, base);
  $("range").textContent = byTime() ? `${timeText(size)} shown` : `${number(Math.round(Math.min(size, T.tlps)))} of ${number(T.tlps)} TLPs shown`;
}
function drawMarks(context, width, size, base) {
  let free = [-1, -1];
  for (const mark of T.marks) {
    const x = Math.round((markAt(mark) - view.from) / size * width) + 0.5;
    if (x < 0 || x > width) continue;
    context.strokeStyle = css("--ink");
    context.globalAlpha = mark.text === "end" ? 0.25 : 0.8;
    context.beginPath(); context.moveTo(x, mark.text === "end" ? 34 : 8); context.lineTo(x, base); context.stroke();
    context.globalAlpha = 1;
    const text = mark.text.replace(/^phase (\S+).*/, "$1").slice(0, 28), w = context.measureText(text).width + 10;
    const line = mark.text.startsWith("phase ") ? 1 : 0;
    if (mark.text === "end" || free[line] > x) continue;
    context.fillStyle = css("--ink");
    context.fillText(text, x + 4, 14 + line * 14);
    free[line] = x + w;
  }
}
function renderMarks() {
  $("marks").replaceChildren(...T.marks.filter(m => m.text !== "end").slice(0, 60).map(mark => make("button", { type: "button", class: "screen", title: mark.text, onclick: () => { const size = (view.to - view.from) / 4; clampView(markAt(mark) - size / 2, markAt(mark) + size / 2); select(mark.index); } }, mark.text.replace(/^phase (\S+).*/, "phase $1"))));
}

// Memory map as the chosen phase left it: only the parts that were written.
function renderMemory() {
  const { context, width } = prepare($("memory"), 90), page = T.memoryPage, all = JSON.parse(($("m" + chosen) ?? $("mend")).textContent);
  const main = ends().completer, index = T.parties.findIndex(p => p.id === main), runs = all.filter(r => r[3] === index), shown = runs.length ? runs : all;
  if (!shown.length) { $("memory-text").textContent = "No TLP has written into the memory of a device."; return; }
  const first = shown[0][0], last = shown[shown.length - 1], pages = last[0] + last[1] - first, used = new Map();
  for (const [start, count, tag] of shown) {
    const x = (start - first) / pages * width, w = Math.max(1, count / pages * width);
    context.fillStyle = tagColor(tag);
    context.fillRect(x, 6, w, 56);
    used.set(tag, (used.get(tag) ?? 0) + count);
  }
  context.fillStyle = css("--soft");
  context.fillText(hex(first * page, 8), 2, 80);
  const end = hex((first + pages) * page, 8);
  context.fillText(end, width - context.measureText(end).width - 2, 80);
  $("memory-text").textContent = (chosen < 0 ? "At the end: " : `After ${T.phases[chosen].name}: `) + [...used].map(([tag, count]) => `${number(count)} pages of ${page / 1024} KiB with ${tagText(T.tags[tag])}`).join("; ");
}

// List: a window of rows over an array of indexes.
let order = null, matches = T.tlps, current = -1, sortKey = "number", descending = false, listTop = 0, filterRun = 0;
const ROWS = 200, COLUMNS = [["number", "No.", 1], ["time", "Time", 1], ["from", "From"], ["to", "To"], ["type", "Type"], ["address", "Address"], ["bytes", "Bytes", 1], ["tag", "Tag"], ["result", "Result"]];
// A choice stays while the trace grows.
function fillSelect(element, values) {
  const value = element.value;
  element.replaceChildren(make("option", { value: "" }, "all"), ...values.map(([value, text]) => make("option", { value }, text)));
  element.value = [...element.options].some(option => option.value === value) ? value : "";
}
function fillFilters() {
  fillSelect($("f-phase"), T.phases.map((p, i) => [i, p.name]));
  fillSelect($("f-tag"), T.tags.map((t, i) => [i, tagText(t)]));
  for (const side of ["f-from", "f-to"]) fillSelect($(side), T.parties.map((p, i) => [i, p.id]));
  fillSelect($("f-type"), T.types.map((t, i) => [i, t]).filter(([, t]) => T.rows.some(r => r[3] === t)));
  fillSelect($("f-result"), T.results.map((t, i) => [i, t]).filter(([, t]) => T.rows.some(r => r[4] === t)));
  fillSelect($("f-at"), T.places.map(([name], i) => [i, name]).slice(1));
  fillSelect($("f-inject"), T.injections.map(([name, n], i) => [i, name, n]).slice(1).filter(([, , n]) => n));
  for (const element of [$("f-at"), $("f-inject")]) element.parentElement.hidden = element.options.length < 2;
}
function listenToFilters() {
  for (const element of document.querySelectorAll("#filters select")) element.addEventListener("change", () => element.id === "f-phase" ? choose(element.value === "" ? -1 : Number(element.value)) : filter());
  $("f-address").addEventListener("change", filter);
  $("f-clear").addEventListener("click", () => { document.querySelectorAll("#filters select, #filters input").forEach(e => { e.value = ""; }); choose(-1); });
}
function addressFilter() {
  const found = /^\s*(0x[0-9a-f]+|\d+)(?::(0x[0-9a-f]+|\d+)([KMG]?)i?B?)?\s*$/i.exec($("f-address").value);
  if (!found) return null;
  const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(found[3] ?? "").toUpperCase()] ?? 1;
  return [Number(found[1]), Number(found[1]) + (found[2] ? Number(found[2]) * unit : 1)];
}
async function filter() {
  const run = ++filterRun, want = Object.fromEntries(["phase", "tag", "from", "to", "type", "result", "at", "inject"].map(k => [k, $("f-" + k).value]));
  const range = addressFilter(), plain = !range && sortKey === "number" && Object.values(want).every(v => v === "");
  $("f-address").setAttribute("aria-invalid", String($("f-address").value.trim() !== "" && !range));
  if (plain) { order = null; matches = T.tlps; listTop = 0; renderList(); return; }
  $("f-count").textContent = "searching …";
  const list = [], keys = [];
  for (let i = 0; i < T.blocks; i++) {
    const b = await block(i);
    if (run !== filterRun) return;
    for (let row = 0; row < b.rows; row++) {
      const r = record(b, row);
      if (Object.entries(want).some(([k, v]) => v !== "" && r[k] !== Number(v))) continue;
      if (range) { const a = address(r); if (a === null || a + r.bytes <= range[0] || a >= range[1]) continue; }
      list.push(i * T.blockRows + row);
      keys.push(sortKey === "address" ? address(r) ?? 0 : r[sortKey]);
    }
  }
  if (sortKey !== "number") {
    const indexes = Uint32Array.from(list, (_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
    order = Array.from(indexes, i => list[i]);
  } else order = list;
  matches = order.length; listTop = 0;
  renderList();
}
const indexOf = i => order ? (descending ? order[matches - 1 - i] : order[i]) : (descending ? T.tlps - 1 - i : i);
function renderListHead() {
  $("list-head").replaceChildren(make("tr", {}, ...COLUMNS.map(([key, text, n]) => make("th", { scope: "col", class: n ? "n" : undefined, "aria-sort": key === sortKey ? (descending ? "descending" : "ascending") : undefined },
    make("button", { type: "button", onclick: () => { descending = key === sortKey ? !descending : false; sortKey = key; renderListHead(); filter(); } }, text + (key === sortKey ? (descending ? " ▾" : " ▴") : ""))))));
}
async function renderList() {
  $("f-count").textContent = tlpsText(matches);
  const rows = [];
  for (let i = listTop; i < Math.min(matches, listTop + ROWS); i++) {
    const index = indexOf(i), r = await at(index), a = address(r);
    rows.push(make("tr", { class: "row", "data-index": index, "aria-selected": String(index === current), onclick: () => select(index) },
      make("td", { class: "n" }, number(r.number)), make("td", { class: "n" }, T.timed ? timeText(r.time) : "–"), make("td", {}, id(r.from)), make("td", {}, id(r.to)), make("td", {}, T.types[r.type]),
      make("td", { class: "mono" }, a === null ? "–" : hex(a, r.wide ? 16 : 8)), make("td", { class: "n" }, number(r.bytes)), make("td", {}, make("span", { class: "swatch", style: `background:${tagColor(r.tag)}` }), tagText(T.tags[r.tag] ?? { hint: 0 })), make("td", {}, fateText(r))));
  }
  if (matches > listTop + ROWS) rows.push(make("tr", {}, make("td", { colspan: COLUMNS.length }, make("button", { type: "button", onclick: () => { listTop += ROWS; renderList(); $("list").scrollTop = 0; } }, `Next ${number(Math.min(ROWS, matches - listTop - ROWS))}`))));
  if (listTop) rows.unshift(make("tr", {}, make("td", { colspan: COLUMNS.length }, make("button", { type: "button", onclick: () => { listTop = Math.max(0, listTop - ROWS); renderList(); } }, "Before"))));
  $("list-body").replaceChildren(...rows);
}
async function select(index) {
  current = index;
  document.querySelectorAll("tr.row").forEach(row => row.setAttribute("aria-selected", String(Number(row.dataset.index) === index)));
  renderDetail(await at(index));
}

// Behind its requester: the fields of a TLP show it as it left.
function fateText(r) {
  return T.results[r.result] + (r.at ? ` at ${T.places[r.at][0]}` : "") + (r.inject ? ` (${T.injections[r.inject][0]})` : "");
}
const EFFECTS = { "ur": "refused as unsupported", "malformed": "taken for malformed", "drop": "lost on the link", "delay": "delayed on the link", "poison": "EP set on the link", "strip-prefix": "TPH prefix removed on the link: an Extended ST arrived as its low byte", "clear-th": "TH cleared on the link, and the prefix removed", "corrupt-tag": "bits of the ST flipped on the link", "spoof": "requester ID changed on the link" };
const MEANINGS = { "ur": "unsupported request", "malformed": "a check failed", "rejected": "the completer refused its content", "fault": "refused by the root complex or the IOMMU", "abort": "the other side disconnected", "blocked": "ACS Source Validation", "hint-dropped": "delivered without its hint", "dropped": "lost on a link", "poisoned": "delivered, its data was not used" };
function resultRow(r) {
  const meaning = MEANINGS[T.results[r.result]];
  return T.results[r.result] + (meaning ? `: ${meaning}` : "");
}
const injectRow = r => r.inject ? `${T.injections[r.inject][0]}: ${EFFECTS[T.injections[r.inject][0]] ?? "unknown"}. The fields show the TLP before it.` : null;

// One TLP, DW by DW (sections 2.2.1, 2.2.4.1, 2.2.7.1.1).
const PH = ["bidirectional data structure", "requester", "target", "target with priority"];
function fields(r) {
  const words = [], dv = new DataView(r.header.buffer, r.header.byteOffset, r.header.length);
  let o = 0;
  if (r.header.length >= 4 && r.header[0] & 0x80) {
    const w = dv.getUint32(0);
    words.push([w, [["Fmt", 3, "prefix"], ["Type", 5, "TPH prefix"], ["ST[15:8]", 8, hex(w >>> 16 & 0xff, 2), 1], ["reserved", 16, ""]]]);
    o = 4;
  }
  if (r.header.length < o + 12) return words;
  const hint = T.tags[r.tag]?.hint, write = T.types[r.type] === "MWr", w0 = dv.getUint32(o), w1 = dv.getUint32(o + 4), completion = T.types[r.type].startsWith("Cpl");
  words.push([w0, [["Fmt", 3, (w0 >>> 29).toString(2).padStart(3, "0")], ["Type", 5, T.types[r.type]], ["T9", 1, w0 >>> 23 & 1], ["TC", 3, w0 >>> 20 & 7], ["T8", 1, w0 >>> 19 & 1], ["A2", 1, w0 >>> 18 & 1], ["LN", 1, w0 >>> 17 & 1], ["TH", 1, w0 >>> 16 & 1, hint], ["TD", 1, w0 >>> 15 & 1], ["EP", 1, w0 >>> 14 & 1], ["Attr", 2, w0 >>> 12 & 3], ["AT", 2, w0 >>> 10 & 3], ["Length", 10, (w0 & 0x3ff || 1024) + " DW"]]]);
  if (completion) {
    const w2 = dv.getUint32(o + 8);
    words.push([w1, [["Completer ID", 16, hex(w1 >>> 16, 4)], ["Status", 3, w1 >>> 13 & 7], ["B", 1, w1 >>> 12 & 1], ["Byte Count", 12, w1 & 0xfff]]], [w2, [["Requester ID", 16, hex(w2 >>> 16, 4)], ["Tag", 8, hex(w2 >>> 8 & 0xff, 2)], ["R", 1, ""], ["Lower Address", 7, hex(w2 & 0x7f, 2)]]]);
    return words;
  }
  words.push([w1, [["Requester ID", 16, `${hex(w1 >>> 16, 4)} = ${id(r.from)}`], hint && write ? ["ST[7:0]", 8, hex(w1 >>> 8 & 0xff, 2), 1] : ["Tag", 8, hex(w1 >>> 8 & 0xff, 2)], ...(hint && !write ? [["ST[7:0]", 8, hex(w1 & 0xff, 2), 1]] : [["Last BE", 4, hex(w1 >>> 4 & 15, 1)], ["First BE", 4, hex(w1 & 15, 1)]])]]);
  let a = o + 8;
  if (r.wide && r.header.length >= o + 16) { const w = dv.getUint32(a); words.push([w, [["Address[63:32]", 32, hex(w, 8)]]]); a += 4; }
  const low = dv.getUint32(a);
  words.push([low, [["Address[31:2]", 30, hex((low & ~3) >>> 0, 8)], [hint ? "PH" : "PH (unused)", 2, low & 3, hint]]]);
  return words;
}
function renderDetail(r) {
  const tag = T.tags[r.tag] ?? { hint: 0 }, a = address(r), mark = T.marks.find(m => m.index === current);
  const rows = [["Number", number(r.number)], ["Time", T.timed ? timeText(r.time) : null], ["From", `${id(r.from)} ${partyText(id(r.from)) !== id(r.from) ? partyText(id(r.from)) : ""}`], ["To", `${id(r.to)} ${partyText(id(r.to)) !== id(r.to) ? partyText(id(r.to)) : ""}`],
    ["Type", T.types[r.type] + (r.wide ? ", 64-bit address" : "")], ["Address", a === null ? null : hex(a, r.wide ? 16 : 8)], ["Payload", `${number(r.bytes)} bytes`], ["Hint", tag.hint ? `${tagText(tag)} (${PH[tag.ph]}; ${tag.ext ? "16-bit, with a TPH prefix" : "8-bit"})` : "none"],
    ["Phase", r.phase === NO_PHASE ? "outside of the phases" : T.phases[r.phase]?.name], ["Mark", mark?.text], ["Result", resultRow(r)], [T.results[r.result] === "hint-dropped" ? "Lost its hint at" : "Ended at", r.at ? T.places[r.at][0] : null], ["Injected fault", injectRow(r)], ["Bytes", r.recorded ? "as recorded" : "made from the fields: the text form has no bytes"]];
  $("detail").replaceChildren(make("h3", {}, `TLP ${number(r.number)}`), make("dl", {}, ...rows.filter(([, v]) => v !== null && v !== undefined).flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, v)])),
    ...fields(r).flatMap(([word, list]) => [make("div", { class: "mono soft" }, hex(word >>> 0, 8)), make("div", { class: "dw", style: `--hint:${tagColor(r.tag)}` }, ...list.map(([name, bits, value, marked]) => make("span", { style: `grid-column:span ${bits}`, class: marked ? "hint" : undefined, title: `${name}, ${bits} bits: ${value}` }, make("b", {}, bits > 1 || name.length < 3 ? name : name.slice(0, 2)), String(value))))]));
}

// Keyboard, mouse, theme
function keys() {
  $("timeline").addEventListener("keydown", event => {
    const size = view.to - view.from, act = { ArrowLeft: () => clampView(view.from - size / 5, view.to - size / 5), ArrowRight: () => clampView(view.from + size / 5, view.to + size / 5), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Home: showAll }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  $("list").addEventListener("keydown", event => {
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key];
    if (!move) return;
    event.preventDefault();
    const rows = [...document.querySelectorAll("tr.row")], now = rows.findIndex(row => Number(row.dataset.index) === current);
    const next = rows[Math.max(0, Math.min(rows.length - 1, now + move))];
    if (next) { select(Number(next.dataset.index)); next.scrollIntoView({ block: "nearest" }); }
  });
  $("in").addEventListener("click", () => zoom(0.5)); $("out").addEventListener("click", () => zoom(2)); $("all").addEventListener("click", showAll);
  $("axis").addEventListener("change", showAll);
  $("timeline").addEventListener("wheel", event => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX / $("timeline").clientWidth); }, { passive: false });
  let drag = null;
  $("timeline").addEventListener("pointerdown", event => { drag = { x: event.offsetX, from: view.from, to: view.to, moved: false }; $("timeline").setPointerCapture(event.pointerId); });
  $("timeline").addEventListener("pointermove", event => { if (!drag) return; const by = (drag.x - event.offsetX) / $("timeline").clientWidth * (drag.to - drag.from); if (Math.abs(drag.x - event.offsetX) > 3) { drag.moved = true; clampView(drag.from + by, drag.to + by); } });
  $("timeline").addEventListener("pointerup", event => { if (drag && !drag.moved && !byTime() && T.tlps) select(Math.min(T.tlps - 1, Math.floor(view.from + event.offsetX / $("timeline").clientWidth * (view.to - view.from)))); drag = null; });
}
function theme(name) {
  document.documentElement.dataset.theme = name;
  renderPhases(); renderMachine(); renderTags(); renderTimeline(); renderMemory(); renderList();
}

// A page from a server: when the trace has grown, its data is replaced by that of the page as it is now.
const PAUSE = 1000;
async function follow() {
  let state = null, gone = false;
  for (;;) {
    await new Promise(resolve => setTimeout(resolve, PAUSE));
    try {
      const now = await (await fetch("state", { cache: "no-store" })).text();
      if (now !== state) { await update(); state = now; }
      if (gone) renderHead();
      gone = false;
    } catch {
      if (!gone) $("warnings").append(make("p", { class: "warning" }, "The server of this page has ended: it shows the TLPs up to then."));
      gone = true;
    }
  }
}
async function update() {
  const text = await (await fetch("./", { cache: "no-store" })).text(), fresh = new DOMParser().parseFromString(text, "text/html");
  const data = "script[type='application/json'], script[type='text/plain']", whole = view.from === 0 && view.to === extent();
  const next = JSON.parse(fresh.getElementById("trace").textContent);
  if (next.version !== VERSION) return;
  document.querySelectorAll(data).forEach(element => element.remove());
  // A script that is copied from a parsed document, and is of these types, is text.
  fresh.querySelectorAll(data).forEach(element => document.body.append(document.importNode(element, true)));
  T = next;
  blocks.clear();
  if (chosen >= T.phases.length) chosen = -1;
  view = whole ? { from: 0, to: extent() } : { from: Math.min(view.from, extent()), to: Math.min(view.to, extent()) };
  renderHead(); renderPhases(); fillFilters(); renderMachine(); renderTags(); renderMarks(); renderTimeline(); renderMemory();
  const top = listTop;
  await filter();
  if (top && top < matches) { listTop = top; renderList(); }
}
function start() {
  if (T.version !== VERSION) { $("about").textContent = `This page was made for data of version ${VERSION}, the data is of version ${T.version}.`; return; }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  if (!T.timed) $("axis").querySelector("[value=time]").disabled = true;
  view = { from: 0, to: extent() };
  renderHead(); renderPhases(); fillFilters(); listenToFilters(); renderMachine(); renderTags(); renderMarks(); renderTimeline(); renderMemory(); renderListHead(); renderList(); keys();
  if (T.live) follow();
  let timer = 0;
  addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => { renderTimeline(); renderMemory(); }, 100); });
}
start();
})();

"use strict";
// From the top: words, data, positions, rows, painting, finding, details, view, input. Everything is drawn on one canvas,
// since 50,000 cells are too many for elements; what it shows can be read in the details panel and in the table.
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);

  // ---- Words

  // What a cell can be: glyph, name, meaning. In a column the first is at the bottom; of several marks the last shows.
  const WORDS = {
    handled: ["✓", "Handled", "a function acknowledged it"],
    filtered: ["–", "Filtered", "the mapping's filters took it out"],
    quarantined: ["Q", "Quarantined", "the processor set it aside and acknowledged it"],
    open: ["·", "Open", "the run was over first"],
    partial: ["~", "Left by a partial answer", "the checkpoint of this answer lies before it; delivered again"],
    failed: ["×", "Failed with its batch", "the whole batch failed or was not delivered; delivered again"],
    recovered: ["↺", "Recovered", "given up by the mapping, brought back by the hydrator"],
    trimmed: ["T", "Trimmed", "the stream forgot it before it was delivered"],
    "dead-lettered": ["!", "Dead-lettered", "given up by the mapping; an on-failure message names it"],
    dropped: ["↓", "Dropped", "given up by the mapping, and no destination took the message"],
    lost: ["?", "Lost", "a loss report names it"],
  };
  const KINDS = Object.keys(WORDS);
  const KIND = Object.fromEntries(KINDS.map((name, kind) => [name, kind]));
  const AGAIN = [KIND.partial, KIND.failed];

  const number = (value) => Math.round(value).toLocaleString("en-US");
  const plural = (count, one, many = one + "s") => `${number(count)} ${count === 1 ? one : many}`;
  const trim = (value, digits) => String(Number(value.toFixed(digits)));

  function duration(ms) {
    if (ms < 0) return "-" + duration(-ms);
    if (ms < 1000) return trim(ms, 2) + " ms";
    if (ms < 60e3) return trim(ms / 1000, 3) + " s";
    const units = [["min", "s", 60e3, 1e3], ["h", "min", 3600e3, 60e3], ["d", "h", 86400e3, 3600e3]];
    const [big, small, size, part] = units[ms < 3600e3 ? 0 : ms < 86400e3 ? 1 : 2];
    const rest = trim((ms % size) / part, size === 60e3 ? 1 : 0);
    return `${Math.floor(ms / size)} ${big}` + (rest === "0" ? "" : ` ${rest} ${small}`);
  }

  function runsText(runs, most = 6) {
    const text = runs.slice(0, most).map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(", ");
    return runs.length > most ? `${text} and ${plural(runs.length - most, "more run")}` : text || "none";
  }

  // ---- Data: columns of runs become typed arrays, once

  function unpack(pairs, count, Type = Int32Array, summed = false) {
    const column = new Type(count);
    for (let pair = 0, at = 0, sum = 0; pair < pairs.length; pair += 2) {
      for (let left = pairs[pair + 1]; left > 0; left--) column[at++] = summed ? (sum += pairs[pair]) : pairs[pair];
    }
    return column;
  }

  const records = readRecords(data.records);
  const invocations = readInvocations(data.invocations);
  const { messages, recoveries, lanes } = data;
  const splitOf = new Map(data.splits.map(([at, invocation, left, right]) => [invocation, { at, left, right }]));

  function readRecords(columns) {
    const { count, fates, tails } = columns;
    const lane = unpack(columns.lane, count);
    const kept = unpack(columns.kept, count);
    const before = [];
    const label = tails.map((tail, n) => (before[lane[n]] = (before[lane[n]] || "").slice(0, kept[n]) + tail));
    const fate = unpack(columns.fate, count, Uint8Array).map((index) => KIND[fates[index]]);
    return { count, lane, label, fate, arrived: unpack(columns.arrived, count, Float64Array, true) };
  }

  function readInvocations(columns) {
    const { count } = columns;
    const runs = unpack(columns.runs, count);
    const runAt = new Int32Array(count + 1);
    for (let i = 0; i < count; i++) runAt[i + 1] = runAt[i] + runs[i];
    const total = runAt[count];
    const gap = unpack(columns.run_gap, total);
    const length = unpack(columns.run_length, total);
    const [first, cellAt] = [new Int32Array(total), new Int32Array(total + 1)];
    for (let run = 0, end = 0; run < total; run++) {
      first[run] = end + gap[run];
      end = first[run] + length[run];
      cellAt[run + 1] = cellAt[run] + length[run] + 1;
    }
    const start = unpack(columns.start, count, Float64Array, true);
    const end = unpack(columns.length, count, Float64Array).map((took, i) => start[i] + took);
    const follows = unpack(columns.back, count).map((back, i) => (back ? i - back : -1));
    const response = unpack(columns.response, count);
    return {
      count, start, end, follows, runAt, first, cellAt,
      lane: unpack(columns.lane, count), slot: unpack(columns.slot, count), attempt: unpack(columns.attempt, count),
      outcome: unpack(columns.outcome, count), response: (i) => columns.responses[response[i]],
      size: (i) => cellAt[runAt[i + 1]] - cellAt[runAt[i]],
    };
  }

  // The number of the record at a place of a batch.
  function recordAt(i, place) {
    const cell = invocations.cellAt[invocations.runAt[i]] + place;
    let [low, high] = [invocations.runAt[i], invocations.runAt[i + 1] - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (invocations.cellAt[middle] <= cell) low = middle;
      else high = middle - 1;
    }
    return invocations.first[low] + cell - invocations.cellAt[low];
  }

  function eachRecord(i, visit) {
    const { runAt, first, cellAt } = invocations;
    for (let run = runAt[i], place = 0; run < runAt[i + 1]; run++) {
      for (let n = first[run], left = cellAt[run + 1] - cellAt[run]; left > 0; left--) visit(n++, place++);
    }
  }

  const runsOf = (i) =>
    Array.from({ length: invocations.runAt[i + 1] - invocations.runAt[i] }, (_, index) => {
      const run = invocations.runAt[i] + index;
      return [invocations.first[run], invocations.first[run] + invocations.cellAt[run + 1] - invocations.cellAt[run] - 1];
    });

  const handledIn = (i) => (invocations.outcome[i] === -1 ? invocations.size(i) : Math.max(0, invocations.outcome[i]));
  const outcomeKind = (i) => KIND[{ "-1": "handled", "-2": "failed", "-3": "open" }[invocations.outcome[i]] || "partial"];
  const outcomeText = (i) =>
    ({ "-1": "Handled", "-2": "Failed", "-3": "Undelivered" })[invocations.outcome[i]] ||
    `Partial: ${number(handledIn(i))} of ${number(invocations.size(i))} handled`;

  // How often a record was delivered, and in which invocation last: only there may its cell show how it ended.
  const deliveries = new Uint32Array(records.count + 1);
  const lastIn = new Int32Array(records.count + 1).fill(-1);
  for (let i = 0; i < invocations.count; i++) {
    eachRecord(i, (n) => {
      deliveries[n]++;
      lastIn[n] = i;
    });
  }

  function cellKind(i, n, place) {
    const fate = records.fate[n - 1];
    if (place < handledIn(i)) return fate === KIND.quarantined || fate === KIND.filtered ? fate : KIND.handled;
    if (lastIn[n] > i || fate === KIND.handled) return invocations.outcome[i] >= 0 ? KIND.partial : KIND.failed;
    return fate;
  }

  const shares = new Uint32Array(invocations.count * KINDS.length);
  for (let i = 0; i < invocations.count; i++) eachRecord(i, (n, place) => shares[i * KINDS.length + cellKind(i, n, place)]++);
  const failures = [];

  // ---- Positions: items are invocations, then messages, then recoveries

  const MESSAGES = invocations.count;
  const RECOVERIES = MESSAGES + messages.length;
  const ITEMS = RECOVERIES + recoveries.length;
  const isInvocation = (id) => id < MESSAGES;
  const entry = (id) => (id < RECOVERIES ? messages[id - MESSAGES] : recoveries[id - RECOVERIES]);
  const laneOf = (id) => (isInvocation(id) ? invocations.lane[id] : entry(id).lane);
  const startOf = (id) => (isInvocation(id) ? invocations.start[id] : entry(id).at);
  const endOf = (id) => (isInvocation(id) ? invocations.end[id] : entry(id).at);

  // What an item comes from: the line that ends in it starts there.
  function causeOf(id) {
    if (isInvocation(id)) return invocations.follows[id];
    const index = id < RECOVERIES ? entry(id).invocation : entry(id).message;
    return index === null ? -1 : id < RECOVERIES ? index : MESSAGES + index;
  }

  const order = Array.from({ length: ITEMS }, (_, id) => id).sort((a, b) => startOf(a) - startOf(b) || a - b);
  const rank = new Int32Array(ITEMS);
  const effects = new Map();
  for (const [place, id] of order.entries()) {
    rank[id] = place;
    const cause = causeOf(id);
    if (cause >= 0 && !effects.get(cause)?.push(id)) effects.set(cause, [id]);
    if (isInvocation(id) && invocations.outcome[id] !== -1) failures.push(id);
  }
  const isPiece = (id) => isInvocation(id) && splitOf.has(causeOf(id)) && invocations.size(id) < invocations.size(causeOf(id));

  const rows = makeRows();
  const rowOf = new Int32Array(ITEMS);
  rows.forEach((row, index) => row.items.forEach((id) => (rowOf[id] = index)));
  const scales = { steps: stepScale(), time: timeScale() };

  function makeRows() {
    const slotsOf = (lane) => Array.from({ length: Math.max(1, lane.slots) }, () => []);
    const byLane = lanes.map((lane) => ({ slots: slotsOf(lane), messages: [], recoveries: [] }));
    for (const id of order) {
      const lane = byLane[laneOf(id)];
      if (isInvocation(id)) (lane.slots[invocations.slot[id]] ||= []).push(id);
      else (id < RECOVERIES ? lane.messages : lane.recoveries).push(id);
    }
    return byLane.flatMap((lane, index) => [
      ...lane.slots.map((items, slot) => ({ lane: index, type: "slot", slot, slots: lane.slots.length, items: items || [] })),
      ...["messages", "recoveries"].filter((type) => lane[type].length).map((type) => ({ lane: index, type, items: lane[type] })),
    ]);
  }

  // One step each, in the order of events: behind its cause, behind what stands before it in its row, and behind whatever
  // had ended before it started. What ran side by side may share a step.
  function stepScale() {
    const at = new Float64Array(ITEMS);
    const free = new Int32Array(rows.length);
    const ended = [...order].sort((a, b) => endOf(a) - endOf(b));
    const times = [];
    let [floor, next] = [0, 0];
    for (const id of order) {
      while (next < ITEMS && endOf(ended[next]) < startOf(id)) floor = Math.max(floor, at[ended[next++]] + 1);
      const cause = causeOf(id);
      at[id] = Math.max(floor, free[rowOf[id]], cause >= 0 ? at[cause] + 1 : 0);
      free[rowOf[id]] = at[id] + 1;
      times[at[id]] = Math.min(times[at[id]] ?? Infinity, startOf(id));
    }
    return { from: at, to: at.map((step) => step + 1), total: times.length, widest: 150, least: 0.01, times };
  }

  function timeScale() {
    const from = new Float64Array(ITEMS).map((_, id) => startOf(id));
    const to = new Float64Array(ITEMS).map((_, id) => endOf(id));
    return { from, to, total: to.reduce((most, end) => Math.max(most, end), data.finished), widest: 150, least: 0.1 };
  }

  // ---- Layout: heights by the number of rows, margins by the width

  const canvas = $("chart");
  const scroller = $("scroller");
  const pen = canvas.getContext("2d");
  const AXIS = 40;
  let size = { width: 0, height: 0, wide: true, left: 0, right: 0, ratio: 1 };
  let colours = {};
  let [mode, scale] = ["steps", scales.steps];
  let view = { from: 0, to: 1 };

  function layOut() {
    const width = scroller.clientWidth;
    const wide = width >= 700;
    const slots = rows.filter((row) => row.type === "slot").length;
    const [bar, arc] = slots <= 2 ? [50, 34] : slots <= 8 ? [36, 24] : slots <= 30 ? [24, 15] : [18, 11];
    let [y, laneTop] = [AXIS, AXIS];
    rows.forEach((row, index) => {
      const first = !index || rows[index - 1].lane !== row.lane;
      if (first) laneTop = y;
      if (first) y += wide ? 4 : 26;
      row.laneTop = laneTop;
      row.barHeight = row.type === "slot" ? bar : 24;
      row.top = y + (row.type === "slot" ? arc : 2);
      row.gap = arc;
      y = row.top + row.barHeight + (rows[index + 1]?.lane === row.lane ? 0 : 8);
      row.first = first;
      row.bottom = y;
    });
    const total = Math.max(y, AXIS + 120);
    const height = Math.min(total, Math.max(360, Math.round(innerHeight * 0.72)));
    const slotted = rows.some((row) => row.slots > 1);
    const left = wide ? (slotted && width >= 900 ? 250 : 196) : slotted ? 24 : 10;
    size = { width, height, wide, left, right: width - 10, ratio: devicePixelRatio || 1 };
    scroller.style.height = `${height + 2}px`;
    canvas.style.height = `${height}px`;
    $("spacer").style.height = `${total - height}px`;
    canvas.width = Math.round(width * size.ratio);
    canvas.height = Math.round(height * size.ratio);
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["page", "surface", "text", "muted", "rule", "edge", "accent", "ink", "hatch", ...KINDS];
    colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
    colours.kinds = KINDS.map((name) => colours[name]);
    colours.fills = colours.kinds.map((colour, kind) => (AGAIN.includes(kind) ? hatched(colour) : colour));
    colours.font = getComputedStyle(document.body).fontFamily;
  }

  // Stripes tell "again" from "ended" without colour.
  function hatched(colour) {
    const tile = document.createElement("canvas");
    const side = (tile.width = tile.height = Math.round(6 * size.ratio));
    const brush = tile.getContext("2d");
    brush.fillStyle = colour;
    brush.fillRect(0, 0, side, side);
    brush.strokeStyle = colours.hatch;
    brush.lineWidth = side / 3;
    for (const shift of [-side, 0, side]) {
      brush.beginPath();
      brush.moveTo(shift - 1, side + 1);
      brush.lineTo(shift + side + 1, -1);
      brush.stroke();
    }
    const pattern = pen.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / size.ratio));
    return pattern;
  }

  const perUnit = () => (size.right - size.left) / (view.to - view.from);
  const toX = (unit) => size.left + (unit - view.from) * perUnit();
  const toUnit = (x) => view.from + (x - size.left) / perUnit();
  const middle = (id) => toX((scale.from[id] + scale.to[id]) / 2);

  // The pixels of an item: at least two, or a short one would vanish between long waits.
  function extent(id) {
    const [x, end] = [toX(scale.from[id]), toX(scale.to[id])];
    const air = end - x > 12 ? Math.min(4, (end - x) * 0.06) : 0;
    return { x: x + air, width: Math.max(2, end - x - 2 * air) };
  }

  // ---- Painting

  const THIN = 5; // Pixels below which a bar is drawn as part of a column,
  const COLUMN = 3; // which is this wide.
  const FRAMED = 10; // Pixels from which a bar has a frame and cells.
  const MOST_LINES = 400;
  let [hovered, chosen, pinned] = [null, null, false];
  let [linesHidden, gathered] = [false, false];

  let pending = 0;
  function redraw() {
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      paint();
    });
  }

  function paint() {
    const began = performance.now();
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    pen.fillStyle = colours.page;
    pen.fillRect(0, 0, size.width, size.height);
    const scroll = scroller.scrollTop;
    const visible = rows.filter((row) => row.bottom > scroll + AXIS && row.laneTop < scroll + size.height);
    rows.forEach((row) => (row.y = row.top - scroll));
    gathered = false;
    clipped(0, AXIS, size.width, () => {
      paintGrid(visible);
      visible.forEach(paintLabel);
    });
    clipped(size.left - 4, AXIS, size.right + 4, () => {
      const lines = linesIn(visible);
      lines.plain.forEach((id) => paintLine(id, false));
      for (const row of visible) row.type === "slot" ? paintSlot(row) : paintMarks(row);
      lines.strong.forEach((id) => paintLine(id, true));
      for (const at of [chosen, hovered]) if (at) paintRing(at, at === chosen);
    });
    paintAxis();
    if (!ITEMS) paintText("No invocations", (size.left + size.right) / 2, AXIS + (size.height - AXIS) / 2, 14, colours.muted, "center");
    report();
    performance.clearMeasures("paint");
    performance.measure("paint", { start: began });
  }

  function clipped(left, top, right, draw) {
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, size.height - top);
    pen.clip();
    draw();
    pen.restore();
  }

  function paintText(text, x, y, pixels, colour, align = "left", weight = 400, room = Infinity) {
    pen.font = `${weight} ${pixels}px ${colours.font}`;
    pen.textAlign = align;
    pen.textBaseline = "middle";
    pen.fillStyle = colour;
    pen.fillText(room === Infinity ? text : shortened(text, room), x, y);
  }

  // Shard ids differ at their ends, so the middle goes.
  function shortened(text, room) {
    if (pen.measureText(text).width <= room) return text;
    for (let keep = Math.min(text.length - 1, 60); keep > 3; keep--) {
      const short = text.slice(0, Math.ceil(keep / 2)) + "…" + text.slice(text.length - Math.floor(keep / 2));
      if (pen.measureText(short).width <= room) return short;
    }
    return "…";
  }

  function paintLabel(row) {
    const lane = lanes[row.lane];
    const y = row.y + row.barHeight / 2;
    if (row.first) {
      if (row.lane) paintRect(0, row.laneTop - scroller.scrollTop, size.width, 1, colours.rule);
      const origin = lane.parents.length ? `from ${lane.parents.map((parent) => lanes[parent]?.name).join(", ")}` : lane.source;
      if (size.wide) {
        const tall = row.barHeight >= 30;
        const nameY = row.slots > 1 ? row.y + 2 : tall ? y - 8 : y;
        const room = size.left - (row.slots > 1 ? 78 : 26);
        paintText(lane.name, 14, nameY, 13, colours.text, "left", 600, room);
        if (tall || row.slots > 1) paintText(origin, 14, nameY + 17, 12, colours.muted, "left", 400, room);
      } else {
        const nameY = row.laneTop - scroller.scrollTop + 12;
        paintRect(0, nameY - 11, size.width, 23, colours.surface);
        paintText(lane.name, 10, nameY, 12, colours.text, "left", 600, size.width * 0.6);
        paintText(origin, size.width - 10, nameY, 12, colours.muted, "right", 400, size.width * 0.34);
      }
    }
    const text = row.type !== "slot" ? row.type : row.slots > 1 ? `slot ${row.slot}` : "";
    if (size.wide) paintText(text, size.left - 14, y, 11, colours.muted, "right");
    else if (row.slots > 1 && row.type === "slot") paintText(row.slot, 12, y, 10, colours.muted, "center");
  }

  function paintRect(x, y, width, height, colour) {
    pen.fillStyle = colour;
    pen.fillRect(x, y, width, height);
  }

  // Ticks at a distance that leaves room for their text.
  function ticks() {
    const room = 84 / perUnit();
    const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
    const decimal = () => [1, 2, 5, 10].map((step) => step * 10 ** Math.floor(Math.log10(room))).find((step) => step >= room);
    const timed = () => (room < 500 || room > 86400e3 ? decimal() : 1000 * seconds.find((step) => step * 1000 >= room));
    const step = mode === "steps" ? Math.max(1, decimal()) : timed();
    const found = [];
    for (let at = Math.ceil(Math.max(0, view.from) / step) * step; at <= Math.min(view.to, scale.total); at += step) found.push(at);
    return found;
  }

  function paintGrid(visible) {
    for (const at of ticks()) paintRect(Math.round(toX(at)), AXIS, 1, size.height, colours.rule);
    for (const row of visible) {
      if (row.type === "slot") paintRect(size.left, Math.round(row.y + row.barHeight / 2), size.width, 1, colours.rule);
    }
  }

  function paintAxis() {
    paintRect(0, AXIS - 1, size.width, 1, colours.rule);
    if (size.wide) {
      paintText("time since the start", size.left - 14, mode === "steps" ? 28 : 20, 12, colours.muted, "right");
      if (mode === "steps") paintText("step", size.left - 14, 12, 12, colours.muted, "right");
    }
    const at = ticks().filter((tick) => mode !== "steps" || tick < scale.total);
    for (const tick of at) {
      const x = toX(tick);
      if (x < size.left - 1) continue;
      paintRect(Math.round(x), AXIS - 6, 1, 6, colours.edge);
      if (x > size.right - 56) continue;
      if (mode === "steps") {
        paintText(number(tick + 1), x, 12, 12, colours.text, "left", 600);
        paintText(duration(scale.times[tick]), x, 28, 12, colours.muted);
      } else paintText(duration(tick), x, 20, 12, colours.text);
    }
    paintThumb();
  }

  // Where the view lies in the whole, once it is not the whole.
  function paintThumb() {
    const all = fitted();
    const [width, span] = [size.right - size.left, all.to - all.from];
    if (view.to - view.from > span * 0.999) return;
    paintRect(size.left + (view.from / span) * width, AXIS - 3, Math.max(8, ((view.to - view.from) / span) * width), 3, colours.accent);
  }

  // The items of a row that may be in view. They follow each other, so that a search finds the first.
  function inView(row) {
    const { items } = row;
    const slack = 30 / perUnit();
    const low = search(items, (id) => scale.to[id] >= view.from - slack);
    return items.slice(low, search(items, (id) => scale.from[id] > view.to + slack));
  }

  function search(items, holds) {
    let [low, high] = [0, items.length];
    while (low < high) {
      const half = (low + high) >> 1;
      if (holds(items[half])) high = half;
      else low = half + 1;
    }
    return low;
  }

  function paintSlot(row) {
    const columns = new Map();
    for (const id of inView(row)) {
      const { x, width } = extent(id);
      if (width >= THIN) paintBar(id, row, x, width);
      else gather(columns, Math.floor((x - size.left) / COLUMN), id);
    }
    gathered ||= columns.size > 0;
    for (const [column, counts] of columns) paintShares(counts, 0, size.left + column * COLUMN, row.y, COLUMN, row.barHeight, false);
  }

  function gather(columns, column, id) {
    let counts = columns.get(column);
    if (!counts) columns.set(column, (counts = new Uint32Array(KINDS.length)));
    for (let kind = 0; kind < KINDS.length; kind++) counts[kind] += shares[id * KINDS.length + kind];
  }

  // Shares from the bottom up, in the order of the kinds. What is not handled has two pixels at least, taken from the rest.
  function paintShares(counts, at, x, y, width, height, textured) {
    let total = 0;
    for (let kind = 0; kind < KINDS.length; kind++) total += counts[at + kind];
    if (!total) return paintRect(x, y + height / 2 - 1, width, 2, colours.edge);
    const share = (kind) => (counts[at + kind] ? Math.max(kind ? 2 : 0, (counts[at + kind] / total) * height) : 0);
    let least = 0;
    for (let kind = 1; kind < KINDS.length; kind++) least += share(kind);
    const shrink = Math.min(1, (counts[at] ? height - 1 : height) / least);
    let top = y;
    for (let kind = KINDS.length - 1; kind > 0; kind--) {
      const part = share(kind) * shrink;
      if (part) paintRect(x, top, width, part + 0.3, (textured ? colours.fills : colours.kinds)[kind]);
      top += part;
    }
    if (counts[at]) paintRect(x, top, width, y + height - top, colours.kinds[0]);
  }

  const NUMBER_WIDTH = String(records.count).length * 5.3 + 3;

  // Cells in as few lines as leave room for their numbers, or in as many as make them squarest; none where they'd be dust.
  function gridOf(count, width, height) {
    let best = null;
    for (let lines = 1; lines <= Math.min(count, Math.floor(height / 7)); lines++) {
      const across = Math.ceil(count / lines);
      const [cellWidth, cellHeight] = [width / across, height / lines];
      const score = (Math.min(cellWidth, cellHeight) * count) / (lines * across);
      if (cellWidth >= 3 && (!best || score > best.score)) best = { lines, across, cellWidth, cellHeight, score };
      if (cellWidth >= NUMBER_WIDTH) break;
    }
    return best;
  }

  const inner = (row, x, width) => ({ x: x + 2, y: row.y + 2, width: width - 4, height: row.barHeight - 4 });

  function paintBar(id, row, x, width) {
    if (width < FRAMED) return paintShares(shares, id * KINDS.length, x, row.y, width - 1, row.barHeight, false);
    const kind = outcomeKind(id);
    pen.beginPath();
    pen.roundRect(x, row.y, width, row.barHeight, Math.min(4, width / 3));
    pen.fillStyle = colours.page;
    pen.fill();
    pen.strokeStyle = colours.kinds[kind];
    pen.lineWidth = 1;
    pen.stroke();
    const box = inner(row, x, width);
    const grid = gridOf(invocations.size(id), box.width, box.height);
    if (grid) paintCells(id, box, grid);
    else paintShares(shares, id * KINDS.length, box.x, box.y, Math.max(1, box.width), box.height, width > 8);
    if (grid && grid.lines === 1 && splitOf.has(id)) paintCut(id, row, box, grid);
  }

  function paintCells(id, box, grid) {
    const count = invocations.size(id);
    const { lines, across, cellWidth, cellHeight } = grid;
    const gap = cellWidth >= 5 ? 1 : 0;
    const from = Math.max(0, Math.floor((size.left - 4 - box.x) / cellWidth));
    const to = Math.min(across, Math.ceil((size.right + 4 - box.x) / cellWidth));
    for (let line = 0; line < lines; line++) {
      for (let column = from; column < to && line * across + column < count; column++) {
        const place = line * across + column;
        const n = recordAt(id, place);
        const [x, y] = [box.x + column * cellWidth, box.y + line * cellHeight];
        paintCell(cellKind(id, n, place), n, x, y, cellWidth - gap, cellHeight - (lines > 1 ? gap : 0));
      }
    }
  }

  function paintCell(kind, n, x, y, width, height) {
    const hollow = kind === KIND.open;
    paintRect(x, y, width, height, hollow ? colours.page : width >= 6 ? colours.fills[kind] : colours.kinds[kind]);
    if (hollow && width >= 3) {
      pen.strokeStyle = colours.open;
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    }
    const ink = hollow ? colours.text : colours.ink;
    const pixels = width >= 26 && height >= 20 ? 12 : width < 12 ? 9 : 10;
    const fits = height >= 10 && width >= String(n).length * pixels * 0.58;
    const both = fits && height >= 28 && width >= 10;
    const centre = x + width / 2;
    if (fits) paintText(n, centre, y + height / 2 + (both ? -8 : 0), pixels, ink, "center", 600);
    if (both) paintText(WORDS[KINDS[kind]][0], centre, y + height / 2 + 8, pixels + 1, ink, "center", 700);
    else if (!fits && kind && width >= 7 && height >= 10) paintText(WORDS[KINDS[kind]][0], centre, y + height / 2, 10, ink, "center", 700);
  }

  // Where a batch was cut: the right piece ends with the batch.
  function paintCut(id, row, box, grid) {
    const x = box.x + (invocations.size(id) - splitOf.get(id).right) * grid.cellWidth - 0.5;
    paintRect(x - 2, row.y - 3, 4, row.barHeight + 6, colours.page);
    paintRect(x - 0.75, row.y - 5, 1.5, row.barHeight + 10, colours.text);
  }

  function markKind(id) {
    if (id < RECOVERIES) return entry(id).delivered ? KIND["dead-lettered"] : KIND.dropped;
    const { runs } = entry(id);
    return runs.some(([first, last]) => records.fate.subarray(first - 1, last).includes(KIND.lost)) ? KIND.lost : KIND.recovered;
  }

  // A mark with room around it is drawn as what it is. Where they crowd, a column's height says how many it stands for.
  function paintMarks(row) {
    const items = inView(row);
    const y = row.y + row.barHeight / 2;
    const crowd = new Map();
    items.forEach((id, index) => {
      const x = middle(id);
      const before = index ? x - middle(items[index - 1]) : Infinity;
      const after = index + 1 < items.length ? middle(items[index + 1]) - x : Infinity;
      if (Math.min(before, after) < 18) return count(crowd, Math.floor((x - size.left) / COLUMN), markKind(id));
      (id < RECOVERIES ? paintEnvelope : paintReturn)(x, y, colours.kinds[markKind(id)], entry(id));
      const text = id < RECOVERIES ? runsText(entry(id).runs, 2) : entry(id).verdict;
      pen.font = `400 11px ${colours.font}`;
      const { width } = pen.measureText(text);
      if (width > Math.min(after - 30, size.right - x - 14)) return;
      paintRect(x + 11, y - 7, width + 4, 14, colours.page);
      paintText(text, x + 13, y, 11, colours.muted);
    });
    const most = Math.max(...[...crowd.values()].map((column) => column.count));
    for (const [column, { count, kind }] of crowd) {
      const height = 8 + (count / most) * (row.barHeight - 12);
      paintRect(size.left + column * COLUMN, y - height / 2, COLUMN - 1, height, colours.kinds[kind]);
    }
  }

  function count(columns, column, kind) {
    const known = columns.get(column) || { count: 0, kind: 0 };
    columns.set(column, { count: known.count + 1, kind: Math.max(known.kind, kind) });
  }

  function paintEnvelope(x, y, colour, message) {
    paintRect(x - 8, y - 6, 16, 12, colour);
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    if (message.delivered) [[-6, -4], [0, 1], [6, -4]].forEach(([dx, dy]) => pen.lineTo(x + dx, y + dy));
    else [-1, 1].forEach((side) => (pen.moveTo(x - 4, y - 4 * side), pen.lineTo(x + 4, y + 4 * side)));
    pen.stroke();
  }

  function paintReturn(x, y, colour) {
    pen.beginPath();
    pen.arc(x, y, 8, 0, 7);
    pen.fillStyle = colour;
    pen.fill();
    paintText(colour === colours.lost ? "?" : "↺", x, y + 0.5, 12, colours.ink, "center", 700);
  }

  // ---- Lines

  const linked = order.filter((id) => causeOf(id) >= 0);

  // Those of the item in question are drawn above everything, the others below.
  function linesIn(visible) {
    const shown = new Set(visible);
    const near = linked.filter((id) => {
      const cause = causeOf(id);
      return scale.from[id] <= view.to + 1 && scale.to[cause] >= view.from && (shown.has(rows[rowOf[id]]) || shown.has(rows[rowOf[cause]]));
    });
    linesHidden = near.length > MOST_LINES;
    const focus = hovered || chosen;
    const family = new Set(focus ? relatives(focus.id) : []);
    const plain = linesHidden ? [] : near.filter((id) => !family.has(id));
    return { plain, strong: near.filter((id) => family.has(id)) };
  }

  // An item's line to its cause and those to its effects.
  const relatives = (id) => [id, ...(effects.get(id) || [])];

  function paintLine(id, strong) {
    const cause = causeOf(id);
    const [from, to] = [rows[rowOf[cause]], rows[rowOf[id]]];
    let [x, end] = [middle(cause), middle(id)];
    const dot = end - x;
    if (dot < 8 && from === to) return;
    pen.strokeStyle = pen.fillStyle = isPiece(id) ? colours.muted : colours.kinds[isInvocation(id) ? KIND.failed : markKind(id)];
    pen.lineWidth = strong ? 2.5 : 1.25;
    pen.setLineDash(isInvocation(id) && !isPiece(id) && dot > 24 ? [4, 3] : []);
    pen.beginPath();
    if (from === to) {
      const apart = Math.min(6, dot / 5);
      [x, end] = [x + apart, end - apart];
      const top = from.y - 1 - Math.min(from.gap - 5, 6 + dot * 0.07) * 1.33;
      pen.moveTo(x, from.y - 1);
      pen.bezierCurveTo(x, top, end, top, end, from.y - 2);
    } else {
      // Down to the row of a mark and along it; or over to another slot.
      const [y, endY] = to.y > from.y ? [from.y + from.barHeight, to.y] : [from.y, to.y + to.barHeight];
      pen.moveTo(x, to.type === "slot" ? y : y - (from.type === "slot" ? 0 : 6));
      if (to.type === "slot") pen.bezierCurveTo(x, (y + endY) / 2, end, (y + endY) / 2, end, endY);
      else pen.quadraticCurveTo(x, to.y + to.barHeight / 2, Math.max(x, end - 9), to.y + to.barHeight / 2);
    }
    pen.stroke();
    pen.setLineDash([]);
    if (isInvocation(id) && dot > 14) paintHead(end, to.y - 1);
  }

  function paintHead(x, y) {
    pen.beginPath();
    [[0, 0], [-3.5, -6], [3.5, -6]].forEach(([dx, dy]) => pen.lineTo(x + dx, y + dy));
    pen.fill();
  }

  function paintRing({ id, place }, isChosen) {
    const row = rows[rowOf[id]];
    const { x, width } = row.type === "slot" ? extent(id) : { x: middle(id) - 10, width: 20 };
    const pad = Math.max(0, (6 - width) / 2);
    pen.strokeStyle = isChosen ? colours.accent : colours.text;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.roundRect(x - 2 - pad, row.y - 2, width + 4 + 2 * pad, row.barHeight + 4, 5);
    pen.stroke();
    const box = inner(row, x, width);
    const grid = place >= 0 && width >= FRAMED && gridOf(invocations.size(id), box.width, box.height);
    if (!grid) return;
    pen.strokeStyle = colours.text;
    pen.strokeRect(
      box.x + (place % grid.across) * grid.cellWidth, box.y + Math.floor(place / grid.across) * grid.cellHeight,
      Math.max(3, grid.cellWidth - 1), grid.cellHeight - (grid.lines > 1 ? 1 : 0),
    );
  }

  // ---- Finding what lies under a point

  function find(x, y) {
    if (y < AXIS || x < size.left - 8) return null;
    const row = rows.find((row) => y >= row.y - (row.type === "slot" ? 4 : 2) && y <= row.y + row.barHeight + 4);
    if (!row) return null;
    const near = inView(row).filter((id) => distance(id, row, x) <= (row.type === "slot" ? 3 : 14));
    if (!near.length) return null;
    const closest = near.reduce((least, id) => Math.min(least, distance(id, row, x)), Infinity);
    const candidates = near.filter((id) => distance(id, row, x) <= closest + 1.5);
    // Of several in one pixel, the one that failed is what the reader is after.
    const id = candidates.find((id) => isInvocation(id) && invocations.outcome[id] !== -1) ?? candidates[0];
    return { id, place: row.type === "slot" ? placeAt(id, row, x, y) : -1, others: candidates.length - 1 };
  }

  function distance(id, row, x) {
    if (row.type !== "slot") return Math.abs(middle(id) - x);
    const { x: left, width } = extent(id);
    return Math.max(0, left - x, x - left - width);
  }

  function placeAt(id, row, x, y) {
    const { x: left, width } = extent(id);
    const box = inner(row, left, width);
    const grid = width >= FRAMED && gridOf(invocations.size(id), box.width, box.height);
    if (!grid) return -1;
    const limit = (value, most) => Math.max(0, Math.min(most - 1, Math.floor(value)));
    const place = limit((y - box.y) / grid.cellHeight, grid.lines) * grid.across + limit((x - box.x) / grid.cellWidth, grid.across);
    return Math.min(place, invocations.size(id) - 1);
  }

  // ---- Details

  // Every text goes through here, and none becomes markup.
  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function swatch(kind) {
    const made = element("span", "swatch" + (AGAIN.includes(kind) ? " hatch" : kind === KIND.open ? " hollow" : ""), WORDS[KINDS[kind]][0]);
    made.style.setProperty("--kind", `var(--${KINDS[kind]})`);
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function list(pairs) {
    const shown = pairs.filter(([, value]) => value !== null && value !== "" && value.length !== 0);
    return element("dl", "", ...shown.flatMap(([label, value]) => [element("dt", "", label), element("dd", "", ...[value].flat())]));
  }

  const nameOf = (id) =>
    isInvocation(id) ? `Invocation ${id + 1}` : id < RECOVERIES ? `On-failure message ${id - MESSAGES + 1}` : `Recovery ${id - RECOVERIES + 1}`;

  function link(id, why = "") {
    const made = element("button", "link", nameOf(id) + why);
    made.addEventListener("click", () => {
      // The button goes with the details that held it; the focus would be lost.
      canvas.focus({ preventScroll: true });
      choose({ id, place: -1 }, true);
    });
    return made;
  }

  function describe({ id, place, others }) {
    const heading = element("h2", "", nameOf(id), pinned ? element("small", "", "pinned") : null);
    const parts = [heading, list(isInvocation(id) ? invocationFacts(id) : markFacts(id))];
    if (others) parts.push(element("p", "hint", `${plural(others, "more item")} at this point: zoom in.`));
    if (isInvocation(id) && place >= 0) parts.push(...recordParts(id, place));
    return parts;
  }

  function invocationFacts(id) {
    const cause = causeOf(id);
    const split = splitOf.get(id);
    const took = invocations.end[id] - invocations.start[id];
    const waited = cause < 0 ? "" : duration(invocations.start[id] - invocations.end[cause]);
    return [
      ["Outcome", [swatch(outcomeKind(id)), outcomeText(id)]],
      ["Records", `${runsText(runsOf(id))} (${plural(invocations.size(id), "record")})`],
      ["Of these", KINDS.map((_, kind) => kind).filter((kind) => shares[id * KINDS.length + kind]).map((kind) =>
        element("div", "", swatch(kind), `${number(shares[id * KINDS.length + kind])} ${WORDS[KINDS[kind]][1].toLowerCase()}`))],
      ["Started", `${duration(invocations.start[id])} after the start, took ${duration(took)}`],
      ["Shard", lanes[invocations.lane[id]].name + (lanes[invocations.lane[id]].slots > 1 ? `, slot ${invocations.slot[id]}` : "")],
      ["Attempt", number(invocations.attempt[id])],
      ["Follows", cause < 0 ? null : link(cause, `: ${isPiece(id) ? "a piece of it" : "a retry"}, ${waited} later`)],
      ["Cut", split ? `into ${number(split.left)} and ${number(split.right)}` : null],
      ["Led to", (effects.get(id) || []).slice(0, 5).map((effect) => link(effect))],
      ["Response", invocations.response(id) ? element("span", "code", invocations.response(id)) : null],
    ];
  }

  function recordParts(id, place) {
    const n = recordAt(id, place);
    const [here, fate] = [cellKind(id, n, place), records.fate[n - 1]];
    const arrived = records.arrived[n - 1];
    const meaning = (kind) => [swatch(kind), `${WORDS[KINDS[kind]][1]}: ${WORDS[KINDS[kind]][2]}`];
    return [
      element("h2", "", `Record ${n}`),
      list([
        ["Here", here === fate ? null : meaning(here)],
        ["In the end", meaning(fate)],
        ["Deliveries", number(deliveries[n])],
        ["Arrived", arrived < 0 ? `${duration(-arrived)} before the start` : `${duration(arrived)} after the start`],
        ["Sequence", element("span", "code", records.label[n - 1])],
      ]),
    ];
  }

  function markFacts(id) {
    const { runs, condition, delivered, verdict, lane, at } = entry(id);
    const count = runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const cause = causeOf(id);
    return [
      ["Condition", condition ?? null],
      ["Verdict", verdict === undefined ? null : [swatch(markKind(id)), verdict]],
      ["Destination", condition === undefined ? null : [swatch(markKind(id)), delivered ? "took it" : "did not take it: its records are dropped"]],
      ["Records", `${runsText(runs)} (${plural(count, "record")})`],
      ["When", `${duration(at)} after the start`],
      ["Shard", lanes[lane].name],
      [verdict === undefined ? "After" : "Of", cause < 0 ? null : link(cause)],
      ["Led to", (effects.get(id) || []).slice(0, 5).map((effect) => link(effect))],
    ];
  }

  function showDetails(byPointer) {
    const panel = $("details");
    const at = pinned ? chosen : hovered || chosen;
    // A screen reader that spoke whatever the pointer passes could not be followed.
    panel.setAttribute("aria-live", byPointer ? "off" : "polite");
    panel.className = pinned ? "pinned" : "";
    const idle = () => [element("h2", "", "Details"), ITEMS ? $("keys").content.cloneNode(true) : "Nothing was invoked."];
    panel.replaceChildren(...(at ? describe(at) : idle()));
  }

  // ---- View

  // Everything, but no bar wider than is of use.
  function fitted() {
    const least = mode === "steps" ? (size.right - size.left) / scale.widest : 1;
    return { from: 0, to: Math.max(scale.total * (mode === "steps" ? 1 : 1.01), least) };
  }

  function setView(from, to) {
    const most = fitted().to;
    const span = Math.max(scale.least, Math.min(to - from, most));
    // The middle stays where a limit changes the width.
    const start = Math.max(0, Math.min((from + to - span) / 2, most - span));
    view = { from: start, to: start + span };
    redraw();
  }

  let flight = 0;
  function moveView(from, to) {
    cancelAnimationFrame(flight);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return setView(from, to);
    const [began, old] = [performance.now(), view];
    const fly = (now) => {
      const part = Math.min(1, Math.max(0, now - began) / 160);
      const eased = 1 - (1 - part) ** 3;
      setView(old.from + (from - old.from) * eased, old.to + (to - old.to) * eased);
      if (part < 1) flight = requestAnimationFrame(fly);
    };
    flight = requestAnimationFrame(fly);
  }

  function zoom(factor, x = null, smooth = true) {
    const focus = chosen && x === null ? Math.max(size.left, Math.min(middle(chosen.id), size.right)) : null;
    const at = toUnit(x ?? focus ?? (size.left + size.right) / 2);
    (smooth ? moveView : setView)(at - (at - view.from) * factor, at + (view.to - at) * factor);
  }

  const fit = () => moveView(fitted().from, fitted().to);

  function setMode(name) {
    [mode, scale] = [name, scales[name]];
    cancelAnimationFrame(flight);
    $("steps").setAttribute("aria-pressed", String(name === "steps"));
    $("time").setAttribute("aria-pressed", String(name === "time"));
    const all = fitted();
    setView(all.from, all.to);
    if (chosen) reveal(chosen.id);
  }

  // Steps, where the shortest invocation would be too thin to see.
  function bestMode() {
    let shortest = Infinity;
    for (let i = 0; i < invocations.count; i++) shortest = Math.min(shortest, invocations.end[i] - invocations.start[i]);
    return invocations.count && (shortest / scales.time.total) * (size.right - size.left) >= 4 ? "time" : "steps";
  }

  function reveal(id) {
    const row = rows[rowOf[id]];
    const [from, to] = [scale.from[id], scale.to[id]];
    const span = view.to - view.from;
    if (from < view.from || to > view.to) moveView((from + to - span) / 2, (from + to + span) / 2);
    const { scrollTop } = scroller;
    if (row.laneTop < scrollTop + AXIS) scroller.scrollTop = row.laneTop - AXIS - 8;
    else if (row.bottom > scrollTop + size.height) scroller.scrollTop = row.bottom - size.height + 8;
  }

  // What the view shows, in words.
  function report() {
    const part = [Math.max(0, view.from), Math.min(view.to, scale.total)];
    const [first, last] = [Math.floor(part[0]) + 1, Math.max(1, Math.ceil(part[1] - 1e-6))];
    const steps = () => `Steps ${number(first)} to ${number(last)} of ${number(scale.total)}`;
    const range = mode === "steps" ? steps() : `${duration(part[0])} to ${duration(part[1])} of ${duration(scale.total)}`;
    const meaning = mode === "steps"
      ? "Steps have the order of events; their width says nothing of time."
      : "True to time; what is shorter than two pixels is drawn two wide.";
    const shared = gathered ? " Bars too thin to draw share columns, in which what is not handled keeps two pixels." : "";
    const lines = linesHidden ? ` Lines are drawn where there are fewer than ${number(MOST_LINES)}: zoom in, or choose an item.` : "";
    write("range", ITEMS ? range : "");
    write("note", ITEMS ? meaning + shared + lines : "");
  }

  function write(id, text) {
    if ($(id).textContent !== text) $(id).textContent = text;
  }

  // ---- Input

  function choose(at, reveals) {
    chosen = at;
    if (at && reveals) reveal(at.id);
    showDetails(false);
    redraw();
  }

  function stepFailure(forward) {
    const at = chosen ? rank[chosen.id] : -1;
    const found = forward ? failures.find((id) => rank[id] > at) : failures.findLast((id) => rank[id] < at);
    const id = found ?? (forward ? failures[0] : failures.at(-1));
    if (id === undefined) return;
    hovered = null;
    choose({ id, place: -1 }, true);
    write("failures", `Failure ${number(failures.indexOf(id) + 1)} of ${number(failures.length)}`);
  }

  function alongRow(by) {
    if (!chosen) return choose({ id: order[0], place: -1 }, true);
    const { items } = rows[rowOf[chosen.id]];
    const index = Math.max(0, Math.min(items.length - 1, items.indexOf(chosen.id) + by));
    choose({ id: items[index], place: -1 }, true);
  }

  function toRow(by) {
    if (!chosen) return alongRow(0);
    const centre = (id) => scale.from[id] + scale.to[id];
    const wanted = centre(chosen.id);
    for (let index = rowOf[chosen.id] + by; rows[index]; index += by) {
      const { items } = rows[index];
      if (!items.length) continue;
      const after = search(items, (id) => centre(id) >= wanted);
      const near = [items[after - 1], items[after]].filter((id) => id !== undefined);
      near.sort((a, b) => Math.abs(centre(a) - wanted) - Math.abs(centre(b) - wanted));
      return choose({ id: near[0], place: -1 }, true);
    }
  }

  function alongRecords(by) {
    if (!chosen) return alongRow(0);
    if (!isInvocation(chosen.id)) return;
    const place = Math.max(0, Math.min(invocations.size(chosen.id) - 1, (chosen.place ?? -1) + by));
    choose({ id: chosen.id, place }, true);
  }

  function pin(on) {
    pinned = on && chosen !== null;
    showDetails(false);
    redraw();
  }

  const KEYS = {
    ArrowLeft: (event) => (event.shiftKey ? alongRecords(-1) : alongRow(-1)),
    ArrowRight: (event) => (event.shiftKey ? alongRecords(1) : alongRow(1)),
    ArrowUp: () => toRow(-1),
    ArrowDown: () => toRow(1),
    Home: () => alongRow(-ITEMS),
    End: () => alongRow(ITEMS),
    Enter: () => pin(true),
    Escape: () => (pinned ? pin(false) : choose(null)),
    n: () => stepFailure(true),
    p: () => stepFailure(false),
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    0: fit,
    t: () => setMode(mode === "steps" ? "time" : "steps"),
  };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key) || !ITEMS) return;
    event.preventDefault();
    hovered = null;
    KEYS[event.key](event);
  });

  // One pointer drags or taps, two pinch.
  const pointers = new Map();
  let moved = 0;

  function pointOf(event) {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, pointOf(event));
    canvas.setPointerCapture(event.pointerId);
    moved = pointers.size > 1 ? Infinity : 0;
    cancelAnimationFrame(flight);
  });

  canvas.addEventListener("pointermove", (event) => {
    const [point, before] = [pointOf(event), pointers.get(event.pointerId)];
    if (!before) return event.pointerType === "mouse" && hover(point);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (at) => Math.max(20, Math.abs(at.x - other.x));
      zoom(apart(before) / apart(point), other.x, false);
    } else {
      moved += Math.abs(point.x - before.x);
      if (moved > 4) {
        const by = (before.x - point.x) / perUnit();
        setView(view.from + by, view.to + by);
      }
    }
    pointers.set(event.pointerId, point);
  });

  function hover(point) {
    const found = find(point.x, point.y);
    if (found?.id === hovered?.id && found?.place === hovered?.place) return;
    hovered = found;
    showDetails(true);
    redraw();
  }

  canvas.addEventListener("pointerup", (event) => {
    if (pointers.delete(event.pointerId) && moved <= 4) {
      const found = find(pointOf(event).x, pointOf(event).y);
      hovered = null;
      pinned = found !== null;
      choose(found, false);
    }
  });
  canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => {
    hovered = null;
    showDetails(true);
    redraw();
  });

  // A wheel alone scrolls the page; a trackpad's pinch comes as a wheel with Ctrl.
  canvas.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 150), pointOf(event).x, false);
    else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      const by = sideways / perUnit();
      setView(view.from + by, view.to + by);
    } else return;
    event.preventDefault();
  }, { passive: false });

  scroller.addEventListener("scroll", redraw);

  // ---- The rest of the page

  function fillHeader() {
    write("title", data.title || "Timeline");
    write("subtitle", data.subtitle);
    $("facts").append(...data.facts.map(([label, value]) => element("div", "", element("dt", "", label), element("dd", "", value))));
    write("failures", failures.length ? plural(failures.length, "failure") : "No failures");
    $("previous").disabled = $("next").disabled = !failures.length;
    canvas.setAttribute("aria-label", `Timeline of ${plural(invocations.count, "invocation")} on ${plural(lanes.length, "shard")}, ` +
      `with ${plural(messages.length, "on-failure message")} and ${plural(recoveries.length, "recovery", "recoveries")}`);
  }

  function fillLegend() {
    const ends = new Uint32Array(KINDS.length);
    for (const fate of records.fate) ends[fate]++;
    const again = AGAIN.map((kind) => [kind, shares.reduce((sum, count, at) => sum + (at % KINDS.length === kind ? count : 0), 0)]);
    const chip = ([kind, count]) => {
      const made = element("li", "", swatch(kind), element("span", "", WORDS[KINDS[kind]][1]), element("b", "", number(count)));
      made.dataset.kind = KINDS[kind];
      made.title = WORDS[KINDS[kind]][2];
      return made;
    };
    const group = (name, chips) => chips.length && $("legend").append(element("h2", "", name), element("ul", "", ...chips));
    group("Records, by their end", [...ends].map((count, kind) => [kind, count]).filter(([, count]) => count).map(chip));
    group("Delivered again", again.filter(([, count]) => count).map(chip));
    group("Lines and marks", marks());
  }

  function marks() {
    const line = (kind, dashed, name, count) => {
      const stroke = element("span", "line" + (dashed ? " dashed" : ""));
      stroke.style.setProperty("--kind", `var(--${kind})`);
      return count ? element("li", "", stroke, element("span", "", name), element("b", "", number(count))) : null;
    };
    const mark = (glyph, kind, name, count) => {
      const made = swatch(KIND[kind]);
      made.textContent = glyph;
      return count ? element("li", "", made, element("span", "", name), element("b", "", number(count))) : null;
    };
    const followers = linked.filter(isInvocation);
    const pieces = followers.filter(isPiece).length;
    return [
      line("failed", true, "Retry", followers.length - pieces),
      line("muted", false, "Piece of a split batch", pieces),
      mark("✉", "dead-lettered", "On-failure message", messages.length),
      mark("↺", "recovered", "Recovery", recoveries.length),
    ].filter(Boolean);
  }

  const TABLE_ROWS = 500;

  // Made when it is opened: most readers never do.
  function fillTable() {
    if ($("table").querySelector("table")) return;
    const heads = ["#", "Started", "Took", "Shard", "Slot", "Records", "Attempt", "Outcome", "Follows", "Response"];
    const numeric = new Set([0, 1, 2, 4, 6, 8]);
    const cells = (tag, values) => values.map((value, index) => element(tag, numeric.has(index) ? "number" : "", value));
    const count = Math.min(TABLE_ROWS, invocations.count);
    const body = Array.from({ length: count }, (_, i) => element("tr", "", ...cells("td", [
      String(i + 1), duration(invocations.start[i]), duration(invocations.end[i] - invocations.start[i]), lanes[invocations.lane[i]].name,
      String(invocations.slot[i]), runsText(runsOf(i)), String(invocations.attempt[i]), outcomeText(i),
      invocations.follows[i] < 0 ? "" : String(invocations.follows[i] + 1), invocations.response(i),
    ])));
    const caption = element("caption", "", `The first ${number(count)} of ${plural(invocations.count, "invocation")}; times since the start`);
    const head = element("thead", "", element("tr", "", ...cells("th", heads)));
    $("table").querySelector(".wide").append(element("table", "", caption, head, element("tbody", "", ...body)));
  }

  function restyle() {
    readColours();
    redraw();
  }

  function resize() {
    const before = fitted().to;
    const whole = view.to - view.from >= before * 0.999;
    layOut();
    restyle();
    whole ? setView(0, fitted().to) : setView(view.from, view.to);
  }

  function start() {
    fillHeader();
    fillLegend();
    showDetails(false);
    layOut();
    readColours();
    setMode(bestMode());
    const press = {
      steps: () => setMode("steps"), time: () => setMode("time"), in: () => zoom(0.5), out: () => zoom(2), fit,
      previous: () => stepFailure(false), next: () => stepFailure(true),
    };
    for (const [id, act] of Object.entries(press)) $(id).addEventListener("click", act);
    $("table").addEventListener("toggle", fillTable);
    new ResizeObserver(() => scroller.clientWidth !== size.width && resize()).observe(scroller);
    // Colours are read from the style sheet, so that the canvas follows the scheme and the printer.
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => {
        readColours();
        paint();
      });
    }
    requestAnimationFrame(() => requestAnimationFrame(() => (document.documentElement.dataset.ready = "true")));
  }

  start();
})();

// What a reader finds: details by pointer and by keyboard, counts, the table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NARROW, details, heading, picture, press, range, tableRows, timelineOf, visit } from "./page.mjs";

// A point inside of the first bar: right of the labels, below the axis and the room for lines.
async function firstBar(page) {
  const box = await page.locator("#chart").boundingBox();
  for (let y = 60; y < box.height; y += 8) {
    for (let x = 200; x < 300; x += 8) {
      await page.mouse.move(box.x + x, box.y + y);
      if ((await heading(page)) === "Invocation 1") return { x: box.x + x, y: box.y + y };
    }
  }
  return assert.fail("no point of the chart shows invocation 1");
}

test("the pointer shows an invocation and the record under it", () =>
  visit("walkthrough", {}, async (page) => {
    await firstBar(page);
    const text = await details(page);
    assert.match(text, /1–10 \(10 records\)/);
    assert.match(text, /Record \d+/);
    assert.match(text, /Cut\s+into 5 and 5/);
    assert.equal(await page.locator("#details").getAttribute("aria-live"), "off", "a passing pointer is not spoken");
    await page.mouse.move(5, 5);
    assert.equal(await heading(page), "Details");
  }));

test("a click pins what the pointer then passes by", () =>
  visit("walkthrough", {}, async (page) => {
    const point = await firstBar(page);
    await page.mouse.click(point.x, point.y);
    await page.mouse.move(point.x + 160, point.y);
    assert.match(await heading(page), /^Invocation 1\s+pinned$/);
  }));

for (const name of ["walkthrough", "slots"]) {
  test(`the keyboard reaches every invocation, message and recovery of ${name}`, () =>
    visit(name, {}, async (page) => {
      const { invocations, messages, recoveries } = timelineOf(name);
      await page.locator("#chart").focus();
      await press(page, "ArrowRight");
      for (let row = 0; row < 40; row++) await press(page, "ArrowUp");
      const found = new Set();
      for (let last = ""; ; ) {
        await press(page, "Home");
        const first = await heading(page);
        if (first === last) break;
        last = first;
        for (let before = ""; before !== (await heading(page)); await press(page, "ArrowRight")) {
          before = await heading(page);
          found.add(before);
        }
        await press(page, "Home", "ArrowDown");
      }
      assert.equal(found.size, invocations.length + messages.length + recoveries.length);
    }));
}

test("Shift and the arrows go through the records of an invocation", () =>
  visit("walkthrough", {}, async (page) => {
    await page.locator("#chart").focus();
    await press(page, "ArrowRight");
    const seen = [];
    for (let place = 0; place < 10; place++) {
      await press(page, "Shift+ArrowRight");
      seen.push(await page.locator("#details h2").nth(1).innerText());
    }
    assert.deepEqual(seen, Array.from({ length: 10 }, (_, place) => `Record ${place + 1}`));
    assert.match(await details(page), /Sequence\s+4965\d+/);
    assert.equal(await page.locator("#details").getAttribute("aria-live"), "polite");
  }));

test("Enter pins, Escape unpins, and a second Escape lets go", () =>
  visit("walkthrough", {}, async (page) => {
    await page.locator("#chart").focus();
    await press(page, "End", "Enter");
    assert.match(await heading(page), /pinned$/);
    await press(page, "Escape");
    assert.match(await heading(page), /^Invocation \d+$/);
    await press(page, "Escape");
    assert.equal(await heading(page), "Details");
  }));

test("Tab enters the chart with a visible ring, and leaves it", () =>
  visit("walkthrough", {}, async (page) => {
    await page.locator("#next").focus();
    await press(page, "Tab");
    const chart = page.locator("#chart");
    assert.ok(await chart.evaluate((canvas) => canvas === document.activeElement));
    assert.equal(await chart.evaluate((canvas) => getComputedStyle(canvas).outlineStyle), "solid");
    assert.match(await chart.getAttribute("aria-label"), /13 invocations on 2 shards, with 2 on-failure messages and 2 recoveries/);
    await press(page, "Tab");
    assert.ok(await chart.evaluate((canvas) => canvas !== document.activeElement));
  }));

test("n and p go from failure to failure, and around", () =>
  visit("walkthrough", {}, async (page) => {
    const count = timelineOf("walkthrough").invocations.filter(({ outcome }) => outcome !== "handled").length;
    await page.locator("#chart").focus();
    for (let failure = 1; failure <= count; failure++) {
      await press(page, "n");
      assert.equal(await page.locator("#failures").innerText(), `Failure ${failure} of ${count}`);
      assert.match(await details(page), /Outcome\s+\S\s*(Failed|Partial)/);
    }
    await press(page, "n");
    assert.equal(await page.locator("#failures").innerText(), `Failure 1 of ${count}`);
    await press(page, "p");
    assert.equal(await page.locator("#failures").innerText(), `Failure ${count} of ${count}`);
  }));

test("a message leads to its invocation, and to its recovery", () =>
  visit("walkthrough", {}, async (page) => {
    await page.locator("#chart").focus();
    await press(page, "ArrowRight", "ArrowDown");
    assert.match(await details(page), /On-failure message 1[^]*RetryAttemptsExhausted[^]*5 \(1 record\)/);
    await page.getByRole("button", { name: "Recovery 1" }).click();
    assert.match(await details(page), /Recovery 1[^]*Complete/);
  }));

for (const name of ["walkthrough", "fates", "large"]) {
  test(`the legend of ${name} counts what the data holds`, () =>
    visit(name, {}, async (page) => {
      const expected = {};
      for (const { fate } of timelineOf(name).records) expected[fate] = (expected[fate] || 0) + 1;
      const shown = await page.locator("#legend ul").first().locator("li").evaluateAll((chips) =>
        Object.fromEntries(chips.map((chip) => [chip.dataset.kind, Number(chip.querySelector("b").textContent.replaceAll(",", ""))])));
      assert.deepEqual(shown, expected);
      const glyphs = await page.locator("#legend li[data-kind] .swatch").allInnerTexts();
      assert.equal(new Set(glyphs).size, glyphs.length, "each kind has a glyph of its own");
    }));
}

test("the table says the same, and ends after 500 rows", async () => {
  await visit("walkthrough", {}, async (page) => {
    const rows = await tableRows(page);
    assert.equal(await rows.count(), timelineOf("walkthrough").invocations.length);
    assert.match(await rows.first().innerText(), /1\s+0 ms\s+30 ms\s+shardId-000000000000\s+0\s+1–10\s+1\s+Failed/);
  });
  await visit("large", { viewport: NARROW }, async (page) => {
    assert.equal(await (await tableRows(page)).count(), 500);
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), "the table scrolls by itself");
  });
});

test("steps are the default where the shortest invocation is too thin for time", async () => {
  const pressed = (page) => page.locator("[aria-pressed=true]").innerText();
  await visit("waits", {}, async (page) => {
    assert.equal(await pressed(page), "Time");
    assert.match(await range(page), /^0 ms to 11\.9\d+ s of 11\.9\d+ s$/);
  });
  await visit("walkthrough", {}, async (page) => {
    assert.equal(await pressed(page), "Steps");
    assert.equal(await range(page), "Steps 1 to 15 of 15");
    const steps = await picture(page);
    await page.locator("#time").click();
    assert.match(await range(page), /^0 ms to 1 min 6\.1 s/);
    assert.notEqual(await picture(page), steps);
  });
});

test("every invocation is read back as it was written", () =>
  visit("slots", {}, async (page) => {
    const { invocations, lanes } = timelineOf("slots");
    const shown = await (await tableRows(page)).evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
    const outcome = ({ outcome, records }) => {
      if (typeof outcome === "string") return outcome[0].toUpperCase() + outcome.slice(1);
      return `Partial: ${outcome.partial.handled} of ${records[0].last - records[0].first + 1} handled`;
    };
    const milliseconds = (value) => (value < 1000 ? `${value} ms` : `${value / 1000} s`);
    const written = invocations.map((invocation, index) => [
      `${index + 1}`, milliseconds(invocation.start_ms), milliseconds(invocation.end_ms - invocation.start_ms),
      lanes[invocation.lane].name, `${invocation.slot}`,
      invocation.records.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(", "),
      `${invocation.attempt}`, outcome(invocation), invocation.follows === null ? "" : `${invocation.follows + 1}`, invocation.response,
    ]);
    assert.deepEqual(shown, written);
  }));

test("a record far inside is read back with its sequence number and its fate", () =>
  visit("large", {}, async (page) => {
    const { records, messages } = timelineOf("large");
    await page.locator("#chart").focus();
    await press(page, "ArrowRight", "ArrowDown", "End", "ArrowUp", "Shift+ArrowRight");
    const text = await details(page);
    const record = records[Number(text.match(/Record (\d+)/)[1]) - 1];
    assert.ok(messages.length > 100 && text.includes(record.label), text);
    assert.match(text, new RegExp(`In the end\\s+\\S\\s*${record.fate}`, "i"));
  }));

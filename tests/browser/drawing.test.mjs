// How the page holds up: widths, colours, many records, zoom, hostile text, print.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NARROW, WIDE, details, frame, keep, picture, press, range, tableRows, visit } from "./page.mjs";

const NAMES = ["walkthrough", "fates", "waits", "one", "empty", "lanes", "slots", "large", "singles", "hostile"];

for (const name of NAMES) {
  for (const [viewport, scheme] of [[WIDE, "light"], [WIDE, "dark"], [NARROW, "light"], [NARROW, "dark"]]) {
    test(`${name} fits ${viewport.width} pixels in ${scheme}`, () =>
      visit(name, { viewport, scheme }, async (page) => {
        await keep(page, `${name}-${viewport.width}-${scheme}`);
        assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth));
        const chart = await page.locator("#chart").boundingBox();
        assert.ok(chart.width > viewport.width * 0.6 && chart.height >= 100 && chart.height <= viewport.height, JSON.stringify(chart));
      }));
  }
}

test("what is touched is 40 pixels high and wide", () =>
  visit("walkthrough", { viewport: NARROW, touch: true }, async (page) => {
    const chart = await page.locator("#chart").boundingBox();
    await page.touchscreen.tap(chart.x + 20, chart.y + 120);
    assert.match(await details(page), /Invocation 1\s+pinned[^]*Led to/);
    const targets = await page.locator("button, summary").evaluateAll((all) =>
      all.map((target) => [target.textContent, target.getBoundingClientRect().width, target.getBoundingClientRect().height]));
    assert.ok(targets.length > 8);
    assert.deepEqual(targets.filter(([, width, height]) => width < 40 || height < 40), []);
  }));

for (const scheme of ["light", "dark"]) {
  test(`text has a contrast of 4.5 and marks of 3 in ${scheme}`, () =>
    visit("fates", { scheme }, async (page) => {
      const contrasts = await page.evaluate(measureContrasts);
      assert.ok(contrasts.length > 25);
      assert.deepEqual(contrasts.filter(({ contrast, least }) => contrast < least), []);
      assert.equal(contrasts[0].background === "rgb(255, 255, 255)", scheme === "light");
    }));

  test(`the canvas is painted in the colours of ${scheme}`, () =>
    visit("walkthrough", { scheme }, async (page) => {
      const painted = await page.evaluate(() => {
        const canvas = document.getElementById("chart");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const found = new Set();
        for (let at = 0; at < data.length; at += 4) found.add(`rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`);
        const probe = document.body.appendChild(document.createElement("i"));
        return ["page", "handled", "failed", "partial", "recovered", "lost", "quarantined", "dead-lettered"].filter((name) => {
          probe.style.color = `var(--${name})`;
          return !found.has(getComputedStyle(probe).color);
        });
      });
      assert.deepEqual(painted, [], "colours that are missing");
    }));
}

// Runs in the page: text against what lies behind it, and the kinds of cells against the page and their glyphs.
function measureContrasts() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => (Math.max(light(one), light(other)) + 0.05) / (Math.min(light(one), light(other)) + 0.05);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/^rgba.*, 0\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const measured = [];
  for (const element of document.querySelectorAll("h1, p, dt, dd, button:not(:disabled), output, span, b, h2, summary, kbd")) {
    if (!element.textContent.trim() || !element.checkVisibility()) continue;
    const background = behind(element);
    measured.push({ what: element.textContent.slice(0, 30), background, contrast: contrast(getComputedStyle(element).color, background), least: 4.5 });
  }
  const page = getComputedStyle(document.body).backgroundColor;
  for (const swatch of document.querySelectorAll(".swatch:not(.hollow)")) {
    measured.push({ what: swatch.textContent, contrast: contrast(getComputedStyle(swatch).backgroundColor, page), least: 3 });
  }
  return measured;
}

for (const name of ["large", "singles"]) {
  test(`50,000 records of ${name} are there within 3 seconds, and each frame is drawn in 100 ms`, (context) =>
    visit(name, {}, async (page, ready) => {
      const paints = [];
      const painted = async () => {
        await frame(page);
        paints.push(await page.evaluate(() => performance.getEntriesByName("paint")[0].duration));
      };
      await painted();
      await page.locator("#chart").focus();
      for (let zoom = 0; zoom < 8; zoom++) {
        const [before, shown] = [await picture(page), await range(page)];
        await press(page, "+");
        await painted();
        assert.notEqual(await range(page), shown);
        assert.notEqual(await picture(page), before, `zoom ${zoom} drew nothing new`);
      }
      context.diagnostic(`ready after ${ready.toFixed()} ms; frames took ${paints.map((paint) => paint.toFixed()).join(", ")} ms`);
      assert.ok(ready < 3000, `ready after ${ready} ms`);
      // The first frame also compiles the script, on whatever machine this is; the others are held to the promise.
      assert.ok(paints.sort((a, b) => a - b)[Math.floor(paints.length / 2)] < 100, `frames took ${paints} ms`);
    }));
}

test("wheel, drag, buttons and keys move the view, and 0 shows everything again", () =>
  visit("large", {}, async (page) => {
    const all = await range(page);
    const box = await page.locator("#chart").boundingBox();
    const changes = async (what, act) => {
      const before = await range(page);
      await act();
      assert.notEqual(await range(page), before, what);
    };
    await page.mouse.move(box.x + 600, box.y + 200);
    await changes("the wheel zooms with Ctrl", async () => {
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -200);
      await page.keyboard.up("Control");
    });
    await changes("a drag pans", async () => {
      await page.mouse.down();
      await page.mouse.move(box.x + 450, box.y + 200, { steps: 4 });
      await page.mouse.up();
    });
    await changes("a wheel sideways pans", () => page.mouse.wheel(120, 0));
    await changes("the button zooms out", () => page.locator("#out").click());
    await page.locator("#chart").focus();
    await changes("plus zooms in", () => press(page, "+"));
    await press(page, "0");
    assert.equal(await range(page), all);
  }));

test("two fingers zoom, one pans", () =>
  visit("large", { viewport: NARROW, touch: true }, async (page) => {
    const all = await range(page);
    const { x, y } = await page.locator("#chart").boundingBox();
    const client = await page.context().newCDPSession(page);
    const touch = (type, ...across) =>
      client.send("Input.dispatchTouchEvent", { type, touchPoints: across.map((at, id) => ({ x: x + at, y: y + 100, id })) });
    await touch("touchStart", 120, 180);
    for (const apart of [10, 30, 60]) await touch("touchMove", 120 - apart, 180 + apart);
    await touch("touchEnd");
    const zoomed = await range(page);
    assert.notEqual(zoomed, all);
    await touch("touchStart", 250);
    for (const at of [220, 190, 150]) await touch("touchMove", at);
    await touch("touchEnd");
    assert.notEqual(await range(page), zoomed);
    assert.doesNotMatch(await details(page), /pinned/, "neither of them chooses an item");
  }));

test("a hundred lanes scroll, and the keyboard brings a lane into view", () =>
  visit("lanes", {}, async (page) => {
    await page.locator("#chart").focus();
    await press(page, "ArrowRight");
    for (let row = 0; row < 60; row++) await press(page, "ArrowDown");
    assert.ok(await page.locator("#scroller").evaluate((scroller) => scroller.scrollTop > 500));
    assert.match(await details(page), /shardId-0000000000[2-9]\d/);
  }));

test("text from outside is shown, and never run", () =>
  visit("hostile", {}, async (page) => {
    await page.locator("#chart").focus();
    await press(page, "ArrowRight", "Shift+ArrowRight", "Enter");
    assert.match(await details(page), /<\/script><script>/);
    await press(page, "ArrowDown", "ArrowDown");
    assert.match(await (await tableRows(page)).first().innerText(), /<\/script><script>/);
    assert.match(await page.locator("h1").innerText(), /^<\/script>/);
    assert.notEqual(await page.title(), "owned");
    assert.equal(await page.locator("img, main script").count(), 0);
  }));

test("motion stops at once where it is not wanted, and runs its course where it is", async () => {
  // On a clock of the test, since a busy machine shows any number of frames in the time that the motion takes.
  const views = async (page) => {
    const words = () => page.locator("#range").innerText();
    await page.clock.install({ time: 0 });
    await page.clock.pauseAt(1_000);
    await page.locator("#chart").focus();
    const seen = [await words()];
    await press(page, "+");
    for (let step = 0; step < 20; step++) {
      await page.clock.runFor(32);
      seen.push(await words());
    }
    return new Set(seen).size;
  };
  await visit("large", { motion: "reduce" }, async (page) => assert.equal(await views(page), 2));
  await visit("large", { motion: "no-preference" }, async (page) => assert.ok((await views(page)) > 3));
});

// A point of the canvas where nothing is drawn: red, green, blue, alpha.
const corner = (page) =>
  page.evaluate(() => [...document.getElementById("chart").getContext("2d").getImageData(4, 4, 1, 1).data]);

test("the canvas follows a scheme that changes while it is shown", () =>
  visit("walkthrough", { scheme: "dark" }, async (page) => {
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    await page.emulateMedia({ colorScheme: "light" });
    await frame(page);
    assert.deepEqual(await corner(page), [255, 255, 255, 255]);
  }));

test("a dark page is printed on white, without its buttons", () =>
  visit("walkthrough", { scheme: "dark" }, async (page) => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await frame(page);
    await keep(page, "print");
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    assert.equal(await page.locator("#fit").isVisible(), false);
    assert.deepEqual(await corner(page), [255, 255, 255, 255], "the canvas is printed in light colours");
  }));

test("nothing to show is said, not drawn", () =>
  visit("empty", {}, async (page) => {
    assert.match(await details(page), /Nothing was invoked/);
    assert.equal(await page.locator("#failures").innerText(), "No failures");
    await page.locator("#chart").focus();
    await press(page, "ArrowRight", "n", "Enter", "+", "0", "t");
  }));

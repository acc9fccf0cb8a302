// Opens a page of `examples/pages` in Chromium, and keeps account of what must not happen there.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const { PAGES, SCREENSHOTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
const ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

let browser;
before(async () => (browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })));
after(() => browser?.close());

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

/** The data of a page, as `Timeline::json` wrote it. */
export const timelineOf = (name) => JSON.parse(readFileSync(path.join(PAGES, `${name}.json`), "utf8"));

/** Opens a page, hands it to `look`, and fails if it logged an error or asked the network for anything. */
export async function visit(name, { viewport = WIDE, scheme = "light", motion = "reduce", touch = false } = {}, look) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: motion, hasTouch: touch });
  try {
    const page = await context.newPage();
    const address = pathToFileURL(path.join(PAGES, `${name}.html`)).href;
    const [errors, requests] = [[], []];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
    page.on("request", (request) => request.url() !== address && requests.push(request.url()));
    const began = performance.now();
    await page.goto(address);
    await page.waitForSelector("html[data-ready=true]", { timeout: 20_000 });
    await look(page, performance.now() - began);
    assert.deepEqual(errors, [], `${name} logged errors`);
    assert.deepEqual(requests, [], `${name} asked the network`);
  } finally {
    await context.close();
  }
}

/** Keeps a picture, where SCREENSHOTS names a folder for them. */
export async function keep(page, name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

export const details = (page) => page.locator("#details").innerText();
export const heading = (page) => page.locator("#details h2").first().innerText();

/** The canvas as the reader sees it: a PNG, to be compared with another. */
export async function picture(page) {
  await frame(page);
  return (await page.locator("#chart").screenshot()).toString("base64");
}

/** Presses keys, one after the other. */
export async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

/** Waits until whatever changed is drawn. */
export const frame = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** What part is in view, in the page's words. They are written with the next frame. */
export async function range(page) {
  await frame(page);
  return page.locator("#range").innerText();
}

/** Opens the table and answers with its rows, once they are there. */
export async function tableRows(page) {
  await page.locator("#table summary").click();
  await page.locator("#table table").waitFor();
  return page.locator("#table tbody tr");
}

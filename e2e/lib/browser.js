// Chromium as Debian packages it, without a screen, and pages that notice what goes wrong in them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { apiKey } from "./program.js";

export const sizes = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

// A person's browser: the product tells machines by what they call themselves.
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36";

const patience = 20_000; // ms

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", `--user-agent=${userAgent}`, // of frames in processes of their own, too
    ],
  });
}

/**
 * A page of its own session. What fails in it (errors on its console, exceptions, answers of 500) is in page.troubles;
 * what keeps people out of it, in page.barriers.
 */
export async function open(browser, url, size = "desktop", more = {}) {
  const context = await browser.newContext({ ...sizes[size], baseURL: url, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce", ...more });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.troubles = [];
  page.loading = new Set(); // requests of the application; not those of the mails that it shows
  page.on("request", (request) => {
    if (request.frame() !== page.mainFrame()) return;
    if (request.isNavigationRequest()) page.loading.clear();
    page.loading.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => page.loading.delete(request));
  page.barriers = [];
  page.on("pageerror", (error) => page.troubles.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    // That a request was refused is the test's own business: it asks for errors to see how they are shown.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.troubles.push(`console: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) page.troubles.push(`${response.status()} ${response.url()}`);
  });
  return page;
}

export async function signIn(page, key = apiKey) {
  await page.goto("/sign-in");
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await heading(page, "Home");
}

export async function heading(page, name) {
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

/** Waits until nothing is being loaded or counted any more. */
export async function settled(page) {
  const end = Date.now() + patience;
  for (let quiet = 0; quiet < 4; await page.waitForTimeout(50)) {
    const busy = page.loading.size > 0 || (await page.evaluate(() => [...document.querySelectorAll("[aria-busy=true], .mantine-Skeleton-root, .mantine-Loader-root")].some((e) => e.checkVisibility())));
    quiet = busy ? 0 : quiet + 1;
    if (Date.now() > end) throw new Error(`${page.url()} is still busy, loading ${[...page.loading].map((request) => request.url()).join(", ") || "nothing"}`);
  }
}

/** Replaces the text of a code editor. */
export async function write(page, label, text) {
  const editor = page.getByRole("textbox", { name: label, exact: true });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Notes what keeps people with disabilities from using the page (WCAG 2.2 A and AA, as far as a program can tell). */
export async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => {
    // A code editor's scroller follows the cursor in the text inside it, which has the focus.
    window.axe.configure({ rules: [{ id: "scrollable-region-focusable", selector: "*:not(select, textarea, .cm-scroller)" }] });
    const what = { exclude: ["[aria-busy=true]"] }; // faded while it is counted again
    return window.axe.run(what, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      iframes: false, // the mail in a preview is its author's
      resultTypes: ["violations"],
    });
  });
  for (const v of violations) {
    for (const node of v.nodes.slice(0, 3)) page.barriers.push(`${where}: ${v.help}: ${node.any[0]?.message ?? ""} ${node.html.slice(0, 160)}`);
  }
}

/** The page fits the width of the screen. */
export async function fits(page, where) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) page.barriers.push(`${where}: ${over} pixels wider than the screen`);
}

/** Ends the session of a page in which nothing must have gone wrong. */
export async function finish(page) {
  await page.context().close();
  assert.deepEqual(page.troubles, [], "troubles");
  assert.equal(page.barriers.join("\n"), "", "barriers");
}

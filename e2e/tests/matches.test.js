// Customers who are there twice: searched for, and decided about with single keys.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, finish, fits, heading, launch, open, settled, signIn } from "../lib/browser.js";
import { eventually, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("serve");
  browser = await launch();
  await program.track("batch", { batch: people(200) });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

/** Customers of whom every fifth comes a second time, with a letter of the surname missing and another address. */
function people(n) {
  let seed = 7;
  const below = (limit) => (seed = (seed * 48271) % 2147483647) % limit; // Lehmer's generator (Park and Miller, 1988)
  const word = (syllables) => Array.from({ length: syllables }, () => "bdfgklmnprstvz"[below(14)] + "aeiou"[below(5)]).join("");
  const batch = [];
  const add = (firstName, lastName, birthday) =>
    batch.push({ type: "identify", anonymousId: `browser-${batch.length}`, traits: { firstName, lastName, birthday, address: { street: `${1 + below(90)} ${word(3)} street` } } });
  for (let i = 0; i < n; i++) {
    const [first, last] = [word(2), `${word(3)}son`];
    const birthday = `${1950 + below(50)}-0${1 + below(9)}-1${below(10)}`;
    add(first, last, birthday);
    if (i % 5 === 0) add(first, last.slice(0, 3) + last.slice(4), birthday);
  }
  return batch;
}

const waiting = async (status) => (await program.api("GET", `/matches?limit=200&status=${status}`)).items;

test("probable matches by keyboard alone", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/profiles/matches");
  await heading(page, "Probable matches");
  await page.getByText("No pair waits for a decision").waitFor();
  await page.getByRole("button", { name: "Look for matches now" }).focus();
  await page.keyboard.press("Enter");
  const title = (n) => page.getByRole("heading", { name: new RegExp(`^Pair ${n} of `) });
  await title(1).waitFor();
  const found = await waiting("pending");
  assert.ok(found.length > 30, `${found.length} pairs`);
  const card = (m) => page.getByRole("group", { name: `${m.profiles[0].label} and ${m.profiles[1].label}` });
  await card(found[0]).waitFor();
  await settled(page);
  await accessible(page, "review");
  await fits(page, "review");

  // On, and back; both keys that move.
  await page.keyboard.press("j");
  await title(2).waitFor();
  await card(found[1]).waitFor();
  await page.keyboard.press("ArrowRight");
  await title(3).waitFor();
  await page.keyboard.press("k");
  await page.keyboard.press("ArrowLeft");
  await title(1).waitFor();

  // Two customers, then one customer; each is said, and kept.
  const said = page.getByRole("status"); // to hear, not to see
  await page.keyboard.press("r");
  await said.filter({ hasText: "stay two customers" }).waitFor({ state: "attached" });
  assert.deepEqual((await waiting("rejected")).map((m) => m.id), [found[0].id]);
  await card(found[1]).waitFor();
  assert.ok(await card(found[1]).evaluate((e) => e === document.activeElement), "the next pair has the focus");
  await page.keyboard.press("a");
  await said.filter({ hasText: "are one customer now" }).waitFor({ state: "attached" });
  const merged = async () => (await program.api("GET", `/profiles/${found[1].profiles[0].id}`)).merged.length;
  assert.equal(await merged(), 1);

  // Taken back, the last first.
  await page.keyboard.press("u");
  await said.filter({ hasText: "Undone" }).waitFor({ state: "attached" });
  assert.equal(await merged(), 0);
  await eventually("the pair waits again", async () => (await waiting("pending")).length === found.length - 1);

  // The buttons are in the way of Tab, and a key that is written into a field decides nothing.
  await page.getByRole("group", { name: " and " }).focus();
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^One customer: merge/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter"); // Two customers
  await eventually("it is decided", async () => (await waiting("rejected")).length === 2);
  await finish(page);
});

test("the review fits a phone", async () => {
  const page = await open(browser, program.url, "phone");
  await signIn(page);
  await page.goto("/profiles/matches");
  await page.getByRole("heading", { name: /^Pair 1 of / }).waitFor();
  await settled(page);
  await accessible(page, "review on a phone");
  await fits(page, "review on a phone");
  await finish(page);
});

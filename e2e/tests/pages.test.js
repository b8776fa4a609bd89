// Every page, on a phone and on a desktop, in light and in dark colours: it shows what it should, fits the screen, keeps
// nobody out, and nothing goes wrong in it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, finish, fits, heading, launch, open, settled, signIn, sizes } from "../lib/browser.js";
import { pages } from "../lib/pages.js";
import { eventually, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("demo", { args: ["--customers", "300", "--days", "120"], until: /The shop is open/ });
  browser = await launch();
  await program.api("POST", "/campaigns/picks-for-you/send");
  await eventually("campaign sent", async () => (await program.api("GET", "/campaigns/picks-for-you")).status === "sent");
});
after(async () => {
  await browser?.close();
  assert.equal(await program?.stop(), 0, program?.log);
});

for (const size of Object.keys(sizes)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`pages on a ${size}, ${colorScheme}`, async (t) => {
      const page = await open(browser, program.url, size, { colorScheme });
      await signIn(page);
      for (const { name, path, title, first } of await pages(program)) {
        await t.test(name, async () => {
          await page.goto(path);
          await heading(page, title);
          await first?.(page);
          await settled(page);
          await accessible(page, name);
          await fits(page, name);
        });
      }
      await finish(page);
    });
  }
}

test("an unknown page says so", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/no/such/page");
  await page.getByText("There is no such page").waitFor();
  await accessible(page, "unknown page");
  await fits(page, "unknown page");
  await finish(page);
});

test("signing out ends the session", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await page.goto("/segments");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await finish(page);
});

test("the API's documentation and the shop are there", async () => {
  const page = await open(browser, program.url);
  await page.goto("/api/docs");
  await page.getByText("/api/v1/segments").first().waitFor();
  await fits(page, "documentation");
  await page.goto("/demo/"); // where the navigation leads
  await page.getByRole("heading").first().waitFor();
  assert.equal(new URL(page.url()).pathname, "/demo/shop");
  await accessible(page, "shop");
  await fits(page, "shop");
  await finish(page);
});

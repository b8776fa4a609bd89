// A segment by query: written, tried, saved, run, and wrong.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, finish, fits, heading, launch, open, settled, signIn, sizes, write } from "../lib/browser.js";
import { eventually, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("serve");
  browser = await launch();
  for (const [userId, country] of [["ada", "GB"], ["bob", "GB"], ["cleo", "FR"]]) {
    await program.track("identify", { userId, traits: { email: `${userId}@example.com`, name: userId, country } });
  }
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const query = (country) => `SELECT id AS profile_id, traits ->> 'country' AS country FROM profiles WHERE traits ->> 'country' = '${country}'`;

for (const size of Object.keys(sizes)) {
  test(`a segment by query on a ${size}`, async () => {
    const page = await open(browser, program.url, size);
    await signIn(page);
    await page.goto("/segments/new");
    await heading(page, "New segment");
    await page.getByLabel("Name", { exact: false }).first().fill(`queried-${size}`);
    await page.getByText("SQL", { exact: true }).click();
    await page.getByText("Write the query first").waitFor();

    // What is wrong is shown at its place, and nothing but reading is taken.
    await write(page, "Query", "SELECT id AS profile_id FORM profiles");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("button", { name: "line 1, column 25" }).waitFor();
    await write(page, "Query", "DELETE FROM profiles");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText(/a query is one SELECT/).waitFor();

    await write(page, "Query", query("GB"));
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText(/^customers, in /).waitFor();
    const rows = page.getByRole("table", { name: "First rows" });
    assert.deepEqual((await rows.getByRole("link").allInnerTexts()).sort(), ["ada", "bob"]);
    await page.getByText("profiles", { exact: true }).first().click();
    await page.getByRole("button", { name: "merged_into" }).waitFor();
    await settled(page);
    await accessible(page, "sql");
    await fits(page, "sql");
    await page.getByRole("button", { name: "Create segment" }).click();

    // It runs by itself, and on demand.
    await heading(page, `queried-${size}`);
    await page.getByText("Ready", { exact: true }).waitFor();
    await page.getByText(/^2 people/).waitFor();
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByRole("tab", { name: "Runs" }).click();
    await page.getByText(/asked for by/).waitFor();
    await page.getByText(/2 listed: 2 new, 0 gone, 0 changed/).waitFor();
    await settled(page);
    await accessible(page, "runs");
    await fits(page, "runs");

    // Another query, another result.
    await page.getByRole("tab", { name: "Query" }).click();
    await write(page, "Query", query("FR"));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/^1 people|^1 person/).waitFor();
    await page.getByRole("tab", { name: "People" }).click();
    await page.getByRole("link", { name: "cleo" }).click();
    await heading(page, "cleo");
    await eventually("the customer's page names the segment", async () => (await page.getByText(`queried-${size}`).count()) > 0);
    await finish(page);
  });
}

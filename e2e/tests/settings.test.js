// What administrators see to: sources of events, secrets that they name, and backups.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFile } from "node:fs/promises";
import { accessible, finish, fits, heading, launch, open, settled, signIn } from "../lib/browser.js";
import { eventually, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("serve", { args: ["--allow-network", "127.0.0.1"] });
  browser = await launch();
  await program.track("identify", { userId: "ada", traits: { email: "ada@example.com" } });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

test("a source", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/sources");
  await heading(page, "Sources");
  await page.getByRole("link", { name: "New source" }).first().click();
  await heading(page, "New source");
  await page.getByRole("textbox", { name: "Name", exact: false }).first().fill("orders");
  await page.getByRole("textbox", { name: "Brokers" }).fill("127.0.0.1:1"); // where nobody answers
  await page.getByRole("textbox", { name: "Topic" }).fill("shop.orders");
  await page.getByRole("textbox", { name: "Expression 2" }).fill("row.customer");
  await page.getByRole("button", { name: "Add a field" }).click();
  await page.getByRole("combobox", { name: "Field 3" }).fill("properties.total");
  await page.getByRole("textbox", { name: "Expression 3" }).fill("number(row.total)");

  // A message is tried before anything is saved; what is wrong is said.
  await page.getByRole("textbox", { name: "Value of a message" }).fill('{"customer": "7", "total": "12.5"}');
  await page.getByRole("button", { name: "Show the event" }).click();
  await page.getByText('"total": 12.5').waitFor();
  await page.getByText('"userId": "7"').or(page.getByText('"user_id": "7"')).waitFor();
  await page.getByRole("textbox", { name: "Expression 3" }).fill("number(row.total");
  await page.getByRole("button", { name: "Show the event" }).click();
  await page.getByRole("alert").filter({ hasText: /\S/ }).first().waitFor();
  await page.getByRole("textbox", { name: "Expression 3" }).fill("number(row.total)");
  await settled(page);
  await accessible(page, "new source");
  await fits(page, "new source");
  await page.getByRole("button", { name: "Create source" }).click();

  // It says that it cannot be read, waits while it is paused, and goes.
  await heading(page, "orders");
  await page.getByText("It cannot be read, and is tried again by itself").waitFor();
  await page.getByText("Nothing in quarantine").waitFor();
  await settled(page);
  await accessible(page, "source");
  await fits(page, "source");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Sources" }).first().click();
  await heading(page, "Sources");
  await page.getByRole("link", { name: "orders" }).waitFor();
  await accessible(page, "sources");
  await fits(page, "sources");
  assert.equal((await program.api("GET", "/sources/orders")).paused, true);
  await finish(page);
});

test("a backup", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/settings/backups");
  await page.getByText("How to restore").waitFor();
  const before = (await program.api("GET", "/backups")).items.length;
  await page.getByRole("button", { name: "Make one now" }).click();
  const all = await eventually("made", async () => {
    const { items } = await program.api("GET", "/backups");
    return items.length > before && items.every((b) => b.status === "done") && items;
  });
  const [downloading] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: `Download ${all[0].name}` }).click()]);
  const bytes = await readFile(await downloading.path());
  assert.equal(bytes.length, all[0].bytes);
  assert.equal(bytes.readUInt32LE(), 0xfd2fb528); // Zstandard's, RFC 8878 section 3.1.1
  await settled(page);
  await accessible(page, "backups");
  await fits(page, "backups");
  await page.getByRole("button", { name: `Delete ${all[0].name}` }).click();
  await page.getByRole("button", { name: "Delete backup" }).click();
  await eventually("deleted", async () => (await program.api("GET", "/backups")).items.length === before);
  await page.goto("/settings/secrets");
  await page.getByText("No secrets").waitFor();
  await accessible(page, "secrets");
  await fits(page, "secrets");
  await finish(page);
});

test("these pages fit a phone", async () => {
  const page = await open(browser, program.url, "phone");
  await signIn(page);
  for (const [path, shown] of [["/sources/orders", "Paused"], ["/sources/new", "What a message becomes"], ["/settings/backups", "How to restore"]]) {
    await page.goto(path);
    await page.getByText(shown, { exact: true }).first().waitFor();
    await settled(page);
    await accessible(page, path);
    await fits(page, path);
  }
  await finish(page);
});

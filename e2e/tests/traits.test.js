// Traits: a starter that makes some, and one that a person sets for a customer by hand.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, finish, fits, heading, launch, open, settled, signIn } from "../lib/browser.js";
import { eventually, Program } from "../lib/program.js";

let program, browser, ada;
before(async () => {
  program = await Program.start("serve");
  browser = await launch();
  await program.track("identify", { userId: "ada", traits: { email: "ada@example.com", name: "Ada", tier: "silver" } });
  await program.track("track", { userId: "ada", event: "Bought", properties: { total: 30, category: "socks" } });
  await program.api("PUT", "/segments/golden", { condition: 'profile.tier == "gold"' });
  await program.api("PUT", "/traits/spent", { expression: 'events("Bought").sum(e, e.properties.total)' });
  ada = await program.profile("email:ada@example.com");
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

test("a starter", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/traits");
  await heading(page, /traits/i);
  await page.getByRole("button", { name: "From a starter" }).click();
  const dialog = page.getByRole("dialog", { name: "From a starter" });
  const made = dialog.getByRole("list", { name: "What will be made" });
  await made.getByText("rfm", { exact: false }).first().waitFor();
  await dialog.getByLabel("What", { exact: true }).selectOption("interests");
  await dialog.getByLabel("Event that counts").fill("Bought");
  await made.getByText("interests", { exact: true }).waitFor();
  await settled(page);
  await accessible(page, "starter");
  await fits(page, "starter");
  await dialog.getByRole("button", { name: "Make them" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "interests", exact: true }).waitFor();
  assert.match((await program.api("GET", "/traits/interests")).expression, /Bought/);
  await finish(page);
});

test("a trait set by hand", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto(`/profiles/${ada.id}`);
  await heading(page, "Ada");
  await page.getByRole("button", { name: "Set by hand: traits", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Trait" }).fill("tier");
  await page.keyboard.press("Tab");
  assert.equal(await dialog.getByRole("textbox", { name: "Value" }).inputValue(), "silver");
  await dialog.getByRole("textbox", { name: "Value" }).fill("gold");
  await dialog.getByRole("textbox", { name: "Why" }).fill("promised by support");
  await accessible(page, "set by hand");
  await fits(page, "set by hand");
  await dialog.getByRole("button", { name: "Set", exact: true }).click();

  // It holds at once, in the segment as well, and says who and why.
  const said = page.getByRole("list", { name: "Traits set by hand", exact: true });
  await said.getByText("promised by support").waitFor();
  await page.getByRole("button", { name: "golden" }).waitFor();
  await settled(page);
  await accessible(page, "a trait set by hand");
  await fits(page, "a trait set by hand");
  await page.getByRole("tab", { name: "Segments over time" }).click();
  await page.getByRole("table", { name: "Decided by hand" }).getByText("promised by support").first().waitFor();

  // What is computed can be nothing, too; what keeps a customer known cannot be set.
  await page.getByRole("button", { name: "Set by hand: computed traits" }).click();
  await dialog.getByRole("combobox", { name: "Trait" }).fill("spent");
  await dialog.getByLabel("It is").selectOption("none");
  await dialog.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByRole("list", { name: "Computed traits set by hand" }).getByText("Spent").waitFor();
  assert.equal((await program.api("GET", `/profiles/${ada.id}`)).computed.spent, undefined);
  await page.getByRole("button", { name: "Set by hand: traits", exact: true }).click();
  await dialog.getByRole("combobox", { name: "Trait" }).fill("email");
  await dialog.getByRole("button", { name: "Set", exact: true }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();

  for (const name of ["Tier", "Spent"]) await page.getByRole("button", { name: `Let events decide ${name}` }).click();
  await eventually("events decide again", async () => {
    const now = await program.api("GET", `/profiles/${ada.id}`);
    return now.traits.tier === "silver" && now.computed.spent === 30 && now.segments.length === 0;
  });
  await said.waitFor({ state: "detached" });
  await finish(page);
});

test("the dialogs fit a phone", async () => {
  const page = await open(browser, program.url, "phone");
  await signIn(page);
  for (const [path, title, button] of [["/traits", /traits/i, "From a starter"], [`/profiles/${ada.id}`, "Ada", "Set by hand: traits"]]) {
    await page.goto(path);
    await heading(page, title);
    await page.getByRole("button", { name: button, exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).waitFor();
    await settled(page);
    await accessible(page, button);
    await fits(page, button);
  }
  await finish(page);
});

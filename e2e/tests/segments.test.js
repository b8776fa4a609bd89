// A condition as a form and as text, each following the other; and why a customer is in a segment.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, finish, fits, heading, launch, open, settled, signIn, sizes, write } from "../lib/browser.js";
import { eventually, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("serve");
  browser = await launch();
  for (const [userId, country, views] of [["ada", "GB", 4], ["bob", "GB", 1], ["cleo", "FR", 5]]) {
    await program.track("identify", { userId, traits: { email: `${userId}@example.com`, name: userId, country } });
    for (let i = 0; i < views; i++) await program.track("track", { userId, messageId: `${userId}-${i}`, event: "Product Viewed", properties: { category: i % 2 ? "outdoor" : "home" } });
  }
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const text = (page) => page.getByRole("textbox", { name: "Condition", exact: true }).innerText();
const says = (page, wanted) => eventually(`text is ${wanted}`, async () => (await text(page)) === wanted, 20);

for (const size of Object.keys(sizes)) {
  test(`the builder and the text on a ${size}`, async () => {
    const page = await open(browser, program.url, size);
    await signIn(page);
    await page.goto("/segments/new");
    await heading(page, "New segment");
    await page.getByLabel("Name", { exact: false }).first().fill(`built-${size}`);
    const builder = page.getByRole("group", { name: "Builder" });

    // From the form to the text.
    await builder.getByRole("button", { name: "Add condition" }).click();
    await page.getByRole("menuitem", { name: "Trait", exact: true }).click();
    await page.getByText("Finish or remove what is not finished").waitFor();
    assert.ok(await page.getByRole("button", { name: "Create segment" }).isDisabled());
    await builder.getByRole("combobox", { name: "Trait", exact: true }).fill("country");
    await page.keyboard.press("Tab");
    await builder.getByRole("textbox", { name: "Value", exact: true }).fill("GB");
    await says(page, 'profile.country == "GB"');
    await page.getByText(/^customers, /).waitFor();

    await builder.getByRole("button", { name: "Add condition" }).click();
    await page.getByRole("menuitem", { name: "What they did" }).click();
    await builder.getByRole("combobox", { name: "Event", exact: true }).fill("Product Viewed");
    await builder.getByRole("combobox", { name: "What of it" }).selectOption("number of times");
    await builder.getByRole("textbox", { name: "Value", exact: true }).last().fill("3");
    await says(page, 'profile.country == "GB" && events("Product Viewed").within("30d").count() >= 3');
    await page.getByText(/^customer, /).waitFor();
    await settled(page);
    await accessible(page, "builder");
    await fits(page, "builder");

    // From the text to the form; what no form shows stays text.
    await write(page, "Condition", 'profile.country == "FR" && profile.a + 1 > 2');
    await eventually("the form follows", async () => (await builder.getByRole("textbox", { name: "Value", exact: true }).first().inputValue()) === "FR");
    assert.equal(await builder.getByRole("textbox", { name: "Written condition" }).inputValue(), "profile.a + 1 > 2");
    await page.getByText('No customer has the trait "a" so far').first().waitFor();
    await write(page, "Condition", 'events("Product Viewed").where(e, e.properties.categry == "home").exists()');
    await page.getByText('none has the property "categry"; did you mean "category"?').first().waitFor();
    await accessible(page, "builder with a doubt");
    await page.getByRole("button", { name: "Write “category”" }).click();
    await says(page, 'events("Product Viewed").where(e, e.properties.category == "home").exists()');
    await page.getByText('did you mean "category"?').first().waitFor({ state: "detached" });
    await write(page, "Condition", 'profile.country == "FR" && profile.a + 1 > 2');
    await page.getByText('No customer has the trait "a" so far').first().waitFor();
    await says(page, 'profile.country == "FR" && profile.a + 1 > 2');
    await write(page, "Condition", 'profile.country == "FR" &&');
    await page.getByText("The builder shows the condition as it was").waitFor();

    // Back, by way of both.
    await page.getByRole("button", { name: "Undo" }).click();
    await says(page, 'profile.country == "GB" && events("Product Viewed").within("30d").count() >= 3');
    await page.getByRole("button", { name: "Redo" }).click();
    await says(page, 'profile.country == "FR" && profile.a + 1 > 2');
    await page.getByRole("button", { name: "Undo" }).click();

    // Errors are at their place.
    await builder.getByRole("combobox", { name: "How long ago at most: unit" }).selectOption("weeks");
    await says(page, 'profile.country == "GB" && events("Product Viewed").within("30w").count() >= 3');
    await builder.getByRole("textbox", { name: "How long ago at most" }).fill("99999999");
    await builder.getByText(/longer than a century|not a duration/).waitFor();
    await page.getByText("Correct what is marked").waitFor();
    await accessible(page, "builder with an error");
    await builder.getByRole("textbox", { name: "How long ago at most" }).fill("4");
    await says(page, 'profile.country == "GB" && events("Product Viewed").within("4w").count() >= 3');

    await page.getByRole("button", { name: "Create segment" }).click();
    await heading(page, `built-${size}`);
    await eventually("segment filled", async () => (await program.api("GET", `/segments/built-${size}`)).count === 1);
    for (const tab of ["People", "Overlap", "History"]) {
      await page.getByRole("tab", { name: tab }).click();
      await settled(page);
      await accessible(page, tab);
      await fits(page, tab);
    }
    await finish(page);
  });
}

test("the builder by keyboard alone", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/segments/new");
  await heading(page, "New segment");
  await write(page, "Condition", "profile.a && (profile.b || profile.c)");
  const traits = page.getByRole("group", { name: "Builder" }).getByRole("combobox", { name: "Trait", exact: true });
  await eventually("three traits", async () => (await traits.count()) === 3);
  await traits.first().focus();
  await page.keyboard.press("Alt+ArrowDown"); // into the group, and the focus with it
  await says(page, "profile.a || profile.b || profile.c");
  await page.keyboard.press("Alt+ArrowDown");
  await says(page, "profile.b || profile.a || profile.c");
  assert.equal(await page.evaluate(() => document.activeElement.closest("[data-part]")?.querySelector("input")?.value), "a");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await says(page, "profile.a && (profile.b || profile.c)");
  await finish(page);
});

test("a computed trait with the values that it gives", async () => {
  const page = await open(browser, program.url);
  await signIn(page);
  await page.goto("/traits/new");
  await page.getByLabel("Name", { exact: false }).first().fill("views");
  const builder = page.getByRole("group", { name: "Builder" });
  await builder.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("menuitem", { name: "What they did" }).click();
  await builder.getByRole("combobox", { name: "Event", exact: true }).fill("Product Viewed");
  const values = page.getByRole("list", { name: "Values of some customers" });
  await page.getByText(/^customers have a value, 100% of /).waitFor();
  await eventually("values shown", async () => /cleo5/.test((await values.innerText().catch(() => "")).replace(/\s/g, "")));
  await settled(page);
  await accessible(page, "trait");
  await builder.getByRole("combobox", { name: "Event", exact: true }).fill("Product Bought");
  await page.getByText('No event "Product Bought" has come so far').first().waitFor();
  await builder.getByRole("combobox", { name: "What of it" }).selectOption("last");
  await page.getByText(/^customers have a value, 0% of /).waitFor();
  await builder.getByRole("combobox", { name: "Event", exact: true }).fill("Product Viewed");
  await page.getByText(/^customers have a value, 100% of /).waitFor();
  await builder.getByRole("combobox", { name: "What of it" }).selectOption("number of times");
  await values.getByText("5", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Create trait" }).click();
  await heading(page, "views");
  assert.equal((await program.api("GET", "/traits/views")).expression, 'events("Product Viewed").count()');
  await finish(page);
});

for (const size of Object.keys(sizes)) {
  test(`why in a segment and why not, on a ${size}`, async () => {
    await program.api("PUT", "/segments/british-viewers", { condition: 'profile.country == "GB" && events("Product Viewed").within("30d").count() >= 3' });
    await eventually("filled", async () => (await program.api("GET", "/segments/british-viewers")).status === "ready");
    const visitor = `dan-${size}`;
    await program.track("track", { anonymousId: `cookie-${size}`, messageId: `visit-${size}`, event: "Product Viewed" });
    await program.track("identify", { userId: visitor, traits: { email: `${visitor}@example.com`, name: `Dan of the ${size}`, country: "GB" } });
    await program.track("track", { userId: visitor, anonymousId: `cookie-${size}`, messageId: `join-${size}`, event: "Product Viewed" });
    const dan = await program.profile(`user_id:${visitor}`);
    const page = await open(browser, program.url, size);
    await signIn(page);
    await page.goto(`/profiles/${dan.id}`);
    await heading(page, `Dan of the ${size}`);

    // Why not, clause by clause, with the events behind it.
    await page.getByRole("combobox", { name: "Why not in…" }).fill("british-v");
    await page.getByRole("option", { name: "british-viewers" }).click();
    await page.getByText("Is not in it").waitFor();
    await page.getByText("wanted ≥ 3").waitFor();
    await page.getByText("2 events", { exact: true }).click();
    await settled(page);
    await accessible(page, "why not");
    await fits(page, "why not");
    await page.getByRole("link", { name: "Product Viewed" }).last().click();
    await page.waitForURL(/event=/);
    await page.locator("li[data-shown=true] details[open]").waitFor();

    // By hand, and back.
    await page.getByRole("button", { name: "Put in by hand…" }).click();
    await page.getByRole("dialog").getByLabel("Why").fill("asked on the phone");
    await accessible(page, "putting in by hand");
    await page.getByRole("dialog").getByRole("button", { name: "Put in" }).click();
    await page.getByRole("button", { name: "british-viewers" }).click();
    await page.getByText(/Decided by .*asked on the phone/).waitFor();
    await page.getByRole("tab", { name: "Segments over time" }).click();
    await page.getByRole("table", { name: "Decided by hand" }).waitFor();
    await settled(page);
    await accessible(page, "segments over time");
    await fits(page, "segments over time");
    await page.getByRole("button", { name: "Let the condition decide" }).click();
    await eventually("out again", async () => (await program.api("GET", `/profiles/${dan.id}`)).segments.every((s) => s.name !== "british-viewers"));

    // As of a moment before anything was known; the segment is still chosen.
    await page.getByText("Is not in it").waitFor();
    await page.getByLabel("As of").fill("2020-01-01T00:00");
    await page.getByText(/nothing was known of the profile/i).waitFor();

    // The visitor and the customer are made two again.
    await page.getByRole("img", { name: /identifiers lead to 2 profiles/ }).waitFor();
    await page.getByRole("region", { name: "Merged into this customer" }).getByRole("button", { name: "Undo" }).click();
    await accessible(page, "undoing a merge");
    await page.getByRole("dialog").getByRole("button", { name: "Undo the merge" }).click();
    await page.getByText("They are two customers again").waitFor();
    assert.equal((await program.api("GET", `/profiles/${dan.id}`)).merged.length, 0);
    await finish(page);
  });
}

// Nothing needs a mouse: sign in, go to a page, and make a segment with the keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { finish, fits, heading, launch, open } from "../lib/browser.js";
import { apiKey, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("serve");
  browser = await launch();
  await program.track("identify", { userId: "ada", traits: { email: "ada@example.com", first_name: "Ada", country: "GB" } });
  await program.api("PUT", "/segments/british", { condition: 'profile.country == "GB"' });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

/** Presses Tab until something with that name, and that role if one is given, has the focus; it must be visible that it has. */
async function tabTo(page, name, role) {
  const met = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return {
        role: element.getAttribute("role") ?? element.type ?? "",
        name: (element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent ?? "").trim(),
        marked: style.outlineStyle !== "none" || style.boxShadow !== "none" || element.matches("input, textarea, [contenteditable]"),
        seen: box.width > 0 && box.height > 0,
      };
    });
    met.push(focus.name.slice(0, 40));
    if (name.test(focus.name) && (!role || focus.role === role)) {
      assert.ok(focus.seen, `${focus.name} has the focus and is not to be seen`);
      assert.ok(focus.marked, `${focus.name} has the focus and does not show it`);
      return;
    }
  }
  assert.fail(`Tab does not come to ${name}; it came to ${met.join(" | ")}`);
}

test("with the keyboard alone", async () => {
  const page = await open(browser, program.url);
  await page.goto("/");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await page.keyboard.type(apiKey); // the field has the focus
  await page.keyboard.press("Enter");
  await heading(page, "Home");

  await page.goto("/");
  await heading(page, "Home");
  await tabTo(page, /^Skip to content$/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");

  await page.goto("/");
  await heading(page, "Home");
  await tabTo(page, /^Segments$/);
  await page.keyboard.press("Enter");
  await heading(page, "Segments");
  await tabTo(page, /New segment/);
  await page.keyboard.press("Enter");
  await heading(page, "New segment");
  await page.keyboard.type("from-the-keyboard"); // the name has the focus
  await tabTo(page, /^Condition$/, "textbox"); // not the choice between a condition and SQL
  await page.keyboard.insertText('profile.first_name == "Ada"');
  await page.getByText("The condition is fine.").waitFor();
  await tabTo(page, /Create segment/); // Tab leaves the editor
  await page.keyboard.press("Enter");
  await heading(page, "from-the-keyboard");
  assert.equal((await program.api("GET", "/segments/from-the-keyboard")).condition, 'profile.first_name == "Ada"');
  await fits(page, "keyboard");
  await finish(page);
});

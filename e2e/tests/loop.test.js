// The whole loop as a marketer walks it, in a browser: find a customer, make a segment, look at a template, send a
// campaign, read the mail, and see the open and the click in the report.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, finish, fits, heading, launch, open, settled, signIn, sizes, write } from "../lib/browser.js";
import { eventually, Program } from "../lib/program.js";

let program, browser;
before(async () => {
  program = await Program.start("demo", { args: ["--customers", "300", "--days", "120"], until: /The shop is open/ });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  assert.equal(await program?.stop(), 0, program?.log);
});

// A customer of our own, whom no simulation moves.
const grace = { email: "grace@example.org", first_name: "Grace", last_name: "Hopper", name: "Grace Hopper" };

test("a wrong key does not let anyone in", async () => {
  const page = await open(browser, program.url);
  await page.goto("/segments");
  await page.getByLabel("API key", { exact: true }).fill("not-the-key-of-anyone");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This key is not known here").waitFor();
  assert.match(page.url(), /\/sign-in/);
  await accessible(page, "sign-in");
  await fits(page, "sign-in");
  await finish(page);
});

for (const size of Object.keys(sizes)) {
  test(`the loop on a ${size}`, async () => {
    const id = `grace-${size}`;
    const email = `${size}.${grace.email}`;
    await program.track("identify", { userId: id, traits: { ...grace, email, name: `${grace.name} of the ${size}` } });
    await program.track("track", { userId: id, event: "Order Completed", properties: { order_id: `o-${size}`, total: 120.5 } });

    const page = await open(browser, program.url, size);
    await signIn(page);
    await settled(page);
    await fits(page, "home");

    await findCustomer(page, size, email);
    await makeSegment(page, size, email);
    await previewTemplate(page, size, email);
    await sendCampaign(page, size);
    await readMail(page, size, email);
    await seeReport(page, size);
    await finish(page);
  });
}

async function findCustomer(page, size, email) {
  await page.goto("/profiles");
  await heading(page, "Customers");
  await page.getByRole("searchbox", { name: "Search customers" }).fill(email.slice(0, -4));
  await page.waitForURL(/[?&]q=/); // typed to its end
  await page.getByRole("link", { name: `Grace Hopper of the ${size}` }).click();
  await heading(page, `Grace Hopper of the ${size}`);
  await page.getByText("Order Completed").first().waitFor();
  await page.getByText(email).first().waitFor();
  await settled(page);
  await accessible(page, "customer");
  await fits(page, "customer");
}

async function makeSegment(page, size, email) {
  await page.goto("/segments/new");
  await heading(page, "New segment");
  await page.getByLabel("Name", { exact: false }).first().fill(`only-grace-${size}`);

  // A mistake is shown under the cursor and in words, with its place.
  await write(page, "Condition", `profile.email == "${email}" &&\n  nosuch("Order Completed").exists()`);
  await page.getByText(/line 2/).first().waitFor();
  await page.locator(".cm-lintRange-error").first().waitFor();
  await accessible(page, "segment with an error");

  await write(page, "Condition", `profile.email == "${email}" && events("Order Completed").exists()`);
  await page.getByText("The condition is fine.").waitFor();
  await page.getByText(/^customer, /).waitFor(); // one of them
  await page.getByRole("button", { name: "Create segment" }).click();
  await heading(page, `only-grace-${size}`);
  await eventually("segment filled", async () => {
    const segment = await program.api("GET", `/segments/only-grace-${size}`);
    return segment.status === "ready" && segment.count === 1;
  });
  await settled(page);
  await accessible(page, "segment");
  await fits(page, "segment");
}

async function previewTemplate(page, size, email) {
  const profile = await program.profile(`email:${email}`);
  await page.goto(`/templates/newsletter?as=${profile.id}`);
  await heading(page, "newsletter");
  if (size === "phone") await page.getByText("Preview", { exact: true }).first().click();
  const mail = page.frameLocator('iframe[title="Preview of the mail"]');
  await mail.getByText("Grace").first().waitFor();
  await page.getByText("Grace, three things for").first().waitFor();
  await settled(page);
  await accessible(page, "template");
  await fits(page, "template");
}

async function sendCampaign(page, size) {
  await page.goto(`/campaigns/new?segment=only-grace-${size}&template=newsletter`);
  await heading(page, "New campaign");
  await page.getByLabel("Name", { exact: false }).first().fill(`hello-${size}`);
  await page.getByLabel("From", { exact: false }).first().fill("Nest & Field <news@shop.example>");
  await page.getByRole("button", { name: "Create draft" }).click();
  await heading(page, `hello-${size}`);
  await accessible(page, "draft of a campaign");

  await page.getByRole("button", { name: "Test send" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("To", { exact: false }).first().fill("me@office.example");
  await accessible(page, "dialog of a test send");
  await dialog.getByRole("button", { name: "Send test" }).click();
  await page.getByText("Test sent to me@office.example").waitFor();
  await dialog.waitFor({ state: "hidden" });
  await eventually("test mail in the mailbox", async () => (await program.api("GET", "/mailbox?to=me@office.example")).items.length > 0);

  await page.getByRole("button", { name: "Send…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Send now" }).click();
  await page.getByRole("tab", { name: "Report" }).waitFor();
  await eventually("campaign sent", async () => (await program.api("GET", `/campaigns/hello-${size}`)).status === "sent");
  await fits(page, "campaign");
}

async function readMail(page, size, email) {
  await page.goto(`/mailbox?to=${email}`);
  await page.getByRole("link", { name: /Grace, three things for/ }).first().click();
  const mail = page.frameLocator('iframe[title^="Mail:"]');
  await mail.getByText("Grace").first().waitFor();
  await page.getByText("Signature valid").waitFor();
  await eventually("open counted", async () => (await program.api("GET", `/campaigns/hello-${size}/report`)).opened === 1);
  await settled(page);
  await accessible(page, "mailbox");
  const [shop] = await Promise.all([page.context().waitForEvent("page"), mail.locator('a[href*="/c/"]').first().click()]);
  await shop.waitForURL(/\/demo\/shop.*utm_/);
  await shop.close();
  await fits(page, "mailbox");
}

async function seeReport(page, size) {
  await eventually("click counted", async () => (await program.api("GET", `/campaigns/hello-${size}/report`)).clicked === 1);
  await program.track("track", { userId: `grace-${size}`, event: "Order Completed", properties: { order_id: `o2-${size}`, total: 42.25 } });
  const report = await program.api("GET", `/campaigns/hello-${size}/report`);
  const { recipients, sent, delivered, opened, clicked, converted, revenue } = report;
  assert.deepEqual({ recipients, sent, delivered, opened, clicked, converted, revenue }, { recipients: 1, sent: 1, delivered: 1, opened: 1, clicked: 1, converted: 1, revenue: 42.25 });

  await page.goto(`/campaigns/hello-${size}`);
  await heading(page, `hello-${size}`);
  await page.getByText("42.25").first().waitFor();
  await settled(page);
  await accessible(page, "report");
  await fits(page, "report");
}

// Takes the pictures of docs/pictures: each page of the web application over a year of the simulated shop.

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { heading, launch, open, settled, signIn } from "./lib/browser.js";
import { pages } from "./lib/pages.js";
import { eventually, Program } from "./lib/program.js";

const folder = path.resolve(import.meta.dirname, "../docs/pictures");
const onPhone = ["home", "customer", "builder", "template", "campaign"];
const inDark = ["home", "segment"];

await mkdir(folder, { recursive: true });
// A day in the shop passes in a few seconds, so that customers answer the mail while we wait.
const program = await Program.start("demo", { args: ["--customers", "2000", "--speed", "30000"], until: /The shop is open/ });
const browser = await launch();
try {
  await program.api("POST", "/campaigns/picks-for-you/send");
  await eventually(
    "answered",
    async () => {
      const report = await program.api("GET", "/campaigns/picks-for-you/report");
      return report.clicked > 20 && report.converted > 5;
    },
    300,
  );
  for (const { size, colorScheme, wanted } of [
    { size: "desktop", colorScheme: "light", wanted: () => true },
    { size: "desktop", colorScheme: "dark", wanted: (name) => inDark.includes(name) },
    { size: "phone", colorScheme: "light", wanted: (name) => onPhone.includes(name) },
  ]) {
    const suffix = (size === "phone" ? "-phone" : "") + (colorScheme === "dark" ? "-dark" : "");
    const page = await open(browser, program.url, size, { colorScheme });
    if (suffix === "") {
      await page.goto("/sign-in");
      await heading(page, "Sign in");
      await page.screenshot({ path: path.join(folder, "sign-in.png") });
    }
    await signIn(page);
    for (const { name, path: where, title, first } of await pages(program)) {
      if (!wanted(name)) continue;
      await page.goto(where);
      await heading(page, title);
      if (name === "mailbox") await page.getByRole("region", { name: "Mail received" }).getByRole("link").first().click();
      await first?.(page);
      await settled(page);
      await page.screenshot({ path: path.join(folder, `${name}${suffix}.png`) });
      process.stdout.write(`${name}${suffix}.png\n`);
    }
    await page.context().close();
  }
} finally {
  await browser.close();
  await program.stop();
}

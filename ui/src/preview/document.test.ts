import { describe, expect, it } from "vitest";
import { hasDarkStyles, mailDocument } from "./document";

const plain = "<!doctype html><html><head><title>x</title></head><body>hi</body></html>";
const parse = (html: string) => new DOMParser().parseFromString(html, "text/html");

describe("the preview's document", () => {
  it("leaves a mail as it is when nothing is asked", () => {
    expect(mailDocument(plain, { dark: false, links: false })).toBe(plain);
  });

  it("keeps the doctype first, with and without head and html", () => {
    for (const html of [plain, "<!doctype html><body>hi</body>", "<!DOCTYPE html>\n<html lang='en'><body>hi</body></html>"]) {
      const shown = mailDocument(html, { dark: true, links: true });
      expect(shown.trimStart().toLowerCase().startsWith("<!doctype html>")).toBe(true);
      expect(parse(shown).querySelector("head base")?.getAttribute("target")).toBe("_blank");
      expect(parse(shown).body.textContent).toBe("hi");
    }
  });

  it("inverts only a mail without dark colours of its own", () => {
    expect(mailDocument(plain, { dark: true, links: false })).toContain("invert(1)");
    const own = plain.replace("<title>", "<style>@media (prefers-color-scheme: dark){body{background:#000}}</style><title>");
    expect(hasDarkStyles(own)).toBe(true);
    expect(mailDocument(own, { dark: true, links: false })).not.toContain("invert(1)");
  });

  it("does not take a header for a head", () => {
    expect(parse(mailDocument("<header>a</header>", { dark: false, links: true })).querySelector("header")?.textContent).toBe("a");
  });
});

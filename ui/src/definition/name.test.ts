import { describe, expect, it } from "vitest";
import { safeNext } from "../session/next";
import { asName, nameProblem } from "./name";

describe("names", () => {
  it("are lower-case letters, digits, - and _", () => {
    for (const good of ["regular-buyers", "a", "2nd_order", "x".repeat(64)]) expect(nameProblem(good, ["vip"])).toBe("");
    for (const bad of ["", " ", "new", "vip", "Big", "a/b", "50%", "-a", "ä", "x".repeat(65)]) expect(nameProblem(bad, ["vip"])).not.toBe("");
  });

  it("are made from what is typed", () => {
    expect(asName("Big  Spenders")).toBe("big-spenders");
    expect(asName("Order Count", "_")).toBe("order_count");
  });
});

describe("where to go after sign-in", () => {
  it("stays on this site", () => {
    expect(safeNext("/segments/vip?tab=people")).toBe("/segments/vip?tab=people");
    for (const bad of [undefined, "", "https://evil.example", "//evil.example", "/\\evil.example", "/sign-in?next=/"]) expect(safeNext(bad)).toBe("/");
  });
});

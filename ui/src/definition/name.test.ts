import { describe, expect, it } from "vitest";
import { nameProblem } from "./name";
import { safeNext } from "../session/next";

describe("names", () => {
  it("refuses what an address cannot carry", () => {
    expect(nameProblem("regular-buyers", ["vip"])).toBe("");
    for (const bad of ["", "  ", "new", "vip", "a/b", "50%", "x".repeat(101)]) expect(nameProblem(bad, ["vip"])).not.toBe("");
  });
});

describe("where to go after sign-in", () => {
  it("stays on this site", () => {
    expect(safeNext("/segments/vip?tab=people")).toBe("/segments/vip?tab=people");
    for (const bad of [undefined, "", "https://evil.example", "//evil.example", "/\\evil.example", "/sign-in?next=/"]) expect(safeNext(bad)).toBe("/");
  });
});

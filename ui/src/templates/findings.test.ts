import { describe, expect, it } from "vitest";
import { findings } from "./findings";

describe("findings", () => {
  it("puts them in reading order", () => {
    const found = findings(undefined, [
      { code: "no_fallback", message: "c", location: "body", line: 9, column: 1 },
      { code: "no_fallback", message: "b", location: "body", line: 2, column: 7 },
      { code: "no_fallback", message: "a", location: "subject", line: 1, column: 1 },
    ]);
    expect(found.map((f) => f.message)).toEqual(["a", "b", "c"]);
  });

  it("shows errors alone, at the field they name", () => {
    const found = findings([{ message: "open tag", location: "body.body", line: 3, column: 1 }, { message: "bad", location: "body.subject" }], [{ code: "x", message: "old", location: "body" }]);
    expect(found.map((f) => [f.kind, f.location])).toEqual([["error", "subject"], ["error", "body"]]);
  });
});

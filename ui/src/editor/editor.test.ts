import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import type { Vocabulary } from "../api/types";
import { celLanguage } from "./cel";
import { openQuote, suggest } from "./completion";
import { diagnostics, offsetOf } from "./problems";

describe("errors under the cursor", () => {
  const doc = Text.of(["events(foo)", '  && "😀" in bar', ""]);

  it("finds offsets from 1-based lines and columns", () => {
    expect(offsetOf(doc, 1, 1)).toBe(0);
    expect(offsetOf(doc, 1, 8)).toBe(7);
    expect(offsetOf(doc, 2, 3)).toBe(14);
  });

  it("counts a character outside of the basic plane once", () => {
    const at = offsetOf(doc, 2, 13);
    expect(doc.sliceString(at, at + 3)).toBe("bar");
  });

  it("stays inside the line and the text", () => {
    expect(offsetOf(doc, 1, 99)).toBe(11);
    expect(offsetOf(doc, 99, 1)).toBe(doc.length);
    expect(offsetOf(doc, undefined, undefined)).toBe(0);
    expect(offsetOf(doc, 0, 0)).toBe(0);
  });

  it("underlines the word, the sign, or the last character of a line cut short", () => {
    const text = (mark: { line?: number; column?: number }) => {
      const [d] = diagnostics(doc, [{ message: "x", ...mark }]);
      return doc.sliceString(d!.from, d!.to);
    };
    expect(text({ line: 1, column: 8 })).toBe("foo");
    expect(text({ line: 2, column: 3 })).toBe("&");
    expect(text({ line: 1, column: 7 })).toBe("events");
    expect(text({ line: 1, column: 3 })).toBe("events");
    expect(text({ line: 1, column: 12 })).toBe(")");
    expect(text({ line: 2, column: 6 })).toBe('"😀"');
    expect(text({ line: 2 })).toBe('&& "😀" in bar');
    expect(text({ line: 3, column: 1 })).toBe("");
  });
});

const vocabulary: Vocabulary = {
  event_names: ["Order Completed", "Product Viewed"],
  traits: ["country", "order_count"],
  segments: ["vip"],
  functions: [
    { name: "events", signature: 'events("Name")', doc: "" },
    { name: "within", signature: '.within("90d")', doc: "" },
    { name: "sum", signature: ".sum(e, e.properties.total)", doc: "" },
    { name: "age", signature: 'age(profile.last_order_at) < duration("30d")', doc: "" },
  ],
};
const labels = (before: string, explicit = false) => suggest(before, vocabulary, explicit)?.items.map((i) => i.label) ?? null;

describe("completion", () => {
  it("offers event names inside events()", () => {
    expect(labels('events("')).toEqual(["Order Completed", "Product Viewed"]);
    expect(suggest('events("Ord', vocabulary)?.from).toBe(8);
    expect(labels('sequence("Product Viewed", "')).toEqual(["Order Completed", "Product Viewed"]);
  });

  it("offers lengths inside within()", () => {
    expect(labels('events("Order Completed").within("')).toContain("30d");
  });

  it("offers traits after profile., methods after a call, nothing after a property", () => {
    expect(labels("profile.")).toEqual(["country", "order_count"]);
    expect(labels("a && profile.cou")).toEqual(["country", "order_count"]);
    expect(labels('events("Order Completed").')).toEqual(["within", "sum"]);
    expect(labels("e.properties.to")).toBeNull();
  });

  it("offers segments in a string of its own, also after another string", () => {
    expect(labels('"v')).toEqual(["vip"]);
    expect(labels('events("A").exists() && "')).toEqual(["vip"]);
    expect(labels('events("A").where(e, e.properties.x == "')).toBeNull();
  });

  it("offers words only once something is typed, or when asked", () => {
    expect(labels("a && ")).toBeNull();
    expect(labels("a && ", true)).toContain("events");
    expect(labels("ev")).toContain("events");
    expect(labels("ev")).not.toContain("within");
  });

  it("makes the argument of a method the next stop", () => {
    expect(suggest("events().", vocabulary)?.items.map((i) => i.snippet)).toEqual(['within("#{90d}")', "sum(e, e.properties.#{total})"]);
  });

  it("knows whether the cursor is inside a string", () => {
    expect(openQuote('a == "b')).toBe(5);
    expect(openQuote('a == "b"')).toBe(-1);
    expect(openQuote('"a\\"b')).toBe(0);
    expect(openQuote('// "a\nb')).toBe(-1);
    expect(openQuote('"it\'s')).toBe(0);
  });
});

describe("highlighting", () => {
  it("reads every character of any text", () => {
    for (const text of ['events("a").count() > 5 // x', "'open", '"""a\nb""" in segments', "ü ∑ 🙂 0x1F 1.5e3u r'\\'", ""]) {
      expect(celLanguage.parser.parse(text).length).toBe(text.length);
    }
  });
});

import { expect, test } from "vitest";
import { mappingOf, rowsOf } from "./mapping";

test("a mapping as rows, and back", () => {
  const mapping = { event: '"Order Completed"', properties: { total: "row.total", shipping: { city: "row.city" } }, user_id: "row.id" };
  const rows = rowsOf(mapping);
  expect(rows?.map((r) => r.path)).toEqual(["event", "properties.total", "properties.shipping.city", "user_id"]);
  expect(mappingOf(rows ?? [])).toEqual(mapping);
});

test("what rows cannot say is left to the text", () => {
  expect(rowsOf({ properties: { tags: ["row.a"] } })).toBeNull();
  expect(rowsOf({ properties: { "a.b": "row.a" } })).toBeNull();
  expect(rowsOf("text")).toBeNull();
});

test("rows without a path are nothing", () => {
  expect(mappingOf([{ path: " ", expression: "row.a" }, { path: "event", expression: "row.b" }])).toEqual({ event: "row.b" });
});

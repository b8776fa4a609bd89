import { describe, expect, it } from "vitest";
import { short } from "../elements/Text";
import { graphOf } from "./graph";
import { reachOf } from "./reach";
import { subjectOf } from "./subject";

describe("the identity graph", () => {
  const cookie = { type: "anonymous_id", value: "c" };
  const email = { type: "email", value: "a@b.example" };
  it("leads from identifiers to the profile and those that merged into it", () => {
    const g = graphOf({ id: "1", label: "Ada", identifiers: [email, cookie], merged: [{ profile_id: "2", at: "2026-03-01T00:00:00Z", cause: "event", message_id: "m", identifiers: [cookie] }] });
    expect(g.identifiers.map((i) => i.value)).toEqual(["c", "a@b.example"]);
    expect(g.profiles.map((p) => p.id)).toEqual(["1", "2"]);
    expect(g.links.map(({ from, to, by }) => [from, to, by])).toEqual([[0, 0, undefined], [0, 1, "m"], [1, 0, undefined]]);
    expect(new Set(g.profiles.map((p) => p.y)).size).toBe(2);
    expect(Math.max(...g.identifiers.map((i) => i.y))).toBeLessThan(g.height);
  });
});

describe("whether mail can go to a customer", () => {
  const p = { traits: {}, identifiers: [], subscribed: true };
  it("takes an address from the traits or the identifiers", () => {
    expect(reachOf(p)).toBe("no address");
    expect(reachOf({ ...p, traits: { email: "" } })).toBe("no address");
    expect(reachOf({ ...p, traits: { email: "a@b.example" } })).toBe("mail");
    expect(reachOf({ ...p, identifiers: [{ type: "email", value: "a@b.example" }], subscribed: false })).toBe("unsubscribed");
  });
});

describe("what an event is about", () => {
  it("divides orders, visits and mail", () => {
    const track = (name: string) => subjectOf({ type: "track", name });
    expect(["Order Completed", "Product Viewed", "Email Link Clicked", "Unsubscribed", "Tea Poured"].map(track)).toEqual(["orders", "visits", "mail", "mail", "other"]);
    expect(subjectOf({ type: "page", name: "Order history" })).toBe("visits");
    expect(subjectOf({ type: "identify", name: "Identified" })).toBe("other");
  });
});

describe("a short web address", () => {
  it("keeps the host and the end", () => {
    expect(short("http://127.0.0.1:80/demo/products/a.svg?x=1")).toBe("127.0.0.1/…/a.svg");
    expect(short("https://shop.example/")).toBe("shop.example");
  });
});

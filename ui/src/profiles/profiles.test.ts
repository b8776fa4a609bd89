import { describe, expect, it } from "vitest";
import { short } from "../elements/Text";
import { mentions } from "./mentions";
import { reachOf } from "./reach";
import { subjectOf } from "./subject";

describe("what a condition names", () => {
  it("finds traits, events and segments once each", () => {
    expect(mentions('profile.order_count >= 2 && age(profile.last_order_at) > duration("60d") && profile.order_count < 9')).toEqual({ traits: ["order_count", "last_order_at"], events: [], segments: [] });
    expect(mentions('"at-risk" in segments && !events("Order Completed").within("24h").exists() && sequence("A", \'B\').exists()')).toEqual({ traits: [], events: ["Order Completed", "A", "B"], segments: ["at-risk"] });
  });

  it("leaves out strings, comments and properties", () => {
    expect(mentions('// profile.no\n profile.city == "profile.x events(\\"y\\")" && events("E").where(e, e.profile.z == 1).exists()')).toEqual({ traits: ["city"], events: ["E"], segments: [] });
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

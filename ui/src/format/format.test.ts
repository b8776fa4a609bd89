import { describe, expect, it } from "vitest";
import { amount, count, people, share } from "./number";
import { byDay, calendarDay, dateTime, dayHeading, exactUTC, lengthOf, relative } from "./time";
import { gist, initials, label, lines, value } from "./value";

// The suite runs in Europe/Berlin: UTC+1 in winter, UTC+2 in summer.
const now = new Date("2026-11-22T04:16:00Z");

describe("times", () => {
  it("shows the viewer's zone, and exact UTC beside it", () => {
    expect(dateTime("2026-11-21T23:30:00Z")).toBe("22 Nov 2026, 00:30");
    expect(dateTime("2026-07-01T12:00:00Z")).toBe("1 Jul 2026, 14:00");
    expect(exactUTC("2026-11-21T23:30:05Z")).toBe("2026-11-21 23:30:05 UTC");
    expect(exactUTC("2026-11-21T23:30:05.120Z")).toBe("2026-11-21 23:30:05.120 UTC");
  });

  it("keeps a calendar date on its day in every zone", () => {
    expect(calendarDay("2026-11-22")).toBe("22 Nov");
    expect(calendarDay("2026-01-01")).toBe("1 Jan");
  });

  it("says how long ago, by calendar days of the viewer", () => {
    expect(relative("2026-11-22T04:15:55Z", now)).toBe("just now");
    expect(relative("2026-11-22T04:15:00Z", now)).toBe("1 minute ago");
    expect(relative("2026-11-22T01:16:00Z", now)).toBe("3 hours ago");
    expect(relative("2026-11-21T22:30:00Z", now)).toBe("5 hours ago");
    expect(relative("2026-11-21T17:00:00Z", now)).toBe("yesterday, 18:00");
    expect(relative("2026-11-19T12:00:00Z", now)).toBe("3 days ago");
    expect(relative("2026-10-01T12:00:00Z", now)).toBe("1 Oct");
    expect(relative("2011-12-09T12:00:00Z", now)).toBe("9 Dec 2011");
    expect(relative("2026-11-22T04:21:00Z", now)).toBe("in 5 minutes");
  });

  it("passes on what is not a time", () => {
    expect(relative("soon", now)).toBe("soon");
    expect(dateTime("")).toBe("");
  });

  it("heads the days of a timeline", () => {
    expect(dayHeading("2026-11-21T23:30:00Z", now)).toBe("Today");
    expect(dayHeading("2026-11-21T22:30:00Z", now)).toBe("Yesterday");
    expect(dayHeading("2026-11-20T12:00:00Z", now)).toBe("Friday, 20 November 2026");
  });

  it("groups by the viewer's day, keeping the order", () => {
    const runs = byDay(["2026-11-22T00:10:00Z", "2026-11-21T23:30:00Z", "2026-11-21T22:59:00Z"], (t) => t);
    expect(runs.map((r) => r.items.length)).toEqual([2, 1]);
  });

  it("says lengths", () => {
    expect([0.0034, 1.25, 59, 90, 7200, 400_000].map(lengthOf)).toEqual(["3 ms", "1.3 s", "59 s", "2 min", "2 h", "5 days"]);
  });
});

describe("numbers", () => {
  it("groups thousands and counts people", () => {
    expect(count(1283944)).toBe("1,283,944");
    expect(people(1)).toBe("1 person");
    expect(people(0)).toBe("0 people");
    expect(amount(1234.5)).toBe("1,234.50");
    expect(amount(9747747.93)).toBe("9,747,748");
  });

  it("never rounds something to nothing or to all", () => {
    expect(share(0, 10)).toBe("0%");
    expect(share(1, 5000)).toBe("<0.1%");
    expect(share(4999, 5000)).toBe(">99.9%");
    expect(share(5, 5)).toBe("100%");
    expect(share(1712, 3961)).toBe("43.2%");
    expect(share(1, 0)).toBe("–");
  });
});

describe("values", () => {
  it("reads as words", () => {
    expect(value(true)).toBe("yes");
    expect(value(null)).toBe("–");
    expect(value(1988)).toBe("1988");
    expect(value(12.5)).toBe("12.50");
    expect(value("2026-11-21T23:30:00Z")).toBe("22 Nov 2026, 00:30");
    expect(value("2026-11-21")).toBe("2026-11-21");
    expect(value(["a", 2])).toBe("a, 2");
    expect(value({ a: 1 })).toBe('{"a":1}');
    expect(value("x".repeat(500))).toHaveLength(160);
  });

  it("reads lists of things by line", () => {
    expect(lines([{ name: "Wool socks", quantity: 2, price: 14.5 }, { product_id: "sku-7", price: 3 }, { x: 1 }])).toEqual(["Wool socks × 2 · 14.50", "sku-7 · 3.00", '{"x":1}']);
    expect(lines(Array.from({ length: 25 }, (_, i) => ({ id: `p${i}` })))).toHaveLength(21);
    expect(lines([])).toBeNull();
    expect(lines(["a"])).toBeNull();
  });

  it("makes labels of names", () => {
    expect(label("first_name")).toBe("First name");
    expect(label("loyaltyId")).toBe("Loyalty ID");
    expect(label("is_vip")).toBe("Is VIP");
  });

  it("sums up an event", () => {
    expect(gist("Order Completed", { order_id: "A1", total: 158.9, products: [1, 2] })).toBe("2 products · 158.90 · order A1");
    expect(gist("Page Viewed", {})).toBe("");
  });

  it("takes initials from names, addresses and nothing", () => {
    expect(initials("Ada Lovelace")).toBe("AL");
    expect(initials("ada.l@example.com")).toBe("AL");
    expect(initials("Émile")).toBe("É");
    expect(initials("Anonymous 8f3a")).toBe("?");
    expect(initials("")).toBe("?");
  });
});

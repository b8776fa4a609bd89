import { describe, expect, it } from "vitest";
import type { Report, Segment, Template } from "../api/types";
import { address, blank, domainOf, missing, trimmed } from "./input";
import { done, funnel, leftOut } from "./progress";
import { readiness } from "./useReadiness";

describe("addresses", () => {
  it("reads both forms", () => {
    expect(address("Shop <news@shop.example>")).toBe("news@shop.example");
    expect(address(" news@shop.example ")).toBe("news@shop.example");
    expect(domainOf('"A, B" <a@Shop.Example>')).toBe("shop.example");
  });

  it("refuses what is none", () => {
    for (const text of ["", "shop", "a@b@c", "Shop <>", "a b@c.d", "<a@b.c> Shop"]) expect(address(text)).toBe("");
  });
});

describe("a campaign's fields", () => {
  it("sends only what is filled in", () => {
    const sent = trimmed({ ...blank, segment: "s", template: "t", from: " a@b.c ", utm: { source: " x ", medium: "" } });
    expect(JSON.parse(JSON.stringify(sent))).toEqual({ segment: "s", template: "t", from: "a@b.c", utm: { source: "x" } });
  });

  it("names what is missing or malformed", () => {
    expect(Object.keys(missing(blank))).toEqual(["segment", "template", "from"]);
    expect(missing({ ...blank, segment: "s", template: "t", from: "a@b.c", conversion_window: "five days" })).toHaveProperty("conversion_window");
    expect(missing({ ...blank, segment: "s", template: "t", from: "a@b.c", conversion_window: "2w" })).toEqual({});
  });
});

describe("progress", () => {
  const none = { recipients: 0, queued: 0, sent: 0, failed: 0, skipped: 0, in_doubt: 0 };

  it("counts everything that is dealt with", () => {
    expect(done({ ...none, recipients: 10, sent: 4, failed: 1, skipped: 2, in_doubt: 1, queued: 2 })).toBe(0.8);
    expect(done(none)).toBe(1);
  });
});

const report = {
  recipients: 200, sent: 160, delivered: 150, opened: 60, clicked: 30, converted: 6,
  skipped: { suppressed: 1, unsubscribed: 30, no_address: 0, duplicate_address: 9, render_failed: 0 },
} as Report;

describe("the report", () => {
  it("measures rates against the right step", () => {
    const steps = funnel(report);
    expect(steps.map((s) => [s.label, s.of])).toEqual([
      ["Recipients", null], ["Sent", 200], ["Delivered", 160], ["Opened", 150], ["Clicked", 150], ["Bought", 150],
    ]);
    expect(steps[3]!.width).toBeCloseTo(0.3);
  });

  it("has no widths beyond the whole and survives an empty campaign", () => {
    for (const s of funnel({ ...report, recipients: 0, sent: 0, delivered: 0, opened: 0, clicked: 0, converted: 0 })) expect(s.width).toBe(0);
  });

  it("lists why people were left out, most first", () => {
    expect(leftOut(report.skipped).map((r) => r.people)).toEqual([30, 9, 1]);
  });
});

describe("readiness", () => {
  const segment = { name: "s", status: "ready", count: 3, progress: 1 } as Segment;
  const template = { name: "t", warnings: [] } as unknown as Template;
  const input = { ...blank, segment: "s", template: "t", from: "Shop <news@mail.shop.example>" };
  const domain = { domain: "shop.example", selector: "a", dns: [] };
  const states = (...args: Parameters<typeof readiness>) => readiness(...args).map((c) => c.state);

  it("is fine when all is there", () => {
    expect(states(input, segment, template, [domain], "smtp")).toEqual(["ok", "ok", "ok"]);
    expect(states(input, segment, template, [], "sink")).toEqual(["ok", "ok", "ok"]);
  });

  it("stops what cannot be sent, waits for what is being filled, warns of the rest", () => {
    expect(states(blank, undefined, undefined, [], "sink")).toEqual(["stop", "stop", "stop"]);
    expect(states(input, { ...segment, status: "building", progress: 0.4 }, template, [domain], "smtp")[0]).toBe("wait");
    expect(states(input, { ...segment, warn_below: segment.count + 1 }, template, [domain], "smtp")[0]).toBe("warn");
    expect(states(input, { ...segment, count: 0 }, template, [domain], "smtp")[0]).toBe("stop");
    expect(states(input, segment, template, [{ ...domain, domain: "op.example" }], "smtp")[2]).toBe("warn");
  });
});

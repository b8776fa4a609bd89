import { describe, expect, it } from "vitest";
import type { OverviewDay } from "../api/types";
import { growing } from "./Growing";
import { varied } from "./recent";
import { overviewSeries, trend } from "./series";

const day = (date: string, sent: number): OverviewDay => ({ date, events: 10, profiles: 1, sent, opened: 0, clicked: 0, revenue: 2.5 });

describe("the overview's series", () => {
  it("puts the days in order and adds them up", () => {
    const s = overviewSeries([day("2026-11-22", 3), day("2026-11-20", 1), day("2026-11-21", 2)]);
    expect(s.labels).toEqual(["20 Nov", "21 Nov", "22 Nov"]);
    expect(s.values.sent).toEqual([1, 2, 3]);
    expect(s.totals).toMatchObject({ sent: 6, events: 30, revenue: 7.5 });
  });

  it("counts what is missing as none", () => {
    const s = overviewSeries([{ date: "2026-11-22", events: 1 } as OverviewDay]);
    expect(s.values.revenue).toEqual([0]);
    expect(overviewSeries([]).totals.events).toBe(0);
  });
});

describe("the trend", () => {
  it("compares halves without the day that is not over", () => {
    expect(trend([1, 1, 1, 2, 2, 2, 0])).toBe(1);
    expect(trend([99, 2, 2, 2, 1, 1, 1, 50])).toBe(-0.5);
  });

  it("says nothing where there is too little", () => {
    expect(trend([1, 2, 3])).toBeNull();
    expect(trend([0, 0, 0, 5, 5, 5, 5])).toBeNull();
  });
});

describe("what just happened", () => {
  it("shows at most two events of one customer", () => {
    const events = ["a", "a", "a", "b", "a", "c"].map((profile_id, n) => ({ profile_id, n }));
    expect(varied(events, 2, 12).map((e) => e.n)).toEqual([0, 1, 3, 5]);
    expect(varied(events, 2, 2)).toHaveLength(2);
  });
});

describe("history on its way", () => {
  it("shows in the speed or in what is being filled", () => {
    expect(growing({ events_per_second: 12, building_segments: [] })).toBe(false);
    expect(growing({ events_per_second: 4000, building_segments: [] })).toBe(true);
    expect(growing({ events_per_second: 0, building_segments: ["vip"] })).toBe(true);
  });
});

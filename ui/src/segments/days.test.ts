import { describe, expect, it } from "vitest";
import { everyDay } from "./days";

const told = [
  { day: "2026-03-05T00:00:00Z", entered: 2, left: 1, members: 11 },
  { day: "2026-03-02T00:00:00Z", entered: 10, left: 0, members: 10 },
];

describe("the days of a segment", () => {
  it("are all there, with the members between changes", () => {
    const { labels, entered, left, members } = everyDay(told, new Date("2026-03-06T23:00:00Z"));
    expect([labels.length, labels[0], labels.at(-1)]).toEqual([14, "21 Feb", "6 Mar"]);
    expect([entered.slice(-6), left.slice(-6), members.slice(-6)]).toEqual([[0, 10, 0, 0, 2, 0], [0, 0, 0, 0, 1, 0], [0, 10, 10, 10, 11, 11]]);
  });
  it("begin late with the members of before", () => {
    expect(everyDay(told, new Date("2026-03-06T00:00:00Z"), 3)).toEqual({ labels: ["4 Mar", "5 Mar", "6 Mar"], entered: [0, 2, 0], left: [0, 1, 0], members: [10, 11, 11] });
    expect(everyDay([], new Date()).labels).toEqual([]);
  });
});

import { expect, it } from "vitest";
import { readSchedule, writeSchedule } from "./schedule";

it("reads schedules and writes them the same", () => {
  for (const text of ["15m", "1h", "1d", "1d at 06:00", "7d at 23:30 Europe/Berlin", "on demand"]) expect(writeSchedule(readSchedule(text))).toBe(text);
  expect(readSchedule(undefined)).toEqual({ every: "1h", at: "", zone: "" });
  expect(readSchedule("every 1d at 6:00 UTC")).toEqual({ every: "1d", at: "06:00", zone: "UTC" });
});

it("gives a time of day to days alone", () => {
  expect(writeSchedule({ every: "1h", at: "06:00", zone: "Europe/Berlin" })).toBe("1h");
  expect(writeSchedule({ every: "1d", at: "06:00", zone: "UTC" })).toBe("1d at 06:00");
});

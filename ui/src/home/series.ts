import type { OverviewDay } from "../api/types";
import { calendarDay } from "../format/time";

type Measure = Exclude<keyof OverviewDay, "date">;

export interface OverviewSeries {
  labels: string[];
  values: Record<Measure, number[]>;
  totals: Record<Measure, number>;
}

const measures: Measure[] = ["events", "profiles", "sent", "opened", "clicked", "revenue"];

/** The columns of an overview's days, oldest first whatever the order of arrival; what is missing counts as none. */
export function overviewSeries(days: OverviewDay[]): OverviewSeries {
  const sorted = [...days].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  const values = {} as Record<Measure, number[]>;
  const totals = {} as Record<Measure, number>;
  for (const m of measures) {
    values[m] = sorted.map((d) => (Number.isFinite(d[m]) ? d[m] : 0));
    totals[m] = values[m].reduce((a, b) => a + b, 0);
  }
  return { labels: sorted.map((d) => calendarDay(d.date)), values, totals };
}

/**
 * How the newer half of the days compares with the older: 0.25 is a quarter more. The last day is not over and is left
 * out, with it the oldest when the rest is odd. Null when there is too little to compare.
 */
export function trend(values: number[]): number | null {
  const over = values.slice(0, -1);
  const half = Math.floor(over.length / 2);
  if (half < 3) return null;
  const sum = (v: number[]) => v.reduce((a, b) => a + b, 0);
  const newer = sum(over.slice(-half));
  const older = sum(over.slice(-2 * half, -half));
  return older === 0 ? null : newer / older - 1;
}

import type { SegmentDay } from "../api/types";
import { calendarDay } from "../format/time";

export interface DaySeries {
  labels: string[];
  entered: number[];
  left: number[];
  members: number[];
}

const day = 86_400_000;

const least = 14;

/**
 * Every day from the oldest that is told to today, two weeks at least and at most `most` days: on days without a change nobody entered or
 * left, and the members stay. `today` is in UTC, as the days are.
 */
export function everyDay(days: SegmentDay[], today: Date, most = 60): DaySeries {
  const series: DaySeries = { labels: [], entered: [], left: [], members: [] };
  if (days.length === 0) return series;
  const by = new Map(days.map((d) => [Date.parse(d.day.slice(0, 10)), d]));
  const last = Math.floor(today.getTime() / day) * day;
  const oldest = Math.min(...by.keys());
  const from = Math.max(Math.min(oldest, last - (least - 1) * day), last - (most - 1) * day);
  let members = [...by].filter(([at]) => at < from).sort(([a], [b]) => b - a)[0]?.[1].members ?? 0;
  for (let at = from; at <= last; at += day) {
    const found = by.get(at);
    members = found?.members ?? members;
    series.labels.push(calendarDay(new Date(at).toISOString()));
    series.entered.push(found?.entered ?? 0);
    series.left.push(found?.left ?? 0);
    series.members.push(members);
  }
  return series;
}

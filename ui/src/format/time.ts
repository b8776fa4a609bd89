// Times arrive in UTC and are shown in the viewer's zone; the exact UTC time is always one hover away.

const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const dayMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const calendar = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** "2026-11-22 04:16:03 UTC", with milliseconds where there are any. */
export function exactUTC(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  return time.toISOString().replace("T", " ").replace(/\.000Z$/, "Z").replace("Z", " UTC");
}

/** "22 Nov 2026, 05:16" in the viewer's zone. */
export function dateTime(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : `${date.format(time)}, ${clock.format(time)}`;
}

/** "22 Nov 2026" in the viewer's zone. */
export function day(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : date.format(time);
}

/** "05:16" in the viewer's zone. */
export function timeOfDay(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : clock.format(time);
}

/** "22 Nov" for a calendar date such as "2026-11-22", whatever the viewer's zone. */
export function calendarDay(on: string): string {
  const time = new Date(`${on.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(time.getTime()) ? on : calendar.format(time);
}

/** "just now", "5 minutes ago", "yesterday, 18:03", "3 days ago", then dates; future times as "in 5 minutes". */
export function relative(at: string, now: Date): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  const seconds = (now.getTime() - time.getTime()) / 1000;
  const ahead = seconds < 0;
  const distance = Math.abs(seconds);
  const say = (n: number, unit: string) => {
    const text = `${n} ${unit}${n === 1 ? "" : "s"}`;
    return ahead ? `in ${text}` : `${text} ago`;
  };
  if (distance < 10) return "just now";
  if (distance < 60) return say(Math.floor(distance), "second");
  if (distance < 3600) return say(Math.floor(distance / 60), "minute");
  const days = daysBetween(time, now);
  if (days === 0 || distance < 6 * 3600) return say(Math.floor(distance / 3600), "hour");
  if (days === 1) return `yesterday, ${clock.format(time)}`;
  if (days === -1) return `tomorrow, ${clock.format(time)}`;
  if (Math.abs(days) < 7) return say(Math.abs(days), "day");
  return time.getFullYear() === now.getFullYear() ? dayMonth.format(time) : date.format(time);
}

/** Whole calendar days from a to b in the viewer's zone. */
function daysBetween(a: Date, b: Date): number {
  const midnight = (t: Date) => Date.UTC(t.getFullYear(), t.getMonth(), t.getDate());
  return Math.round((midnight(b) - midnight(a)) / 86_400_000);
}

/** The heading of a day in a timeline: "Today", "Yesterday", "Friday, 20 November 2026". */
export function dayHeading(at: string, now: Date): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  const days = daysBetween(time, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return weekday.format(time).replace(" ", ", ").replace(",,", ",");
}

/** Items in runs of the same day in the viewer's zone, order kept. */
export function byDay<T>(items: T[], at: (item: T) => string): { day: string; items: T[] }[] {
  const runs: { day: string; items: T[] }[] = [];
  let key = "";
  for (const item of items) {
    const time = new Date(at(item));
    const next = `${time.getFullYear()}-${time.getMonth()}-${time.getDate()}`;
    if (next !== key) {
      runs.push({ day: at(item), items: [] });
      key = next;
    }
    runs[runs.length - 1]!.items.push(item);
  }
  return runs;
}

/** "1.2 s", "340 ms", "3 min", "2 h" for a length of time in seconds. */
export function lengthOf(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

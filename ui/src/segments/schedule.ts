/** A schedule as the form shows it: an interval or a time of day, or neither. */
export interface Schedule {
  every: string;
  at: string;
  zone: string;
}

export const intervals = [
  { value: "15m", label: "every 15 minutes" },
  { value: "1h", label: "every hour" },
  { value: "6h", label: "every 6 hours" },
  { value: "1d", label: "every day" },
  { value: "7d", label: "every 7 days" },
  { value: "on demand", label: "when I ask" },
];

/** "1d at 06:00 Europe/Berlin" and its like, taken apart. */
export function readSchedule(text: string | undefined): Schedule {
  const [, every = "1h", at = "", zone = ""] = /^(?:every )?(on demand|\w+)(?: at (\S+)(?: (\S+))?)?$/.exec(text?.trim() || "1h") ?? [];
  return { every, at: at && at.padStart(5, "0"), zone };
}

/** The text of a schedule. Only days have a time, and a zone goes with it. */
export function writeSchedule({ every, at, zone }: Schedule): string {
  if (!every.endsWith("d") || !at) return every;
  return `${every} at ${at}${zone && zone !== "UTC" ? ` ${zone}` : ""}`;
}

/** The browser's time zone. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

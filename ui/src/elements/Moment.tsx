import { useNow } from "./useNow";
import { calendarDay, dateTime, day, exactUTC, relative, timeOfDay } from "../format/time";

type Look = "relative" | "datetime" | "day" | "time";

/** A point in time in the viewer's zone; the exact UTC time shows on hover. */
export function Moment({ at, look = "relative" }: { at: string | null | undefined; look?: Look }) {
  const now = useNow(look === "relative");
  if (!at) return <span className="soft">–</span>;
  if (/^\d{4}-\d\d-\d\d$/.test(at)) return <time dateTime={at}>{calendarDay(at)}</time>;
  const text = look === "relative" ? relative(at, now) : look === "day" ? day(at) : look === "time" ? timeOfDay(at) : dateTime(at);
  return (
    <time dateTime={at} title={exactUTC(at)}>
      {text}
    </time>
  );
}

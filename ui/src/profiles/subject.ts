import type { Event } from "../api/types";

/** What an event is about, as the timeline's filter divides them. */
export type Subject = "orders" | "visits" | "mail" | "other";

export function subjectOf({ type, name }: Pick<Event, "type" | "name">): Subject {
  if (type === "page" || type === "screen") return "visits";
  if (type !== "track") return "other";
  if (/^Email\b|^(Uns|S)ubscribed\b/.test(name)) return "mail";
  if (/^Order\b|Purchase/i.test(name)) return "orders";
  if (/Viewed|Searched|Clicked|Cart|Checkout|Product (Added|Removed)/i.test(name)) return "visits";
  return "other";
}

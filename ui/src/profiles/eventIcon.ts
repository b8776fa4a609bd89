import type { Event } from "../api/types";
import type { IconName } from "../brand/Icon";

/** A picture for an event, from its type and the names of Segment's e-commerce and e-mail specs. */
export function eventIcon({ type, name }: Pick<Event, "type" | "name">): IconName {
  if (type === "identify" || type === "group" || type === "alias") return "user";
  if (type === "page" || type === "screen") return "page";
  if (/^Email (Opened|Delivered)/.test(name)) return "mailbox";
  if (/Clicked/.test(name)) return "cursor";
  if (/^Email|Unsubscribed/.test(name)) return "mailbox";
  if (/^Order|Purchase/i.test(name)) return "bag";
  if (/Cart|Checkout|Product Added|Product Removed/i.test(name)) return "cart";
  if (/Viewed|Searched/i.test(name)) return "eye";
  return "dot";
}

import type { Progress, Report } from "../api/types";

/** The share of recipients that are dealt with, 0 to 1; without recipients nothing is left to do. */
export function done(p: Progress): number {
  if (p.recipients <= 0) return 1;
  const settled = p.sent + p.failed + p.skipped + p.in_doubt;
  return Math.min(1, Math.max(0, settled / p.recipients));
}

export interface Step {
  label: string;
  people: number;
  /** Share of the recipients, 0 to 1, for the width of the bar. */
  width: number;
  /** What the rate beside the number is of: opens are counted against the delivered, and so on. */
  of: number | null;
}

/** The steps from recipients to buyers. Rates are of the delivered mail, as the field counts them; delivery is of what was sent. */
export function funnel(r: Report): Step[] {
  const widest = Math.max(r.recipients, r.sent, 1);
  const step = (label: string, people: number, of: number | null): Step => ({ label, people, width: people / widest, of });
  return [
    step("Recipients", r.recipients, null),
    step("Sent", r.sent, r.recipients),
    step("Delivered", r.delivered, r.sent),
    step("Opened", r.opened, r.delivered),
    step("Clicked", r.clicked, r.delivered),
    step("Bought", r.converted, r.delivered),
  ];
}

const reasons: Record<keyof Report["skipped"], string> = {
  suppressed: "On the suppression list",
  unsubscribed: "Unsubscribed",
  no_address: "No e-mail address",
  duplicate_address: "Address already served",
  render_failed: "Template failed for them",
};

/** Why recipients were left out, most frequent first, without those that did not occur. */
export function leftOut(skipped: Report["skipped"]): { reason: string; people: number }[] {
  return (Object.keys(reasons) as (keyof Report["skipped"])[])
    .map((key) => ({ reason: reasons[key], people: skipped[key] ?? 0 }))
    .filter((r) => r.people > 0)
    .sort((a, b) => b.people - a.people);
}

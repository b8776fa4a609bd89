import type { ProblemError, Warning } from "../api/types";

/** An error or a warning about one place of a template. */
export interface Finding {
  kind: "error" | "warning";
  location: "subject" | "preheader" | "body" | "text";
  line?: number;
  column?: number;
  message: string;
}

const order = { subject: 0, preheader: 1, body: 2, text: 3 } as const;

/** Errors of a refused template before warnings of an accepted one, each in reading order. While there are errors the warnings belong to an older text and are left out. */
export function findings(errors: ProblemError[] | undefined, warnings: Warning[] | undefined): Finding[] {
  if (errors) return errors.map((e) => ({ kind: "error" as const, location: place(e.location), line: e.line || undefined, column: e.column || undefined, message: e.message })).sort(byPlace);
  return (warnings ?? []).map((w) => ({ kind: "warning" as const, location: w.location, line: w.line || undefined, column: w.column || undefined, message: w.message })).sort(byPlace);
}

function place(location: string | undefined): Finding["location"] {
  const field = (location ?? "").replace(/^body\./, "");
  return field === "subject" || field === "preheader" || field === "text" ? field : "body";
}

function byPlace(a: Finding, b: Finding): number {
  return order[a.location] - order[b.location] || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

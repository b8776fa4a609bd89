/** Whether two values mean the same to a form: a missing, null or empty field are one, and so are objects of such. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || (blank(a) && blank(b))) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => same(v, b[i]));
  if (isRecord(a) && isRecord(b)) return fields(a, b).every((f) => same(a[f], b[f]));
  if (isRecord(a) && blank(b)) return same(a, {});
  if (isRecord(b) && blank(a)) return same({}, b);
  return false;
}

/** The names of the top-level fields in which a draft differs from what is saved. */
export function changes<T extends object>(saved: T, draft: T): string[] {
  const a = saved as Record<string, unknown>;
  const b = draft as Record<string, unknown>;
  return fields(a, b).filter((f) => !same(a[f], b[f]));
}

function fields(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function blank(v: unknown): boolean {
  return v === undefined || v === null || v === "";
}

function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

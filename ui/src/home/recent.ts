/** The first of a list of events, newest first, with at most `each` of one customer, so that nobody fills it alone. */
export function varied<T extends { profile_id: string }>(events: T[], each: number, limit: number): T[] {
  const seen = new Map<string, number>();
  const kept: T[] = [];
  for (const e of events) {
    const before = seen.get(e.profile_id) ?? 0;
    if (before >= each) continue;
    seen.set(e.profile_id, before + 1);
    if (kept.push(e) === limit) break;
  }
  return kept;
}

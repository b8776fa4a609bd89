// A mapping as a form shows it: one row for each field, nested ones by their path, such as properties.total.

export interface Row {
  path: string;
  expression: string;
}

/** The rows of a mapping; null where it holds what rows cannot say: lists, and names with dots. */
export function rowsOf(mapping: unknown): Row[] | null {
  const rows: Row[] = [];
  const walk = (value: unknown, path: string[]): boolean => {
    if (value !== null && typeof value === "object") {
      if (Array.isArray(value)) return false;
      return Object.entries(value).every(([name, inner]) => !name.includes(".") && name !== "" && walk(inner, [...path, name]));
    }
    rows.push({ path: path.join("."), expression: value === null ? "null" : String(value) });
    return true;
  };
  return mapping !== null && typeof mapping === "object" && walk(mapping, []) ? rows : null;
}

/** The mapping that rows say. Rows without a path are left out. */
export function mappingOf(rows: Row[]): Record<string, unknown> {
  const mapping: Record<string, unknown> = {};
  for (const { path, expression } of rows) {
    const names = path.trim().split(".").filter(Boolean);
    const last = names.pop();
    if (last === undefined) continue;
    let into = mapping;
    for (const name of names) {
      const inner = into[name];
      into = (into[name] = inner !== null && typeof inner === "object" ? inner : {}) as Record<string, unknown>;
    }
    into[last] = expression;
  }
  return mapping;
}

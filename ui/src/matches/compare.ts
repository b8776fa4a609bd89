import type { Profile } from "../api/types";
import { label, value } from "../format/value";

export interface Row {
  label: string;
  left: string;
  right: string;
  /** "alone": only one of them has a value. */
  state: "same" | "differs" | "alone";
}

/** What two customers tell, side by side: what differs first, then what both say, then what only one does. */
export function compare(a: Profile, b: Profile): Row[] {
  const left = told(a);
  const right = told(b);
  const order = { differs: 0, same: 1, alone: 2 };
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((name) => row(name, left.get(name) ?? "", right.get(name) ?? ""))
    .sort((x, y) => order[x.state] - order[y.state]);
}

function row(name: string, left: string, right: string): Row {
  const state = left === "" || right === "" ? "alone" : fold(left) === fold(right) ? "same" : "differs";
  return { label: name, left, right, state };
}

const fold = (text: string) => text.trim().toLowerCase().replace(/\s+/g, " ");

/** Every trait and identifier under the name that people read; of an object, each of its members. */
function told(p: Profile): Map<string, string> {
  const all = new Map<string, string>();
  const put = (name: string, v: unknown) => {
    if (v !== null && v !== undefined && v !== "") all.set(name, value(v));
  };
  for (const [name, v] of Object.entries(p.traits)) {
    if (typeof v === "object" && v !== null && !Array.isArray(v)) {
      for (const [inner, x] of Object.entries(v)) put(`${label(name)}: ${label(inner).toLowerCase()}`, x);
    } else {
      put(label(name), v);
    }
  }
  const types = new Set(p.identifiers.map((i) => i.type));
  for (const type of types) {
    const values = p.identifiers.filter((i) => i.type === type).map((i) => i.value).sort();
    if (!(all.get(label(type)) !== undefined && values.length === 1 && fold(values[0]!) === fold(all.get(label(type))!))) put(label(type), values);
  }
  return all;
}

/** A probability for people: never a certain 100. */
export function percent(p: number): string {
  if (p >= 0.9995) return "over 99.9%";
  return `${(p * 100).toFixed(p >= 0.99 ? 1 : 0)}%`;
}

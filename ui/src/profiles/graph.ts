// Where the parts of an identity graph stand: identifiers on the left, the profiles that they lead to on the right.

import type { Identifier, Profile } from "../api/types";

export interface GraphIdentifier extends Identifier {
  y: number;
}

export interface GraphProfile {
  id: string;
  label: string;
  y: number;
  /** When it merged into the first; undefined for the first. */
  at?: string;
  how?: string;
}

export interface Graph {
  height: number;
  identifiers: GraphIdentifier[];
  profiles: GraphProfile[];
  /** From an identifier to a profile, by index; the link that merged the two when `by` is given. */
  links: { from: number; to: number; at?: string; by?: string }[];
}

const row = 34;
const most = 12;

/** The graph of a profile with the profiles that merged into it, the newest of each up to a bound. */
export function graphOf(p: Pick<Profile, "id" | "label" | "identifiers" | "merged">): Graph {
  const merged = (p.merged ?? []).slice(0, most);
  const linking = merged.flatMap((m) => m.identifiers);
  const same = (a: Identifier, b: Identifier) => a.type === b.type && a.value === b.value;
  const known = [...p.identifiers, ...linking.filter((l) => !p.identifiers.some((i) => same(i, l)))].filter((i, at, all) => all.findIndex((o) => same(o, i)) === at);
  // Those that joined profiles stand first: they are what the picture is about.
  known.sort((a, b) => Number(linking.some((l) => same(l, b))) - Number(linking.some((l) => same(l, a))));
  const shown = known.slice(0, most);
  const rows = Math.max(shown.length, merged.length + 1);
  const place = (i: number, n: number) => row / 2 + ((rows - n) * row) / 2 + i * row;
  const profiles: GraphProfile[] = [
    { id: p.id, label: p.label, y: place(0, merged.length + 1) },
    ...merged.map((m, i) => ({ id: m.profile_id, label: m.profile_id, y: place(i + 1, merged.length + 1), at: m.at, how: m.cause === "manual" ? `by ${m.by || "hand"}` : m.cause === "match" ? "a probable match" : "an event" })),
  ];
  const identifiers = shown.map((i, at) => ({ ...i, y: place(at, shown.length) }));
  const links = identifiers.flatMap((i, from) => [
    ...(p.identifiers.some((own) => same(own, i)) ? [{ from, to: 0 }] : []),
    ...merged.flatMap((m, to) => (m.identifiers.some((l) => same(l, i)) ? [{ from, to: to + 1, at: m.at, by: m.message_id }] : [])),
  ]);
  return { height: rows * row, identifiers, profiles, links };
}

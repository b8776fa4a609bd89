// Changes of a tree. Each gives a new tree and leaves the old one as it was.

import { type Group, isGroup, type Leaf, newGroup, newId, type Part, type Step } from "./tree";

/** A tree with every group, from the inside out, as `change` makes it; those in the events of leaves too. */
function mapGroups(group: Group, change: (group: Group) => Group): Group {
  return change({ ...group, parts: group.parts.map((part) => (isGroup(part) ? mapGroups(part, change) : mapWhere(part, change))) });
}

function mapWhere(leaf: Leaf, change: (group: Group) => Group): Leaf {
  const map = (steps: Step[]) => steps.map((step) => ({ ...step, where: mapGroups(step.where, change) }));
  return leaf.steps.length || leaf.without.length ? { ...leaf, steps: map(leaf.steps), without: map(leaf.without) } : leaf;
}

/** Replaces the part with an id, the root included. */
export function update<P extends Part>(root: Group, id: string, change: (part: P) => Part): Group {
  return mapGroups(root, (group) => {
    const parts = group.parts.map((part) => (part.id === id ? change(part as P) : part));
    const next = { ...group, parts };
    return group.id === id ? (change(next as unknown as P) as Group) : next;
  });
}

/** Puts a part at the end of a group, or at a place. */
export function add(root: Group, groupId: string, part: Part, at?: number): Group {
  return mapGroups(root, (g) => (g.id === groupId ? { ...g, parts: g.parts.toSpliced(at ?? g.parts.length, 0, part) } : g));
}

export function remove(root: Group, id: string): Group {
  return mapGroups(root, (g) => ({ ...g, parts: g.parts.filter((part) => part.id !== id) }));
}

/** Puts a copy with ids of its own behind a part. */
export function duplicate(root: Group, id: string, copy: Part): Group {
  return mapGroups(root, (g) => {
    const at = g.parts.findIndex((part) => part.id === id);
    return at < 0 ? g : { ...g, parts: g.parts.toSpliced(at + 1, 0, copy) };
  });
}

/** A part that says the same, with new ids. */
export function copyOf<P extends Part>(part: P): P {
  if (isGroup(part)) return { ...part, id: newId(), parts: part.parts.map(copyOf) };
  const steps = (list: Step[]) => list.map((s) => ({ ...s, id: newId(), where: copyOf(s.where) }));
  return { ...part, id: newId(), steps: steps(part.steps), without: steps(part.without) };
}

/** The group that a part stands in, and where; undefined for the root. */
export function placeOf(root: Group, id: string): { group: Group; index: number } | undefined {
  let found: { group: Group; index: number } | undefined;
  mapGroups(root, (group) => {
    const index = group.parts.findIndex((part) => part.id === id);
    if (index >= 0) found = { group, index };
    return group;
  });
  return found;
}

/**
 * Moves a part one place up or down in reading order: past a neighbour, into a neighbour that is a group, or out of its
 * own group at the end of that. The same tree when there is nowhere to go.
 */
export function move(root: Group, id: string, by: -1 | 1): Group {
  const place = placeOf(root, id);
  if (!place) return root;
  const { group, index } = place;
  const part = group.parts[index]!;
  const neighbour = group.parts[index + by];
  if (neighbour && isGroup(neighbour)) return add(remove(root, id), neighbour.id, part, by > 0 ? 0 : undefined);
  if (neighbour) return mapGroups(root, (g) => (g.id === group.id ? { ...g, parts: g.parts.toSpliced(index, 1).toSpliced(index + by, 0, part) } : g));
  const outer = placeOf(root, group.id);
  if (!outer) return root; // the root, or the events of a leaf
  return add(remove(root, id), outer.group.id, part, outer.index + (by > 0 ? 1 : 0));
}

/** Puts a part into a group of its own, of the other sort than the group around it. */
export function wrap(root: Group, id: string): { root: Group; group?: Group } {
  const place = placeOf(root, id);
  if (!place) return { root };
  const group = newGroup(place.group.group === "all" ? "any" : "all", [place.group.parts[place.index]!]);
  return { root: update(root, id, () => group), group };
}

/** Whether a group can be taken away with its parts staying: what is negated together cannot. */
export const canUnwrap = (group: Group) => !group.negated || group.parts.length === 1;

/** Takes a group away and leaves its parts where it was. */
export function unwrap(root: Group, id: string): Group {
  return mapGroups(root, (g) => {
    const at = g.parts.findIndex((part) => part.id === id);
    const inner = g.parts[at];
    if (!inner || !isGroup(inner) || !canUnwrap(inner)) return g;
    const parts = inner.negated ? inner.parts.map((part) => ({ ...part, negated: !part.negated })) : inner.parts;
    return { ...g, parts: g.parts.toSpliced(at, 1, ...parts) };
  });
}

// What was, so that every change can be undone and done again.

export interface Timeline<T> {
  past: T[];
  now: T;
  future: T[];
  /** What the last change was about: changes of the same are undone together. */
  about?: string;
}

const longest = 200;

export const begin = <T>(now: T): Timeline<T> => ({ past: [], now, future: [] });

/** A change that can be undone. One about the same as the change before joins it: typing is undone by the field. */
export function change<T>(t: Timeline<T>, next: T, about?: string): Timeline<T> {
  if (about && about === t.about && t.past.length) return { ...t, now: next, future: [] };
  return { past: [...t.past, t.now].slice(-longest), now: next, future: [], about };
}

/** Completes what is now, without a step of its own. */
export const amend = <T>(t: Timeline<T>, now: T): Timeline<T> => ({ ...t, now });

export function undo<T>(t: Timeline<T>): Timeline<T> {
  const before = t.past.at(-1);
  return before === undefined ? t : { past: t.past.slice(0, -1), now: before, future: [t.now, ...t.future] };
}

export function redo<T>(t: Timeline<T>): Timeline<T> {
  const [next, ...future] = t.future;
  return next === undefined ? t : { past: [...t.past, t.now], now: next, future };
}

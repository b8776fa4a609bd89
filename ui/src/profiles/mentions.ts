/** What a condition speaks of, each once and in order. */
export interface Mentions {
  traits: string[];
  events: string[];
  segments: string[];
}

const text = String.raw`(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')`;
const parts = new RegExp(
  [
    String.raw`//[^\n]*`,
    String.raw`(?<![\w.])(?:events|sequence)\s*\(\s*(?<events>${text}(?:\s*,\s*${text})*)`,
    String.raw`(?<segment>${text})\s+in\s+segments\b`,
    text,
    String.raw`(?<![\w.])profile\s*\.\s*(?<trait>[A-Za-z_]\w*)`,
  ].join("|"),
  "g",
);

/** The traits, events and segments that a condition names; what stands in other strings and in comments does not count. */
export function mentions(condition: string): Mentions {
  const traits = new Set<string>();
  const events = new Set<string>();
  const segments = new Set<string>();
  for (const { groups } of condition.matchAll(parts)) {
    if (groups?.trait) traits.add(groups.trait);
    if (groups?.segment) segments.add(unquote(groups.segment));
    for (const [quoted] of (groups?.events ?? "").matchAll(new RegExp(text, "g"))) events.add(unquote(quoted));
  }
  return { traits: [...traits], events: [...events], segments: [...segments] };
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, "$1");
}

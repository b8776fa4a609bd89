import type { Vocabulary } from "../api/types";

export interface Suggestion {
  label: string;
  detail?: string;
  info?: string;
  kind: "event" | "trait" | "segment" | "function" | "method" | "variable" | "phrase";
  /** What to insert, when it is not the label; `#{…}` marks where the cursor goes next. */
  snippet?: string;
}

export interface Suggestions {
  /** Where the text that a suggestion replaces begins. */
  from: number;
  items: Suggestion[];
}

const windows = ["24h", "48h", "7d", "14d", "30d", "60d", "90d", "365d"];

/**
 * What can follow in a condition, from the text before the cursor. Inside a string the call around it decides: event
 * names in events("…"), windows in within("…"), else segments. Null when there is nothing to offer.
 */
export function suggest(before: string, vocabulary: Vocabulary, explicit = false): Suggestions | null {
  const quote = openQuote(before);
  if (quote >= 0) {
    const call = callBefore(before.slice(0, quote));
    const items: Suggestion[] =
      call === "events" || call === "sequence"
        ? vocabulary.event_names.map((label) => ({ label, kind: "event" }))
        : call === "within" || call === "duration"
          ? windows.map((label) => ({ label, kind: "phrase" }))
          : call === ""
            ? vocabulary.segments.map((label) => ({ label, kind: "segment", detail: "segment" }))
            : [];
    return items.length ? { from: quote + 1, items } : null;
  }

  const word = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
  const from = before.length - word.length;
  const head = before.slice(0, from);
  if (/\bprofile\.$/.test(head)) return { from, items: vocabulary.traits.map((label) => ({ label, kind: "trait" })) };
  if (head.endsWith(".properties.")) return null;
  if (head.endsWith(".")) {
    if (!/\)\s*\.$/.test(head)) return null;
    const methods = vocabulary.functions.filter((f) => f.signature.startsWith("."));
    return methods.length
      ? { from, items: methods.map((f) => ({ label: f.name, kind: "method", detail: f.signature, info: f.doc, snippet: methodSnippet(f.signature) })) }
      : null;
  }
  if (!word && !explicit) return null;

  const functions = vocabulary.functions.filter((f) => !f.signature.startsWith("."));
  return {
    from,
    items: [
      { label: "profile", kind: "variable", info: "the customer’s traits, computed ones too: profile.country" },
      { label: "segments", kind: "variable", info: 'the segments the customer is in: "vip" in segments' },
      { label: "bought in the last 30 days", kind: "phrase", snippet: 'events("#{Order Completed}").within("#{30d}").exists()' },
      { label: "has not done lately", kind: "phrase", snippet: '!events("#{Order Completed}").within("#{90d}").exists()' },
      { label: "did it several times", kind: "phrase", snippet: 'events("#{Product Viewed}").within("#{7d}").count() >= #{3}' },
      { label: "spent more than", kind: "phrase", snippet: 'events("#{Order Completed}").sum(e, e.properties.#{total}) > #{500.0}' },
      { label: "is in segment", kind: "phrase", snippet: '"#{name}" in segments' },
      ...functions.map((f): Suggestion => ({ label: f.name, kind: "function", detail: f.signature, info: f.doc, snippet: f.name === "events" ? 'events("#{}")' : `${f.name}(#{})` })),
    ],
  };
}

/** Where the string that the end of the text stands in begins (its quote), or -1 outside of strings. */
export function openQuote(text: string): number {
  let at = -1;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === "\\") i++;
      else if (c === quote || c === "\n") {
        quote = "";
        at = -1;
      }
    } else if (c === '"' || c === "'") {
      quote = c;
      at = i;
    } else if (c === "/" && text[i + 1] === "/") {
      const end = text.indexOf("\n", i);
      if (end < 0) return -1;
      i = end;
    }
  }
  return at;
}

/** The function whose argument list is open at the end of the text: `events(` gives "events"; "" when none is. */
function callBefore(text: string): string {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    const c = text[i];
    if (c === ")") depth++;
    else if (c === "(") {
      if (depth === 0) {
        const name = /([A-Za-z_]\w*)\s*$/.exec(text.slice(0, i))?.[1] ?? "";
        // Inside where(e, …) or a bare parenthesis a string is compared with something; only named calls take names.
        return ["where", "sum", "avg", "min", "max", "distinct", "most_common", "first", "last"].includes(name) ? name : name && !/^(has|age)$/.test(name) ? name : "";
      }
      depth--;
    }
  }
  return "";
}

/** ".within(\"90d\")" as a snippet whose argument is to be filled in. */
function methodSnippet(signature: string): string {
  const call = /^\.\w+\([^)]*\)/.exec(signature)?.[0].slice(1) ?? signature.slice(1);
  return call.replace(/"([^"]*)"/, '"#{$1}"').replace(/\.properties\.(\w+)/, ".properties.#{$1}");
}

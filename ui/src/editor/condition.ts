import { autocompletion, type CompletionContext, type CompletionResult, snippet } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { Vocabulary } from "../api/types";
import { cel } from "./cel";
import { suggest, type Suggestion } from "./completion";

const types: Record<Suggestion["kind"], string> = { event: "text", trait: "property", segment: "constant", function: "function", method: "method", variable: "variable", phrase: "keyword" };

/** The language of conditions and computed traits, completing from what has been seen here. */
export function condition(vocabulary: Vocabulary | undefined): Extension {
  if (!vocabulary) return cel();
  const source = (context: CompletionContext): CompletionResult | null => {
    const found = suggest(context.state.sliceDoc(0, context.pos), vocabulary, context.explicit);
    if (!found) return null;
    return {
      from: found.from,
      validFor: /^[\w ]*$/,
      options: found.items.map((s) => ({ label: s.label, detail: s.detail, info: s.info, type: types[s.kind], apply: s.snippet ? snippet(s.snippet) : undefined, boost: s.kind === "phrase" ? -1 : 0 })),
    };
  };
  return [cel(), autocompletion({ override: [source], icons: false, activateOnTyping: true })];
}

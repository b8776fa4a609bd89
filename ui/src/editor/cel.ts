import { LanguageSupport, StreamLanguage } from "@codemirror/language";

interface State {
  /** The quote that ends the string being read; "" outside of strings. */
  quote: string;
  raw: boolean;
}

const number = /^(0x[0-9a-fA-F]+u?|\d+(\.\d+)?([eE][+-]?\d+)?u?|\.\d+([eE][+-]?\d+)?)/;

/** Highlighting of CEL (the Common Expression Language), after its lexical grammar in the language definition. */
export const celLanguage = StreamLanguage.define<State>({
  name: "cel",
  startState: () => ({ quote: "", raw: false }),
  token(stream, state) {
    if (state.quote) return inString(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match("//")) {
      stream.skipToEnd();
      return "comment";
    }
    const open = stream.match(/^([rRbB]{0,2})("""|'''|"|')/) as RegExpMatchArray | null;
    if (open) {
      state.quote = open[2]!;
      state.raw = /r/i.test(open[1]!);
      return inString(stream, state);
    }
    if (stream.match(number)) return "number";
    const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null;
    if (word) {
      if (/^(true|false)$/.test(word[0])) return "bool";
      if (word[0] === "null") return "null";
      if (word[0] === "in") return "operatorKeyword";
      if (stream.match(/^\s*\(/, false)) return "variableName.function";
      if (/^(profile|segments|preferences|scores|now|events)$/.test(word[0])) return "variableName.standard";
      return stream.string.slice(0, stream.start).trimEnd().endsWith(".") ? "propertyName" : "variableName";
    }
    if (stream.match(/^(==|!=|<=|>=|&&|\|\||[<>+\-*/%!?:])/)) return "operator";
    stream.next();
    return "punctuation";
  },
  languageData: { closeBrackets: { brackets: ["(", "[", "{", '"', "'"] }, commentTokens: { line: "//" } },
});

function inString(stream: { next(): string | void; match(s: string): unknown; eol(): boolean }, state: State): string {
  while (!stream.eol()) {
    if (stream.match(state.quote)) {
      state.quote = "";
      return "string";
    }
    if (stream.next() === "\\" && !state.raw) stream.next();
  }
  if (state.quote.length === 1) state.quote = ""; // a plain string ends with its line
  return "string";
}

export function cel(): LanguageSupport {
  return new LanguageSupport(celLanguage);
}

import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { LanguageSupport, StreamLanguage } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import type { QueryTable } from "../api/types";

const keywords =
  "select distinct from where group by having order asc desc limit offset join left right full inner outer cross on using as and or not in is null exists between like glob case when then else end union all intersect except with recursive materialized over partition filter rows range preceding following current row values cast collate";
const keyword = new Set(keywords.split(" "));

/** Highlighting of the SQL that queries are written in. */
export const sqlLanguage = StreamLanguage.define<{ comment: boolean }>({
  name: "sql",
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (state.comment || stream.match("/*")) {
      state.comment = !stream.match(/^.*?\*\//);
      if (state.comment) stream.skipToEnd();
      return "comment";
    }
    if (stream.eatSpace()) return null;
    if (stream.match("--")) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match(/^'([^']|'')*'?/)) return "string";
    if (stream.match(/^("([^"]|"")*"?|\[[^\]]*\]?|`[^`]*`?)/)) return "variableName";
    if (stream.match(/^(\d+(\.\d+)?([eE][+-]?\d+)?|\.\d+)/)) return "number";
    if (stream.match(/^:\w+/)) return "variableName.standard";
    const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null;
    if (word) {
      if (keyword.has(word[0].toLowerCase())) return "keyword";
      if (stream.match(/^\s*\(/, false)) return "variableName.function";
      return stream.string.slice(0, stream.start).endsWith(".") ? "propertyName" : "variableName";
    }
    if (stream.match(/^(->>|->|\|\||<>|<=|>=|==|!=|[=<>+\-*/%])/)) return "operator";
    stream.next();
    return "punctuation";
  },
  languageData: { closeBrackets: { brackets: ["(", "'"] }, commentTokens: { line: "--", block: { open: "/*", close: "*/" } } },
});

/** The tables that a name before a point can stand for: `p` in "FROM profiles p" and "FROM profiles AS p". */
export function tablesOf(text: string, name: string, tables: QueryTable[]): QueryTable[] {
  const aliases = [...text.matchAll(/\b(?:from|join|,)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?/gi)].filter((m) => m[2] === name || m[1] === name).map((m) => m[1]);
  return tables.filter((t) => t.name === name || aliases.includes(t.name));
}

/** SQL over the tables for queries, completing their names and columns. */
export function sql(tables: QueryTable[]): Extension {
  const source = (context: CompletionContext): CompletionResult | null => {
    const dotted = context.matchBefore(/\w+\.\w*/);
    if (dotted) {
      const [name] = dotted.text.split(".");
      const options = tablesOf(context.state.doc.toString(), name!, tables).flatMap((t) => t.columns.map((c) => ({ label: c.name, detail: c.doc, type: "property" })));
      return options.length ? { from: dotted.from + name!.length + 1, options, validFor: /^\w*$/ } : null;
    }
    const word = context.matchBefore(/\w+/);
    if (!word && !context.explicit) return null;
    const text = context.state.doc.toString();
    const used = tables.filter((t) => new RegExp(`\\b${t.name}\\b`, "i").test(text));
    const columns = new Map(used.flatMap((t) => t.columns.map((c) => [c.name, { label: c.name, detail: c.doc, type: "property" }] as const)));
    return {
      from: word?.from ?? context.pos,
      validFor: /^\w*$/,
      options: [
        ...tables.map((t) => ({ label: t.name, detail: t.row, type: "class", boost: 1 })),
        ...columns.values(),
        ...keywords.split(" ").map((k) => ({ label: k.toUpperCase(), type: "keyword", boost: -1 })),
      ],
    };
  };
  return [new LanguageSupport(sqlLanguage), autocompletion({ override: [source], icons: false, activateOnTyping: true })];
}

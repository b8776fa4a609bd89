import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";

/** Something to mark in a text: a line and column as the API gives them, 1-based, columns counting characters. */
export interface Mark {
  message: string;
  line?: number;
  column?: number;
  severity?: "error" | "warning";
}

/**
 * The offset of a line and column in a text. Columns count Unicode characters, offsets UTF-16 units. Places past the
 * end of a line or of the text are pulled back to it; without a line it is the beginning.
 */
export function offsetOf(doc: Text, line: number | undefined, column: number | undefined): number {
  if (line === undefined || line < 1) return 0;
  if (line > doc.lines) return doc.length;
  const at = doc.line(line);
  const characters = [...at.text];
  const before = characters.slice(0, Math.max(0, (column ?? 1) - 1));
  return at.from + Math.min(before.join("").length, at.length);
}

/**
 * The place in a line that a reader looks for at a position: the word there; the word before a parenthesis that opens,
 * since a call's place is its parenthesis; a dot with the word behind it; a text in quotes; any other sign alone; at the end, the last
 * character.
 */
function around(text: string, at: number): [number, number] {
  if (at >= text.length) return [Math.max(0, text.length - 1), text.length];
  const end = at + (/^\.?[\p{L}\p{N}_]+/u.exec(text.slice(at))?.[0].length ?? [...text.slice(at)][0]!.length);
  if (text[at] === ".") return [at, end];
  const literal = /^(["'])(?:\\.|(?!\1).)*\1/.exec(text.slice(at));
  if (literal) return [at, at + literal[0].length];
  const before = /[\p{L}\p{N}_]+$/u.exec(text.slice(0, at))?.[0].length ?? 0;
  if (text[at] === "(" && before > 0) return [at - before, at];
  return [/[\p{L}\p{N}_]/u.test(text[at]!) ? at - before : at, end];
}

/** What each mark underlines. Without a column, the whole line. */
export function diagnostics(doc: Text, marks: Mark[]): Diagnostic[] {
  return marks.map((mark) => {
    let from = offsetOf(doc, mark.line, mark.column);
    const line = doc.lineAt(from);
    let to = from;
    if (mark.line !== undefined && mark.column === undefined) {
      from = line.from + (line.text.length - line.text.trimStart().length);
      to = line.to;
    } else {
      [from, to] = around(line.text, from - line.from).map((at) => line.from + at) as [number, number];
    }
    return { from: Math.min(from, doc.length), to: Math.min(Math.max(to, from), doc.length), severity: mark.severity ?? "error", message: mark.message };
  });
}

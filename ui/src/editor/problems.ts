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

/** What each mark underlines: the word that begins or stands there, the sign there, or the last character of a line that ends too early. */
export function diagnostics(doc: Text, marks: Mark[]): Diagnostic[] {
  return marks.map((mark) => {
    let from = offsetOf(doc, mark.line, mark.column);
    const line = doc.lineAt(from);
    let to = from;
    if (mark.line !== undefined && mark.column === undefined) {
      from = line.from + (line.text.length - line.text.trimStart().length);
      to = line.to;
    } else {
      const word = /^[\p{L}\p{N}_]+/u.exec(line.text.slice(from - line.from));
      to = Math.min(from + (word ? word[0].length : 1), line.to);
      if (to === from && from > line.from) from -= 1;
    }
    return { from: Math.min(from, doc.length), to: Math.min(Math.max(to, from), doc.length), severity: mark.severity ?? "error", message: mark.message };
  });
}

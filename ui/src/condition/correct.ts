import { Text } from "@codemirror/state";
import type { ConditionWarning } from "../api/types";
import { offsetOf } from "../editor/problems";

/**
 * A condition with the name that a warning doubts replaced by the one that it suggests. Undefined where there is none, or
 * where the name is written in a way that takes a person to change.
 */
export function corrected(text: string, { name, suggestion, line, column }: ConditionWarning): string | undefined {
  if (!suggestion) return undefined;
  const at = offsetOf(Text.of(text.split("\n")), line, column);
  const quoted = text[at] === '"' || text[at] === "'";
  const from = quoted ? at + 1 : at;
  const fits = quoted ? !/["'\\\n]/.test(suggestion) && text[from + name.length] === text[at] : /^[A-Za-z_]\w*$/.test(suggestion);
  return fits && text.startsWith(name, from) ? text.slice(0, from) + suggestion + text.slice(from + name.length) : undefined;
}

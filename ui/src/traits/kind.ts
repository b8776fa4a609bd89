import type { Trait } from "../api/types";

const words: Record<Trait["type"], string> = { int: "Whole number", double: "Number", string: "Text", timestamp: "Time", bool: "Yes or no", map: "Values by name", list: "List", duration: "Length of time", dyn: "Any" };

/** The type of a trait's values in everyday words. */
export function kindOf(type: Trait["type"]): string {
  return words[type] ?? type;
}

import type { Trait } from "../api/types";

const words: Record<Trait["type"], string> = { int: "whole number", double: "number", string: "text", timestamp: "time", bool: "yes or no", dyn: "any" };

/** The type of a trait's values in everyday words. */
export function kindOf(type: Trait["type"]): string {
  return words[type] ?? type;
}

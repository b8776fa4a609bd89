import type { ConditionNode } from "../api/types";
import { newGroup, newStep, newId, type Part, partOf } from "./tree";

/** What can be added to a condition, in the order of the menu. */
export const starters: { kind: string; label: string; make: () => Part }[] = [
  { kind: "behaviour", label: "What they did", make: () => partOf({ kind: "behaviour", behaviour: { event: "", reducer: "exists", within: "30d" } }) },
  { kind: "sequence", label: "Steps in order", make: () => ({ id: newId(), negated: false, node: { kind: "sequence", sequence: { steps: [] } }, steps: [newStep(), newStep()], without: [] }) },
  ...named("trait", "Trait"),
  { kind: "segment", label: "Segment", make: () => partOf({ kind: "segment" }) },
  { kind: "consent", label: "Consent", make: () => partOf({ kind: "consent" }) },
  ...named("preference", "Preference"),
  ...named("score", "Score"),
  { kind: "group", label: "Group", make: () => newGroup("any") },
  { kind: "text", label: "Written by hand", make: () => partOf({ kind: "text", text: "" }) },
];

/** What can be added to the conditions on an event. */
export const eventStarters = [...named("property", "Property"), ...starters.filter((s) => s.kind === "group" || s.kind === "text")];

/** What an expression that gives a value can begin with. */
export const valueStarters = [
  { kind: "behaviour", label: "What they did", make: () => partOf({ kind: "behaviour", behaviour: { event: "", reducer: "count" } }) },
  ...starters.filter((s) => s.kind === "text"),
];

function named(kind: ConditionNode["kind"], label: string) {
  return [{ kind, label, make: () => partOf({ kind, operator: "==" }) }];
}

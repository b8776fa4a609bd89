// What a statement asks of a value, in words: the functions and operators of the condition language.

import type { ConditionNode } from "../api/types";
import { givesNumber } from "./tree";

export type Wants = "nothing" | "any" | "text" | "number" | "list" | "duration" | "time";

export interface Ask {
  /** "FUNCTION OPERATOR", and "now" for a comparison with the present. */
  id: string;
  label: string;
  group: "Value" | "Number" | "Text" | "Date" | "List";
  wants: Wants;
}

const ask = (group: Ask["group"], wants: Wants, id: string, label: string): Ask => ({ id, label, group, wants });

const asks: Ask[] = [
  ask("Value", "any", " ==", "is"),
  ask("Value", "any", " !=", "is not"),
  ask("Value", "list", " in", "is one of"),
  ask("Value", "nothing", " has", "is known"),
  ask("Value", "nothing", " ", "is yes"),
  ask("Number", "any", " >", "is more than"),
  ask("Number", "any", " >=", "is at least"),
  ask("Number", "any", " <", "is less than"),
  ask("Number", "any", " <=", "is at most"),
  ask("Text", "text", " contains", "contains"),
  ask("Text", "text", " starts_with", "begins with"),
  ask("Text", "text", " ends_with", "ends with"),
  ask("Text", "text", "fold ==", "is, whatever the case,"),
  ask("Text", "text", "fold contains", "contains, whatever the case,"),
  ask("Text", "text", " matches", "matches the pattern"),
  ask("Text", "text", "version >=", "is at least version"),
  ask("Text", "text", "version <", "is before version"),
  ask("Date", "duration", "age <", "was less ago than"),
  ask("Date", "duration", "age >", "was longer ago than"),
  ask("Date", "time", "time <", "is before"),
  ask("Date", "time", "time >=", "is not before"),
  ask("Date", "nothing", "time < now", "is in the past"),
  ask("Date", "nothing", "time > now", "is in the future"),
  ask("Date", "number", "years >=", "was at least this many years ago:"),
  ask("Date", "number", "years <", "was less than this many years ago:"),
  ask("Date", "number", "anniversary <=", "has its anniversary within days:"),
  ask("Date", "number", "anniversary ==", "has its anniversary in days:"),
  ask("List", "any", " includes", "includes"),
  ask("List", "list", " includes_any", "includes one of"),
  ask("List", "list", " includes_all", "includes all of"),
  ask("List", "number", "size >=", "has at least this many:"),
  ask("List", "number", "size <", "has fewer than:"),
];

const numbers = [" ==", " !=", " >", " >=", " <", " <="];

/** The id of what a node asks. */
export function askId(node: ConditionNode): string {
  return `${node.function ?? ""} ${node.operator ?? ""}${node.function === "time" && node.value === "now" ? " now" : ""}`;
}

/** What can be asked of the node's subject, what it asks now among it. */
export function asksOf(node: ConditionNode): Ask[] {
  const reducer = node.behaviour?.reducer;
  const dated = reducer === "first" || reducer === "last" ? !node.behaviour!.property : false;
  const found = asks.filter((a) => {
    if (!reducer) return true;
    if (givesNumber(reducer)) return numbers.includes(a.id);
    if (dated) return a.group === "Date" || a.id === " has";
    return a.id !== " has" && a.id !== " ";
  });
  const id = askId(node);
  if (!found.some((a) => a.id === id) && (node.operator || !reducer)) found.push(current(node, id));
  return found;
}

/** What the node asks now; one that has no words of its own is named by its signs. */
export function current(node: ConditionNode, id = askId(node)): Ask {
  const known = asks.find((a) => a.id === id);
  if (known) return known.wants === "any" && node.behaviour && givesNumber(node.behaviour.reducer) ? { ...known, wants: "number" } : known;
  const wants: Wants = node.function === "age" ? "duration" : node.function === "time" ? "time" : node.function === "fold" || node.function === "version" ? "text"
    : ["in", "includes_any", "includes_all"].includes(node.operator ?? "") ? "list" : node.operator === "has" || !node.operator ? "nothing" : "any";
  return { id, label: id.trim() || "is yes", group: "Value", wants };
}

/** The node asking something else; a value that does not fit any more goes. */
export function asking(node: ConditionNode, id: string): ConditionNode {
  const [fn, operator, now] = id.split(" ");
  const next: ConditionNode = { ...node, function: fn || undefined, operator: operator || undefined };
  if (next.function !== "years" && next.function !== "anniversary") delete next.zone;
  const before = current(node).wants;
  const { wants } = current(next, id);
  if (now) next.value = "now";
  else if (wants === "nothing") delete next.value;
  else if (wants === "list") next.value = node.value === undefined ? undefined : Array.isArray(node.value) ? node.value : [node.value];
  else if (before === "list") next.value = Array.isArray(node.value) ? node.value[0] : undefined;
  if (wants === "text" && typeof next.value !== "string") next.value = undefined;
  if (wants === "number" && typeof next.value !== "number") next.value = undefined;
  if ((wants === "duration" || (wants === "time" && !now)) && wants !== before) next.value = undefined;
  return tidy(next);
}

/** Without members that say nothing. */
export function tidy(node: ConditionNode): ConditionNode {
  return Object.fromEntries(Object.entries(node).filter(([, v]) => v !== undefined)) as ConditionNode;
}

/** A typed value of a sort: what cannot be of it is undefined. */
export function typed(text: string, sort: "text" | "number" | "boolean"): string | number | boolean | undefined {
  if (sort === "text") return text;
  if (sort === "boolean") return text === "true";
  const n = Number(text.replace(",", "."));
  return text.trim() === "" || !Number.isFinite(n) ? undefined : n;
}

/** The sort of a value, or of the values of a list. */
export function sortOf(value: unknown): "text" | "number" | "boolean" {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === "number" ? "number" : typeof one === "boolean" ? "boolean" : "text";
}

const units = { m: "minutes", h: "hours", d: "days", w: "weeks" } as const;
export type Unit = keyof typeof units;
export const unitNames = units;

/** "30d" as a number and a unit; undefined for what has no such form. */
export function durationOf(text: string | undefined): { n: number; unit: Unit } | undefined {
  const m = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(text ?? "");
  return m ? { n: Number(m[1]), unit: m[2] as Unit } : undefined;
}

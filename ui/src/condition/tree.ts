import type { ConditionNode, ConditionStep } from "../api/types";

/** A part of a condition in the builder. Each has an id of its own, which stays while it is changed and moved. */
export type Part = Group | Leaf;

/** All or any of its parts must hold; negated, not. */
export interface Group {
  id: string;
  group: "all" | "any";
  negated: boolean;
  parts: Part[];
}

/** One statement. What is in `steps` and `without` is left out of `node`. */
export interface Leaf {
  id: string;
  negated: boolean;
  node: ConditionNode;
  /** The events of a behaviour (one) or of a sequence. */
  steps: Step[];
  /** Events that must not be in between. */
  without: Step[];
}

export interface Step {
  id: string;
  event: string;
  where: Group;
}

export const isGroup = (part: Part): part is Group => "group" in part;

let made = 0;
export const newId = () => `part-${++made}`;

export const newGroup = (group: "all" | "any" = "all", parts: Part[] = [], negated = false): Group => ({ id: newId(), group, negated, parts });
export const newStep = (event = "", where: ConditionNode[] = []): Step => ({ id: newId(), event, where: newGroup("all", where.map(partOf)) });
const stepOf = (step: ConditionStep) => newStep(step.event, step.where ?? []);

/** A tree as the builder holds it: the root is always a group. */
export function read(node: ConditionNode): Group {
  const part = partOf(node);
  return isGroup(part) ? part : newGroup("all", [part]);
}

/** One node as a part. */
export function partOf(node: ConditionNode): Part {
  if (node.kind === "not") {
    const inner = partOf(node.nodes![0]!);
    return inner.negated ? newGroup("all", [inner], true) : { ...inner, negated: true };
  }
  if (node.kind === "all" || node.kind === "any") return newGroup(node.kind, (node.nodes ?? []).map(partOf));
  const leaf: Leaf = { id: newId(), negated: false, node: { ...node }, steps: [], without: [] };
  if (node.behaviour) {
    const { event, where, ...rest } = node.behaviour;
    leaf.node.behaviour = { ...rest, event: "" };
    leaf.steps = [newStep(event, where)];
  }
  if (node.sequence) {
    const { steps, without, ...rest } = node.sequence;
    leaf.node.sequence = { ...rest, steps: [] };
    leaf.steps = steps.map(stepOf);
    leaf.without = (without ?? []).map(stepOf);
  }
  return leaf;
}

/** A tree to send, and which part stands at which path of it, "nodes[0].behaviour.where[1]". */
export interface Written {
  node: ConditionNode | undefined;
  at: Map<string, string>;
}

/** The tree of a condition; what is not finished is left out. Undefined when nothing is left. */
export function write(root: Group): Written {
  const at = new Map<string, string>();
  return { node: nodeOf(root, "", at), at };
}

/** The tree of a value, which is one leaf. */
export function writeValue(root: Group): Written {
  const at = new Map<string, string>();
  const first = root.parts[0];
  return { node: first && nodeOf(first, "", at, true), at };
}

function nodeOf(part: Part, path: string, at: Map<string, string>, value = false): ConditionNode | undefined {
  if (part.negated) {
    const inner = nodeOf({ ...part, negated: false }, join(path, "nodes[0]"), at);
    at.set(path, part.id);
    return inner && { kind: "not", nodes: [inner] };
  }
  at.set(path, part.id);
  if (isGroup(part)) {
    const nodes = nodesOf(part.parts, join(path, "nodes"), at);
    return nodes.length ? { kind: part.group, nodes } : undefined;
  }
  if (lacks(part, value)) return undefined;
  const node = { ...part.node };
  if (node.behaviour) {
    const [step] = part.steps;
    node.behaviour = { ...node.behaviour, ...written(step!, join(path, "behaviour"), at) };
  }
  if (node.sequence) {
    node.sequence = {
      ...node.sequence,
      steps: part.steps.map((s, i) => written(s, join(path, `sequence.steps[${i}]`), at)),
      without: part.without.map((s, i) => written(s, join(path, `sequence.without[${i}]`), at)),
    };
    if (!node.sequence.without!.length) delete node.sequence.without;
  }
  return node;
}

function written(step: Step, path: string, at: Map<string, string>): ConditionStep {
  const { where } = step;
  const nodes = where.group === "all" && !where.negated ? nodesOf(where.parts, join(path, "where"), at) : [nodeOf(where, join(path, "where[0]"), at)].filter((n) => n !== undefined);
  return nodes.length ? { event: step.event, where: nodes } : { event: step.event };
}

function nodesOf(parts: Part[], path: string, at: Map<string, string>): ConditionNode[] {
  const nodes: ConditionNode[] = [];
  for (const part of parts) {
    const node = nodeOf(part, `${path}[${nodes.length}]`, at);
    if (node) nodes.push(node);
  }
  return nodes;
}

const join = (path: string, rest: string) => (path ? `${path}.${rest}` : rest);

/** The part that a path of the sent tree is in: of "nodes[1].behaviour.reducer" that at "nodes[1]". */
export function partAt(at: Map<string, string>, path: string): string | undefined {
  for (let prefix = path; ; prefix = prefix.replace(/(\.|^)[^.]*$/, "")) {
    const id = at.get(prefix);
    if (id || !prefix) return id;
  }
}

export const valued = new Set(["sum", "avg", "min", "max", "distinct", "most_common"]);
const numeric = new Set(["count", "sum", "avg", "distinct", "days", "frequency", "decayed"]);
/** Whether a reducer gives a number. */
export const givesNumber = (reducer: string) => numeric.has(reducer);

/** What a leaf still needs before it says something; "" when it is whole. */
export function lacks({ node, steps }: Leaf, value = false): string {
  switch (node.kind) {
    case "text":
      return node.text?.trim() ? "" : "Write something.";
    case "sequence":
      return steps.length < 2 ? "A sequence has at least two steps." : "";
    case "behaviour":
      if (valued.has(node.behaviour!.reducer) && !node.behaviour!.property) return "Name the property.";
      if (node.behaviour!.reducer === "frequency" && !node.behaviour!.argument) return "Say how long a period is.";
      if (node.behaviour!.reducer === "decayed" && !node.behaviour!.argument) return "Say after how long an event counts half.";
      if (!value && !node.operator && node.behaviour!.reducer !== "exists") return "Say what it is compared with.";
      break;
    default:
      if (!node.name) return node.kind === "segment" ? "Choose a segment." : "Name it.";
  }
  if (!node.operator || node.operator === "has") return "";
  const empty = node.value === undefined || node.value === null || (Array.isArray(node.value) && node.value.length === 0);
  return empty ? "Give a value." : "";
}

/** Every part, group and step of a tree, from the top. */
export function* walk(part: Part): Generator<Part> {
  yield part;
  if (isGroup(part)) for (const inner of part.parts) yield* walk(inner);
  else for (const step of [...part.steps, ...part.without]) for (const inner of step.where.parts) yield* walk(inner);
}

/** How many leaves are not finished. */
export function unfinished(root: Group, value = false): number {
  let n = 0;
  for (const part of walk(root)) if (!isGroup(part) && lacks(part, value && part === root.parts[0])) n++;
  return n;
}

import { describe, expect, it } from "vitest";
import type { ConditionNode } from "../api/types";
import { asking, asksOf, askId, current, durationOf, typed } from "./ask";
import { corrected } from "./correct";
import { add, copyOf, move, placeOf, remove, unwrap, update, wrap } from "./edit";
import { amend, begin, change, redo, undo } from "./history";
import { type Group, isGroup, type Leaf, lacks, newGroup, partAt, partOf, read, unfinished, walk, write, writeValue } from "./tree";

const trait = (name: string): ConditionNode => ({ kind: "trait", name, operator: "==", value: "x" });
const not = (node: ConditionNode): ConditionNode => ({ kind: "not", nodes: [node] });
const all = (...nodes: ConditionNode[]): ConditionNode => ({ kind: "all", nodes });
const any = (...nodes: ConditionNode[]): ConditionNode => ({ kind: "any", nodes });
const viewed: ConditionNode = {
  kind: "behaviour", operator: ">=", value: 3,
  behaviour: { event: "Product Viewed", reducer: "count", within: "7d", where: [{ kind: "property", name: "category", operator: "==", value: "outdoor" }, any({ kind: "property", name: "a" }, not({ kind: "property", name: "b" }))] },
};
const sequence: ConditionNode = {
  kind: "sequence", sequence: { steps: [{ event: "A" }, { event: "B", where: [{ kind: "text", text: "e.type == \"track\"" }] }], within: "1h", without: [{ event: "C" }] },
};

/** The names of the leaves and groups in reading order: "(a (b c))". */
function outline(root: Group): string {
  return root.parts.map((p) => (isGroup(p) ? `(${outline(p)})` : p.node.name ?? p.node.kind)).join(" ");
}
const idOf = (root: Group, name: string) => [...walk(root)].find((p) => !isGroup(p) && p.node.name === name)!.id;
const groupOf = (root: Group, name: string) => placeOf(root, idOf(root, name))!.group;

describe("a suggestion", () => {
  const warning = (name: string, column: number, suggestion?: string, line = 1) => ({ kind: "trait" as const, name, message: "", line, column, suggestion });
  it("takes the place of the name", () => {
    expect(corrected('profile.contry == "contry"', warning("contry", 9, "country"))).toBe('profile.country == "contry"');
    expect(corrected('true &&\n  "😀" in segments && events("Ordr").exists()', warning("Ordr", 29, "Order Completed", 2))).toBe('true &&\n  "😀" in segments && events("Order Completed").exists()');
    expect(corrected("profile['contry'] == 1", warning("contry", 9, "country"))).toBe("profile['country'] == 1");
  });
  it("is left to people where it does not simply fit", () => {
    expect(corrected("profile.contry == 1", warning("contry", 9))).toBeUndefined();
    expect(corrected("profile.order_cnt == 1", warning("order_cnt", 9, "order count"))).toBeUndefined();
    expect(corrected("profile . contry == 1", warning("contry", 10, "country"))).toBeUndefined();
    expect(corrected('"a\\nb" in segments', warning("a\nb", 1, "ab"))).toBeUndefined();
    expect(corrected('"vipp" in segments', warning("vipp", 1, 'v"ip'))).toBeUndefined();
  });
});

describe("a tree in the builder", () => {
  it("is written as it was read", () => {
    for (const node of [all(trait("a"), not(trait("b"))), any(trait("a"), all(trait("b"), not(any(trait("c"), trait("d"))))), all(viewed, sequence), all(not(all(not(trait("a")))))]) {
      expect(write(read(node)).node).toEqual(node);
    }
    expect(write(read(trait("a"))).node).toEqual(all(trait("a")));
    expect(writeValue(read({ kind: "behaviour", behaviour: { event: "A", reducer: "count" } })).node).toEqual({ kind: "behaviour", behaviour: { event: "A", reducer: "count" } });
  });

  it("leaves out what is not finished, and groups without anything", () => {
    const root = read(all(trait("a"), { kind: "trait", operator: "==" }, any({ kind: "segment" }), not({ kind: "text", text: " " })));
    expect(write(root).node).toEqual(all(trait("a")));
    expect(unfinished(root)).toBe(3);
    expect(write(read(all())).node).toBeUndefined();
    expect(lacks(partOf({ kind: "behaviour", behaviour: { event: "A", reducer: "sum" } }) as Leaf)).toBe("Name the property.");
    expect(lacks(partOf({ kind: "trait", name: "a", operator: "==", value: "" }) as Leaf)).toBe("");
    expect(lacks(partOf({ kind: "trait", name: "a", operator: "in", value: [] }) as Leaf)).toBe("Give a value.");
  });

  it("knows which part a path of the sent tree is in", () => {
    const root = read(all({ kind: "segment" }, not(viewed), any(trait("c"), trait("d"))));
    const { at } = write(root); // the segment is left out: what follows moves up
    const behaviour = root.parts[1]!;
    expect(partAt(at, "nodes[0].nodes[0].behaviour.reducer")).toBe(behaviour.id);
    expect(partAt(at, "nodes[0].nodes[0].behaviour.where[0].value")).toBe((behaviour as Leaf).steps[0]!.where.parts[0]!.id);
    expect(partAt(at, "nodes[1].nodes[1].name")).toBe(idOf(root, "d"));
    expect(partAt(at, "")).toBe(root.id);
  });
});

describe("changes of a tree", () => {
  const root = read(all(trait("a"), any(trait("b"), trait("c")), trait("d")));

  it("leave the old tree as it was", () => {
    const before = JSON.stringify(root);
    update<Leaf>(root, idOf(root, "b"), (l) => ({ ...l, negated: true }));
    add(root, root.id, partOf(trait("e")));
    remove(root, idOf(root, "c"));
    move(root, idOf(root, "a"), 1);
    wrap(root, idOf(root, "a"));
    expect(JSON.stringify(root)).toBe(before);
  });

  it("move a part past neighbours, into groups and out of them", () => {
    const steps = ["(a b c) d", "(b a c) d", "(b c a) d", "(b c) a d", "(b c) d a"];
    let now = root;
    for (const want of steps) {
      now = move(now, idOf(now, "a"), 1);
      expect(outline(now)).toBe(want);
    }
    expect(move(now, idOf(now, "a"), 1)).toBe(now);
    for (const want of [...steps.slice(0, -1).reverse(), "a (b c) d"]) {
      now = move(now, idOf(now, "a"), -1);
      expect(outline(now)).toBe(want);
    }
  });

  it("do not leave the conditions on an event", () => {
    const tree = read(all(viewed, trait("a")));
    const id = idOf(tree, "category");
    expect(move(tree, id, -1)).toBe(tree);
    expect(outline((move(tree, id, 1).parts[0] as Leaf).steps[0]!.where)).toBe("(category a b)");
  });

  it("group and ungroup", () => {
    const { root: grouped, group } = wrap(root, idOf(root, "a"));
    expect(outline(grouped)).toBe("(a) (b c) d");
    expect(group!.group).toBe("any");
    expect(outline(unwrap(grouped, group!.id))).toBe("a (b c) d");
    expect(outline(unwrap(root, groupOf(root, "b").id))).toBe("a b c d");
    const none = read(all(not(any(trait("b"), trait("c"))), not(any(trait("d")))));
    expect(unwrap(none, groupOf(none, "b").id)).toEqual(none);
    expect(write(unwrap(none, groupOf(none, "d").id)).node).toEqual(all(not(any(trait("b"), trait("c"))), not(trait("d"))));
  });

  it("copy with ids of their own", () => {
    const tree = read(all(viewed, sequence));
    const ids = (g: Group) => [...walk(g)].map((p) => p.id);
    const copy = copyOf(tree);
    expect(write(copy).node).toEqual(write(tree).node);
    expect(ids(copy).filter((id) => ids(tree).includes(id))).toEqual([]);
  });
});

describe("undo", () => {
  it("goes back and forth; typing in one place is one step", () => {
    let t = begin(1);
    t = change(t, 2);
    t = change(t, 3, "name");
    t = change(t, 4, "name");
    t = amend(t, 5);
    expect(undo(t).now).toBe(2);
    expect(redo(undo(t)).now).toBe(5);
    expect(undo(undo(undo(t))).now).toBe(1);
    const other = change(undo(t), 9, "name");
    expect(redo(other)).toBe(other);
    expect(undo(other).now).toBe(2);
  });
});

describe("what is asked", () => {
  it("keeps a value that fits, and drops one that does not", () => {
    const node = { kind: "trait", name: "a", operator: "==", value: "DE" } as ConditionNode;
    expect(asking(node, " in")).toEqual({ ...node, operator: "in", value: ["DE"] });
    expect(asking(asking(node, " in"), " !=")).toEqual({ ...node, operator: "!=" });
    expect(asking(node, "age <")).toEqual({ kind: "trait", name: "a", function: "age", operator: "<" });
    expect(asking(node, "time < now")).toEqual({ kind: "trait", name: "a", function: "time", operator: "<", value: "now" });
    expect(asking(node, " has")).toEqual({ kind: "trait", name: "a", operator: "has" });
    expect(asking(node, "years >=").value).toBeUndefined();
  });

  it("offers what the subject can be asked, and always what it is asked", () => {
    const count: ConditionNode = { kind: "behaviour", operator: ">", value: 1, behaviour: { event: "A", reducer: "count" } };
    expect(asksOf(count).map((a) => a.label)).toEqual(["is", "is not", "is more than", "is at least", "is less than", "is at most"]);
    expect(current(count).wants).toBe("number");
    const odd: ConditionNode = { kind: "trait", name: "a", function: "fold", operator: "ends_with", value: "x" };
    expect(asksOf(odd).find((a) => a.id === askId(odd))?.wants).toBe("text");
    expect(askId({ kind: "trait", name: "a" })).toBe(" ");
  });

  it("reads numbers and durations", () => {
    expect([typed("1,5", "number"), typed("", "number"), typed("x", "number"), typed("1", "text")]).toEqual([1.5, undefined, undefined, "1"]);
    expect([durationOf("30d"), durationOf("1w12h"), durationOf(undefined)]).toEqual([{ n: 30, unit: "d" }, undefined, undefined]);
    expect(newGroup().parts).toEqual([]);
  });
});

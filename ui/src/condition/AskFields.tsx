import { NativeSelect } from "@mantine/core";
import type { ConditionNode } from "../api/types";
import { type Ask, askId, asking, asksOf, current, tidy } from "./ask";
import { ValueField } from "./ValueField";

/** What is asked of a statement's subject, and the value that it is compared with. */
export function AskFields({ node, onChange }: { node: ConditionNode; onChange: (node: ConditionNode, about?: string) => void }) {
  const asks = asksOf(node);
  const now = current(node);
  return (
    <>
      <NativeSelect size="xs" aria-label="Comparison" data={grouped(asks)} value={askId(node)} onChange={(e) => onChange(asking(node, e.currentTarget.value))} />
      {now.wants !== "nothing" && <ValueField wants={now.wants} value={node.value} onChange={(value) => onChange(tidy({ ...node, value }), "value")} />}
      {now.wants === "duration" && <span className="soft small">ago</span>}
    </>
  );
}

function grouped(asks: Ask[]) {
  const groups = [...new Set(asks.map((a) => a.group))];
  const of = (group: string) => asks.filter((a) => a.group === group).map((a) => ({ value: a.id, label: a.label }));
  return groups.length === 1 ? of(groups[0]!) : groups.map((group) => ({ group, items: of(group) }));
}

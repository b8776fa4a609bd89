import { NativeSelect, Textarea } from "@mantine/core";
import type { ConditionNode } from "../api/types";
import { AskFields } from "./AskFields";
import { BehaviourFields } from "./BehaviourFields";
import { useBuilder } from "./Builder";
import css from "./condition.module.css";
import { update } from "./edit";
import { NameField } from "./NameField";
import { PartMenu } from "./PartMenu";
import { SequenceFields } from "./SequenceFields";
import { lacks, type Leaf } from "./tree";

/** How a statement begins, as it is and negated. */
const words: Record<string, [string, string]> = {
  trait: ["Trait", "Not so: trait"],
  preference: ["Preference", "Not so: preference"],
  score: ["Score", "Not so: score"],
  property: ["Property", "Not so: property"],
  consent: ["Consented to", "Did not consent to"],
  segment: ["Is in", "Is not in"],
  exists: ["Did", "Did not do"],
  behaviour: ["Of what they did", "Not so: of what they did"],
  sequence: ["Did in this order", "Did not do in this order"],
  text: ["Written", "Not so: written"],
};

/** One statement of a condition. */
export function LeafPart({ leaf, event, value = false }: { leaf: Leaf; event?: string; value?: boolean }) {
  const { edit, editing, traits, segments, properties } = useBuilder();
  const { node } = leaf;
  const exists = node.behaviour?.reducer === "exists";
  const [yes, no] = words[exists ? "exists" : node.kind]!;
  const open = lacks(leaf, value);
  const fault = editing.faults[leaf.id];
  const named: Record<string, (string | undefined)[]> = {
    event: [...leaf.steps, ...leaf.without].map((s) => s.event),
    property: [node.behaviour?.property],
    [node.kind]: [node.name],
  };
  const warnings = new Set(editing.warnings.filter((w) => named[w.kind]?.includes(w.name)).map((w) => w.message));
  const set = (change: Partial<Leaf>, about?: string) => edit(update<Leaf>(editing.root, leaf.id, (l) => ({ ...l, ...change })), about && `${leaf.id} ${about}`);
  const setNode = (next: ConditionNode, about?: string) => set({ node: next }, about);
  const names = node.kind === "trait" ? traits : node.kind === "segment" ? segments : node.kind === "property" ? properties(event ?? "") : [];

  return (
    <div className={css.leaf} data-part={leaf.id} data-state={fault ? "wrong" : open ? "open" : undefined} role="group" aria-label={yes}>
      <div className={css.row}>
        {!value && (
          <NativeSelect
            size="xs"
            aria-label="Holds, or does not"
            data={[
              { value: "yes", label: yes },
              { value: "no", label: no },
            ]}
            value={leaf.negated ? "no" : "yes"}
            onChange={(e) => set({ negated: e.currentTarget.value === "no" })}
          />
        )}
        {node.behaviour ? (
          <BehaviourFields leaf={leaf} set={set} value={value} />
        ) : node.sequence ? (
          <SequenceFields leaf={leaf} set={set} />
        ) : node.kind === "text" ? (
          <Textarea size="xs" aria-label="Written condition" autosize minRows={1} maxRows={8} className={css.text} styles={{ input: { fontFamily: "var(--mono)" } }} value={node.text ?? ""} onChange={(e) => setNode({ ...node, text: e.currentTarget.value }, "text")} />
        ) : (
          <>
            <NameField label={nameOf[node.kind] ?? "Name"} names={names} value={node.name ?? ""} path={node.path} onChange={(name, path) => setNode({ ...node, name, path }, "name")} />
            {node.kind !== "segment" && node.kind !== "consent" && <AskFields node={node} onChange={setNode} />}
          </>
        )}
      </div>
      <PartMenu part={leaf} label="condition" />
      {fault && <p className={css.wrong}>{fault}</p>}
      {!fault && open && <p className={css.note}>{open} Until then it is left out.</p>}
      {[...warnings].map((w) => (
        <p key={w} className={css.warning}>
          {w.charAt(0).toUpperCase() + w.slice(1)}
        </p>
      ))}
    </div>
  );
}

const nameOf: Record<string, string> = { trait: "Trait", preference: "Preference", score: "Score", consent: "Purpose", segment: "Segment", property: "Property" };

import { NativeSelect, TextInput } from "@mantine/core";
import { AskFields } from "./AskFields";
import { useBuilder } from "./Builder";
import { tidy } from "./ask";
import css from "./condition.module.css";
import { GroupPart } from "./GroupPart";
import { NameField } from "./NameField";
import { givesNumber, type Leaf, valued } from "./tree";
import { Duration, Time } from "./ValueField";

const reducers = [
  { value: "exists", label: "at least once" },
  { value: "count", label: "number of times" },
  { value: "days", label: "number of days" },
  { value: "sum", label: "sum of" },
  { value: "avg", label: "average of" },
  { value: "min", label: "least" },
  { value: "max", label: "greatest" },
  { value: "first", label: "first" },
  { value: "last", label: "last" },
  { value: "distinct", label: "number of different" },
  { value: "most_common", label: "most frequent" },
  { value: "frequency", label: "times on average per" },
  { value: "lifecycle", label: "stage of life by" },
  { value: "decayed", label: "times, older ones fading" },
];

interface Props {
  leaf: Leaf;
  set: (change: Partial<Leaf>, about?: string) => void;
  value: boolean;
}

/** What a customer did: which event, when, under which conditions, and what is made of it. */
export function BehaviourFields({ leaf, set, value }: Props) {
  const { events, properties } = useBuilder();
  const { node } = leaf;
  const b = node.behaviour!;
  const step = leaf.steps[0]!;
  const setBehaviour = (change: Partial<typeof b>, about?: string) => {
    const next = { ...b, ...change };
    for (const k of Object.keys(next) as (keyof typeof b)[]) if (next[k] === undefined) delete next[k];
    set({ node: { ...node, behaviour: next } }, about);
  };
  const reduce = (reducer: string) => {
    const takesProperty = valued.has(reducer) || reducer === "first" || reducer === "last";
    const next = tidy({
      ...node,
      behaviour: { event: "", reducer, within: reducer === "decayed" ? undefined : b.within, argument: reducer === "decayed" ? "30d" : undefined, from: b.from, to: b.to, property: takesProperty ? b.property : undefined, path: takesProperty ? b.path : undefined },
    });
    if (value || reducer === "exists") {
      for (const key of ["operator", "value", "function", "zone"] as const) delete next[key];
    } else if (givesNumber(reducer)) {
      if (node.function || !node.operator || typeof node.value !== "number") Object.assign(next, { operator: ">=", value: typeof node.value === "number" ? node.value : 1 });
      delete next.function;
    } else if ((reducer === "first" || reducer === "last") && !next.behaviour!.property) {
      if (node.function !== "age" && node.function !== "time") Object.assign(next, { function: "age", operator: "<", value: "30d" });
    } else if (reducer === "lifecycle") Object.assign(next, { operator: "==", value: "at_risk", function: undefined });
    else if (!node.operator || givesNumber(b.reducer)) Object.assign(next, { operator: "==", value: undefined, function: undefined });
    set({ node: tidy(next) });
  };
  const property = valued.has(b.reducer) || b.reducer === "first" || b.reducer === "last";
  return (
    <>
      <NameField label="Event" placeholder="Any event" names={events} value={step.event} onChange={(event) => set({ steps: [{ ...step, event }] }, "event")} />
      <NativeSelect size="xs" aria-label="What of it" data={value ? reducers.filter((r) => r.value !== "exists" || b.reducer === "exists") : reducers} value={b.reducer} onChange={(e) => reduce(e.currentTarget.value)} />
      {property && (
        <NameField
          label="Property"
          placeholder={b.reducer === "first" || b.reducer === "last" ? "time of it" : "Property"}
          names={properties(step.event)}
          value={b.property ?? ""}
          path={b.path}
          onChange={(name, path) => setBehaviour({ property: name || undefined, path }, "property")}
        />
      )}
      {b.reducer === "frequency" && <Duration label="Period" value={b.argument} onChange={(argument) => setBehaviour({ argument }, "argument")} />}
      {b.reducer === "decayed" && <Duration label="Half-life" value={b.argument} onChange={(argument) => setBehaviour({ argument }, "argument")} />}
      {b.reducer === "days" && <TextInput size="xs" className={css.value} aria-label="Time zone of the days" placeholder="UTC" value={b.argument ?? ""} onChange={(e) => setBehaviour({ argument: e.currentTarget.value || undefined }, "argument")} />}
      {!value && b.reducer !== "exists" && <AskFields node={node} onChange={(next, about) => set({ node: next }, about)} />}
      <When within={b.within} from={b.from} to={b.to} onChange={(change, about) => setBehaviour(change, about)} />
      <div className={css.where}>
        <GroupPart group={step.where} about={`Conditions on ${step.event || "the event"}`} event={step.event} />
      </div>
    </>
  );
}

interface Range {
  within?: string;
  from?: string;
  to?: string;
}

/** When: ever, in the last so long, or between two times. */
export function When({ within, from, to, onChange, label = "When" }: Range & { onChange: (range: Range, about?: string) => void; label?: string }) {
  const how = within !== undefined ? "within" : from !== undefined || to !== undefined ? "range" : "ever";
  return (
    <span className={css.pair}>
      <NativeSelect
        size="xs"
        aria-label={label}
        data={[
          { value: "ever", label: "ever" },
          { value: "within", label: "in the last" },
          { value: "range", label: "between" },
        ]}
        value={how}
        onChange={(e) => {
          const next = e.currentTarget.value;
          onChange({ within: next === "within" ? "30d" : undefined, from: next === "range" ? new Date().toISOString().slice(0, 8) + "01" : undefined, to: undefined });
        }}
      />
      {how === "within" && <Duration label="How long ago at most" value={within || undefined} onChange={(next) => onChange({ within: next ?? "", from, to }, "within")} />}
      {how === "range" && (
        <>
          <Time label="From" value={from ?? ""} onChange={(next) => onChange({ within, from: next || (to ? undefined : ""), to }, "from")} />
          <span className="soft small">and</span>
          <Time label="Before" value={to ?? ""} onChange={(next) => onChange({ within, from, to: next || undefined }, "to")} />
        </>
      )}
    </span>
  );
}

import { NativeSelect, TagsInput, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { durationOf, sortOf, typed, type Unit, unitNames, type Wants } from "./ask";
import css from "./condition.module.css";

interface Props {
  wants: Exclude<Wants, "nothing">;
  value: unknown;
  onChange: (value: unknown) => void;
}

type Sort = "text" | "number" | "boolean";
const sorts = [
  { value: "text", label: "text" },
  { value: "number", label: "number" },
  { value: "boolean", label: "yes/no" },
];

/** A value to compare with: of any sort, or of the one that the comparison wants. */
export function ValueField({ wants, value, onChange }: Props) {
  const [chosen, setChosen] = useState<Sort>();
  if (wants === "duration") return <Duration label="How long" value={typeof value === "string" ? value : undefined} onChange={onChange} />;
  if (wants === "time") return <Time label="Time" value={typeof value === "string" ? value : ""} onChange={(text) => onChange(text || undefined)} />;
  const sort: Sort = wants === "number" ? "number" : wants === "text" ? "text" : value === undefined ? (chosen ?? "text") : sortOf(value);
  const choose = (next: Sort) => {
    setChosen(next);
    const convert = (v: unknown) => typed(next === "boolean" ? "true" : String(v ?? ""), next);
    if (Array.isArray(value)) onChange(value.map(convert).filter((v) => v !== undefined));
    else onChange(next === "boolean" ? true : value === undefined ? undefined : convert(value));
  };
  return (
    <>
      {wants === "list" ? (
        <TagsInput size="xs" className={css.tags} aria-label="Values" placeholder="Type, then Enter" splitChars={[","]} value={Array.isArray(value) ? value.map(String) : []} onChange={(list) => onChange(list.map((v) => typed(v, sort)).filter((v) => v !== undefined))} />
      ) : sort === "boolean" ? (
        <NativeSelect size="xs" aria-label="Value" data={[{ value: "true", label: "yes" }, { value: "false", label: "no" }]} value={String(value)} onChange={(e) => onChange(e.currentTarget.value === "true")} />
      ) : sort === "number" ? (
        <Num label="Value" value={typeof value === "number" ? value : undefined} onChange={onChange} />
      ) : (
        <TextInput size="xs" className={css.value} aria-label="Value" value={typeof value === "string" ? value : ""} onChange={(e) => onChange(e.currentTarget.value)} />
      )}
      {(wants === "any" || wants === "list") && <NativeSelect size="xs" aria-label="Sort of value" className={css.sort} data={sorts} value={sort} onChange={(e) => choose(e.currentTarget.value as Sort)} />}
    </>
  );
}

/** A number that can be in the middle of being typed. */
export function Num({ label, value, onChange }: { label: string; value: number | undefined; onChange: (n: number | undefined) => void }) {
  const [text, setText] = useState(value === undefined ? "" : String(value));
  useEffect(() => {
    setText((now) => (typed(now, "number") === value ? now : value === undefined ? "" : String(value)));
  }, [value]);
  return (
    <TextInput
      size="xs"
      className={css.number}
      aria-label={label}
      inputMode="decimal"
      value={text}
      error={text.trim() !== "" && typed(text, "number") === undefined}
      onChange={(e) => {
        setText(e.currentTarget.value);
        onChange(typed(e.currentTarget.value, "number") as number | undefined);
      }}
    />
  );
}

/** A length of time such as "30d"; one that is written otherwise ("1w12h") stays a text. */
export function Duration({ label, value, onChange }: { label: string; value: string | undefined; onChange: (value: string | undefined) => void }) {
  const [unit, setUnit] = useState<Unit>("d");
  const parsed = durationOf(value);
  if (value && !parsed) return <TextInput size="xs" className={css.number} aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value || undefined)} />;
  return (
    <span className={css.pair}>
      <Num label={label} value={parsed?.n} onChange={(n) => onChange(n === undefined ? undefined : `${n}${parsed?.unit ?? unit}`)} />
      <NativeSelect
        size="xs"
        aria-label={`${label}: unit`}
        data={Object.entries(unitNames).map(([v, l]) => ({ value: v, label: l }))}
        value={parsed?.unit ?? unit}
        onChange={(e) => {
          setUnit(e.currentTarget.value as Unit);
          if (parsed) onChange(`${parsed.n}${e.currentTarget.value}`);
        }}
      />
    </span>
  );
}

/** A day or a moment, "2026-01-31" or "2026-01-31T10:00:00Z". */
export function Time({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const day = value === "" || /^\d{4}-\d\d-\d\d$/.test(value);
  return <TextInput size="xs" className={css.value} aria-label={label} type={day ? "date" : "text"} value={value} onChange={(e) => onChange(e.currentTarget.value)} />;
}

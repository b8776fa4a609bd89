import { useMemo } from "react";
import { ExpressionField, Reference } from "../editor/ExpressionField";
import css from "./condition.module.css";
import { corrected } from "./correct";
import type { Editing } from "./useCondition";

interface Props {
  label: string;
  editing: Editing;
  value: string;
  onChange: (text: string) => void;
  placeholder: string;
  hint?: string;
}

/** A condition as text, with what is wrong or doubtful in it at its place. */
export function ConditionText({ label, editing: { errors, warnings }, value, onChange, placeholder, hint }: Props) {
  const marks = useMemo(() => [...errors, ...warnings.map((w) => ({ ...w, severity: "warning" as const }))], [errors, warnings]);
  const doubts = warnings.length > 0 && (
    <span className={css.warning}>
      {warnings.map((w) => {
        const better = corrected(value, w);
        return (
          <span key={`${w.line} ${w.column}`} style={{ display: "block" }}>
            {w.message.charAt(0).toUpperCase() + w.message.slice(1)}
            {better !== undefined && (
              <button type="button" className={css.instead} onClick={() => onChange(better)}>
                Write “{w.suggestion}”
              </button>
            )}
          </span>
        );
      })}
    </span>
  );
  return (
    <>
      <ExpressionField label={label} value={value} onChange={onChange} errors={errors} marks={marks} placeholder={placeholder} hint={doubts || hint} />
      <Reference />
    </>
  );
}

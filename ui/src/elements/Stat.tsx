import type { ReactNode } from "react";
import css from "./elements.module.css";

export function Stat({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className={`${css.panel} ${css.stat}`}>
      <div className={css.statLabel}>{label}</div>
      <div className={css.statValue}>{value}</div>
      {note && <div className={css.statNote}>{note}</div>}
    </div>
  );
}

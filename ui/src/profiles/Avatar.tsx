import { initials } from "../format/value";
import css from "./profiles.module.css";

export function Avatar({ label }: { label: string }) {
  return (
    <span className={css.avatar} aria-hidden="true">
      {initials(label)}
    </span>
  );
}

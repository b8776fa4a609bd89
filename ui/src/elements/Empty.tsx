import type { ReactNode } from "react";
import { Icon, type IconName } from "../brand/Icon";
import css from "./elements.module.css";

/** What a page says when there is nothing yet: what would be here, and what to do next. */
export function Empty({ icon, title, children, actions }: { icon: IconName; title: string; children: ReactNode; actions?: ReactNode }) {
  return (
    <div className={css.empty}>
      <span className={css.emptyMark}>
        <Icon name={icon} size={24} />
      </span>
      <h2>{title}</h2>
      <p>{children}</p>
      {actions && <div className={css.emptyActions}>{actions}</div>}
    </div>
  );
}

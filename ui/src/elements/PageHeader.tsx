import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { Icon } from "../brand/Icon";
import { Text } from "./Text";
import css from "./elements.module.css";

interface Props {
  title: string;
  /** Shown beside the title: a status, say. */
  badge?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  back?: { to: string; label: string };
}

export function PageHeader({ title, badge, lead, actions, back }: Props) {
  useEffect(() => {
    document.title = `${title} · Tailorbird`;
  }, [title]);
  return (
    <header className={css.header}>
      <div className={css.headerText}>
        {back && (
          <Link to={back.to} className={css.crumb}>
            <Icon name="back" size={14} /> {back.label}
          </Link>
        )}
        <div style={{ display: "flex", gap: 12, alignItems: "flex-start", flexWrap: "wrap" }}>
          <h1 style={{ fontSize: "1.625rem", fontWeight: 620, lineHeight: 1.2 }}><Text of={title} /></h1>
          {badge && <div style={{ paddingTop: 5 }}>{badge}</div>}
        </div>
        {lead && <p className={css.lead}>{lead}</p>}
      </div>
      {actions && <div className={css.actions}>{actions}</div>}
    </header>
  );
}

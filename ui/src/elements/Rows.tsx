import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import css from "./elements.module.css";

export interface Column<T> {
  header: string;
  cell: (row: T) => ReactNode;
  /** Numbers stand right. */
  right?: boolean;
  width?: string | number;
  /** Has lines of its own on a phone, from the left: code, say. */
  block?: boolean;
}

/** A table that becomes a list of cards on a phone. The first column names the row and carries its link. */
export function Rows<T>({ rows, columns, id, label }: { rows: T[]; columns: Column<T>[]; id: (row: T) => string; label: string }) {
  return (
    <table className={css.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.header} scope="col" className={c.right ? css.right : undefined} style={{ width: c.width }}>
              {c.header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)}>
            {columns.map((c) => (
              <td key={c.header} data-label={c.header || undefined} className={c.right ? css.right : c.block ? css.block : undefined}>
                {c.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function RowLink(props: LinkProps & { children: ReactNode }) {
  return <Link {...props} className={css.rowLink} />;
}

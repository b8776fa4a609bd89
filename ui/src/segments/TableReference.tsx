import type { QueryTable } from "../api/types";
import { Panel } from "../elements/Panel";
import css from "./segments.module.css";

/** The tables that queries can read. A click on a name writes it. */
export function TableReference({ tables, onPick }: { tables: QueryTable[]; onPick: (name: string) => void }) {
  return (
    <Panel title="Tables">
      <div className={css.tables}>
        {tables.map((t) => (
          <details key={t.name}>
            <summary>
              <code>{t.name}</code> <span className="soft small">{t.row}</span>
            </summary>
            <ul>
              {t.columns.map((c) => (
                <li key={c.name}>
                  <button type="button" onClick={() => onPick(c.name)} title={`Write ${c.name}`}>
                    <code>{c.name}</code>
                  </button>{" "}
                  <span className="soft small">{c.doc}</span>
                </li>
              ))}
            </ul>
          </details>
        ))}
      </div>
    </Panel>
  );
}

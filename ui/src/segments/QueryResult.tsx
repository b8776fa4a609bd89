import type { UseMutationResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ApiError, explain } from "../api/problem";
import type { QueryPreview } from "../api/types";
import { count } from "../format/number";
import { value } from "../format/value";
import css from "./segments.module.css";

/** What trying a query gave. `onPlace` shows the place of a mistake. */
export function QueryResult({ trial, onPlace }: { trial: UseMutationResult<QueryPreview, Error, string>; onPlace: (line?: number, column?: number) => void }) {
  return (
    <div aria-live="polite" aria-busy={trial.isPending}>
      {trial.isPending && <span className="soft">Running…</span>}
      {trial.isIdle && <span className="soft">Try the query to see whom it lists. It changes nothing, and may take ten seconds.</span>}
      {trial.isError &&
        (trial.error instanceof ApiError && trial.error.status === 422 ? (
          <ul className={css.wrong}>
            {trial.error.errors.map((e, i) => (
              <li key={i}>
                {e.message}
                {e.line !== undefined && (
                  <>
                    {" "}
                    <button type="button" className="plain-link" onClick={() => onPlace(e.line, e.column)}>
                      line {e.line}, column {e.column}
                    </button>
                  </>
                )}
              </li>
            ))}
          </ul>
        ) : (
          <span style={{ color: "var(--bad)" }}>{explain(trial.error)}</span>
        ))}
      {trial.data && <Listed preview={trial.data} />}
    </div>
  );
}

function Listed({ preview: p }: { preview: QueryPreview }) {
  return (
    <>
      <div className={css.count}>{count(p.count)}</div>
      <div className="soft">
        {p.count === 1 ? "customer" : "customers"}, in {p.seconds.toFixed(2)} s
        {p.unknown > 0 && <>; {count(p.unknown)} rows name no customer and are passed over</>}
        {p.twice > 0 && <>; {count(p.twice)} rows name a customer again, of whom the first row counts</>}
      </div>
      {p.sample.length > 0 && (
        <div className={css.scroll}>
          <table className={css.rows} aria-label="First rows">
            <thead>
              <tr>
                <th scope="col">Customer</th>
                {p.columns.map((c) => (
                  <th key={c} scope="col">
                    {c}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {p.sample.map((row, i) => (
                <tr key={i}>
                  <td>
                    {row.profile ? (
                      <Link to="/profiles/$id" params={{ id: row.profile.id }} className="plain-link" target="_blank">
                        {row.profile.label}
                      </Link>
                    ) : (
                      <span className="soft">nobody, or merged</span>
                    )}
                  </td>
                  {p.columns.map((c) => (
                    <td key={c}>{value(row.columns[c] ?? null)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

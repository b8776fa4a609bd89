import { Progress } from "@mantine/core";
import type { MatchRun } from "../api/types";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { count } from "../format/number";
import css from "./matches.module.css";

const stages: Record<string, string> = {
  reading: "Reading what customers told", blocking: "Finding who is worth comparing", learning: "Learning what agreement means",
  scoring: "Comparing pairs", grouping: "Putting groups together", keeping: "Writing down what was found",
};

/** How the search goes, or what the last one found. */
export function LastRun({ run }: { run: MatchRun }) {
  const s = run.summary;
  return (
    <Panel title={run.status === "running" ? "Looking for matches" : "The last search"}>
      <div aria-live="polite">
        {run.status === "running" && (
          <>
            <p className={css.stage}>{stages[run.stage] ?? "Working"}…</p>
            <Progress value={run.progress * 100} aria-label={stages[run.stage] ?? "Progress"} />
          </>
        )}
        {run.status === "never" && <span className="soft">Nobody looked yet.</span>}
        {(run.status === "failed" || run.status === "interrupted") && (
          <p style={{ margin: 0, color: "var(--bad)" }}>
            It did not come to its end: {run.error}.
          </p>
        )}
        {run.status === "done" && run.finished_at && (
          <dl className={css.found}>
            <dt>Finished</dt>
            <dd><Moment at={run.finished_at} /></dd>
            <dt>Customers who tell enough</dt>
            <dd>{count(s.profiles)}</dd>
            <dt>Pairs compared</dt>
            <dd>{count(s.compared)}</dd>
            <dt>One customer, estimated</dt>
            <dd>{count(Math.round(s.estimated))} pairs</dd>
            <dt>Of one household</dt>
            <dd>{count(Math.round(s.households))} pairs</dd>
            <dt>Merged without asking</dt>
            <dd>{count(s.merged)}</dd>
          </dl>
        )}
      </div>
      {run.status === "done" && s.fields.length > 0 && (
        <details className={css.learnt}>
          <summary>What agreement weighs, as learnt from your data</summary>
          {s.fields.map((f) => (
            <table key={f.label}>
              <caption>{f.label}{f.shared ? " (a household shares it)" : ""}</caption>
              <tbody>
                {f.levels.filter((l) => l.words).map((l) => (
                  <tr key={l.words}>
                    <td>{l.words}</td>
                    <td>{l.bits > 0 ? "+" : ""}{l.bits.toFixed(1)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          ))}
        </details>
      )}
    </Panel>
  );
}

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { explain } from "../api/problem";
import { runSegment, segmentQuery, segmentRunsQuery } from "../api/queries";
import type { Segment, SegmentQuery, SegmentRun } from "../api/types";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { type Column, Rows } from "../elements/Rows";
import { said } from "../elements/say";
import { count } from "../format/number";
import { useCan } from "../session/useSession";
import css from "./segments.module.css";

const causes: Record<SegmentRun["cause"], string> = { schedule: "on schedule", change: "the query was changed", demand: "asked for" };

const columns: Column<SegmentRun>[] = [
  { header: "Began", cell: (r) => <Moment at={r.started_at} look="datetime" /> },
  { header: "Why", cell: (r) => (r.by ? `${causes[r.cause]} by ${r.by}` : causes[r.cause]) },
  {
    header: "Outcome",
    cell: (r) =>
      r.status === "done" ? (
        <>
          {count(r.listed)} listed: {count(r.added)} new, {count(r.removed)} gone, {count(r.changed)} changed
          {r.unknown > 0 && <span className="soft"> · {count(r.unknown)} rows name no customer</span>}
          {r.twice > 0 && <span className="soft"> · {count(r.twice)} rows name one again</span>}
        </>
      ) : r.status === "running" ? (
        "running"
      ) : (
        <span style={{ color: r.status === "failed" ? "var(--bad)" : undefined }}>
          {r.status}
          {r.error && `: ${r.error}`}
        </span>
      ),
    block: true,
  },
  { header: "Took", cell: (r) => (r.finished_at ? `${r.seconds.toFixed(2)} s` : ""), right: true },
];

/** Runs the query of a segment now. */
export function RunNow({ segment: { name, query } }: { segment: Segment }) {
  const write = useCan("write");
  const queries = useQueryClient();
  const run = useMutation({
    mutationFn: () => runSegment(name),
    onSuccess: (segment) => {
      queries.setQueryData(segmentQuery(name).queryKey, segment);
      setTimeout(() => void queries.invalidateQueries({ queryKey: ["segments"] }), 500);
    },
    onError: (error) => said(explain(error)),
  });
  return (
    <Button variant="default" onClick={() => run.mutate()} loading={run.isPending || query?.running} disabled={!write}>
      Run now
    </Button>
  );
}

/** What is to be said about the query of a segment: that it failed, is late, or when its result is of. */
export function QueryState({ query: q }: { query: SegmentQuery }) {
  const bad = q.last_run?.status === "failed" ? `The last run failed: ${q.last_run.error}` : q.overdue ? "The query should have run some time ago." : "";
  return (
    <p className={css.state} role="status">
      {bad && <strong className={css.bad}>{bad}</strong>}{" "}
      <span className="soft">
        {q.running ? "The query is running. " : ""}
        {q.result_at ? (
          <>
            Members are as of <Moment at={q.result_at} look="datetime" />.{" "}
          </>
        ) : (
          "There is no result yet. "
        )}
        {q.next_run_at ? (
          <>
            The query runs next <Moment at={q.next_run_at} look="datetime" />.
          </>
        ) : (
          "The query runs when somebody asks."
        )}
      </span>
    </p>
  );
}

/** The last runs of a segment's query. */
export function Runs({ segment }: { segment: Segment }) {
  const stamp = `${segment.query?.last_run?.started_at} ${segment.query?.last_run?.status}`;
  const runs = useQuery(segmentRunsQuery(segment.name, stamp));
  return (
    <Panel title="Runs" flush>
      {runs.isPending && <Loading what="Loading runs" />}
      {runs.isError && !runs.data && <Failure error={runs.error} what="The runs could not be loaded." retry={() => runs.refetch()} />}
      {runs.data && <Rows label="Runs of the query" rows={runs.data} columns={columns} id={(r) => r.started_at} />}
    </Panel>
  );
}

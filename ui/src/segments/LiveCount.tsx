import { Loader } from "@mantine/core";
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useDebouncedValue } from "@mantine/hooks";
import { ApiError, explain, textErrors } from "../api/problem";
import { segmentPreviewQuery } from "../api/queries";
import type { ProblemError, SegmentPreview } from "../api/types";
import { Panel } from "../elements/Panel";
import { count, people, share } from "../format/number";
import { Avatar } from "../profiles/Avatar";
import css from "./segments.module.css";

export interface Live {
  query: UseQueryResult<SegmentPreview>;
  errors: ProblemError[];
  /** The text has changed since what is shown was counted. */
  stale: boolean;
}

/** Counts a condition as it is typed, after a pause of 400 ms. Errors are those of the text as it stands. */
export function useLiveCount(condition: string): Live {
  const [settled] = useDebouncedValue(condition, 400);
  const query = useQuery({ ...segmentPreviewQuery(settled), placeholderData: keepPreviousData });
  const waiting = settled !== condition;
  return { query, errors: waiting || !settled.trim() ? [] : textErrors(query.error, "condition"), stale: waiting || query.isFetching || query.isPlaceholderData };
}

/** How many customers a condition holds for, and some of them. */
export function LiveCount({ live, empty }: { live: Live; empty: boolean }) {
  const { query, errors, stale } = live;
  const wrong = query.isError && query.error instanceof ApiError && query.error.status === 422;
  return (
    <Panel title="Right now" aside={stale && !empty ? <Loader size="xs" aria-label="Counting" /> : undefined}>
      <div aria-live="polite" aria-busy={stale}>
        {empty ? (
          <span className="soft">Write a condition to see how many customers it means.</span>
        ) : wrong || errors.length > 0 ? (
          <span className="soft">The count appears once the condition can be read.</span>
        ) : query.isError ? (
          <span style={{ color: "var(--bad)" }}>{explain(query.error)}</span>
        ) : query.data ? (
          <Counted preview={query.data} stale={stale} />
        ) : (
          <span className="soft">Counting…</span>
        )}
      </div>
    </Panel>
  );
}

function Counted({ preview: { count: n, total, sample }, stale }: { preview: SegmentPreview; stale: boolean }) {
  return (
    <div style={{ opacity: stale ? 0.55 : 1 }}>
      <div className={css.count}>{count(n)}</div>
      <div className="soft">
        {n === 1 ? "customer" : "customers"}, {share(n, total)} of {people(total)}
      </div>
      <div className={css.bar} aria-hidden="true">
        <div style={{ width: `${total > 0 ? Math.max((100 * n) / total, n > 0 ? 1 : 0) : 0}%` }} />
      </div>
      {n === 0 && <p className="soft small">Nobody matches now. Check the names of events and traits: capitals count.</p>}
      {(sample ?? []).length > 0 && (
        <ul className={css.sample} aria-label="Some of them">
          {sample.slice(0, 8).map((p) => (
            <li key={p.id}>
              <Avatar label={p.label} />
              <Link to="/profiles/$id" params={{ id: p.id }} className="plain-link" target="_blank">
                {p.label}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

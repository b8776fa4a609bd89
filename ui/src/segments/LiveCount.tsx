import { Loader } from "@mantine/core";
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useDebouncedValue } from "@mantine/hooks";
import { ApiError, explain } from "../api/problem";
import { segmentPreviewQuery } from "../api/queries";
import type { SegmentPreview } from "../api/types";
import { Panel } from "../elements/Panel";
import { Avatar } from "../profiles/Avatar";
import { Counted } from "./Counted";
import css from "./segments.module.css";

export interface Live {
  query: UseQueryResult<SegmentPreview>;
  /** The text has changed since what is shown was counted. */
  stale: boolean;
  /** All customers are being looked at, because a sample was not. */
  refining: boolean;
}

/**
 * Counts a condition as it is typed: after a short pause from a sample, and once nothing changes any more, exactly. A
 * count that is overtaken by the next change is given up.
 */
export function useLiveCount(condition: string): Live {
  const [settled] = useDebouncedValue(condition, 250);
  const [rested] = useDebouncedValue(condition, 1500);
  const estimate = useQuery({ ...segmentPreviewQuery(settled, "estimate"), placeholderData: keepPreviousData });
  const rough = estimate.isSuccess && !estimate.isPlaceholderData && estimate.data.exact === false;
  const exact = useQuery({ ...segmentPreviewQuery(settled, "exact"), enabled: rough && rested === condition && settled === condition });
  const query = rough && exact.isSuccess ? exact : estimate;
  return { query, stale: settled !== condition || estimate.isFetching || estimate.isPlaceholderData, refining: rough && exact.isFetching };
}

/** How many customers a condition holds for. */
export function LiveCount({ live, empty }: { live: Live; empty: boolean }) {
  const { query, stale, refining } = live;
  const wrong = query.isError && query.error instanceof ApiError && query.error.status === 422;
  return (
    <Panel title="Right now" aside={(stale || refining) && !empty ? <Loader size="xs" role="img" aria-label={stale ? "Counting" : "Counting everybody"} /> : undefined}>
      <div aria-live="polite" aria-busy={stale}>
        {empty ? (
          <span className="soft">Say whom you mean to see how many customers that is.</span>
        ) : wrong ? (
          <span className="soft">The count appears once the condition can be read.</span>
        ) : query.isError ? (
          <span style={{ color: "var(--bad)" }}>{explain(query.error)}</span>
        ) : query.data ? (
          <>
            <Counted of={query.data} stale={stale} refining={refining} />
            {query.data.count === 0 && query.data.exact && <p className="soft small">Nobody matches now. Check the names of events and traits: capitals count.</p>}
          </>
        ) : (
          <span className="soft">Counting…</span>
        )}
      </div>
    </Panel>
  );
}

/** Some of the customers for whom the condition holds. */
export function Some({ live: { query, stale }, empty }: { live: Live; empty: boolean }) {
  const sample = (!empty && !query.isError && query.data?.sample) || [];
  if (sample.length === 0) return null;
  return (
    <Panel title="Some of them">
      <ul className={css.sample} aria-label="Some of them" style={{ opacity: stale ? 0.55 : 1 }} aria-busy={stale}>
        {sample.slice(0, 8).map((p) => (
          <li key={p.id}>
            <Avatar label={p.label} />
            <Link to="/profiles/$id" params={{ id: p.id }} className="plain-link" target="_blank">
              {p.label}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

import { Badge, Progress } from "@mantine/core";
import type { Segment } from "../api/types";
import { people, share } from "../format/number";

/** Whether a segment has fewer members than it should. */
export function isSmall({ status, count, warn_below }: Pick<Segment, "status" | "count" | "warn_below">): boolean {
  return status === "ready" && !!warn_below && count < warn_below;
}

/** "Ready", "Below 100 people", or how far the filling from history is. */
export function SegmentStatus({ segment }: { segment: Pick<Segment, "status" | "progress" | "count" | "warn_below" | "query"> }) {
  if (isSmall(segment)) return <Badge color="amber">Below {people(segment.warn_below ?? 0)}</Badge>;
  const failed = segment.query?.last_run?.status === "failed";
  if (segment.status === "ready") return failed ? <Badge color="red">Query failed</Badge> : segment.query?.overdue ? <Badge color="amber">Overdue</Badge> : <Badge color="leaf">Ready</Badge>;
  if (segment.query) return <Badge color={failed ? "red" : "amber"}>{failed ? "Query failed" : "No result yet"}</Badge>;
  return <Badge color="amber">Being filled · {share(segment.progress ?? 0, 1)}</Badge>;
}

export function FillingProgress({ segment }: { segment: Pick<Segment, "status" | "progress"> }) {
  if (segment.status === "ready") return null;
  return (
    <div style={{ marginBottom: 16 }} role="status">
      <div className="small soft" style={{ marginBottom: 6 }}>
        Going through the history of every customer: {share(segment.progress ?? 0, 1)}. The count grows until this is done; new events count already.
      </div>
      <Progress value={100 * (segment.progress ?? 0)} aria-label="Filling the segment" animated />
    </div>
  );
}

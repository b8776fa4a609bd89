import { useQuery } from "@tanstack/react-query";
import { segmentOverlapQuery } from "../api/queries";
import type { SegmentOverlap } from "../api/types";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { count, people, share } from "../format/number";
import css from "./segments.module.css";

type Item = SegmentOverlap["items"][number];

/** How many of a segment's members are in each of the others too. */
export function Overlap({ segment }: { segment: string }) {
  const overlap = useQuery(segmentOverlapQuery(segment));
  if (overlap.isPending) return <Loading what="Loading the overlap" />;
  if (!overlap.data) return <Failure error={overlap.error} what="The overlap could not be loaded." retry={() => overlap.refetch()} />;
  const { count: members, looked, items } = overlap.data;
  if (members === 0 || items.length === 0)
    return (
      <Panel>
        <Empty icon="segment" title={members === 0 ? "Nobody is in this segment now" : "There is no other segment"}>
          What segments have in common is shown here.
        </Empty>
      </Panel>
    );
  const rough = looked < members;
  const columns: Column<Item>[] = [
    {
      header: "Segment",
      cell: (o) => (
        <RowLink to="/segments/$name" params={{ name: o.name }}>
          {o.name}
        </RowLink>
      ),
    },
    {
      header: `Of ${segment}`,
      cell: (o) => (
        <span className={css.overlap}>
          <span className={css.bar} aria-hidden="true">
            <span style={{ width: `${(100 * o.shared) / members}%` }} />
          </span>
          {share(o.shared, members)}
        </span>
      ),
    },
    { header: "In both", cell: (o) => `${rough && o.shared ? "about " : ""}${count(o.shared)}`, right: true },
    { header: "Of the other", cell: (o) => share(Math.min(o.shared, o.count), o.count), right: true },
    { header: "Members", cell: (o) => count(o.count), right: true },
  ];
  return (
    <Panel flush title={`Where else its ${people(members)} are`}>
      {rough && <p className={`soft small ${css.sampled}`}>From {count(looked)} of the members, spread evenly.</p>}
      <Rows rows={items} columns={columns} id={(o) => o.name} label={`Overlap of ${segment} with other segments`} />
    </Panel>
  );
}

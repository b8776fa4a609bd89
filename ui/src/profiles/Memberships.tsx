import { Badge } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { overridesQuery, transitionsQuery } from "../api/queries";
import type { Override, Transition } from "../api/types";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { value } from "../format/value";

const causes: Record<Transition["cause"], string> = {
  event: "something they did",
  time: "time passed",
  merge: "two customers became one",
  unmerge: "one customer became two again",
  definition: "the segment was defined or changed",
  deletion: "the segment was deleted",
  sql: "the result of its query changed",
  override: "decided by hand",
};

/** When a customer entered and left segments, and why; and what people decided by hand. */
export function Memberships({ profile }: { profile: string }) {
  const list = useInfiniteQuery(transitionsQuery(profile));
  const overrides = useQuery(overridesQuery(profile));
  const columns: Column<Transition>[] = [
    {
      header: "Segment",
      cell: (t) => (
        <RowLink to="/segments/$name" params={{ name: t.segment }}>
          {t.segment}
        </RowLink>
      ),
    },
    { header: "What", cell: (t) => <Badge color={t.entered ? "leaf" : "gray"}>{t.entered ? "Entered" : "Left"}</Badge> },
    {
      header: "Because",
      cell: (t) =>
        t.message_id ? (
          <Link to="/profiles/$id" params={{ id: profile }} search={{ event: t.message_id }}>
            {causes[t.cause]}
          </Link>
        ) : (
          causes[t.cause]
        ),
    },
    { header: "When", cell: (t) => <Moment at={t.since ?? t.at} look="datetime" />, right: true },
  ];
  if (list.isPending) return <Loading what="Loading the history of segments" />;
  if (!list.data)
    return (
      <div style={{ padding: 18 }}>
        <Failure error={list.error} what="The history of segments could not be loaded." retry={() => list.refetch()} />
      </div>
    );
  return (
    <>
      {list.data.length === 0 ? (
        <Empty icon="segment" title="In no segment so far">
          When this customer enters and leaves segments is listed here.
        </Empty>
      ) : (
        <Rows rows={list.data} columns={columns} id={(t) => `${t.segment} ${t.at} ${t.entered}`} label="Segments entered and left" />
      )}
      <More list={list} what="of the history" />
      {(overrides.data ?? []).length > 0 && (
        <>
          <h3 style={{ margin: "18px 18px 0", fontSize: "0.9375rem" }}>Decided by hand</h3>
          <Rows rows={overrides.data!} columns={decisions} id={(o) => `${o.kind} ${o.name} ${o.since}`} label="Decided by hand" />
        </>
      )}
    </>
  );
}

const decisions: Column<Override>[] = [
  { header: "Of", cell: (o) => o.name },
  { header: "Decision", cell: (o) => (o.kind === "segment" ? (o.value ? "Put in" : "Kept out") : value(o.value)) },
  {
    header: "By",
    cell: (o) => (
      <>
        {o.by}
        {o.note && <span className="soft">: {o.note}</span>}
      </>
    ),
  },
  { header: "Since", cell: (o) => <Moment at={o.since} look="datetime" />, right: true },
  {
    header: "Until",
    cell: (o) =>
      o.lifted_at ? (
        <>
          <Moment at={o.lifted_at} look="datetime" />
          {o.lifted_by && ` (${o.lifted_by})`}
        </>
      ) : o.until ? (
        <Moment at={o.until} look="datetime" />
      ) : (
        "taken back"
      ),
    right: true,
  },
];

import { useQuery } from "@tanstack/react-query";
import { segmentsQuery } from "../api/queries";
import type { Segment } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { count } from "../format/number";
import { useCan } from "../session/useSession";
import { SegmentStatus } from "./SegmentStatus";

const shortened = (text: string) => (text.length > 90 ? `${text.slice(0, 90)}…` : text);

const columns: Column<Segment>[] = [
  {
    header: "Segment",
    cell: (s) => (
      <span>
        <RowLink to="/segments/$name" params={{ name: s.name }}>
          {s.name}
        </RowLink>
        <br />
        <span className="soft small">{s.description || <code>{shortened(s.sql || s.condition)}</code>}</span>
      </span>
    ),
  },
  { header: "People", cell: (s) => count(s.count), right: true },
  { header: "Status", cell: (s) => <SegmentStatus segment={s} /> },
  { header: "Changed", cell: (s) => <Moment at={s.updated_at} />, right: true },
];

export function SegmentsPage() {
  const segments = useQuery(segmentsQuery);
  const write = useCan("write");
  const create = write && (
    <LinkButton to="/segments/new" leftSection={<Icon name="plus" size={16} />}>
      New segment
    </LinkButton>
  );
  return (
    <>
      <PageHeader title="Segments" lead="Groups of customers by who they are and what they did. People enter and leave by themselves, at the moment it becomes true." actions={segments.data?.length ? create : undefined} />
      {segments.isError && !segments.data && <Failure error={segments.error} what="Segments could not be loaded." retry={() => segments.refetch()} />}
      {!(segments.isError && !segments.data) && (
        <Panel flush>
          {segments.isPending && <Loading what="Loading segments" />}
          {segments.data?.length === 0 && (
            <Empty icon="segment" title="No segments yet" actions={create}>
              A segment says whom you mean: “bought more than five times in 90 days”, “looked at a coat but did not buy it”. Campaigns go to segments.
            </Empty>
          )}
          {segments.data && segments.data.length > 0 && <Rows rows={segments.data} columns={columns} id={(s) => s.name} label="Segments" />}
        </Panel>
      )}
    </>
  );
}

import { useInfiniteQuery } from "@tanstack/react-query";
import { profilesQuery } from "../api/queries";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { Panel } from "../elements/Panel";
import { RowLink, Rows } from "../elements/Rows";
import { Avatar } from "../profiles/Avatar";
import profiles from "../profiles/profiles.module.css";

/** Who is in a segment, and since when. */
export function Members({ segment }: { segment: string }) {
  const members = useInfiniteQuery(profilesQuery({ segment }));
  return (
    <Panel flush>
      {members.isPending && <Loading what="Loading members" />}
      {members.isError && !members.data && (
        <div style={{ padding: 18 }}>
          <Failure error={members.error} what="The members could not be loaded." retry={() => members.refetch()} />
        </div>
      )}
      {members.data?.length === 0 && (
        <Empty icon="people" title="Nobody is in this segment now">
          People enter it by themselves as soon as the condition holds for them.
        </Empty>
      )}
      {members.data && members.data.length > 0 && (
        <>
          <Rows
            label={`Customers in ${segment}`}
            rows={members.data}
            id={(p) => p.id}
            columns={[
              {
                header: "Customer",
                cell: (p) => (
                  <span className={profiles.who}>
                    <Avatar label={p.label} />
                    <RowLink to="/profiles/$id" params={{ id: p.id }}>
                      {p.label}
                    </RowLink>
                  </span>
                ),
              },
              { header: "In it since", cell: (p) => <Moment at={p.segments.find((s) => s.name === segment)?.since} look="datetime" />, right: true },
              { header: "Last seen", cell: (p) => <Moment at={p.last_seen_at} />, right: true },
            ]}
          />
          <More list={members} what="members" />
        </>
      )}
    </Panel>
  );
}

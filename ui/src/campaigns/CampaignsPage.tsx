import { useQuery } from "@tanstack/react-query";
import { campaignsQuery } from "../api/queries";
import type { Campaign } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { count, share } from "../format/number";
import { useCan } from "../session/useSession";
import { CampaignStatus } from "./CampaignStatus";
import { done } from "./progress";

const columns: Column<Campaign>[] = [
  {
    header: "Campaign",
    cell: (c) => (
      <span>
        <RowLink to="/campaigns/$name" params={{ name: c.name }}>
          {c.name}
        </RowLink>
        <br />
        <span className="soft small">
          {c.template} to {c.segment}
        </span>
      </span>
    ),
  },
  { header: "Status", cell: (c) => <CampaignStatus status={c.status} /> },
  {
    header: "Sent",
    cell: (c) =>
      c.status === "draft" ? (
        <span className="soft">–</span>
      ) : (
        <span>
          {count(c.progress.sent)}
          {(c.status === "sending" || c.status === "paused") && <span className="soft"> · {share(done(c.progress), 1)} done</span>}
        </span>
      ),
    right: true,
  },
  { header: "When", cell: (c) => <Moment at={c.started_at ?? c.updated_at} />, right: true },
];

export function CampaignsPage() {
  const campaigns = useQuery(campaignsQuery);
  const write = useCan("write");
  const create = write && (
    <LinkButton to="/campaigns/new" leftSection={<Icon name="plus" size={16} />}>
      New campaign
    </LinkButton>
  );
  const rows = [...(campaigns.data ?? [])].sort((a, b) => ((a.started_at ?? a.updated_at) < (b.started_at ?? b.updated_at) ? 1 : -1));
  return (
    <>
      <PageHeader title="Campaigns" lead="One mail to everyone in a segment, and what it was worth." actions={rows.length ? create : undefined} />
      {campaigns.isError && !campaigns.data && <Failure error={campaigns.error} what="Campaigns could not be loaded." retry={() => campaigns.refetch()} />}
      {!(campaigns.isError && !campaigns.data) && (
        <Panel flush>
          {campaigns.isPending && <Loading what="Loading campaigns" />}
          {campaigns.data?.length === 0 && (
            <Empty icon="campaign" title="No campaigns yet" actions={create}>
              A campaign needs a segment (whom) and a template (what). You can test it on yourself before anything goes out.
            </Empty>
          )}
          {rows.length > 0 && <Rows rows={rows} columns={columns} id={(c) => c.name} label="Campaigns" />}
        </Panel>
      )}
    </>
  );
}

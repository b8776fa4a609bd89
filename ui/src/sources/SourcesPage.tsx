import { useQuery } from "@tanstack/react-query";
import { sourcesQuery } from "../api/queries";
import type { Source, SourceStatus } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { LinkButton } from "../elements/LinkButton";
import { Loading } from "../elements/Loading";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { count } from "../format/number";
import { useCan } from "../session/useSession";
import { span, State } from "./State";

const columns: Column<Source>[] = [
  {
    header: "Source",
    cell: (s) => (
      <span>
        <RowLink to="/sources/$name" params={{ name: s.name }}>
          {s.name}
        </RowLink>
        <br />
        <span className="soft small break">{s.status.problem || s.description || `Topic ${s.topic}`}</span>
      </span>
    ),
  },
  { header: "State", cell: (s) => <State of={s} /> },
  { header: "Waiting", cell: (s) => waiting(s.status), right: true },
  { header: "In quarantine", cell: (s) => count(s.quarantined), right: true },
];

function waiting({ lag, behind_seconds }: SourceStatus): string {
  if (lag === null) return "Not known";
  if (lag === 0) return "None";
  return behind_seconds === null ? count(lag) : `${count(lag)} (${span(behind_seconds)})`;
}

export function SourcesPage() {
  const sources = useQuery(sourcesQuery);
  const create = useCan("admin") && (
    <LinkButton to="/sources/new" leftSection={<Icon name="plus" size={16} />}>
      New source
    </LinkButton>
  );
  return (
    <>
      <PageHeader title="Sources" lead="Topics of Kafka that are read all the time. Each message becomes an event." actions={sources.data?.length ? create : undefined} />
      {sources.isError && !sources.data && <Failure error={sources.error} what="Sources could not be loaded." retry={() => sources.refetch()} />}
      {!(sources.isError && !sources.data) && (
        <Panel flush>
          {sources.isPending && <Loading what="Loading sources" />}
          {sources.data?.length === 0 && (
            <Empty icon="source" title="No sources yet" actions={create}>
              Events reach Tailorbird through its tracking API and by imports. If your systems write to Kafka already, read them from there.
            </Empty>
          )}
          {sources.data && sources.data.length > 0 && <Rows rows={sources.data} columns={columns} id={(s) => s.name} label="Sources" />}
        </Panel>
      )}
    </>
  );
}

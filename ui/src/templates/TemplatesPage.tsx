import { Badge } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { templatesQuery } from "../api/queries";
import type { Template } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { plural } from "../format/number";
import { useCan } from "../session/useSession";

const columns: Column<Template>[] = [
  {
    header: "Template",
    cell: (t) => (
      <span>
        <RowLink to="/templates/$name" params={{ name: t.name }}>
          {t.name}
        </RowLink>
        <br />
        <span className="soft small">{t.subject || "No subject"}</span>
      </span>
    ),
  },
  { header: "Format", cell: (t) => t.format.toUpperCase() },
  { header: "Check", cell: (t) => ((t.warnings ?? []).length === 0 ? <Badge color="leaf">No warnings</Badge> : <Badge color="amber">{plural(t.warnings.length, "warning")}</Badge>) },
  { header: "Changed", cell: (t) => <Moment at={t.updated_at} />, right: true },
];

export function TemplatesPage() {
  const templates = useQuery(templatesQuery);
  const write = useCan("write");
  const create = write && (
    <LinkButton to="/templates/new" leftSection={<Icon name="plus" size={16} />}>
      New template
    </LinkButton>
  );
  return (
    <>
      <PageHeader title="Templates" lead="What your mail says, and how it adapts to each customer." actions={templates.data?.length ? create : undefined} />
      {templates.isError && !templates.data && <Failure error={templates.error} what="Templates could not be loaded." retry={() => templates.refetch()} />}
      {!(templates.isError && !templates.data) && (
        <Panel flush>
          {templates.isPending && <Loading what="Loading templates" />}
          {templates.data?.length === 0 && (
            <Empty icon="template" title="No templates yet" actions={create}>
              Write a mail once; names, products and whole blocks follow the customer. You see it as any of them while you write.
            </Empty>
          )}
          {templates.data && templates.data.length > 0 && <Rows rows={templates.data} columns={columns} id={(t) => t.name} label="Templates" />}
        </Panel>
      )}
    </>
  );
}

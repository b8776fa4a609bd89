import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { traitsQuery } from "../api/queries";
import type { Trait } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { useCan } from "../session/useSession";
import { kindOf } from "./kind";
import { Starter } from "./Starter";

const columns: Column<Trait>[] = [
  {
    header: "Computed trait",
    cell: (t) => (
      <span>
        <RowLink to="/traits/$name" params={{ name: t.name }}>
          {t.name}
        </RowLink>
        {t.description && (
          <>
            <br />
            <span className="soft small">{t.description}</span>
          </>
        )}
      </span>
    ),
  },
  { header: "Expression", cell: (t) => <code style={{ overflowWrap: "anywhere" }}>{t.expression}</code>, block: true },
  { header: "Kind", cell: (t) => kindOf(t.type) },
  { header: "Status", cell: (t) => <Badge color={t.status === "building" ? "amber" : "leaf"}>{t.status === "building" ? "Being computed" : "Ready"}</Badge> },
];

export function TraitsPage() {
  const traits = useQuery(traitsQuery);
  const write = useCan("write");
  const [starting, setStarting] = useState(false);
  const create = write && (
    <span style={{ display: "inline-flex", flexWrap: "wrap", gap: 8, justifyContent: "center" }}>
      <Button variant="default" onClick={() => setStarting(true)}>
        From a starter
      </Button>
      <LinkButton to="/traits/new" leftSection={<Icon name="plus" size={16} />}>
        New computed trait
      </LinkButton>
    </span>
  );
  return (
    <>
      <PageHeader title="Computed traits" lead="Facts worked out from what a customer did, always current. Use them in conditions and in mail." actions={traits.data?.length ? create : undefined} />
      {traits.isError && !traits.data && <Failure error={traits.error} what="Computed traits could not be loaded." retry={() => traits.refetch()} />}
      {!(traits.isError && !traits.data) && (
        <Panel flush>
          {traits.isPending && <Loading what="Loading computed traits" />}
          {traits.data?.length === 0 && (
            <Empty icon="trait" title="No computed traits yet" actions={create}>
              For example the number of orders, the money spent in all, or the favourite category. Each customer’s value follows every event.
            </Empty>
          )}
          {traits.data && traits.data.length > 0 && <Rows rows={traits.data} columns={columns} id={(t) => t.name} label="Computed traits" />}
        </Panel>
      )}
      {starting && <Starter onClose={() => setStarting(false)} />}
    </>
  );
}

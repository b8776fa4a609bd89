import { Badge, Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { segmentsQuery } from "../api/queries";
import type { Profile } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { Text } from "../elements/Text";
import { Avatar } from "./Avatar";
import { ReachBadge } from "./reach";
import { useCustomers } from "./useCustomers";
import css from "./profiles.module.css";

const route = getRouteApi("/inside/profiles");

const columns: Column<Profile>[] = [
  {
    header: "Customer",
    cell: (p) => (
      <span className={css.who}>
        <Avatar label={p.label} />
        <span>
          <RowLink to="/profiles/$id" params={{ id: p.id }}>
            <Text of={p.label} />
          </RowLink>
          <br />
          <span className="soft small">
            <Text of={secondLine(p)} />
          </span>
        </span>
      </span>
    ),
  },
  {
    header: "Segments",
    cell: (p) => (
      <span style={{ display: "inline-flex", flexWrap: "wrap", gap: 4, justifyContent: "flex-end" }}>
        {p.segments.slice(0, 3).map((s) => (
          <Badge key={s.name} color="leaf">
            {s.name}
          </Badge>
        ))}
        {p.segments.length > 3 && <span className="soft small">+{p.segments.length - 3}</span>}
        {p.segments.length === 0 && <span className="soft">–</span>}
      </span>
    ),
  },
  { header: "Mail", cell: (p) => <ReachBadge profile={p} /> },
  { header: "Last seen", cell: (p) => <Moment at={p.last_seen_at} />, right: true },
];

/** The identifier that says most beside the name. */
function secondLine(p: Profile): string {
  const by = (type: string) => p.identifiers.find((i) => i.type === type)?.value;
  const found = [by("email"), by("user_id"), by("phone"), by("anonymous_id")].find((v) => v && v !== p.label);
  return found ?? "";
}

export function ProfilesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(search.q ?? "");
  const list = useCustomers({ q: search.q, segment: search.segment });
  const segments = useQuery(segmentsQuery);
  const look = useDebouncedCallback((q: string) => void navigate({ search: (s) => ({ ...s, q: q.trim() || undefined }), replace: true }), 250);
  const filtered = !!(search.q || search.segment);

  return (
    <>
      <PageHeader
        title="Customers"
        lead="Everyone Tailorbird knows, with what they did and where they belong."
        actions={
          <LinkButton to="/profiles/matches" variant="default">
            Probable matches
          </LinkButton>
        }
      />
      <Panel flush>
        <search className={css.filters}>
          <TextInput
            aria-label="Search customers"
            placeholder="Name, e-mail, phone, customer number, any identifier…"
            leftSection={<Icon name="search" size={16} />}
            type="search"
            value={text}
            onChange={(e) => {
              setText(e.currentTarget.value);
              look(e.currentTarget.value);
            }}
          />
          <Select
            aria-label="Only in segment"
            placeholder="In any segment"
            clearable
            searchable
            data={(segments.data ?? []).map((s) => s.name)}
            value={search.segment ?? null}
            onChange={(segment) => void navigate({ search: (s) => ({ ...s, segment: segment ?? undefined }), replace: true })}
          />
        </search>
        {(list.isPending || list.searching) && <Loading lines={8} what="Loading customers" />}
        {list.isError && !list.data?.length && (
          <div style={{ padding: 18 }}>
            <Failure error={list.error} what="Customers could not be loaded." retry={() => list.refetch()} />
          </div>
        )}
        {list.data?.length === 0 &&
          !list.searching &&
          !list.isError &&
          (filtered ? (
            <Empty
              icon="search"
              title="Nobody found"
              actions={
                <Button
                  variant="default"
                  onClick={() => {
                    setText("");
                    void navigate({ search: {} });
                  }}
                >
                  Show everyone
                </Button>
              }
            >
              {search.q ? `No customer has a name or identifier that begins with “${search.q}”` : "No customer matches"}
              {search.segment ? ` in the segment “${search.segment}”.` : "."}
            </Empty>
          ) : (
            <Empty icon="people" title="No customers yet" actions={<LinkButton to="/">See the first steps</LinkButton>}>
              A customer appears here with the first event or import that names them.
            </Empty>
          ))}
        {list.data && list.data.length > 0 && (
          <div style={{ opacity: list.isPlaceholderData ? 0.55 : 1 }} aria-busy={list.isPlaceholderData}>
            <Rows rows={list.data} columns={columns} id={(p) => p.id} label="Customers" />
            <More list={list} what="customers" />
          </div>
        )}
      </Panel>
    </>
  );
}

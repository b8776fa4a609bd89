import { Button, Menu, type MenuItemProps, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createLink, getRouteApi } from "@tanstack/react-router";
import { type AnchorHTMLAttributes, forwardRef } from "react";
import { profileQuery, templatesQuery } from "../api/queries";
import type { Profile } from "../api/types";
import { Icon } from "../brand/Icon";
import { Facts } from "../elements/Facts";
import { Loading } from "../elements/Loading";
import { Missing } from "../elements/Missing";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import elements from "../elements/elements.module.css";
import { Text } from "../elements/Text";
import { label } from "../format/value";
import { IdentityGraph } from "./IdentityGraph";
import { Memberships } from "./Memberships";
import { Merges } from "./Merges";
import { Messages } from "./Messages";
import css from "./profiles.module.css";
import { ReachBadge } from "./reach";
import { SegmentList } from "./SegmentList";
import { profileTab } from "./tab";
import { Timeline } from "./Timeline";
import { Traits } from "./Traits";

const route = getRouteApi("/inside/profiles/$id");

export function ProfilePage() {
  const { id } = route.useParams();
  const { tab, event } = route.useSearch();
  const navigate = route.useNavigate();
  const profile = useQuery(profileQuery(id));
  const back = { to: "/profiles", label: "Customers" } as const;

  if (profile.isPending) return <Loading lines={10} what="Loading the customer" />;
  if (!profile.data) return <Missing error={profile.error} kind="customer" back={back} retry={() => profile.refetch()} />;
  const p = profile.data;
  return (
    <>
      <PageHeader
        title={p.label}
        back={back}
        badge={<ReachBadge profile={p} />}
        lead={
          <>
            First seen <Moment at={p.first_seen_at} look="day" />, last seen <Moment at={p.last_seen_at} />
          </>
        }
        actions={<PreviewMail profile={p} />}
      />
      <div className={css.page}>
        <div className={css.left}>
          <About profile={p} />
        </div>
        <Panel flush>
          <Tabs value={tab ?? "timeline"} onChange={(t) => void navigate({ search: { tab: profileTab(t) }, replace: true })} keepMounted={false}>
            <Tabs.List style={{ paddingInline: 10 }}>
              <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
              <Tabs.Tab value="messages">Mail to them</Tabs.Tab>
              <Tabs.Tab value="segments">Segments over time</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="timeline">
              <Timeline key={event} id={p.id} shown={event} />
            </Tabs.Panel>
            <Tabs.Panel value="messages">
              <Messages profile={p.id} />
            </Tabs.Panel>
            <Tabs.Panel value="segments">
              <Memberships profile={p.id} />
            </Tabs.Panel>
          </Tabs>
        </Panel>
      </div>
    </>
  );
}

const Item = forwardRef<HTMLAnchorElement, MenuItemProps & AnchorHTMLAttributes<HTMLAnchorElement>>((props, ref) => <Menu.Item component="a" ref={ref} {...props} />);
const LinkItem = createLink(Item);

function PreviewMail({ profile }: { profile: Profile }) {
  const templates = useQuery(templatesQuery);
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="eye" size={16} />} rightSection={<Icon name="down" size={14} />}>
          Preview mail as this customer
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: "auto" }}>
        <Menu.Label>Choose a template</Menu.Label>
        {(templates.data ?? []).map((t) => (
          <LinkItem key={t.name} to="/templates/$name" params={{ name: t.name }} search={{ as: profile.id }}>
            {t.name}
          </LinkItem>
        ))}
        {templates.data?.length === 0 && (
          <LinkItem to="/templates/new" search={{ as: profile.id }}>
            Write the first template
          </LinkItem>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function About({ profile: p }: { profile: Profile }) {
  const preferences = p.preferences ?? {};
  const merged = p.merged ?? [];
  return (
    <>
      <Panel title="Segments">
        <SegmentList profile={p} />
      </Panel>
      <Traits profile={p} />
      {Object.keys(preferences).length > 0 && (
        <Panel title="Preferences">
          <Facts of={preferences} />
        </Panel>
      )}
      <Panel title="Known by">
        <dl className={elements.facts}>
          {p.identifiers.map((i) => (
            <div key={`${i.type}:${i.value}`} style={{ display: "contents" }}>
              <dt>{label(i.type)}</dt>
              <dd>
                <Text of={i.value} />
              </dd>
            </div>
          ))}
          <dt>Profile ID</dt>
          <dd className="small soft">{p.id}</dd>
        </dl>
      </Panel>
      {merged.length > 0 && (
        <Panel title="Merged into this customer">
          <IdentityGraph profile={p} />
          <Merges profile={p} />
        </Panel>
      )}
    </>
  );
}

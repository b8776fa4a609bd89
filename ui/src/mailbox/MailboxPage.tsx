import { Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "../api/problem";
import { campaignsQuery, mailboxQuery } from "../api/queries";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import panel from "../elements/elements.module.css";
import css from "./mailbox.module.css";
import { MailView } from "./MailView";

/** The built-in mailbox: everything that was sent while no mail server is set up. */
export function MailboxPage() {
  const { id } = useParams({ strict: false });
  const search = useSearch({ strict: false });
  const filter = { to: search.to, campaign: search.campaign };
  const navigate = useNavigate();
  const list = useInfiniteQuery(mailboxQuery(filter));
  const campaigns = useQuery(campaignsQuery);
  const [text, setText] = useState(filter.to ?? "");
  const narrow = (next: Partial<typeof filter>) => void navigate({ to: "/mailbox", search: { ...filter, ...next }, replace: true });
  const look = useDebouncedCallback((to: string) => narrow({ to: to.trim() || undefined }), 300);
  const filtered = !!(filter.to || filter.campaign);
  const header = <PageHeader title="Mailbox" lead="Mail lands here while no mail server is set up, so nothing leaves this machine. Opening a mail and clicking its links counts, as in a real inbox." />;

  if (list.error instanceof ApiError && list.error.status === 404)
    return (
      <>
        {header}
        <Panel flush>
          <Empty icon="mailbox" title="Mail goes to real inboxes" actions={<LinkButton to="/campaigns">See campaigns</LinkButton>}>
            A mail server is set up, so mail goes straight to the customers and is not kept here.
          </Empty>
        </Panel>
      </>
    );
  if (!filtered && list.data?.length === 0)
    return (
      <>
        {header}
        <Panel flush>
          <Empty icon="mailbox" title="No mail yet" actions={<LinkButton to="/campaigns">Go to campaigns</LinkButton>}>
            Send a campaign, or a test of one, and read here what arrives.
          </Empty>
        </Panel>
      </>
    );
  return (
    <>
      {header}
      <div className={css.page} data-open={id || undefined}>
        <div className={css.listColumn}>
          <section className={`${panel.panel} ${css.list}`} aria-label="Mail received">
            <search className={css.filters}>
              <TextInput
                aria-label="To the address"
                placeholder="To the address…"
                type="search"
                leftSection={<Icon name="search" size={16} />}
                value={text}
                onChange={(e) => {
                  setText(e.currentTarget.value);
                  look(e.currentTarget.value);
                }}
              />
              <Select aria-label="Of the campaign" placeholder="Of any campaign" clearable data={(campaigns.data ?? []).map((c) => c.name)} value={filter.campaign ?? null} onChange={(campaign) => narrow({ campaign: campaign ?? undefined })} />
            </search>
            {list.isPending && <Loading what="Loading mail" />}
            {list.isError && !list.data && (
              <div style={{ padding: 14 }}>
                <Failure error={list.error} what="The mailbox could not be loaded." retry={() => list.refetch()} />
              </div>
            )}
            {list.data?.length === 0 && <p className="soft" style={{ padding: "0 16px 6px" }}>No such mail.</p>}
            <ul className={css.items}>
              {(list.data ?? []).map((m) => (
                <li key={m.id}>
                  <Link to="/mailbox/$id" params={{ id: m.id }} search={filter} className={css.item} data-open={m.id === id || undefined} aria-current={m.id === id ? "true" : undefined} preload={false} resetScroll={false}>
                    <span className={css.row}>
                      <strong style={{ fontWeight: 560 }}>{m.subject || "No subject"}</strong>
                      <span className="soft small">
                        <Moment at={m.received_at} />
                      </span>
                    </span>
                    <span className="soft small break">to {m.to}</span>
                  </Link>
                </li>
              ))}
            </ul>
            <More list={list} what="mail" />
          </section>
        </div>
        <div className={css.messageColumn}>
          {id ? (
            <>
              <Link to="/mailbox" search={filter} className={`${panel.crumb} ${css.back}`}>
                <Icon name="back" size={14} /> All mail
              </Link>
              <MailView key={id} id={id} />
            </>
          ) : (
            <Panel flush>
              <Empty icon="mailbox" title="Choose a mail">
                It is shown here as its reader sees it, with its headers and its plain text.
              </Empty>
            </Panel>
          )}
        </div>
      </div>
    </>
  );
}

import { Badge, Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { path, url } from "../api/client";
import { mailQuery } from "../api/queries";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { MailFrame } from "../preview/MailFrame";
import preview from "../preview/preview.module.css";
import css from "./mailbox.module.css";

const signatures = {
  pass: { text: "Signature valid", color: "leaf" },
  fail: { text: "Signature broken", color: "red" },
  none: { text: "Not signed", color: "gray" },
} as const;

/** One received mail. */
export function MailView({ id }: { id: string }) {
  const mail = useQuery(mailQuery(id));
  if (mail.isPending) return <Loading lines={8} what="Loading the mail" />;
  if (!mail.data) return <Failure error={mail.error} what="This mail could not be loaded." retry={() => mail.refetch()} />;
  const m = mail.data;
  const signature = signatures[m.dkim] ?? signatures.none;
  return (
    <Panel>
      <h2 className={css.title}>{m.subject || "No subject"}</h2>
      <div className={css.meta}>
        <span className="break">
          <span className="soft">From</span> {m.from}
        </span>
        <span className="break">
          <span className="soft">to</span> {m.to}
        </span>
        <span className="soft">
          <Moment at={m.received_at} look="datetime" />
        </span>
        <Badge color={signature.color} title="DKIM: shows the receiver that the mail is from this domain and unchanged">
          {signature.text}
        </Badge>
      </div>
      <Tabs defaultValue={m.html ? "mail" : "text"} keepMounted={false}>
        <Tabs.List mb="md">
          {m.html && <Tabs.Tab value="mail">Mail</Tabs.Tab>}
          <Tabs.Tab value="text">Plain text</Tabs.Tab>
          <Tabs.Tab value="headers">Headers</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="mail">
          <MailFrame html={m.html} title={`Mail: ${m.subject}`} width="fit" links height="min(72vh, 820px)" />
        </Tabs.Panel>
        <Tabs.Panel value="text">
          <pre className={preview.text}>{m.text || "No plain text part."}</pre>
        </Tabs.Panel>
        <Tabs.Panel value="headers">
          <dl className={css.headers}>
            {(m.headers ?? []).map((h, i) => (
              <div key={i} style={{ display: "contents" }}>
                <dt>{h.name}</dt>
                <dd>{h.value}</dd>
              </div>
            ))}
          </dl>
          <Button component="a" href={url(path`/mailbox/${id}/raw`)} download={`${id}.eml`} variant="default" mt="md">
            Download as .eml
          </Button>
        </Tabs.Panel>
      </Tabs>
    </Panel>
  );
}

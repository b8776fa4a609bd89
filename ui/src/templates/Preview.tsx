import { ActionIcon, Loader, SegmentedControl, Tabs, Tooltip, VisuallyHidden } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import type { Rendered } from "../api/types";
import { Icon } from "../brand/Icon";
import { Failure } from "../elements/Failure";
import { Panel } from "../elements/Panel";
import { hasDarkStyles } from "../preview/document";
import { MailFrame } from "../preview/MailFrame";
import preview from "../preview/preview.module.css";
import { CustomerPicker } from "../profiles/CustomerPicker";
import css from "./templates.module.css";

interface Props {
  query: UseQueryResult<Rendered>;
  /** The template as it stands cannot be read; what is shown is older. */
  refused: boolean;
  empty: boolean;
  busy: boolean;
  customer: string | undefined;
  onCustomer: (id: string | undefined) => void;
}

/** The mail as one customer would get it: on phone or desktop, light or dark, and as plain text. */
export function Preview({ query, refused, empty, busy, customer, onCustomer }: Props) {
  const [width, setWidth] = useState<"phone" | "desktop">("desktop");
  const [dark, setDark] = useState(false);
  const mail = query.data;
  return (
    <Panel title="Preview" aside={busy && !empty ? <Loader size="xs" role="img" aria-label="Drawing the preview" /> : undefined}>
      <div style={{ display: "grid", gap: 12 }}>
        <div className={css.toolbar}>
          <CustomerPicker label="As the customer" placeholder="A made-up customer" value={customer} onChange={onCustomer} />
          <div style={{ display: "flex", gap: 8, alignItems: "center" }}>
            <SegmentedControl
              aria-label="Screen"
              value={width}
              onChange={(v) => setWidth(v as "phone" | "desktop")}
              data={[
                { value: "desktop", label: <Device icon="desktop" label="Desktop" /> },
                { value: "phone", label: <Device icon="phone" label="Phone" /> },
              ]}
            />
            <Tooltip label={dark ? "As in a light inbox" : "As in a dark inbox"}>
              <ActionIcon variant={dark ? "filled" : "default"} size={36} aria-pressed={dark} aria-label="Dark inbox" onClick={() => setDark(!dark)}>
                <Icon name={dark ? "moon" : "sun"} />
              </ActionIcon>
            </Tooltip>
          </div>
        </div>
        {empty && <p className="soft">Write the body to see it here.</p>}
        {!empty && query.isError && !refused && <Failure error={query.error} what="The preview could not be drawn." retry={() => query.refetch()} />}
        {!empty && refused && (
          <p role="status" style={{ color: "var(--bad)", margin: 0 }}>
            The template has errors{mail ? "; this is how it looked before" : ""}.
          </p>
        )}
        {!empty && mail && (
          <div style={{ display: "grid", gap: 12, opacity: refused ? 0.5 : 1 }}>
            <div className={preview.inbox}>
              <strong>{mail.subject || <span className="soft">No subject</span>}</strong>
              <span className="soft small">{mail.preheader || "No preheader: inboxes show the first words of the mail instead"}</span>
            </div>
            <Tabs defaultValue="mail" keepMounted={false}>
              <Tabs.List mb="sm">
                <Tabs.Tab value="mail">Mail</Tabs.Tab>
                <Tabs.Tab value="text">Plain text</Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="mail">
                <MailFrame html={mail.html} title="Preview of the mail" width={width} dark={dark} />
                {dark && <p className="soft small">{hasDarkStyles(mail.html) ? "With the mail’s own dark colours." : "The mail has no dark colours of its own; this is how many phones invert it."}</p>}
              </Tabs.Panel>
              <Tabs.Panel value="text">
                <pre className={preview.text}>{mail.text}</pre>
              </Tabs.Panel>
            </Tabs>
          </div>
        )}
      </div>
    </Panel>
  );
}

function Device({ icon, label }: { icon: "desktop" | "phone"; label: string }) {
  return (
    <span style={{ display: "grid", placeItems: "center", height: 20 }} title={label}>
      <Icon name={icon} size={18} />
      <VisuallyHidden>{label}</VisuallyHidden>
    </span>
  );
}

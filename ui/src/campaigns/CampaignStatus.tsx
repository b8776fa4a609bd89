import { Badge, Progress as Bar } from "@mantine/core";
import type { Campaign } from "../api/types";
import { count } from "../format/number";
import { done } from "./progress";
import css from "./campaigns.module.css";

const words: Record<Campaign["status"], { text: string; color: string }> = {
  draft: { text: "Draft", color: "gray" },
  sending: { text: "Sending", color: "amber" },
  paused: { text: "Paused", color: "rufous" },
  sent: { text: "Sent", color: "leaf" },
};

export function CampaignStatus({ status }: { status: Campaign["status"] }) {
  const { text, color } = words[status];
  return <Badge color={color}>{text}</Badge>;
}

/** How far a send is, while it runs or waits. */
export function SendingProgress({ campaign }: { campaign: Campaign }) {
  const p = campaign.progress;
  return (
    <div>
      <Bar value={100 * done(p)} size="lg" animated={campaign.status === "sending"} color={campaign.status === "paused" ? "rufous" : undefined} aria-label="Sending" />
      <div className={css.progressNumbers} role="status">
        <span>
          <b>{count(p.sent)}</b> <span className="soft">sent</span>
        </span>
        <span>
          <b>{count(p.queued)}</b> <span className="soft">waiting</span>
        </span>
        {p.skipped > 0 && (
          <span>
            <b>{count(p.skipped)}</b> <span className="soft">left out</span>
          </span>
        )}
        {p.failed > 0 && (
          <span style={{ color: "var(--bad)" }}>
            <b>{count(p.failed)}</b> failed
          </span>
        )}
        {p.in_doubt > 0 && (
          <span style={{ color: "var(--warn)" }} title="The mail server’s answer was lost; they are not sent again, so that nobody gets the mail twice.">
            <b>{count(p.in_doubt)}</b> in doubt
          </span>
        )}
        <span className="soft">of {count(p.recipients)}</span>
      </div>
    </div>
  );
}

import { Link } from "@tanstack/react-router";
import type { CampaignInput } from "../api/types";
import { Icon } from "../brand/Icon";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import css from "./campaigns.module.css";
import { type Check, useReadiness } from "./useReadiness";

const icons = { ok: "check", warn: "warning", stop: "close", wait: "info" } as const;

/** What to see to before sending. */
export function Ready({ input }: { input: CampaignInput }) {
  const { checks, loaded } = useReadiness(input);
  const open = checks.some((c) => c.state === "stop" || c.state === "wait");
  return (
    <Panel title={!loaded ? "Checking" : open ? "Before you send" : "Ready to send"}>
      {!loaded ? <Loading lines={3} /> : <Checks checks={checks} />}
    </Panel>
  );
}

export function Checks({ checks }: { checks: Check[] }) {
  return (
    <ul className={css.checks}>
      {checks.map((c) => (
        <li key={c.text} data-state={c.state}>
          <Icon name={icons[c.state]} size={18} />
          <span>
            {c.text} {c.link && c.state !== "ok" && <Link to={c.link.to} params={c.link.params as never}>{c.link.label}</Link>}
          </span>
        </li>
      ))}
    </ul>
  );
}

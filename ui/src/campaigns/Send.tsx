import { Button, Group, Modal, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, post } from "../api/client";
import { explain } from "../api/problem";
import { campaignQuery } from "../api/queries";
import type { Campaign } from "../api/types";
import { Icon } from "../brand/Icon";
import { people } from "../format/number";
import { useCan } from "../session/useSession";
import css from "./campaigns.module.css";
import { inputOf } from "./input";
import { Checks } from "./Ready";
import { useReadiness } from "./useReadiness";

/** Sends a campaign, after showing how many people it reaches. */
export function Send({ campaign, dirty }: { campaign: Campaign; dirty: boolean }) {
  const queries = useQueryClient();
  const can = useCan("send");
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const { checks, segment, loaded } = useReadiness(inputOf(campaign));
  const stopped = checks.some((c) => c.state === "stop" || c.state === "wait");
  const why = !can ? "Your key may not send campaigns" : dirty ? "Save your changes first" : !loaded ? "Checking…" : stopped ? "See what is missing first" : "";

  const send = async () => {
    setBusy(true);
    setFailure("");
    try {
      queries.setQueryData(campaignQuery(campaign.name).queryKey, await post<Campaign>(path`/campaigns/${campaign.name}/send`));
      void queries.invalidateQueries({ queryKey: ["campaigns"] });
      setAsking(false);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <Tooltip label={why} disabled={!why}>
        <Button
          leftSection={<Icon name="campaign" size={16} />}
          aria-disabled={!!why || undefined}
          data-disabled={!!why || undefined}
          onClick={() => {
            if (!why) setAsking(true);
          }}
        >
          Send…
        </Button>
      </Tooltip>
      <Modal opened={asking} onClose={() => setAsking(false)} title={<strong>Send “{campaign.name}”?</strong>}>
        <div className={css.audience}>up to {people(segment?.count ?? 0)}</div>
        <p style={{ marginTop: 2 }}>
          in “{campaign.segment}” now; those without an address or who unsubscribed are left out. Nobody gets it twice.
        </p>
        <Checks checks={checks.filter((c) => c.state !== "ok" || c.text.includes("mailbox"))} />
        <p className="soft small">You can pause while it is being sent. Mail that is out cannot be called back.</p>
        {failure && (
          <p role="alert" style={{ color: "var(--bad)" }}>
            {failure}
          </p>
        )}
        <Group justify="flex-end" gap="sm" mt="md">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            Cancel
          </Button>
          <Button onClick={send} loading={busy}>
            Send now
          </Button>
        </Group>
      </Modal>
    </>
  );
}

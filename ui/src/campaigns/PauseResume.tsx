import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, post } from "../api/client";
import { campaignQuery } from "../api/queries";
import type { Campaign } from "../api/types";
import { Icon } from "../brand/Icon";
import { failed } from "../elements/say";
import { useCan } from "../session/useSession";

/** Stops a send that is under way, or goes on with it. */
export function PauseResume({ campaign }: { campaign: Campaign }) {
  const queries = useQueryClient();
  const can = useCan("send");
  const [busy, setBusy] = useState(false);
  if (campaign.status !== "sending" && campaign.status !== "paused") return null;
  const pausing = campaign.status === "sending";

  const act = async () => {
    setBusy(true);
    try {
      const next = await post<Campaign>(pausing ? path`/campaigns/${campaign.name}/pause` : path`/campaigns/${campaign.name}/resume`);
      queries.setQueryData(campaignQuery(campaign.name).queryKey, next);
      void queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
    } catch (error) {
      failed(pausing ? "Pausing did not work." : "Going on did not work.", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button variant={pausing ? "default" : "filled"} leftSection={<Icon name={pausing ? "pause" : "play"} size={16} />} loading={busy} disabled={!can} onClick={act}>
      {pausing ? "Pause" : "Go on sending"}
    </Button>
  );
}

import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain, fieldErrors } from "../api/problem";
import { campaignQuery } from "../api/queries";
import type { Campaign, CampaignInput } from "../api/types";
import { DeleteDefinition } from "../definition/DeleteDefinition";
import { useDefinition } from "../definition/save";
import { SaveBar } from "../definition/SaveBar";
import { UnsavedGuard, usePass } from "../draft/UnsavedGuard";
import { useDraft } from "../draft/useDraft";
import { Loading } from "../elements/Loading";
import { Missing } from "../elements/Missing";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { useCan } from "../session/useSession";
import { CampaignForm } from "./CampaignForm";
import { CampaignStatus, SendingProgress } from "./CampaignStatus";
import { inputOf, missing, trimmed } from "./input";
import { PauseResume } from "./PauseResume";
import { Ready } from "./Ready";
import { Recipients } from "./Recipients";
import { ReportView } from "./ReportView";
import { Send } from "./Send";
import { TestSend } from "./TestSend";
import css from "./campaigns.module.css";

const route = getRouteApi("/inside/campaigns/$name");
const back = { to: "/campaigns", label: "Campaigns" } as const;

export function CampaignPage() {
  const { name } = route.useParams();
  const campaign = useQuery(campaignQuery(name));
  if (campaign.isPending) return <Loading lines={10} what="Loading the campaign" />;
  if (!campaign.data) return <Missing error={campaign.error} kind="campaign" name={name} back={back} retry={() => campaign.refetch()} />;
  return campaign.data.status === "draft" ? <DraftCampaign key={name} campaign={campaign.data} /> : <SentCampaign key={name} campaign={campaign.data} />;
}

function DraftCampaign({ campaign }: { campaign: Campaign }) {
  const navigate = useNavigate();
  const draft = useDraft<CampaignInput>(inputOf(campaign));
  const definition = useDefinition<CampaignInput, Campaign>("campaigns");
  const pass = usePass();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const gaps = missing(draft.value);

  const save = async () => {
    setRefused(null);
    if (Object.keys(gaps).length > 0) return;
    setBusy(true);
    try {
      await definition.save(campaign.name, trimmed(draft.value));
    } catch (error) {
      setRefused(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <PageHeader
        title={campaign.name}
        back={back}
        badge={<CampaignStatus status="draft" />}
        actions={
          <>
            <TestSend campaign={campaign} dirty={draft.dirty} />
            <Send campaign={campaign} dirty={draft.dirty} />
          </>
        }
      />
      <div className={css.page}>
        <div>
          <CampaignForm value={draft.value} onChange={draft.set} errors={{ ...(draft.dirty ? gaps : {}), ...fieldErrors(refused) }} />
          <SaveBar dirty={draft.dirty} busy={busy} can={write} failure={refused ? explain(refused) : ""} overtaken={draft.overtaken} onSave={save} onDiscard={draft.reset} />
        </div>
        <Ready input={draft.value} />
      </div>
      <div className={css.end}>
        <DeleteDefinition
          kind="campaign"
          name={campaign.name}
          disabled={!write}
          onDelete={async () => {
            await definition.remove(campaign.name, trimmed(inputOf(campaign)));
            pass.allow();
            await navigate({ to: "/campaigns" });
          }}
        >
          The draft is removed. Nothing was sent from it.
        </DeleteDefinition>
      </div>
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

function SentCampaign({ campaign }: { campaign: Campaign }) {
  const running = campaign.status !== "sent";
  return (
    <>
      <PageHeader
        title={campaign.name}
        back={back}
        badge={<CampaignStatus status={campaign.status} />}
        lead={
          <>
            {campaign.template} to {campaign.segment}, started <Moment at={campaign.started_at} look="datetime" />
            {campaign.finished_at && (
              <>
                , finished <Moment at={campaign.finished_at} look="datetime" />
              </>
            )}
          </>
        }
        actions={<PauseResume campaign={campaign} />}
      />
      {running && (
        <div style={{ marginBottom: 16 }}>
          <Panel title={campaign.status === "paused" ? "Paused" : "On its way"}>
            <SendingProgress campaign={campaign} />
          </Panel>
        </div>
      )}
      <Tabs defaultValue="report" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="report">Report</Tabs.Tab>
          <Tabs.Tab value="recipients">Recipients</Tabs.Tab>
          <Tabs.Tab value="settings">How it was set up</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="report">
          <ReportView campaign={campaign} />
        </Tabs.Panel>
        <Tabs.Panel value="recipients">
          <Recipients campaign={campaign.name} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <div style={{ maxWidth: 900 }}>
            <CampaignForm value={inputOf(campaign)} onChange={() => {}} errors={{}} readOnly />
          </div>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

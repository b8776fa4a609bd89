import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain, fieldErrors } from "../api/problem";
import { campaignsQuery } from "../api/queries";
import type { Campaign, CampaignInput } from "../api/types";
import { asName, nameProblem } from "../definition/name";
import { useDefinition } from "../definition/save";
import { SaveBar } from "../definition/SaveBar";
import { UnsavedGuard, usePass } from "../draft/UnsavedGuard";
import { useDraft } from "../draft/useDraft";
import { PageHeader } from "../elements/PageHeader";
import { useCan } from "../session/useSession";
import { CampaignForm } from "./CampaignForm";
import { blank, missing, trimmed } from "./input";

const route = getRouteApi("/inside/campaigns/new");

export function NewCampaignPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const campaigns = useQuery(campaignsQuery);
  const [start] = useState(() => ({ name: "", ...blank, segment: search.segment ?? "", template: search.template ?? "" }));
  // The sender is nearly always the same one.
  const lastFrom = campaigns.data?.reduce<Campaign | undefined>((a, b) => (!a || b.created_at > a.created_at ? b : a), undefined)?.from ?? "";
  const draft = useDraft<CampaignInput & { name: string }>({ ...start, from: lastFrom });
  const definition = useDefinition<CampaignInput, Campaign>("campaigns");
  const pass = usePass();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const { name, ...input } = draft.value;
  const problem = nameProblem(name, campaigns.data?.map((c) => c.name) ?? []);
  const errors = { ...(tried ? missing(input) : {}), ...fieldErrors(refused) };

  const save = async () => {
    setTried(true);
    setRefused(null);
    if (problem || Object.keys(missing(input)).length > 0) return;
    setBusy(true);
    try {
      await definition.save(name.trim(), trimmed(input));
      pass.allow();
      await navigate({ to: "/campaigns/$name", params: { name: name.trim() }, replace: true });
    } catch (error) {
      setRefused(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <PageHeader title="New campaign" lead="This makes a draft. Nothing is sent before you say so." back={{ to: "/campaigns", label: "Campaigns" }} />
      <div style={{ maxWidth: 900 }}>
        <CampaignForm
          value={input}
          onChange={draft.set}
          errors={errors}
          name={<TextInput label="Name" required autoFocus placeholder="autumn-news" value={name} onChange={(e) => draft.set({ name: asName(e.currentTarget.value) })} error={(tried || name) && problem} />}
        />
        <SaveBar dirty busy={busy} can={write} failure={refused ? explain(refused) : ""} onSave={save} verb="Create draft" />
      </div>
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

import { Button, NumberInput, Select, Switch } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { put } from "../api/client";
import { explain } from "../api/problem";
import type { MatchSettings } from "../api/types";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import { said } from "../elements/say";
import { useCan } from "../session/useSession";
import { matchSettingsQuery } from "./queries";
import css from "./matches.module.css";

const schedules = [
  { value: "0", label: "Only when asked" },
  { value: "24", label: "Every day" },
  { value: "168", label: "Every week" },
];

/** What is merged without asking, what is asked about, and when. */
export function Settings() {
  const settings = useQuery(matchSettingsQuery);
  return (
    <Panel title="Settings">
      {settings.isPending && <Loading lines={4} what="Loading the settings" />}
      {settings.isError && <Failure error={settings.error} what="The settings could not be loaded." retry={() => settings.refetch()} />}
      {settings.data && <Form of={settings.data} />}
    </Panel>
  );
}

function Form({ of }: { of: MatchSettings }) {
  const [draft, setDraft] = useState(of);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const queries = useQueryClient();
  const write = useCan("write");
  const every = String(draft.every_hours);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    try {
      const { review, merge, automatic, every_hours } = draft;
      queries.setQueryData(matchSettingsQuery.queryKey, await put<MatchSettings>("/matches/settings", { review, merge, automatic, every_hours }));
      said("Saved. The settings hold from the next search on.");
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  const percent = (p: number) => Math.round(p * 1000) / 10;
  return (
    <form onSubmit={save} className={css.settings}>
      <NumberInput label="Ask about pairs from" suffix=" %" min={1} max={99.9} step={5} decimalScale={1} value={percent(draft.review)} disabled={!write}
        onChange={(v) => setDraft({ ...draft, review: Number(v) / 100 })} />
      <Switch label="Merge sure pairs without asking" checked={draft.automatic} disabled={!write}
        onChange={(e) => setDraft({ ...draft, automatic: e.currentTarget.checked })} />
      <NumberInput label="A pair is sure from" suffix=" %" min={50} max={100} step={0.5} decimalScale={1} value={percent(draft.merge)} disabled={!write || !draft.automatic}
        onChange={(v) => setDraft({ ...draft, merge: Number(v) / 100 })} />
      <Select label="Look for matches" allowDeselect={false} disabled={!write} value={every}
        data={schedules.some((s) => s.value === every) ? schedules : [...schedules, { value: every, label: `Every ${every} hours` }]}
        onChange={(v) => setDraft({ ...draft, every_hours: Number(v ?? 0) })} />
      {failure && (
        <p role="alert" style={{ color: "var(--bad)", margin: 0 }}>
          {failure}
        </p>
      )}
      {write && (
        <Button type="submit" loading={busy} variant="default">
          Save settings
        </Button>
      )}
    </form>
  );
}

import { Tabs, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../api/problem";
import { segmentQuery, segmentsQuery } from "../api/queries";
import type { Segment, SegmentInput } from "../api/types";
import { Icon } from "../brand/Icon";
import { DeleteDefinition } from "../definition/DeleteDefinition";
import { asName, nameProblem } from "../definition/name";
import { useDefinition } from "../definition/save";
import { SaveBar } from "../definition/SaveBar";
import { Versions } from "../definition/Versions";
import { UnsavedGuard, usePass } from "../draft/UnsavedGuard";
import { useDraft } from "../draft/useDraft";
import { LinkButton } from "../elements/LinkButton";
import { Loading } from "../elements/Loading";
import { Missing } from "../elements/Missing";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { people } from "../format/number";
import { useCan } from "../session/useSession";
import { Coming } from "./Coming";
import { Members } from "./Members";
import { Overlap } from "./Overlap";
import { QueryState, RunNow, Runs } from "./Runs";
import { SegmentEditor } from "./SegmentEditor";
import { FillingProgress, SegmentStatus } from "./SegmentStatus";
import { segmentTab } from "./tab";
import css from "./segments.module.css";

const route = getRouteApi("/inside/segments/$name");
const back = { to: "/segments", label: "Segments" } as const;

export function NewSegmentPage() {
  const navigate = useNavigate();
  const segments = useQuery(segmentsQuery);
  const draft = useDraft<SegmentInput & { name: string }>(blank);
  const definition = useDefinition<SegmentInput, Segment>("segments");
  const pass = usePass();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [failure, setFailure] = useState("");
  const [hold, setHold] = useState("");
  const problem = nameProblem(draft.value.name, segments.data?.map((s) => s.name) ?? []);

  const save = async () => {
    setTried(true);
    if (problem) return setFailure("");
    setBusy(true);
    try {
      const { name, ...input } = draft.value;
      await definition.save(name.trim(), input);
      pass.allow();
      await navigate({ to: "/segments/$name", params: { name: name.trim() }, replace: true });
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <PageHeader title="New segment" back={back} />
      <SegmentEditor
        value={draft.value}
        onChange={draft.set}
        onHold={setHold}
        name={
          <TextInput
            label="Name"
            description="a to z, digits, - and _, beginning with a letter or digit. It cannot be changed later."
            placeholder="regular-buyers"
            required
            autoFocus
            value={draft.value.name}
            onChange={(e) => draft.set({ name: asName(e.currentTarget.value) })}
            error={(tried || draft.value.name) && problem}
          />
        }
      />
      <SaveBar dirty={draft.dirty} busy={busy} can={write} hold={hold} failure={failure} onSave={save} verb="Create segment" />
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

const blank: SegmentInput & { name: string } = { name: "", condition: "", description: "" };

export function SegmentPage() {
  const { name } = route.useParams();
  const segment = useQuery(segmentQuery(name));
  if (segment.isPending) return <Loading lines={8} what="Loading the segment" />;
  if (!segment.data) return <Missing error={segment.error} kind="segment" name={name} back={back} retry={() => segment.refetch()} />;
  return <Loaded key={name} segment={segment.data} />;
}

const inputOf = (s: Segment): SegmentInput => ({
  condition: s.condition,
  description: s.description ?? "",
  warn_below: s.warn_below || undefined,
  sql: s.sql || undefined,
  schedule: s.schedule || undefined,
});

function Loaded({ segment }: { segment: Segment }) {
  const { name } = segment;
  const { tab } = route.useSearch();
  const navigate = useNavigate();
  const draft = useDraft<SegmentInput>(inputOf(segment));
  const definition = useDefinition<SegmentInput, Segment>("segments");
  const pass = usePass();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const [hold, setHold] = useState("");

  const save = async () => {
    setBusy(true);
    setFailure("");
    try {
      await definition.save(name, draft.value);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <PageHeader
        title={name}
        back={back}
        badge={<SegmentStatus segment={segment} />}
        lead={`${people(segment.count)}${segment.description ? `. ${segment.description}` : ""}`}
        actions={
          <>
            {segment.query && <RunNow segment={segment} />}
            <LinkButton to="/campaigns/new" search={{ segment: name }} variant="default" leftSection={<Icon name="campaign" size={16} />}>
              Send them a campaign
            </LinkButton>
            <DeleteDefinition
              kind="segment"
              name={name}
              disabled={!write}
              onDelete={async () => {
                await definition.remove(name, inputOf(segment));
                pass.allow();
                await navigate({ to: "/segments" });
              }}
            >
              Its members are forgotten; the customers themselves stay. Conditions and campaigns that use this segment must not need it any more.
            </DeleteDefinition>
          </>
        }
      />
      {segment.query ? <QueryState query={segment.query} /> : <FillingProgress segment={segment} />}
      <Tabs value={tab ?? "condition"} onChange={(t) => void navigate({ to: "/segments/$name", params: { name }, search: { tab: segmentTab(t) }, replace: true })}>
        <Tabs.List mb="md">
          <Tabs.Tab value="condition">{segment.query ? "Query" : "Condition"}</Tabs.Tab>
          <Tabs.Tab value="people">People</Tabs.Tab>
          <Tabs.Tab value="overlap">Overlap</Tabs.Tab>
          {segment.query && <Tabs.Tab value="runs">Runs</Tabs.Tab>}
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="condition">
          <SegmentEditor value={draft.value} onChange={draft.set} onHold={setHold} />
          <SaveBar dirty={draft.dirty} busy={busy} can={write} hold={hold} failure={failure} overtaken={draft.overtaken} onSave={save} onDiscard={draft.reset} />
        </Tabs.Panel>
        <Tabs.Panel value="people">{tab === "people" && <Members segment={name} />}</Tabs.Panel>
        <Tabs.Panel value="overlap">{tab === "overlap" && <Overlap segment={name} />}</Tabs.Panel>
        <Tabs.Panel value="runs">{tab === "runs" && <Runs segment={segment} />}</Tabs.Panel>
        <Tabs.Panel value="history">
          {tab === "history" && (
            <div className={css.stack}>
              <Coming segment={name} />
              <Panel title={`Version ${segment.version} now`}>
                <Versions kind="segments" name={name} />
              </Panel>
            </div>
          )}
        </Tabs.Panel>
      </Tabs>
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

import { Alert, Button, Textarea, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { path, post } from "../api/client";
import { explain } from "../api/problem";
import { sourceQuery, sourcesQuery } from "../api/queries";
import type { Source, SourceInput, Tried } from "../api/types";
import { Icon } from "../brand/Icon";
import { DeleteDefinition } from "../definition/DeleteDefinition";
import { asName, nameProblem } from "../definition/name";
import { useDefinition } from "../definition/save";
import { SaveBar } from "../definition/SaveBar";
import { Versions } from "../definition/Versions";
import { UnsavedGuard, usePass } from "../draft/UnsavedGuard";
import { useDraft } from "../draft/useDraft";
import { Loading } from "../elements/Loading";
import { Missing } from "../elements/Missing";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { Rows } from "../elements/Rows";
import { failed } from "../elements/say";
import { Stat } from "../elements/Stat";
import { count } from "../format/number";
import { useCan } from "../session/useSession";
import { Quarantine } from "./Quarantine";
import { inputOf, SourceForm } from "./SourceForm";
import { span, State } from "./State";
import css from "./sources.module.css";

const route = getRouteApi("/inside/sources/$name");
const back = { to: "/sources", label: "Sources" } as const;
const blank: SourceInput = { brokers: [], topic: "", format: "json", mapping: { event: '"Order Completed"', user_id: "row.customer_id" } };

export function NewSourcePage() {
  return <Edit />;
}

export function SourcePage() {
  const { name } = route.useParams();
  const source = useQuery(sourceQuery(name));
  if (source.isPending) return <Loading lines={6} what="Loading the source" />;
  if (!source.data) return <Missing error={source.error} kind="source" name={name} back={back} retry={() => source.refetch()} />;
  return <Edit key={name} source={source.data} />;
}

/** The definition alone of a source. */
function definitionOf({ name: _name, version: _version, created_at: _created, updated_at: _updated, status: _status, quarantined: _quarantined, ...definition }: Source): SourceInput {
  return definition;
}

/** A new source without `source`. */
function Edit({ source }: { source?: Source }) {
  const navigate = useNavigate();
  const sources = useQuery(sourcesQuery);
  const [name, setName] = useState(source?.name ?? "");
  const draft = useDraft<SourceInput>(source ? definitionOf(source) : blank);
  const definition = useDefinition<SourceInput, Source>("sources");
  const pass = usePass();
  const admin = useCan("admin");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [failure, setFailure] = useState("");
  const problem = source ? "" : nameProblem(name, sources.data?.map((s) => s.name) ?? []);

  const save = async () => {
    setTried(true);
    if (problem) return;
    setBusy(true);
    setFailure("");
    try {
      await definition.save(name, inputOf(draft.value));
      if (!source) {
        pass.allow();
        await navigate({ to: "/sources/$name", params: { name }, replace: true });
      }
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <PageHeader
        title={source ? source.name : "New source"}
        back={back}
        badge={source && <State of={source} />}
        actions={
          source && (
            <>
              <PauseResume source={source} />
              <DeleteDefinition
                kind="source"
                name={source.name}
                disabled={!admin}
                onDelete={async () => {
                  await definition.remove(source.name, definitionOf(source));
                  pass.allow();
                  await navigate({ to: "/sources" });
                }}
              >
                Its topic is not read any more. The events that it brought stay, and so do its messages in quarantine.
              </DeleteDefinition>
            </>
          )
        }
      />
      {source && (
        <div className={css.wide}>
          <Progress source={source} />
          <Quarantine source={source} />
        </div>
      )}
      <div className={css.page}>
        <div className={css.side}>
          {!source && (
            <Panel>
              <TextInput label="Name" description="It cannot be changed later." required autoFocus placeholder="orders" value={name} onChange={(e) => setName(asName(e.currentTarget.value))} error={(tried || name) && problem} />
            </Panel>
          )}
          <SourceForm value={draft.value} set={draft.set} disabled={!admin} />
        </div>
        <div className={css.side}>
          {admin && <Try definition={draft.value} />}
          {source && (
            <Panel title="History">
              <Versions kind="sources" name={source.name} />
            </Panel>
          )}
        </div>
      </div>
      <SaveBar dirty={draft.dirty || (!source && name !== "")} busy={busy} can={admin} hold="" failure={failure} overtaken={draft.overtaken} onSave={save} onDiscard={source ? draft.reset : undefined} verb={source ? "Save" : "Create source"} />
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

function PauseResume({ source }: { source: Source }) {
  const queries = useQueryClient();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const turn = async () => {
    setBusy(true);
    try {
      await post(path`/sources/${source.name}/${source.paused ? "resume" : "pause"}`);
      await queries.invalidateQueries({ queryKey: ["sources"] });
    } catch (error) {
      failed("That did not work.", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button variant="default" disabled={!write} loading={busy} onClick={turn} leftSection={<Icon name={source.paused ? "play" : "pause"} size={16} />}>
      {source.paused ? "Resume" : "Pause"}
    </Button>
  );
}

/** How far the reading is, and what is in its way. */
function Progress({ source }: { source: Source }) {
  const { status } = source;
  return (
    <>
      {status.problem && (
        <Alert color="red" icon={<Icon name="warning" size={18} />} title={status.state === "full" ? "Reading has stopped" : "It cannot be read, and is tried again by itself"}>
          {status.problem}
        </Alert>
      )}
      <div className={css.stats}>
        <Stat label="Waiting" value={status.lag === null ? "Not known" : count(status.lag)} note={status.lag && status.behind_seconds !== null ? `${span(status.behind_seconds)} behind` : "messages in the topic"} />
        <Stat label="Became events" value={count(status.accepted)} note="since the server began" />
        <Stat label="In quarantine" value={count(source.quarantined)} note={source.quarantined ? "see below why" : undefined} />
        <Stat label="Newest message" value={status.last_at ? <Moment at={status.last_at} /> : "None yet"} note={status.lost ? `${count(status.lost)} were gone before they were read` : undefined} />
      </div>
      {status.partitions.length > 1 && (
        <Panel title="Partitions" flush>
          <Rows
            label="Partitions"
            rows={status.partitions}
            id={(p) => String(p.partition)}
            columns={[
              { header: "Partition", cell: (p) => p.partition },
              { header: "Next offset", cell: (p) => count(p.position), right: true },
              { header: "Waiting", cell: (p) => count(p.lag), right: true },
              { header: "Behind", cell: (p) => (p.behind_seconds === null ? "Read elsewhere" : span(p.behind_seconds)), right: true },
            ]}
          />
        </Panel>
      )}
    </>
  );
}

/** What a message would become, before anything is saved. */
function Try({ definition }: { definition: SourceInput }) {
  const [value, setValue] = useState("");
  const [answer, setAnswer] = useState<{ text: string; bad?: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const { event } = await post<Tried>("/sources/try", { definition: inputOf(definition), message: { value } });
      setAnswer({ text: event ? JSON.stringify(event, null, 2) : "The mapping does not want this message." });
    } catch (error) {
      setAnswer({ text: explain(error), bad: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Try a message">
      <div className={css.fields}>
        <Textarea label="Value of a message" className={css.code} rows={5} spellCheck={false} placeholder={'{"customer_id": "7", "total": 12.5}'} value={value} onChange={(e) => setValue(e.currentTarget.value)} />
        <div>
          <Button variant="default" onClick={run} loading={busy} disabled={!value}>
            Show the event
          </Button>
        </div>
        {answer && (answer.bad ? <p role="alert" style={{ color: "var(--bad)" }}>{answer.text}</p> : <pre style={{ margin: 0, whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{answer.text}</pre>)}
      </div>
    </Panel>
  );
}

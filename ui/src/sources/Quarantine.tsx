import { Button, Modal } from "@mantine/core";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { get, path, post, remove } from "../api/client";
import { quarantineQuery } from "../api/queries";
import type { QuarantinedMessage, Retried, Source } from "../api/types";
import { Confirm } from "../elements/Confirm";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { Panel } from "../elements/Panel";
import { Rows } from "../elements/Rows";
import { failed, said } from "../elements/say";
import { count } from "../format/number";
import { useCan } from "../session/useSession";

/** Messages of a source that could not become events. */
export function Quarantine({ source }: { source: Source }) {
  const list = useInfiniteQuery({ ...quarantineQuery(source.name), refetchInterval: 10_000 });
  const queries = useQueryClient();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState("");
  const [discarding, setDiscarding] = useState(false);
  const refresh = () => Promise.all([queries.invalidateQueries({ queryKey: ["quarantine"] }), queries.invalidateQueries({ queryKey: ["sources"] })]);

  const retry = async (id?: string) => {
    setBusy(true);
    try {
      let taken = 0;
      let reason = "";
      for (let cursor: string | undefined; ; ) {
        const page: Retried = id ? await post(path`/quarantine/${id}/retry`) : await post("/quarantine/retry", { source: source.name, cursor });
        taken += page.taken;
        reason ||= page.reason;
        cursor = page.next_cursor;
        if (!cursor) break;
      }
      if (reason) failed(taken ? `${count(taken)} became events; others could not.` : "It still cannot become an event.", new Error(reason));
      else said(taken === 1 ? "The message became an event." : `${count(taken)} messages became events.`);
    } catch (error) {
      failed("That did not work.", error);
    } finally {
      setBusy(false);
      await refresh();
    }
  };
  const discard = async (m: QuarantinedMessage) => {
    try {
      await remove(path`/quarantine/${m.id}`);
      said("The message is discarded.");
    } catch (error) {
      failed("That did not work.", error);
    }
    await refresh();
  };

  const actions = write && source.quarantined > 0 && (
    <span style={{ display: "inline-flex", gap: 8 }}>
      <Button variant="default" size="compact-sm" loading={busy} onClick={() => retry()}>
        Try all again
      </Button>
      <Button variant="subtle" color="red.8" size="compact-sm" onClick={() => setDiscarding(true)}>
        Discard all
      </Button>
    </span>
  );
  return (
    <Panel title="Quarantine" aside={actions} flush>
      {list.isPending && <Loading what="Loading the quarantine" />}
      {list.isError && !list.data && (
        <div style={{ padding: 18 }}>
          <Failure error={list.error} what="The quarantine could not be loaded." retry={() => list.refetch()} />
        </div>
      )}
      {list.data?.length === 0 && (
        <Empty icon="check" title="Nothing in quarantine">
          Messages that cannot become events wait here, with the reason, until the mapping or the message is mended.
        </Empty>
      )}
      {list.data && list.data.length > 0 && (
        <>
          <Rows
            label="Messages in quarantine"
            rows={list.data}
            id={(m) => m.id}
            columns={[
              { header: "Why", cell: (m) => <span className="break">{m.reason}</span> },
              { header: "Message", cell: (m) => <code style={{ overflowWrap: "anywhere" }}>{m.value.slice(0, 80) || "(empty)"}</code>, block: true },
              { header: "Since", cell: (m) => <Moment at={m.at} />, right: true },
              {
                header: "",
                cell: (m) => (
                  <span style={{ display: "inline-flex", gap: 4 }}>
                    <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setOpen(m.id)} aria-label={`Show the message at offset ${m.offset}`}>
                      Show
                    </Button>
                    <Button variant="subtle" size="compact-sm" disabled={!write || m.clipped || busy} onClick={() => retry(m.id)} aria-label={`Try the message at offset ${m.offset} again`}>
                      Try again
                    </Button>
                    <Button variant="subtle" color="gray" size="compact-sm" disabled={!write} onClick={() => discard(m)} aria-label={`Discard the message at offset ${m.offset}`}>
                      Discard
                    </Button>
                  </span>
                ),
                right: true,
              },
            ]}
          />
          <More list={list} what="messages" />
        </>
      )}
      <Modal opened={open !== ""} onClose={() => setOpen("")} title="Message" size="lg">
        {open && <Whole id={open} />}
      </Modal>
      <Confirm
        title={`Discard ${count(source.quarantined)} messages?`}
        verb="Discard all"
        danger
        opened={discarding}
        onClose={() => setDiscarding(false)}
        onConfirm={async () => {
          await post("/quarantine/discard", { source: source.name });
          await refresh();
        }}
      >
        They will not become events. What was never read from the topic is not concerned.
      </Confirm>
    </Panel>
  );
}

function Whole({ id }: { id: string }) {
  const message = useQuery({ queryKey: ["quarantine", "one", id], queryFn: ({ signal }) => get<QuarantinedMessage>(path`/quarantine/${id}`, undefined, signal) });
  if (message.isPending) return <Loading lines={4} what="Loading the message" />;
  if (!message.data) return <Failure error={message.error} what="The message could not be loaded." retry={() => message.refetch()} />;
  const m = message.data;
  return (
    <div style={{ display: "grid", gap: 12 }}>
      <p className="break">{m.reason}</p>
      <p className="soft">
        {m.topic}, partition {m.partition}, offset {m.offset}, written <Moment at={m.timestamp} look="datetime" />, tried {m.attempts === 1 ? "once" : `${m.attempts} times`}
        {m.key && `, key ${m.key}`}
        {m.clipped && `; only the beginning of ${count(m.size)} bytes is kept`}
      </p>
      <pre style={{ overflow: "auto", maxHeight: "50vh", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{m.value}</pre>
    </div>
  );
}

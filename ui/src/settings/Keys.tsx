import { Badge, Button, Checkbox, Group, Modal, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { path, post, remove } from "../api/client";
import { explain, fieldErrors } from "../api/problem";
import { keysQuery } from "../api/queries";
import type { Key, NewKey } from "../api/types";
import { Icon } from "../brand/Icon";
import { Confirm } from "../elements/Confirm";
import { CopyBox } from "../elements/CopyBox";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { Rows } from "../elements/Rows";
import { said } from "../elements/say";
import { useCan, useSession } from "../session/useSession";
import css from "./settings.module.css";

const scopes = [
  { value: "read", label: "Look at everything", hint: "customers, segments, templates, campaigns, reports" },
  { value: "write", label: "Change definitions", hint: "segments, computed traits, templates, campaigns, suppressions" },
  { value: "send", label: "Send mail", hint: "campaigns and tests; pause and go on" },
  { value: "track", label: "Send events", hint: "the tracking API, for shops and libraries" },
  { value: "metrics", label: "Metrics", hint: "read /metrics, for monitoring" },
  { value: "admin", label: "Manage keys", hint: "keys, secrets, sources, backups" },
] as const;

export function Keys() {
  const keys = useQuery(keysQuery);
  const admin = useCan("admin");
  const session = useSession();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<Key | null>(null);

  if (!admin)
    return (
      <Panel flush>
        <Empty icon="key" title="Your key may not manage keys">
          Ask somebody whose key has the right “Manage keys”. You are signed in with the key “{session.key_name}”.
        </Empty>
      </Panel>
    );
  return (
    <>
      <Panel
        title="API keys"
        flush
        aside={
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)}>
            New key
          </Button>
        }
      >
        {keys.isPending && <Loading what="Loading keys" />}
        {keys.isError && !keys.data && (
          <div style={{ padding: 18 }}>
            <Failure error={keys.error} what="Keys could not be loaded." retry={() => keys.refetch()} />
          </div>
        )}
        {keys.data?.length === 0 && (
          <Empty icon="key" title="No keys">
            Make one for each person and program, so that each can be taken back alone.
          </Empty>
        )}
        {keys.data && keys.data.length > 0 && (
          <Rows
            label="API keys"
            rows={keys.data}
            id={(k) => k.id}
            columns={[
              { header: "Name", cell: (k) => <strong style={{ fontWeight: 560 }}>{k.name}</strong> },
              {
                header: "May",
                cell: (k) => (
                  <span style={{ display: "inline-flex", flexWrap: "wrap", gap: 4, justifyContent: "flex-end" }}>
                    {k.scopes.map((s) => (
                      <Badge key={s} color={s === "admin" ? "rufous" : "gray"} title={scopes.find((x) => x.value === s)?.hint}>
                        {scopes.find((x) => x.value === s)?.label ?? s}
                      </Badge>
                    ))}
                  </span>
                ),
              },
              { header: "Made", cell: (k) => <Moment at={k.created_at} look="day" />, right: true },
              { header: "Last used", cell: (k) => (k.last_used_at ? <Moment at={k.last_used_at} /> : <span className="soft">never</span>), right: true },
              {
                header: "",
                cell: (k) => (
                  <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setDeleting(k)} aria-label={`Delete the key ${k.name}`}>
                    Delete
                  </Button>
                ),
                right: true,
              },
            ]}
          />
        )}
      </Panel>
      {making && <NewKeyDialog onClose={() => setMaking(false)} />}
      <Confirm
        opened={!!deleting}
        onClose={() => setDeleting(null)}
        title={`Delete the key “${deleting?.name ?? ""}”?`}
        verb="Delete key"
        danger
        onConfirm={async () => {
          if (!deleting) return;
          await remove(path`/keys/${deleting.id}`);
          said(`The key “${deleting.name}” is deleted.`);
          await queries.invalidateQueries({ queryKey: keysQuery.queryKey });
        }}
      >
        Whatever uses this key stops working at once. It cannot be brought back.
        {deleting?.name === session.key_name && <strong> You are signed in with this key.</strong>}
      </Confirm>
    </>
  );
}

function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>(["read"]);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<NewKey | null>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!name.trim() || chosen.length === 0) return;
    setBusy(true);
    setFailure(null);
    try {
      setMade(await post<NewKey>("/keys", { name: name.trim(), scopes: chosen }));
      void queries.invalidateQueries({ queryKey: keysQuery.queryKey });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };

  if (made)
    return (
      <Modal opened onClose={onClose} title={<strong>Copy the key now</strong>} closeOnClickOutside={false} closeOnEscape={false}>
        <p style={{ marginTop: 0 }}>This is the only time that “{made.name}” is shown. Keep it in a password manager or your program’s secrets.</p>
        <CopyBox text={made.key} label="key" />
        <Group justify="flex-end" mt="lg">
          <Button onClick={onClose}>I have copied it</Button>
        </Group>
      </Modal>
    );
  return (
    <Modal opened onClose={onClose} title={<strong>New key</strong>}>
      <form onSubmit={submit} noValidate>
        <div style={{ display: "grid", gap: 16 }}>
          <TextInput label="Name" description="Who or what uses it" placeholder="Web shop" required data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={(tried && !name.trim() && "Give it a name.") || fieldErrors(failure).name} maxLength={100} />
          <Checkbox.Group label="It may" value={chosen} onChange={setChosen} error={tried && chosen.length === 0 && "Choose at least one."}>
            <div className={css.scopes}>
              {scopes.map((s) => (
                <Checkbox key={s.value} value={s.value} label={s.label} description={s.hint} />
              ))}
            </div>
          </Checkbox.Group>
          {failure !== null && (
            <p role="alert" style={{ color: "var(--bad)", margin: 0 }}>
              {explain(failure)}
            </p>
          )}
        </div>
        <Group justify="flex-end" mt="lg" gap="sm">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Make key
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { path, put, remove } from "../api/client";
import { explain } from "../api/problem";
import { secretsQuery } from "../api/queries";
import type { Secret } from "../api/types";
import { asName, nameProblem } from "../definition/name";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { Rows } from "../elements/Rows";
import { failed, said } from "../elements/say";
import { useCan } from "../session/useSession";
import css from "./settings.module.css";

/** Passwords that definitions name instead of holding them. They are written, and never shown. */
export function Secrets() {
  const admin = useCan("admin");
  const list = useQuery({ ...secretsQuery, enabled: admin });
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["secrets"] });
  const forget = async (s: Secret) => {
    try {
      await remove(path`/secrets/${s.name}`);
      said(`${s.name} is forgotten.`);
      await refresh();
    } catch (error) {
      failed("That did not work.", error);
    }
  };
  if (!admin)
    return (
      <Panel title="Secrets">
        <p>Sign in with a key that has the scope admin to see to secrets.</p>
      </Panel>
    );
  return (
    <Panel title="Secrets that sources name" flush>
      <Add onAdded={refresh} />
      {list.isPending && <Loading what="Loading secrets" />}
      {list.isError && !list.data && (
        <div style={{ padding: 18 }}>
          <Failure error={list.error} what="Secrets could not be loaded." retry={() => list.refetch()} />
        </div>
      )}
      {list.data?.length === 0 && (
        <Empty icon="key" title="No secrets">
          A source that signs in names the secret with its password. The value is sealed, and cannot be read again.
        </Empty>
      )}
      {list.data && list.data.length > 0 && (
        <Rows
          label="Secrets"
          rows={list.data}
          id={(s) => s.name}
          columns={[
            { header: "Name", cell: (s) => s.name },
            { header: "Set by", cell: (s) => s.set_by },
            { header: "Set", cell: (s) => <Moment at={s.set_at} />, right: true },
            {
              header: "",
              cell: (s) => (
                <Button variant="subtle" color="gray" size="compact-sm" onClick={() => forget(s)} aria-label={`Forget ${s.name}`}>
                  Forget
                </Button>
              ),
              right: true,
            },
          ]}
        />
      )}
    </Panel>
  );
}

function Add({ onAdded }: { onAdded: () => unknown }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = nameProblem(name, []) || (value ? "" : "Give a value.");
    if (wrong) return setFailure(wrong);
    setBusy(true);
    setFailure("");
    try {
      await put(path`/secrets/${name}`, { value });
      said(`${name} is set.`);
      setName("");
      setValue("");
      onAdded();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className={css.add} noValidate>
      <TextInput label="Name" placeholder="kafka-password" value={name} onChange={(e) => setName(asName(e.currentTarget.value))} error={failure} />
      <PasswordInput label="Value" autoComplete="off" value={value} onChange={(e) => setValue(e.currentTarget.value)} />
      <Button type="submit" loading={busy} variant="default">
        Set
      </Button>
    </form>
  );
}

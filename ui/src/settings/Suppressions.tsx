import { Button, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { path, post, remove } from "../api/client";
import { explain } from "../api/problem";
import { suppressionsQuery } from "../api/queries";
import type { Suppression } from "../api/types";
import { address } from "../campaigns/input";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { Panel } from "../elements/Panel";
import { Rows } from "../elements/Rows";
import { failed, said, undoable } from "../elements/say";
import { useCan } from "../session/useSession";
import css from "./settings.module.css";

const reasons: Record<string, string> = { unsubscribed: "Unsubscribed", complained: "Marked mail as spam", bounced: "Bounced", manual: "Added by hand" };

/** Addresses that never get mail. */
export function Suppressions() {
  const list = useInfiniteQuery(suppressionsQuery);
  const queries = useQueryClient();
  const write = useCan("write");
  const refresh = () => queries.invalidateQueries({ queryKey: ["suppressions"] });

  const lift = async (s: Suppression) => {
    try {
      await remove(path`/suppressions/${s.email}`);
      await refresh();
      undoable(`${s.email} can get mail again.`, async () => {
        await post("/suppressions", { email: s.email, reason: s.reason });
        await refresh();
      });
    } catch (error) {
      failed("That did not work.", error);
    }
  };

  return (
    <Panel title="Addresses that never get mail" flush>
      {write && <Add onAdded={refresh} />}
      {list.isPending && <Loading what="Loading suppressions" />}
      {list.isError && !list.data && (
        <div style={{ padding: 18 }}>
          <Failure error={list.error} what="Suppressions could not be loaded." retry={() => list.refetch()} />
        </div>
      )}
      {list.data?.length === 0 && (
        <Empty icon="check" title="Nobody is suppressed">
          Addresses that bounce or complain come here by themselves. Add one by hand when somebody asks you never to write again.
        </Empty>
      )}
      {list.data && list.data.length > 0 && (
        <>
          <Rows
            label="Suppressed addresses"
            rows={list.data}
            id={(s) => s.email}
            columns={[
              { header: "Address", cell: (s) => <span className="break">{s.email}</span> },
              { header: "Why", cell: (s) => reasons[s.reason] ?? s.reason },
              { header: "Since", cell: (s) => <Moment at={s.created_at} />, right: true },
              {
                header: "",
                cell: (s) => (
                  <Button variant="subtle" color="gray" size="compact-sm" disabled={!write} onClick={() => lift(s)} aria-label={`Remove ${s.email} from the list`}>
                    Remove
                  </Button>
                ),
                right: true,
              },
            ]}
          />
          <More list={list} what="addresses" />
        </>
      )}
    </Panel>
  );
}

function Add({ onAdded }: { onAdded: () => unknown }) {
  const [email, setEmail] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!address(email)) return setFailure("Write an address, as in ada@example.com.");
    setBusy(true);
    setFailure("");
    try {
      await post("/suppressions", { email: address(email) });
      said(`${address(email)} gets no more mail.`);
      setEmail("");
      onAdded();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className={css.add} noValidate>
      <TextInput label="Address" type="email" placeholder="ada@example.com" value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={failure} />
      <Button type="submit" loading={busy} variant="default">
        Suppress
      </Button>
    </form>
  );
}

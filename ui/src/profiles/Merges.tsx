import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, post } from "../api/client";
import type { Merge, Profile, Unmerged } from "../api/types";
import { Confirm } from "../elements/Confirm";
import { Moment } from "../elements/Moment";
import { said } from "../elements/say";
import { plural } from "../format/number";
import { label } from "../format/value";
import { useCan } from "../session/useSession";
import css from "./profiles.module.css";

/** The profiles that merged into a customer, each with a way back. */
export function Merges({ profile }: { profile: Profile }) {
  const queries = useQueryClient();
  const can = useCan("write");
  const [asking, setAsking] = useState<Merge>();
  const [note, setNote] = useState("");
  const undo = async () => {
    const { moved } = await post<Unmerged>(path`/profiles/${asking!.profile_id}/unmerge`, { note: note || undefined });
    await queries.invalidateQueries();
    said(`They are two customers again; ${plural(moved, "event")} went back.`);
  };
  return (
    <>
      <ul className={css.list}>
        {profile.merged.map((m) => (
          <li key={m.profile_id + m.at}>
            <span className="break">
              {how(m)}
              <span className="soft small" style={{ display: "block" }} title={m.message_id && `By the event ${m.message_id}`}>
                <Moment at={m.at} look="datetime" />
                {m.note && `: ${m.note}`}
              </span>
            </span>
            {can && (
              <Button variant="default" size="compact-sm" onClick={() => setAsking(m)}>
                Undo
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Confirm opened={!!asking} onClose={() => setAsking(undefined)} title="Make them two customers again?" verb="Undo the merge" onConfirm={undo}>
        <p style={{ marginTop: 0 }}>Each gets back its own events, traits and segments. What came since goes where its identifiers point, and they are kept apart from now on.</p>
        <TextInput label="Why" placeholder="For whoever reads it later" maxLength={500} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
      </Confirm>
    </>
  );
}

function how(m: Merge): string {
  if (m.cause === "manual") return `Merged by ${m.by || "hand"}`;
  if (m.cause === "match") return "Merged as a probable match";
  return m.identifiers.map((i) => `${label(i.type)} ${i.value}`).join(", ") || m.profile_id;
}

import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, put, remove } from "../api/client";
import type { Profile } from "../api/types";
import { Confirm } from "../elements/Confirm";
import { failed, said } from "../elements/say";
import { useCan } from "../session/useSession";

/** Puts a customer into a segment by hand, or keeps them out, whatever the condition says; and takes that back. */
export function Decide({ profile, segment, inside, decided }: { profile: Profile; segment: string; inside: boolean; decided: boolean }) {
  const queries = useQueryClient();
  const can = useCan("write");
  const [asking, setAsking] = useState(false);
  const [note, setNote] = useState("");
  const [until, setUntil] = useState("");
  if (!can) return null;
  const at = path`/profiles/${profile.id}/overrides/segment/${segment}`;
  const refresh = () => queries.invalidateQueries({ queryKey: ["profiles"] });
  const lift = async () => {
    try {
      await remove(at);
      await refresh();
      said("The condition decides again.");
    } catch (error) {
      failed("The decision could not be taken back.", error);
    }
  };
  const verb = inside ? "Keep out" : "Put in";
  return (
    <>
      {decided ? (
        <Button variant="default" size="compact-sm" onClick={lift}>
          Let the condition decide
        </Button>
      ) : (
        <Button variant="default" size="compact-sm" onClick={() => setAsking(true)}>
          {verb} by hand…
        </Button>
      )}
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={inside ? `Keep ${profile.label} out of “${segment}”?` : `Put ${profile.label} into “${segment}”?`}
        verb={verb}
        onConfirm={async () => {
          await put(at, { in: !inside, note: note || undefined, until: until ? new Date(until).toISOString() : undefined });
          await refresh();
        }}
      >
        <p style={{ marginTop: 0 }}>This wins over the condition until it is taken back.</p>
        <TextInput label="Why" placeholder="For whoever reads it later" maxLength={500} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
        <TextInput mt="sm" type="datetime-local" label="Until" description="Empty: until it is taken back" value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
      </Confirm>
    </>
  );
}

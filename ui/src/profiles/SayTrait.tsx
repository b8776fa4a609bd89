import { Autocomplete, NativeSelect, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, put } from "../api/client";
import type { Profile } from "../api/types";
import { Confirm } from "../elements/Confirm";
import { label } from "../format/value";
import { read, type Sort, sorts, written } from "./traitValue";

interface Props {
  profile: Profile;
  /** The traits that there are, and what they are now. */
  names: string[];
  values: Record<string, unknown>;
  /** The one to begin with; empty: to be chosen. */
  name: string;
  onClose: () => void;
}

/** Says what a trait is, whatever events say, until that is taken back. */
export function SayTrait({ profile, names, values, name: first, onClose }: Props) {
  const queries = useQueryClient();
  const [name, setName] = useState(first);
  const [given, setGiven] = useState(written(values[first] ?? (first ? null : undefined)));
  const [note, setNote] = useState("");
  const [until, setUntil] = useState("");
  const choose = (next: string) => {
    setName(next);
    if (next in values) setGiven(written(values[next]));
  };
  const said = read(given.sort, given.text);
  const submit = async () => {
    if (!name.trim()) throw new Error("Name the trait.");
    if ("wrong" in said) throw new Error(said.wrong);
    await put(path`/profiles/${profile.id}/overrides/trait/${name.trim()}`, {
      value: said.value, note: note || undefined, until: until ? new Date(until).toISOString() : undefined,
    });
    await queries.invalidateQueries({ queryKey: ["profiles"] });
  };
  return (
    <Confirm opened onClose={onClose} title={first ? `Set ${label(first)} of ${profile.label} by hand?` : `Set a trait of ${profile.label} by hand?`} verb="Set" onConfirm={submit}>
      <p style={{ marginTop: 0 }}>This wins over events until it is taken back. Segments, traits and mail that use it follow at once.</p>
      {!first && <Autocomplete label="Trait" data={names} value={name} onChange={choose} />}
      <NativeSelect mt="sm" label="It is" data={sorts} value={given.sort} onChange={(e) => setGiven({ ...given, sort: e.currentTarget.value as Sort })} />
      {given.sort === "boolean" ? (
        <NativeSelect mt="sm" label="Value" data={[{ value: "true", label: "yes" }, { value: "false", label: "no" }]} value={given.text === "false" ? "false" : "true"} onChange={(e) => setGiven({ ...given, text: e.currentTarget.value })} />
      ) : (
        given.sort !== "none" && <TextInput mt="sm" label="Value" value={given.text} onChange={(e) => setGiven({ ...given, text: e.currentTarget.value })} />
      )}
      <TextInput mt="sm" label="Why" placeholder="For whoever reads it later" maxLength={500} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
      <TextInput mt="sm" type="datetime-local" label="Until" description="Empty: until it is taken back" value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
    </Confirm>
  );
}

import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { profileQuery } from "../api/queries";
import type { Profile } from "../api/types";
import { useCustomers } from "./useCustomers";

interface Props {
  label: string;
  description?: string;
  /** What stands in the empty field: who is meant when nobody is chosen. */
  placeholder: string;
  value: string | undefined;
  onChange: (profileId: string | undefined) => void;
}

/** Chooses a customer by name or any identifier. */
export function CustomerPicker({ label, description, placeholder, value, onChange }: Props) {
  const [search, setSearch] = useState("");
  const chosen = useQuery({ ...profileQuery(value ?? ""), enabled: !!value });
  const chosenText = chosen.data ? describe(chosen.data) : (value ?? "");
  const [q] = useDebouncedValue(search === chosenText ? "" : search, 250);
  const found = useCustomers({ q });
  const options = (found.data ?? []).slice(0, 20).map((p) => ({ value: p.id, label: describe(p) }));
  if (value && !options.some((o) => o.value === value)) options.unshift({ value, label: chosenText });
  return (
    <Select
      label={label}
      description={description}
      placeholder={placeholder}
      searchable
      clearable
      clearButtonProps={{ "aria-label": "Choose nobody" }}
      data={options}
      filter={({ options: all }) => all}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
      onSearchChange={setSearch}
      nothingFoundMessage={found.isFetching || found.searching ? "Searching…" : "Nobody found"}
    />
  );
}

function describe(p: Profile): string {
  const email = p.identifiers.find((i) => i.type === "email")?.value;
  return email && email !== p.label ? `${p.label} · ${email}` : p.label;
}

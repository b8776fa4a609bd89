import { Button, Group, Modal, NativeSelect, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "../api/client";
import { explain } from "../api/problem";
import { starterQuery } from "../api/queries";
import { Failure } from "../elements/Failure";
import { said } from "../elements/say";

const starters = [
  { value: "rfm", label: "RFM: recency, frequency, money", event: "Order Completed", property: "total" },
  { value: "lifecycle", label: "Stages of life, by each customer’s rhythm", event: "Order Completed" },
  { value: "engagement", label: "Engagement, from 0 to 100", event: "Order Completed" },
  { value: "interests", label: "Interests", event: "Product Viewed", property: "category" },
];

/** Makes the traits and segments of a starter, for the events that the customer's events are called. */
export function Starter({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("rfm");
  const [event, setEvent] = useState("");
  const [property, setProperty] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const chosen = starters.find((s) => s.value === name)!;
  const starter = useQuery({ ...starterQuery(name, event.trim(), property.trim()), placeholderData: keepPreviousData });
  const definitions = starter.data?.definitions ?? [];

  const make = async () => {
    setBusy(true);
    setFailure("");
    try {
      await post("/definitions/apply", { definitions });
      await Promise.all(["traits", "segments", "vocabulary"].map((key) => queries.invalidateQueries({ queryKey: [key] })));
      said(`${definitions.length} definitions are made.`);
      onClose();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal opened onClose={onClose} title={<strong>From a starter</strong>}>
      <div style={{ display: "grid", gap: 12 }}>
        <NativeSelect label="What" data={starters} value={name} onChange={(e) => (setName(e.currentTarget.value), setEvent(""), setProperty(""))} data-autofocus />
        <TextInput label="Event that counts" placeholder={chosen.event} value={event} onChange={(e) => setEvent(e.currentTarget.value)} />
        {chosen.property && <TextInput label="Its property" placeholder={chosen.property} value={property} onChange={(e) => setProperty(e.currentTarget.value)} />}
        {starter.isError && <Failure error={starter.error} what="The starter could not be loaded." retry={() => starter.refetch()} />}
        <ul aria-label="What will be made" tabIndex={0} style={{ margin: 0, paddingLeft: 18, maxHeight: 240, overflowY: "auto" }}>
          {definitions.map((d) => (
            <li key={`${d.kind} ${d.name}`}>
              <code>{d.name}</code> <span className="soft small">{d.spec.description}</span>
            </li>
          ))}
        </ul>
        <p className="soft small" style={{ margin: 0 }}>
          What exists under these names is replaced; its history stays.
        </p>
        {failure && (
          <p role="alert" style={{ color: "var(--bad)", margin: 0 }}>
            {failure}
          </p>
        )}
      </div>
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button loading={busy} disabled={definitions.length === 0 || starter.isPlaceholderData} onClick={make}>
          Make them
        </Button>
      </Group>
    </Modal>
  );
}

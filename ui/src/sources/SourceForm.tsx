import { ActionIcon, Button, Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import type { SourceInput } from "../api/types";
import { Icon } from "../brand/Icon";
import { Panel } from "../elements/Panel";
import { mappingOf, type Row, rowsOf } from "./mapping";
import css from "./sources.module.css";

interface Props {
  value: SourceInput;
  set: (fields: Partial<SourceInput>) => void;
  disabled: boolean;
}

/** Everything that a source has beside its name, in the words of the people who run it. */
export function SourceForm({ value, set, disabled }: Props) {
  return (
    <>
      <Panel title="Where">
        <fieldset className={css.fields} disabled={disabled}>
          <TextInput label="Description" placeholder="What comes from there, in a sentence" value={value.description ?? ""} onChange={(e) => set({ description: e.currentTarget.value })} maxLength={1000} />
          <TextInput label="Brokers" description="Addresses to begin with, separated by spaces" required placeholder="kafka-1.example.com:9092" value={value.brokers.join(" ")} onChange={(e) => set({ brokers: e.currentTarget.value.split(/[\s,]+/) })} />
          <TextInput label="Topic" required placeholder="shop.orders" value={value.topic} onChange={(e) => set({ topic: e.currentTarget.value.trim() })} />
          <NativeSelect
            label="Begin"
            value={value.start ?? "earliest"}
            onChange={(e) => set({ start: e.currentTarget.value as SourceInput["start"] })}
            data={[
              { value: "earliest", label: "With the oldest message" },
              { value: "latest", label: "With what comes from now on" },
            ]}
          />
          <Checkbox label="The events are history: they trigger no message" checked={value.historical ?? false} onChange={(e) => set({ historical: e.currentTarget.checked })} />
        </fieldset>
      </Panel>
      <Panel title="Sign-in">
        <fieldset className={css.fields} disabled={disabled}>
          <Checkbox label="Connect with TLS" checked={value.tls !== undefined} onChange={(e) => set({ tls: e.currentTarget.checked ? {} : undefined })} />
          {value.tls && <Textarea label="Certificate of the authority" description="In PEM, where it is none that the system knows" value={value.tls.ca ?? ""} onChange={(e) => set({ tls: { ...value.tls, ca: e.currentTarget.value } })} rows={3} />}
          <NativeSelect
            label="Password"
            value={value.sasl?.mechanism ?? ""}
            onChange={(e) => {
              const mechanism = e.currentTarget.value as "plain" | "scram-sha-256" | "scram-sha-512" | "";
              set({ sasl: mechanism ? { username: value.sasl?.username ?? "", password_secret: value.sasl?.password_secret ?? "", mechanism } : undefined });
            }}
            data={[
              { value: "", label: "None" },
              { value: "scram-sha-512", label: "SCRAM-SHA-512" },
              { value: "scram-sha-256", label: "SCRAM-SHA-256" },
              { value: "plain", label: "PLAIN" },
            ]}
          />
          {value.sasl && <SignIn of={value.sasl} set={(fields) => value.sasl && set({ sasl: { ...value.sasl, ...fields } })} />}
        </fieldset>
      </Panel>
      <Panel title="Messages">
        <fieldset className={css.fields} disabled={disabled}>
          <NativeSelect
            label="Format"
            value={value.format ?? "json"}
            onChange={(e) => set({ format: e.currentTarget.value as SourceInput["format"], schema: undefined, message: undefined })}
            data={[
              { value: "json", label: "JSON" },
              { value: "avro", label: "Avro" },
              { value: "protobuf", label: "Protobuf" },
            ]}
          />
          <TextInput label="Schema registry" description={value.format === "json" ? "Only where messages are written with a registry’s serialiser" : "Its address; without one, give the schema below"} placeholder="https://registry.example.com" value={value.registry?.url ?? ""} onChange={(e) => set({ registry: e.currentTarget.value ? { ...value.registry, url: e.currentTarget.value.trim() } : undefined, ...(e.currentTarget.value ? { schema: undefined, message: undefined } : {}) })} />
          {value.registry && <SignIn of={{ username: value.registry.username ?? "", password_secret: value.registry.password_secret ?? "" }} set={(fields) => value.registry && set({ registry: { ...value.registry, ...fields } })} />}
          {value.format !== "json" && !value.registry && <Textarea label="Schema" className={css.code} value={value.schema ?? ""} onChange={(e) => set({ schema: e.currentTarget.value || undefined })} rows={6} spellCheck={false} />}
          {value.format === "protobuf" && !value.registry && <TextInput label="Message" placeholder="shop.v1.Order" value={value.message ?? ""} onChange={(e) => set({ message: e.currentTarget.value || undefined })} />}
        </fieldset>
      </Panel>
      <Panel title="What a message becomes">
        <Mapping value={value.mapping} set={(mapping) => set({ mapping })} disabled={disabled} />
      </Panel>
    </>
  );
}

function SignIn({ of, set }: { of: { username: string; password_secret: string }; set: (fields: { username?: string; password_secret?: string }) => void }) {
  return (
    <>
      <TextInput label="User name" autoComplete="off" value={of.username} onChange={(e) => set({ username: e.currentTarget.value })} />
      <TextInput label="Secret with the password" description="Its name; set it under Settings, Secrets" placeholder="kafka-password" value={of.password_secret} onChange={(e) => set({ password_secret: e.currentTarget.value.trim() })} />
    </>
  );
}

const suggestions = ["event", "user_id", "anonymous_id", "type", "timestamp", "where", "message_id", "properties.", "traits.", "context.", "external_ids."];

/** A row for each field of the event, and the expression that gives it. */
function Mapping({ value, set, disabled }: { value: unknown; set: (mapping: unknown) => void; disabled: boolean }) {
  // A row being typed may have no path yet, and rows keep their order: so the draft holds rows, and the server gets a mapping.
  const rows = Array.isArray(value) ? (value as Row[]) : rowsOf(value);
  if (rows === null) return <p className="soft">This mapping has lists, or names with dots, which only its file can say. Change it there, and apply it with: tailorbird apply.</p>;
  const change = (at: number, fields: Partial<Row>) => set(rows.map((r, i) => (i === at ? { ...r, ...fields } : r)));
  return (
    <fieldset className={css.fields} disabled={disabled}>
      <p className="soft small">Expressions are those of imports: row is the message’s value, message what stands around it, such as message.key. Text stands in quotes.</p>
      <datalist id="mapping-fields">
        {suggestions.map((s) => (
          <option key={s} value={s} />
        ))}
      </datalist>
      {rows.map((r, i) => (
        <div key={i} className={css.row}>
          <TextInput aria-label={`Field ${i + 1}`} placeholder="properties.total" list="mapping-fields" value={r.path} onChange={(e) => change(i, { path: e.currentTarget.value.trim() })} />
          <TextInput aria-label={`Expression ${i + 1}`} placeholder="row.total" className={css.code} value={r.expression} onChange={(e) => change(i, { expression: e.currentTarget.value })} spellCheck={false} />
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove field ${i + 1}`} onClick={() => set(rows.filter((_, at) => at !== i))}>
            <Icon name="close" size={16} />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button variant="default" size="compact-sm" onClick={() => set([...rows, { path: "", expression: "" }])}>
          Add a field
        </Button>
      </div>
    </fieldset>
  );
}

/** The definition that a draft says. */
export function inputOf(draft: SourceInput): SourceInput {
  return { ...draft, brokers: draft.brokers.filter(Boolean), mapping: Array.isArray(draft.mapping) ? mappingOf(draft.mapping as Row[]) : draft.mapping };
}

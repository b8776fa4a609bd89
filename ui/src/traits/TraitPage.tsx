import { Badge, Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../api/problem";
import { traitQuery, traitsQuery } from "../api/queries";
import type { Trait, TraitInput } from "../api/types";
import { Builder } from "../condition/Builder";
import { ConditionText } from "../condition/ConditionText";
import { useCondition } from "../condition/useCondition";
import { DeleteDefinition } from "../definition/DeleteDefinition";
import { asName, nameProblem } from "../definition/name";
import { useDefinition } from "../definition/save";
import { SaveBar } from "../definition/SaveBar";
import { Versions } from "../definition/Versions";
import { UnsavedGuard, usePass } from "../draft/UnsavedGuard";
import { useDraft } from "../draft/useDraft";
import { Loading } from "../elements/Loading";
import { Missing } from "../elements/Missing";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { useCan } from "../session/useSession";
import { kindOf } from "./kind";
import { TraitExamples } from "./TraitExamples";
import css from "./traits.module.css";

const route = getRouteApi("/inside/traits/$name");
const back = { to: "/traits", label: "Computed traits" } as const;
const blank = { name: "", expression: "", description: "" };

const examples = [
  { title: "Number of orders", name: "order_count", expression: 'events("Order Completed").count()' },
  { title: "Money spent", name: "lifetime_value", expression: 'events("Order Completed").sum(e, e.properties.total)' },
  { title: "Last order", name: "last_order_at", expression: 'events("Order Completed").last()' },
  { title: "Favourite category", name: "favourite_category", expression: 'events("Product Viewed").most_common(e, e.properties.category)' },
  { title: "Stage of life", name: "lifecycle_stage", expression: 'events("Order Completed").lifecycle()' },
  { title: "Engagement, 0 to 100", name: "engagement", expression: '100 - 1000 / (10 + events("Page Viewed").decayed("14d") + 2 * events("Email Opened").decayed("30d")\n  + 5 * events("Order Completed").decayed("90d"))' },
  { title: "Interests", name: "interests", expression: 'events("Product Viewed").interests(e, e.properties.category, "30d")' },
  { title: "RFM: recency", name: "rfm_recency", expression: 'quintile(events("Order Completed").last())' },
  { title: "RFM: frequency", name: "rfm_frequency", expression: 'quintile(events("Order Completed").exists() ? dyn(events("Order Completed").count()) : null)' },
  { title: "RFM: money", name: "rfm_monetary", expression: 'quintile(events("Order Completed").exists()\n  ? dyn(events("Order Completed").sum(e, e.properties.total)) : null)' },
];

export function NewTraitPage() {
  return <Edit />;
}

export function TraitPage() {
  const { name } = route.useParams();
  const trait = useQuery(traitQuery(name));
  if (trait.isPending) return <Loading lines={6} what="Loading the computed trait" />;
  if (!trait.data) return <Missing error={trait.error} kind="computed trait" name={name} back={back} retry={() => trait.refetch()} />;
  return <Edit key={name} trait={trait.data} />;
}

/** A new trait without `trait`. Errors come with saving and go with the next change of the text. */
function Edit({ trait }: { trait?: Trait }) {
  const navigate = useNavigate();
  const traits = useQuery(traitsQuery);
  const draft = useDraft(trait ? { name: trait.name, expression: trait.expression, description: trait.description ?? "" } : blank);
  const definition = useDefinition<TraitInput, Trait>("traits");
  const pass = usePass();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<{ error: unknown; of: string } | null>(null);
  const { name, expression, description } = draft.value;
  const problem = trait ? "" : nameProblem(name, traits.data?.map((t) => t.name) ?? []) || (/^[a-z_]\w*$/.test(name) ? "" : "Use letters, digits and _, beginning with a letter, so that conditions can say profile.name.");
  const stands = refused && refused.of === expression;
  const editing = useCondition(expression, (next) => draft.set({ expression: next }), "value");

  const save = async () => {
    setTried(true);
    if (problem) return;
    setBusy(true);
    setRefused(null);
    try {
      await definition.save(name, { expression, description });
      if (!trait) {
        pass.allow();
        await navigate({ to: "/traits/$name", params: { name }, replace: true });
      }
    } catch (error) {
      setRefused({ error, of: expression });
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <PageHeader
        title={trait ? trait.name : "New computed trait"}
        back={back}
        badge={trait && <Badge color={trait.status === "building" ? "amber" : "leaf"}>{trait.status === "building" ? "Being computed" : kindOf(trait.type)}</Badge>}
        actions={
          trait && (
            <DeleteDefinition
              kind="trait"
              name={trait.name}
              disabled={!write}
              onDelete={async () => {
                await definition.remove(trait.name, { expression: trait.expression, description: trait.description });
                pass.allow();
                await navigate({ to: "/traits" });
              }}
            >
              Its value disappears from every customer. Conditions and templates that use it must not need it any more.
            </DeleteDefinition>
          )
        }
      />
      <div className={css.page}>
        <div className={css.side}>
          <Panel>
            <div style={{ display: "grid", gap: 16 }}>
              {!trait && (
                <TextInput label="Name" description="As conditions and templates will say it, for example order_count. It cannot be changed later." required autoFocus placeholder="order_count" value={name} onChange={(e) => draft.set({ name: asName(e.currentTarget.value, "_") })} error={(tried || name) && problem} />
              )}
              <TextInput label="Description" placeholder="What it tells, in a sentence" value={description} onChange={(e) => draft.set({ description: e.currentTarget.value })} maxLength={500} />
              <div>
                <Builder editing={editing} value />
                {!trait && expression.trim() === "" && (
                  <div style={{ display: "flex", flexWrap: "wrap", gap: 8, marginTop: 12 }}>
                    {examples.map((e) => (
                      <Button key={e.name} variant="default" size="compact-sm" onClick={() => draft.set({ name: name || e.name, expression: e.expression })}>
                        {e.title}
                      </Button>
                    ))}
                  </div>
                )}
              </div>
            </div>
          </Panel>
          {trait && (
            <Panel title="History">
              <Versions kind="traits" name={trait.name} />
            </Panel>
          )}
        </div>
        <div className={css.side}>
          <TraitExamples expression={editing.errors.length ? "" : expression} />
          <Panel>
            <ConditionText label="Expression" editing={editing} value={expression} onChange={(next) => draft.set({ expression: next })} placeholder={'For example: events("Order Completed").count()'} hint="Type, or press Ctrl+Space to see what can be written." />
          </Panel>
        </div>
      </div>
      <SaveBar dirty={draft.dirty} busy={busy} can={write} hold={editing.hold} failure={stands ? explain(refused.error) : ""} overtaken={draft.overtaken} onSave={save} onDiscard={trait ? draft.reset : undefined} verb={trait ? "Save" : "Create trait"} />
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

import { Badge } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../api/problem";
import { templateQuery, templatesQuery } from "../api/queries";
import type { Template, TemplateInput } from "../api/types";
import { Icon } from "../brand/Icon";
import { DeleteDefinition } from "../definition/DeleteDefinition";
import { asName, nameProblem } from "../definition/name";
import { useDefinition } from "../definition/save";
import { SaveBar } from "../definition/SaveBar";
import { Versions } from "../definition/Versions";
import { UnsavedGuard, usePass } from "../draft/UnsavedGuard";
import { useDraft } from "../draft/useDraft";
import { LinkButton } from "../elements/LinkButton";
import { Loading } from "../elements/Loading";
import { Missing } from "../elements/Missing";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { plural } from "../format/number";
import { useCan } from "../session/useSession";
import { starters } from "./starters";
import { TemplateEditor } from "./TemplateEditor";

const route = getRouteApi("/inside/templates/$name");
const back = { to: "/templates", label: "Templates" } as const;
const blank = { name: "", ...starters.mjml };

export function NewTemplatePage() {
  return <Edit />;
}

export function TemplatePage() {
  const { name } = route.useParams();
  const template = useQuery(templateQuery(name));
  if (template.isPending) return <Loading lines={10} what="Loading the template" />;
  if (!template.data) return <Missing error={template.error} kind="template" name={name} back={back} retry={() => template.refetch()} />;
  return <Edit key={name} template={template.data} />;
}

function inputOf(t: Template): TemplateInput {
  return { subject: t.subject, preheader: t.preheader ?? "", body: t.body, format: t.format, text: t.text ?? "" };
}

/** A new template without `template`. */
function Edit({ template }: { template?: Template }) {
  const navigate = useNavigate();
  const { as } = useSearch({ strict: false });
  const templates = useQuery(templatesQuery);
  const draft = useDraft(template ? { name: template.name, ...inputOf(template) } : blank);
  const definition = useDefinition<TemplateInput, Template>("templates");
  const pass = usePass();
  const write = useCan("write");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<{ error: unknown; of: string } | null>(null);
  const { name, ...input } = draft.value;
  const problem = template ? "" : nameProblem(name, templates.data?.map((t) => t.name) ?? []);

  const save = async () => {
    setTried(true);
    if (problem) return;
    setBusy(true);
    setRefused(null);
    try {
      await definition.save(name.trim(), { ...input, text: input.text || undefined });
      if (!template) {
        pass.allow();
        await navigate({ to: "/templates/$name", params: { name: name.trim() }, search: { as }, replace: true });
      }
    } catch (error) {
      setRefused({ error, of: JSON.stringify(input) });
    } finally {
      setBusy(false);
    }
  };
  const stands = refused && refused.of === JSON.stringify(input);

  return (
    <>
      <PageHeader
        title={template ? template.name : "New template"}
        back={back}
        badge={template && ((template.warnings ?? []).length === 0 ? <Badge color="leaf">No warnings</Badge> : <Badge color="amber">{plural(template.warnings.length, "warning")}</Badge>)}
        actions={
          template && (
            <>
              <LinkButton to="/campaigns/new" search={{ template: template.name }} variant="default" leftSection={<Icon name="campaign" size={16} />}>
                Use in a campaign
              </LinkButton>
              <DeleteDefinition
                kind="template"
                name={template.name}
                disabled={!write}
                onDelete={async () => {
                  await definition.remove(template.name, inputOf(template));
                  pass.allow();
                  await navigate({ to: "/templates" });
                }}
              >
                Mail that was already sent stays as it is. Campaigns that use this template must not need it any more.
              </DeleteDefinition>
            </>
          )
        }
      />
      <TemplateEditor
        value={input}
        onChange={draft.set}
        name={template ? undefined : { value: name, onChange: (next) => draft.set({ name: asName(next) }), error: (tried || !!name) && problem ? problem : "" }}
        customer={as}
        onCustomer={(id) => void navigate({ to: ".", search: (s) => ({ ...s, as: id }), replace: true })}
        pristine={!template && !draft.changed.some((f) => f !== "name")}
      />
      {template && (
        <div style={{ marginTop: 16 }}>
          <Panel title="History">
            <Versions kind="templates" name={template.name} />
          </Panel>
        </div>
      )}
      <SaveBar
        dirty={draft.dirty || !template}
        busy={busy}
        can={write}
        failure={stands ? explain(refused.error) : ""}
        overtaken={draft.overtaken}
        onSave={save}
        onDiscard={template ? draft.reset : undefined}
        verb={template ? "Save" : "Create template"}
      />
      <UnsavedGuard dirty={draft.dirty} pass={pass} />
    </>
  );
}

import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { segmentsQuery, templatesQuery, vocabularyQuery } from "../api/queries";
import type { CampaignInput } from "../api/types";
import { Panel } from "../elements/Panel";
import { people } from "../format/number";
import css from "./campaigns.module.css";

interface Props {
  value: CampaignInput;
  onChange: (fields: Partial<CampaignInput>) => void;
  /** Messages by field, as `from` or `utm.source`. */
  errors: Record<string, string>;
  name?: ReactNode;
  readOnly?: boolean;
}

/** Everything that a campaign is: whom, what, from whom, and what counts as success. */
export function CampaignForm({ value, onChange, errors, name, readOnly = false }: Props) {
  const segments = useQuery(segmentsQuery);
  const templates = useQuery(templatesQuery);
  const vocabulary = useQuery(vocabularyQuery);
  const utm = value.utm ?? {};
  const events = [...new Set([...(vocabulary.data?.event_names ?? []), value.conversion_event ?? ""])].filter(Boolean);
  return (
    <fieldset disabled={readOnly} style={{ all: "unset", display: "block", minWidth: 0 }}>
      <Panel>
        <div className={css.form}>
          {name}
          <div className={css.two}>
            <Select
              label="To the segment"
              required
              searchable
              placeholder="Choose whom"
              data={(segments.data ?? []).map((s) => ({ value: s.name, label: `${s.name} (${people(s.count)})` }))}
              value={value.segment || null}
              onChange={(segment) => onChange({ segment: segment ?? "" })}
              error={errors.segment}
              description={segments.data?.length === 0 ? <Link to="/segments/new">Make the first segment</Link> : undefined}
              disabled={readOnly}
            />
            <Select
              label="With the template"
              required
              searchable
              placeholder="Choose what"
              data={(templates.data ?? []).map((t) => t.name)}
              value={value.template || null}
              onChange={(template) => onChange({ template: template ?? "" })}
              error={errors.template}
              description={templates.data?.length === 0 ? <Link to="/templates/new">Write the first template</Link> : undefined}
              disabled={readOnly}
            />
            <TextInput label="From" required placeholder="Shop <news@shop.example>" value={value.from} onChange={(e) => onChange({ from: e.currentTarget.value })} error={errors.from} spellCheck={false} />
            <TextInput label="Reply to" placeholder="As From" value={value.reply_to ?? ""} onChange={(e) => onChange({ reply_to: e.currentTarget.value })} error={errors.reply_to} spellCheck={false} />
          </div>
        </div>
      </Panel>
      <div style={{ height: 14 }} />
      <Panel title="What counts as success">
        <div className={css.three}>
          <Select
            label="Event"
            searchable
            data={events}
            placeholder="Order Completed"
            value={value.conversion_event || null}
            onChange={(conversion_event) => onChange({ conversion_event: conversion_event ?? "" })}
            error={errors.conversion_event}
            clearable
            clearButtonProps={{ "aria-label": "Use the usual event" }}
            disabled={readOnly}
          />
          <TextInput label="Its value is in" placeholder="total" value={value.conversion_value ?? ""} onChange={(e) => onChange({ conversion_value: e.currentTarget.value })} error={errors.conversion_value} />
          <TextInput label="Within" placeholder="5d" value={value.conversion_window ?? ""} onChange={(e) => onChange({ conversion_window: e.currentTarget.value })} error={errors.conversion_window} />
        </div>
        <p className="soft small" style={{ marginBottom: 0 }}>
          An event counts for the mail that was opened or clicked last, if it comes within this time (h, d or w).
        </p>
      </Panel>
      <div style={{ height: 14 }} />
      <Panel title="Link tags for web analytics">
        <div className={css.three}>
          <TextInput label="utm_source" placeholder="tailorbird" value={utm.source ?? ""} onChange={(e) => onChange({ utm: { ...utm, source: e.currentTarget.value } })} error={errors["utm.source"]} />
          <TextInput label="utm_medium" placeholder="email" value={utm.medium ?? ""} onChange={(e) => onChange({ utm: { ...utm, medium: e.currentTarget.value } })} error={errors["utm.medium"]} />
          <TextInput label="utm_campaign" placeholder="The campaign’s name" value={utm.campaign ?? ""} onChange={(e) => onChange({ utm: { ...utm, campaign: e.currentTarget.value } })} error={errors["utm.campaign"]} />
        </div>
      </Panel>
    </fieldset>
  );
}

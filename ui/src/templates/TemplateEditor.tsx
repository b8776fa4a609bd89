import { SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { ApiError } from "../api/problem";
import { templatePreviewQuery } from "../api/queries";
import type { TemplateInput } from "../api/types";
import { CodeEditor, type CodeEditorHandle } from "../editor/CodeEditor";
import editor from "../editor/editor.module.css";
import { template as language } from "../editor/template";
import { Panel } from "../elements/Panel";
import { type Finding, findings } from "./findings";
import { Findings } from "./Findings";
import { Preview } from "./Preview";
import { starters } from "./starters";
import css from "./templates.module.css";

interface Props {
  value: TemplateInput;
  onChange: (fields: Partial<TemplateInput>) => void;
  /** The name field of a new template. */
  name?: { value: string; onChange: (name: string) => void; error: string };
  /** The profile id of the customer to preview as; none: a made-up one. */
  customer: string | undefined;
  onCustomer: (id: string | undefined) => void;
  /** Nothing of the starting text has been changed, so another format may bring its own. */
  pristine: boolean;
}

/** The text of a template beside its preview; on a narrow screen one at a time. */
export function TemplateEditor({ value, onChange, name, customer, onCustomer, pristine }: Props) {
  const [show, setShow] = useState<"write" | "preview">("write");
  const body = useRef<CodeEditorHandle>(null);
  const text = useRef<CodeEditorHandle>(null);
  const subject = useRef<HTMLInputElement>(null);
  const preheader = useRef<HTMLInputElement>(null);
  const typed = JSON.stringify(value);
  const [settledText] = useDebouncedValue(typed, 450);
  const settled = useMemo(() => JSON.parse(settledText) as TemplateInput, [settledText]);
  const preview = useQuery({ ...templatePreviewQuery({ ...settled, text: settled.text || undefined, profile_id: customer }), placeholderData: keepPreviousData });
  const refusal = preview.error instanceof ApiError && preview.error.status === 422 ? preview.error.errors : undefined;
  const found = useMemo(() => findings(refusal, preview.data?.warnings), [refusal, preview.data]);
  const bodyLanguage = useMemo(() => language(value.format), [value.format]);
  const textLanguage = useMemo(() => language("html"), []);
  const wrong = (location: Finding["location"]) => found.find((f) => f.location === location && f.kind === "error")?.message;

  const jump = (f: Finding) => {
    setShow("write");
    // After the write side is shown again on a narrow screen.
    requestAnimationFrame(() => {
      if (f.location === "subject") subject.current?.focus();
      else if (f.location === "preheader") preheader.current?.focus();
      else (f.location === "text" ? text : body).current?.jump(f.line, f.column);
    });
  };

  return (
    <>
      <div className={css.switch}>
        <SegmentedControl fullWidth value={show} onChange={(v) => setShow(v as "write" | "preview")} data={[{ value: "write", label: "Write" }, { value: "preview", label: "Preview" }]} aria-label="Show" />
      </div>
      <div className={css.page} data-show={show}>
        <div className={css.write}>
          <Panel>
            <div className={css.form}>
              <div className={name ? css.pair : undefined}>
                {name && <TextInput label="Name" required autoFocus placeholder="welcome" value={name.value} onChange={(e) => name.onChange(e.currentTarget.value)} error={name.error} />}
                <div>
                  <div className={editor.label} id="format-label">
                    Format
                  </div>
                  <SegmentedControl
                    aria-labelledby="format-label"
                    value={value.format}
                    onChange={(v) => {
                      const format = v as "mjml" | "html";
                      onChange(pristine ? { ...starters[format] } : { format });
                    }}
                    data={[
                      { value: "mjml", label: "MJML" },
                      { value: "html", label: "HTML" },
                    ]}
                  />
                </div>
              </div>
              <TextInput ref={subject} label="Subject" value={value.subject} onChange={(e) => onChange({ subject: e.currentTarget.value })} error={wrong("subject")} />
              <TextInput ref={preheader} label="Preheader" description="The line that inboxes show after the subject" value={value.preheader} onChange={(e) => onChange({ preheader: e.currentTarget.value })} error={wrong("preheader")} />
              <div>
                <div className={editor.label}>Body</div>
                <CodeEditor handle={body} label="Body" value={value.body} onChange={(next) => onChange({ body: next })} language={bodyLanguage} marks={found.filter((f) => f.location === "body" && f.line).map((f) => ({ ...f, severity: f.kind }))} minHeight="320px" maxHeight="62vh" />
              </div>
              <details open={!!value.text}>
                <summary style={{ cursor: "pointer" }}>
                  Own plain text <span className="soft">(else it is made from the body)</span>
                </summary>
                <div style={{ marginTop: 8 }}>
                  <CodeEditor handle={text} label="Plain text" value={value.text ?? ""} onChange={(next) => onChange({ text: next })} language={textLanguage} lineNumbers={false} minHeight="120px" maxHeight="300px" />
                </div>
              </details>
            </div>
          </Panel>
          <div style={{ marginTop: 14 }}>
            <Findings found={found} onJump={jump} pending={preview.isPending && value.body.trim() !== ""} />
          </div>
        </div>
        <div className={css.preview}>
          <Preview query={preview} refused={!!refusal} empty={value.body.trim() === ""} customer={customer} onCustomer={onCustomer} busy={preview.isFetching || settledText !== typed} />
        </div>
      </div>
    </>
  );
}

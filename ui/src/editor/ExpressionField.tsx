import { useQuery } from "@tanstack/react-query";
import { type ReactNode, type Ref, useId, useMemo } from "react";
import { vocabularyQuery } from "../api/queries";
import type { ProblemError } from "../api/types";
import { CodeEditor, type CodeEditorHandle } from "./CodeEditor";
import { condition } from "./condition";
import css from "./editor.module.css";
import type { Mark } from "./problems";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  errors: ProblemError[];
  /** What is underlined in the text; the errors unless given. */
  marks?: Mark[];
  placeholder: string;
  handle?: Ref<CodeEditorHandle>;
  /** Shown while there is no error. */
  hint?: ReactNode;
}

/** An expression with highlighting, completion, and its errors both under the text and below the field. */
export function ExpressionField({ label, value, onChange, errors, marks, placeholder, handle, hint }: Props) {
  const vocabulary = useQuery(vocabularyQuery);
  const language = useMemo(() => condition(vocabulary.data), [vocabulary.data]);
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <div className={css.label} id={id}>
        {label}
      </div>
      <CodeEditor label={label} value={value} onChange={onChange} language={language} marks={marks ?? errors} placeholder={placeholder} minHeight="132px" maxHeight="420px" lineNumbers={false} handle={handle} />
      <div aria-live="polite" className={css.below}>
        {errors.length > 0 ? (
          <ul className={css.errors}>
            {errors.map((e, i) => (
              <li key={i}>
                {e.message}
                {e.line !== undefined && (
                  <span className="soft">
                    {" "}
                    (line {e.line}
                    {e.column !== undefined && `, column ${e.column}`})
                  </span>
                )}
              </li>
            ))}
          </ul>
        ) : (
          <span className="soft small">{hint}</span>
        )}
      </div>
    </div>
  );
}

/** What an expression can be made of, from the server's vocabulary. */
export function Reference() {
  const { data } = useQuery(vocabularyQuery);
  if (!data) return null;
  return (
    <details className={css.reference}>
      <summary>What can I write here?</summary>
      <dl>
        <dt>
          <code>profile.country == "DE"</code>
        </dt>
        <dd>a trait of the customer, given or computed</dd>
        <dt>
          <code>"vip" in segments</code>
        </dt>
        <dd>whether the customer is in a segment</dd>
        {data.functions.map((f) => (
          <div key={f.name} style={{ display: "contents" }}>
            <dt>
              <code>{f.signature}</code>
            </dt>
            <dd>{f.doc}</dd>
          </div>
        ))}
        <dt>
          <code>&& || ! == != &lt; &gt;</code>
        </dt>
        <dd>and, or, not, and comparisons</dd>
      </dl>
    </details>
  );
}

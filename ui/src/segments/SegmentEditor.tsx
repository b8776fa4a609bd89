import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import type { SegmentInput } from "../api/types";
import { Builder } from "../condition/Builder";
import { ConditionText } from "../condition/ConditionText";
import { useCondition } from "../condition/useCondition";
import { Panel } from "../elements/Panel";
import { examples } from "./examples";
import { LiveCount, Some, useLiveCount } from "./LiveCount";
import css from "./segments.module.css";
import { SqlEditor } from "./SqlEditor";

interface Props {
  value: SegmentInput;
  onChange: (fields: Partial<SegmentInput>) => void;
  /** Told why this should not be saved yet; "" when it may be. Must not change between renders. */
  onHold: (why: string) => void;
  /** The name field of a new segment. */
  name?: ReactNode;
}

/** What makes a segment, a condition or a query, and its description. */
export function SegmentEditor({ value, onChange, onHold, name }: Props) {
  const bySql = value.sql !== undefined;
  const head = (
    <>
      {name}
      <div className={css.about}>
        <TextInput label="Description" placeholder="For your colleagues: whom you mean, in a sentence" value={value.description} onChange={(e) => onChange({ description: e.currentTarget.value })} maxLength={500} />
        <TextInput
          label="Warn below"
          placeholder="Never"
          inputMode="numeric"
          value={value.warn_below ? String(value.warn_below) : ""}
          onChange={(e) => onChange({ warn_below: Number(e.currentTarget.value.replace(/\D/g, "").slice(0, 9)) || undefined })}
        />
      </div>
      <SegmentedControl
        aria-label="Who belongs to it is said by"
        value={bySql ? "sql" : "condition"}
        onChange={(by) => onChange(by === "sql" ? { condition: "", sql: "", schedule: "1h" } : { sql: undefined, schedule: undefined })}
        data={[
          { value: "condition", label: "Condition" },
          { value: "sql", label: "SQL" },
        ]}
        style={{ justifySelf: "start" }}
      />
    </>
  );
  const sqlEmpty = bySql && value.sql?.trim() === "";
  useEffect(() => {
    if (bySql) onHold(sqlEmpty ? "Write the query first." : "");
  }, [onHold, bySql, sqlEmpty]);
  if (bySql) {
    return (
      <SqlEditor value={value} onChange={onChange}>
        {head}
      </SqlEditor>
    );
  }
  return (
    <ConditionEditor value={value} onChange={onChange} onHold={onHold}>
      {head}
    </ConditionEditor>
  );
}

/** The condition of a segment, beside its live count. */
function ConditionEditor({ value, onChange, onHold, children }: Omit<Props, "name"> & { children: ReactNode }) {
  const live = useLiveCount(value.condition);
  const editing = useCondition(value.condition, (condition) => onChange({ condition }));
  useEffect(() => onHold(editing.hold), [onHold, editing.hold]);
  const empty = value.condition.trim() === "";
  return (
    <div className={css.page}>
      <Panel className={css.main}>
        <div className={css.form}>
          {children}
          <div>
            <Builder editing={editing} />
            {empty && (
              <>
                <div className="small soft" style={{ margin: "12px 0 8px" }}>
                  Or start from an example:
                </div>
                <div className={css.examples}>
                  {examples.map((e) => (
                    <Button key={e.title} variant="default" size="compact-sm" onClick={() => onChange({ condition: e.condition, description: value.description || e.description })}>
                      {e.title}
                    </Button>
                  ))}
                </div>
              </>
            )}
          </div>
        </div>
      </Panel>
      <div className={css.beside}>
        <LiveCount live={live} empty={empty} />
        <Panel>
          <ConditionText
            label="Condition"
            editing={editing}
            value={value.condition}
            onChange={(condition) => onChange({ condition })}
            placeholder={'For example: events("Order Completed").within("90d").count() > 5'}
            hint={empty ? "Type, or press Ctrl+Space to see what can be written." : live.query.isSuccess && !live.stale ? "The condition is fine." : ""}
          />
        </Panel>
        <Some live={live} empty={empty} />
      </div>
    </div>
  );
}

import { Button, TextInput } from "@mantine/core";
import type { SegmentInput } from "../api/types";
import { Panel } from "../elements/Panel";
import { ExpressionField, Reference } from "../editor/ExpressionField";
import { examples } from "./examples";
import { LiveCount, useLiveCount } from "./LiveCount";
import css from "./segments.module.css";

interface Props {
  value: SegmentInput;
  onChange: (fields: Partial<SegmentInput>) => void;
  /** The name field of a new segment. */
  name?: React.ReactNode;
}

/** The condition and description of a segment, beside its live count. */
export function SegmentEditor({ value, onChange, name }: Props) {
  const live = useLiveCount(value.condition);
  const empty = value.condition.trim() === "";
  return (
    <div className={css.page}>
      <Panel>
        <div className={css.form}>
          {name}
          <TextInput label="Description" placeholder="For your colleagues: whom you mean, in a sentence" value={value.description} onChange={(e) => onChange({ description: e.currentTarget.value })} maxLength={500} />
          <div>
            <ExpressionField
              label="Condition"
              value={value.condition}
              onChange={(condition) => onChange({ condition })}
              errors={live.errors}
              placeholder={'For example: events("Order Completed").within("90d").count() > 5'}
              hint={empty ? "Type, or press Ctrl+Space to see what can be written." : live.query.isSuccess && !live.stale ? "The condition is fine." : ""}
            />
            {empty && (
              <>
                <div className="small soft" style={{ margin: "8px 0" }}>
                  Start from an example:
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
            <Reference />
          </div>
        </div>
      </Panel>
      <LiveCount live={live} empty={empty} />
    </div>
  );
}

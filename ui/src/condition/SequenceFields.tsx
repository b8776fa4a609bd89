import { ActionIcon, Button } from "@mantine/core";
import { Icon } from "../brand/Icon";
import { useBuilder } from "./Builder";
import { When } from "./BehaviourFields";
import css from "./condition.module.css";
import { GroupPart } from "./GroupPart";
import { NameField } from "./NameField";
import { type Leaf, newStep, type Step } from "./tree";
import { Duration } from "./ValueField";

/** Events in order, with what must not be in between, and in which time. */
export function SequenceFields({ leaf, set }: { leaf: Leaf; set: (change: Partial<Leaf>, about?: string) => void }) {
  const s = leaf.node.sequence!;
  const setSequence = (change: Partial<typeof s>, about?: string) => set({ node: { ...leaf.node, sequence: { ...s, ...change } } }, about);
  return (
    <div className={css.sequence}>
      <Steps label="Step" steps={leaf.steps} least={2} onChange={(steps, about) => set({ steps }, about)} add="Add a step" numbered />
      <Steps label="Never in between" steps={leaf.without} least={0} onChange={(without, about) => set({ without }, about)} add="Add what must not be in between" />
      <span className={css.pair}>
        <span className="small">From the first to the last at most</span>
        <Duration label="Time from first to last" value={s.within || undefined} onChange={(within) => setSequence({ within }, "within")} />
      </span>
      <span className={css.pair}>
        <span className="small">All of it</span>
        <When label="When all of it" within={s.during} from={s.from} to={s.to} onChange={({ within, from, to }, about) => setSequence({ during: within, from, to }, about)} />
      </span>
    </div>
  );
}

interface Props {
  label: string;
  steps: Step[];
  least: number;
  add: string;
  numbered?: boolean;
  onChange: (steps: Step[], about?: string) => void;
}

function Steps({ label, steps, least, add, numbered, onChange }: Props) {
  const { events } = useBuilder();
  return (
    <>
      {steps.map((step, i) => (
        <div key={step.id} className={css.step}>
          <span className="small soft num">{numbered ? `${i + 1}.` : "not"}</span>
          <div className={css.row}>
            <NameField label={`${label} ${i + 1}`} placeholder="Any event" names={events} value={step.event} onChange={(event) => onChange(steps.with(i, { ...step, event }), `step ${step.id}`)} />
            {steps.length > least && (
              <ActionIcon variant="subtle" size="sm" aria-label={`Remove ${label.toLowerCase()} ${i + 1}`} onClick={() => onChange(steps.toSpliced(i, 1))}>
                <Icon name="close" size={16} />
              </ActionIcon>
            )}
            <div className={css.where}>
              <GroupPart group={step.where} about={`Conditions on ${step.event || "the event"}`} event={step.event} />
            </div>
          </div>
        </div>
      ))}
      <Button variant="subtle" size="compact-sm" className={css.add} leftSection={<Icon name="plus" size={14} />} onClick={() => onChange([...steps, newStep()])}>
        {add}
      </Button>
    </>
  );
}

import { Button, Menu, NativeSelect } from "@mantine/core";
import { Icon } from "../brand/Icon";
import { PartMenu } from "./PartMenu";
import { useBuilder } from "./Builder";
import css from "./condition.module.css";
import { add, update } from "./edit";
import { LeafPart } from "./LeafPart";
import { eventStarters, starters, valueStarters } from "./starters";
import { type Group, isGroup } from "./tree";

const modes = [
  { value: "all", label: "All of these hold" },
  { value: "any", label: "Any of these holds" },
  { value: "not any", label: "None of these holds" },
  { value: "not all", label: "Not all of these hold" },
];

interface Props {
  group: Group;
  /** Nothing is around it. */
  top?: boolean;
  /** The conditions on an event stand in it. Its name: "Conditions on Order Completed". */
  about?: string;
  event?: string;
  /** The tree is a value: one leaf. */
  value?: boolean;
}

/** Parts that hold together. */
export function GroupPart({ group, top, about, event, value }: Props) {
  const { edit, editing } = useBuilder();
  const { root } = editing;
  const inside = event !== undefined;
  const bare = top && group.parts.length < 2 && !group.negated; // one part needs no word about how it holds with others
  const menu = value ? valueStarters : inside ? eventStarters : starters;
  const fault = editing.faults[group.id];
  return (
    <div className={top || about ? css.root : css.group} data-part={top || about ? undefined : group.id} role="group" aria-label={about ?? (top ? "Condition" : "Group")}>
      {!bare && !(about && group.parts.length < 2 && !group.negated) && (
        <div className={css.groupHead}>
          <NativeSelect
            size="xs"
            aria-label="How these hold together"
            data={modes}
            value={`${group.negated ? "not " : ""}${group.group}`}
            onChange={(e) => {
              const mode = e.currentTarget.value;
              edit(update<Group>(root, group.id, (g) => ({ ...g, negated: mode.startsWith("not"), group: mode.endsWith("any") ? "any" : "all" })));
            }}
          />
          {!top && !about && <PartMenu part={group} label="group" />}
        </div>
      )}
      {group.parts.length > 0 && (
        <ul className={css.parts}>
          {group.parts.map((part, i) => (
            <li key={part.id}>
              {i > 0 && <span className={css.joint}>{group.group === "any" ? "or" : "and"}</span>}
              {isGroup(part) ? <GroupPart group={part} event={event} /> : <LeafPart leaf={part} event={event} value={value} />}
            </li>
          ))}
        </ul>
      )}
      {fault && <p className={css.wrong}>{fault}</p>}
      {!(value && group.parts.length > 0) && (
        <Menu position="bottom-start" withinPortal>
          <Menu.Target>
            <Button variant="subtle" size="compact-sm" className={css.add} leftSection={<Icon name="plus" size={14} />}>
              {inside ? "Only where…" : value ? "Begin" : "Add condition"}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {menu.map((s) => (
              <Menu.Item
                key={s.kind}
                onClick={() => {
                  const part = s.make();
                  edit(add(root, group.id, part), undefined, part.id);
                }}
              >
                {s.label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  );
}

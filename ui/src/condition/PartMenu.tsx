import { ActionIcon, Menu } from "@mantine/core";
import { Icon } from "../brand/Icon";
import { useBuilder } from "./Builder";
import css from "./condition.module.css";
import { canUnwrap, copyOf, duplicate, move, placeOf, remove, unwrap, wrap } from "./edit";
import { type Group, isGroup, type Part } from "./tree";

/** What can be done with a part as a whole. */
export function PartMenu({ part, label }: { part: Part; label: string }) {
  const { edit, editing } = useBuilder();
  const { root } = editing;
  const moved = (by: -1 | 1) => {
    const next = move(root, part.id, by);
    return next === root ? undefined : () => edit(next, undefined, part.id);
  };
  const up = moved(-1);
  const down = moved(1);
  const gone = () => {
    const place = placeOf(root, part.id);
    const next = place && (place.group.parts[place.index + 1] ?? place.group.parts[place.index - 1] ?? place.group);
    edit(remove(root, part.id), undefined, next?.id);
  };
  return (
    <span className={css.partMenu}>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" size="sm" aria-label={`What to do with this ${label}`}>
            <Icon name="more" size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item disabled={!up} onClick={up} rightSection={<kbd>Alt ↑</kbd>}>
            Move up
          </Menu.Item>
          <Menu.Item disabled={!down} onClick={down} rightSection={<kbd>Alt ↓</kbd>}>
            Move down
          </Menu.Item>
          <Menu.Item
            onClick={() => {
              const wrapped = wrap(root, part.id);
              edit(wrapped.root, undefined, wrapped.group?.id);
            }}
          >
            Put into a group
          </Menu.Item>
          {isGroup(part) && (
            <Menu.Item disabled={!canUnwrap(part)} onClick={() => edit(unwrap(root, part.id), undefined, (part as Group).parts[0]?.id)}>
              Take the group away
            </Menu.Item>
          )}
          <Menu.Item
            onClick={() => {
              const copy = copyOf(part);
              edit(duplicate(root, part.id, copy), undefined, copy.id);
            }}
          >
            Duplicate
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ActionIcon variant="subtle" size="sm" aria-label={`Remove this ${label}`} onClick={gone}>
        <Icon name="close" size={16} />
      </ActionIcon>
    </span>
  );
}

import { ActionIcon, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createContext, type KeyboardEvent, memo, useContext, useEffect, useMemo, useRef } from "react";
import { propertiesQuery, vocabularyQuery } from "../api/queries";
import { Icon } from "../brand/Icon";
import css from "./condition.module.css";
import { move } from "./edit";
import { GroupPart } from "./GroupPart";
import type { Group } from "./tree";
import type { Editing } from "./useCondition";

/** What the parts of a builder share. */
interface Shared {
  editing: Editing;
  /** Changes the tree, and moves the focus to a part when the screen shows it. */
  edit: (next: Group, about?: string, focus?: string) => void;
  events: string[];
  traits: string[];
  segments: string[];
  /** The properties of an event; of all events without a name. */
  properties: (event: string) => string[];
}

const Context = createContext<Shared | null>(null);
export const useBuilder = () => useContext(Context)!;

/** A condition as a form. Alt with an arrow key moves the part that has the focus; Ctrl+Z takes a change back. */
export const Builder = memo(function Builder({ editing, value = false }: { editing: Editing; value?: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const wanted = useRef<string>(undefined);
  const { data: words } = useQuery(vocabularyQuery);
  const { data: told } = useQuery(propertiesQuery);
  const { root } = editing;

  // After every change, the focus goes where the change was.
  useEffect(() => {
    const id = wanted.current;
    if (!id) return;
    wanted.current = undefined;
    const part = host.current?.querySelector<HTMLElement>(`[data-part="${id}"]`);
    (part?.querySelector<HTMLElement>("input:not([type=hidden]), select, textarea, button") ?? part)?.focus();
  }, [root]);

  const shared = useMemo<Shared>(
    () => ({
      editing,
      edit: (next, about, focus) => {
        wanted.current = focus;
        editing.edit(next, about);
      },
      events: words?.event_names ?? [],
      traits: words?.traits ?? [],
      segments: words?.segments ?? [],
      properties: (event) => [...new Set((told ?? []).filter((e) => !event || e.event === event).flatMap((e) => e.properties))].sort(),
    }),
    [editing, words, told],
  );

  const onKeyDown = (e: KeyboardEvent<HTMLDivElement>) => {
    const target = e.target as HTMLElement;
    if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
      const id = target.closest<HTMLElement>("[data-part]")?.dataset.part;
      if (!id) return;
      e.preventDefault();
      const next = move(root, id, e.key === "ArrowUp" ? -1 : 1);
      if (next !== root) shared.edit(next, undefined, id);
    } else if ((e.ctrlKey || e.metaKey) && !e.altKey && /^[zy]$/i.test(e.key)) {
      e.preventDefault();
      if (e.key.toLowerCase() === "y" || e.shiftKey) editing.redo?.();
      else editing.undo?.();
    }
  };

  return (
    <Context.Provider value={shared}>
      <div className={css.tools}>
        <span className={css.title}>Builder</span>
        <Tool label="Undo" icon="undo" onClick={editing.undo} />
        <Tool label="Redo" icon="redo" onClick={editing.redo} />
      </div>
      <div ref={host} onKeyDown={onKeyDown} className={css.builder} role="group" aria-label="Builder" inert={editing.behind || undefined}>
        <GroupPart group={root} top value={value} />
      </div>
      {editing.behind && <p className={css.note}>The builder shows the condition as it was. It follows again once the text can be read.</p>}
      {editing.failure && (
        <p className={css.wrong} role="alert">
          {editing.failure}
        </p>
      )}
    </Context.Provider>
  );
});

function Tool({ label, icon, onClick }: { label: string; icon: "undo" | "redo"; onClick?: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" aria-label={label} aria-disabled={!onClick} style={onClick ? undefined : { opacity: 0.45 }} onClick={onClick}>
        <Icon name={icon} size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

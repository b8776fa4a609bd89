import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useMemo, useRef } from "react";
import { ApiError } from "../api/problem";
import { queryTablesQuery, tryQuery } from "../api/queries";
import type { SegmentInput } from "../api/types";
import { CodeEditor, type CodeEditorHandle } from "../editor/CodeEditor";
import editor from "../editor/editor.module.css";
import { sql as sqlLanguage } from "../editor/sql";
import { Panel } from "../elements/Panel";
import { QueryResult } from "./QueryResult";
import { intervals, ownZone, readSchedule, writeSchedule } from "./schedule";
import css from "./segments.module.css";
import { TableReference } from "./TableReference";

interface Props {
  value: SegmentInput;
  onChange: (fields: Partial<SegmentInput>) => void;
  /** What stands above the query: name and description. */
  children: ReactNode;
}

/** The query of a segment and when it runs, beside what it would give and what it can read. */
export function SqlEditor({ value, onChange, children }: Props) {
  const text = value.sql ?? "";
  const tables = useQuery(queryTablesQuery);
  const language = useMemo(() => sqlLanguage(tables.data ?? []), [tables.data]);
  const handle = useRef<CodeEditorHandle>(null);
  const trial = useMutation({ mutationFn: (sql: string) => tryQuery(sql) });
  const { reset } = trial;
  useEffect(() => reset(), [text, reset]);
  const errors = trial.error instanceof ApiError && trial.error.status === 422 ? trial.error.errors : [];
  const id = useId();
  return (
    <div className={css.page}>
      <Panel className={css.main}>
        <div className={css.form}>
          {children}
          <div role="group" aria-labelledby={id}>
            <div className={editor.label} id={id}>
              Query
            </div>
            <CodeEditor
              label="Query"
              value={text}
              onChange={(sql) => onChange({ sql })}
              language={language}
              marks={errors}
              placeholder={"SELECT id AS profile_id FROM profiles\nWHERE merged_into IS NULL AND traits ->> 'country' = 'DE'"}
              minHeight="200px"
              maxHeight="520px"
              handle={handle}
            />
            <div className={editor.below}>
              <span className="soft small">
                One SELECT, which names customers as <code>profile_id</code>. Up to 20 further columns are kept for each of them: conditions read{" "}
                <code>profile.sql.SEGMENT.column</code>, templates <code>{"{{ sql.SEGMENT.column }}"}</code>. <code>:now</code> is the moment of the run.
              </span>
            </div>
          </div>
          <ScheduleFields value={value.schedule} onChange={(schedule) => onChange({ schedule })} />
        </div>
      </Panel>
      <div className={css.beside}>
        <Panel
          title="Preview"
          aside={
            <Button size="compact-sm" variant="default" onClick={() => trial.mutate(text)} loading={trial.isPending} disabled={text.trim() === ""}>
              Try it
            </Button>
          }
        >
          <QueryResult trial={trial} onPlace={(line, column) => handle.current?.jump(line, column)} />
        </Panel>
        <TableReference tables={tables.data ?? []} onPick={(name) => handle.current?.insert(name)} />
      </div>
    </div>
  );
}

/** When a query runs. */
function ScheduleFields({ value, onChange }: { value: string | undefined; onChange: (schedule: string) => void }) {
  const schedule = readSchedule(value);
  const change = (fields: Partial<typeof schedule>) => onChange(writeSchedule({ ...schedule, ...fields }));
  const known = intervals.some((i) => i.value === schedule.every);
  return (
    <div className={css.schedule}>
      <Select
        label="Runs"
        data={known ? intervals : [...intervals, { value: schedule.every, label: `every ${schedule.every}` }]}
        value={schedule.every}
        onChange={(every) => every && change({ every })}
        allowDeselect={false}
      />
      {schedule.every.endsWith("d") && (
        <>
          <TextInput type="time" label="At" value={schedule.at} onChange={(e) => change({ at: e.currentTarget.value, zone: schedule.zone || ownZone() })} />
          <TextInput label="Time zone" placeholder="UTC" value={schedule.at ? schedule.zone : ""} disabled={!schedule.at} onChange={(e) => change({ zone: e.currentTarget.value.replace(/[^\w/+-]/g, "") })} />
        </>
      )}
    </div>
  );
}

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, explain, sentence, textErrors } from "../api/problem";
import { conditionTree } from "../api/queries";
import type { ConditionWarning, ProblemError } from "../api/types";
import { begin, change, redo, type Timeline, undo } from "./history";
import { type Group, newGroup, partAt, read, unfinished, write, writeValue } from "./tree";

/** A condition at one moment: its tree and the text that it stands for. */
interface Snapshot {
  root: Group;
  text: string;
  /** The text is still to be written from the tree. */
  ahead?: boolean;
}

export interface Editing {
  root: Group;
  /** Changes the tree; changes about the same in a row are one step of undo. */
  edit: (next: Group, about?: string) => void;
  undo?: () => void;
  redo?: () => void;
  /** What is wrong at each part. */
  faults: Record<string, string>;
  /** What is wrong with the text as it stands. */
  errors: ProblemError[];
  /** Names in the text that nobody knows. */
  warnings: ConditionWarning[];
  /** The tree shows the text as it was when it could last be read. */
  behind: boolean;
  /** Why this should not be saved yet; "" when it may be. */
  hold: string;
  /** Why the tree and the text cannot be brought together: the server does not answer. */
  failure: string;
}

interface Answer {
  text: string;
  warnings: ConditionWarning[];
  errors: ProblemError[];
}

const pause = 250;
const blank = (): Snapshot => ({ root: newGroup("all"), text: "" });

/**
 * A condition as a tree beside its text, each following the other. The server translates: reading what is typed, and
 * writing what the builder makes. Parts that are not finished are left out of the text.
 */
export function useCondition(text: string, onText: (text: string) => void, as: "condition" | "value" = "condition"): Editing {
  const [line, setLine] = useState<Timeline<Snapshot>>(() => begin(blank()));
  const [answer, setAnswer] = useState<Answer>({ text: "", warnings: [], errors: [] });
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState("");
  const asked = useRef<AbortController>(null);
  const latest = useRef({ line, text, onText });
  latest.current = { line, text, onText };

  /** Asks after a pause, unless something else is asked before. */
  const ask = useCallback((after: number, question: (signal: AbortSignal) => Promise<void>) => {
    asked.current?.abort();
    const controller = (asked.current = new AbortController());
    const timer = setTimeout(() => {
      question(controller.signal).catch((error: unknown) => {
        if (!controller.signal.aborted) setFailure(explain(error));
      });
    }, after);
    controller.signal.addEventListener("abort", () => clearTimeout(timer));
  }, []);
  useEffect(() => () => asked.current?.abort(), []);

  const shown = line.now.text;
  useEffect(() => {
    if (text === shown) return;
    if (text.trim() === "") {
      asked.current?.abort();
      setAnswer({ text, warnings: [], errors: [] });
      setFaults({});
      setLine((t) => change(t, { ...blank(), text }, "text"));
      return;
    }
    const first = latest.current.line.past.length === 0 && shown === "";
    ask(first ? 0 : pause, async (signal) => {
      try {
        const read_ = await conditionTree({ text }, as, signal);
        if (signal.aborted) return;
        setFailure("");
        setFaults({});
        setAnswer({ text, warnings: read_.warnings ?? [], errors: [] });
        const next = { root: read(read_.tree), text };
        setLine((t) => (first ? begin(next) : change(t, next, "text")));
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError) || error.status !== 422) throw error;
        setFailure("");
        setAnswer({ text, warnings: [], errors: textErrors(error, "text") });
      }
    });
  }, [text, shown, as, ask]);

  /** Brings the text up to a tree. */
  const follow = useCallback(
    (root: Group) => {
      const { node, at } = as === "value" ? writeValue(root) : write(root);
      const settle = (written: string, warnings: ConditionWarning[]) => {
        setFailure("");
        setFaults({});
        setAnswer({ text: written, warnings, errors: [] });
        setLine((t) => (t.now.root === root ? { ...t, now: { root, text: written } } : t));
        latest.current.onText(written);
      };
      if (!node) {
        asked.current?.abort();
        settle("", []);
        return;
      }
      ask(pause, async (signal) => {
        try {
          const written = await conditionTree({ tree: node }, as, signal);
          if (!signal.aborted) settle(written.text, written.warnings ?? []);
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof ApiError) || error.status !== 422) throw error;
          const found: Record<string, string> = {};
          for (const e of error.errors) {
            const id = partAt(at, (e.location ?? "").replace(/^body\.tree\.?/, "")) ?? root.id;
            found[id] ??= sentence(e.message);
          }
          setFailure("");
          setFaults(found);
        }
      });
    },
    [as, ask],
  );

  const edit = useCallback(
    (root: Group, about?: string) => {
      setLine((t) => change(t, { root, text: latest.current.text, ahead: true }, about));
      follow(root);
    },
    [follow],
  );

  const step = useCallback(
    (to: Timeline<Snapshot>) => {
      asked.current?.abort();
      setLine(to);
      setFaults({});
      setFailure("");
      setAnswer({ text: to.now.text, warnings: [], errors: [] });
      latest.current.onText(to.now.text);
      if (to.now.ahead) follow(to.now.root);
    },
    [follow],
  );

  const open = unfinished(line.now.root, as === "value");
  const errors = useMemo(() => (answer.text === text ? answer.errors : []), [answer, text]);
  const warnings = useMemo(() => (answer.text === text ? answer.warnings : []), [answer, text]);
  return useMemo(
    () => ({
      root: line.now.root,
      edit,
      undo: line.past.length ? () => step(undo(line)) : undefined,
      redo: line.future.length ? () => step(redo(line)) : undefined,
      faults,
      errors,
      warnings,
      behind: errors.length > 0,
      hold: Object.keys(faults).length ? "Correct what is marked in the condition first." : open ? `Finish or remove what is not finished in the condition first (${open}).` : "",
      failure,
    }),
    [line, edit, step, faults, errors, warnings, open, failure],
  );
}

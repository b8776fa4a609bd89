import { useState } from "react";
import { changes, same } from "./diff";

export interface Draft<T extends object> {
  value: T;
  /** Changes some fields. */
  set: (fields: Partial<T>) => void;
  /** Names of the changed fields. */
  changed: string[];
  dirty: boolean;
  /** What is saved has changed elsewhere since the editing began; saving now would overwrite it. */
  overtaken: boolean;
  /** Gives up all changes and takes what is saved. */
  reset: () => void;
}

/**
 * The unsaved state of one definition. While nothing is changed it follows what is saved; once something is, it
 * stays, and `overtaken` tells when what is saved moved on without it.
 */
export function useDraft<T extends object>(saved: T): Draft<T> {
  const [base, setBase] = useState(saved);
  const [value, setValue] = useState(saved);
  const moved = !same(base, saved);
  const follows = moved && (same(value, base) || same(value, saved));
  if (follows) {
    setBase(saved);
    setValue(saved);
  }
  const now = follows ? saved : value;
  const changed = changes(saved, now);
  return {
    value: now,
    set: (fields) => setValue((v) => ({ ...v, ...fields })),
    changed,
    dirty: changed.length > 0,
    overtaken: moved && !follows,
    reset: () => {
      setBase(saved);
      setValue(saved);
    },
  };
}

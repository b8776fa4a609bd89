import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { changes, same } from "./diff";
import { useDraft } from "./useDraft";

describe("what counts as a change", () => {
  it("takes missing, null and empty for the same", () => {
    expect(changes({ from: "a", reply_to: undefined as string | undefined }, { from: "a", reply_to: "" })).toEqual([]);
    expect(same({ utm: undefined }, { utm: { source: "" } })).toBe(true);
    expect(same(null, {})).toBe(true);
  });

  it("sees changes at any depth, also of what is only on one side", () => {
    expect(changes({ a: 1, utm: { source: "x" } }, { a: 1, utm: { source: "y" } })).toEqual(["utm"]);
    expect(changes<{ a?: string; b?: string }>({ a: "1" }, { b: "2" })).toEqual(["a", "b"]);
    expect(same([1, 2], [2, 1])).toBe(false);
  });

  it("does not take zero or false for missing", () => {
    expect(same(0, undefined)).toBe(false);
    expect(same(false, "")).toBe(false);
  });
});

describe("a draft", () => {
  const start = { condition: "a", description: "" };

  it("knows what is changed, and forgets it on reset", () => {
    const { result } = renderHook(() => useDraft(start));
    act(() => result.current.set({ condition: "b" }));
    expect(result.current.changed).toEqual(["condition"]);
    act(() => result.current.set({ condition: "a" }));
    expect(result.current.dirty).toBe(false);
    act(() => result.current.set({ description: "x" }));
    act(() => result.current.reset());
    expect(result.current.value).toEqual(start);
  });

  it("follows what is saved while nothing is changed", () => {
    const { result, rerender } = renderHook((saved) => useDraft(saved), { initialProps: start });
    rerender({ ...start, condition: "newer" });
    expect(result.current.value.condition).toBe("newer");
    expect(result.current.dirty).toBe(false);
  });

  it("is clean after its own save", () => {
    const { result, rerender } = renderHook((saved) => useDraft(saved), { initialProps: start });
    act(() => result.current.set({ condition: "mine" }));
    rerender({ ...start, condition: "mine" });
    expect(result.current.dirty).toBe(false);
    expect(result.current.overtaken).toBe(false);
  });

  it("keeps changes when somebody else saves, and says so", () => {
    const { result, rerender } = renderHook((saved) => useDraft(saved), { initialProps: start });
    act(() => result.current.set({ condition: "mine" }));
    rerender({ ...start, condition: "theirs" });
    expect(result.current.value.condition).toBe("mine");
    expect(result.current.overtaken).toBe(true);
    act(() => result.current.reset());
    expect(result.current.value.condition).toBe("theirs");
    expect(result.current.overtaken).toBe(false);
  });
});

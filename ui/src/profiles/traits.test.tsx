import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Override } from "../api/types";
import { Refusal, renderApp, session } from "../test-app";
import { read, type Sort, written } from "./traitValue";

afterEach(() => vi.unstubAllGlobals());

const since = "2026-11-20T10:00:00Z";
const ada = {
  id: "a", label: "Ada", traits: { tier: "silver", orders: 3 }, computed: { spent: 12.5 }, preferences: {}, identifiers: [], segments: [], subscribed: true, created_at: since, updated_at: since,
  first_seen_at: since, last_seen_at: since, merged: [],
};

describe("a value", () => {
  it("is read as it was written", () => {
    for (const v of ["gold", 12.5, -3, true, false, null, ["a", 1], { a: { b: null } }]) {
      const { sort, text } = written(v);
      expect(read(sort, text)).toEqual({ value: v });
    }
  });
  it("is refused where it says nothing of its sort", () => {
    for (const [sort, text] of [["text", ""], ["number", ""], ["number", "many"], ["number", "Infinity"], ["json", "{"], ["json", ""]] as [Sort, string][]) expect(read(sort, text)).toHaveProperty("wrong");
    expect(read("number", " 1,5 ")).toEqual({ value: 1.5 });
  });
});

describe("a trait set by hand", () => {
  it("is set, shows who and why, and is taken back", async () => {
    let overrides: Override[] = [];
    let refuse = true;
    const { user, calls } = renderApp("/profiles/a", {
      "GET /profiles/a": () => ({ ...ada, traits: overrides.length ? { ...ada.traits, tier: "gold" } : ada.traits, overrides }),
      "PUT /profiles/a/overrides/trait/tier": () => {
        if (refuse) return new Refusal(422, { code: "invalid", detail: "body.value: is too large" });
        overrides = [{ kind: "trait", name: "tier", value: "gold", since, by: "Marketing", note: "promised", until: undefined }];
        return ada;
      },
      "DELETE /profiles/a/overrides/trait/tier": () => void (overrides = []),
    });
    await user.click(await screen.findByRole("button", { name: "Set by hand: traits" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Set" }));
    expect((await within(dialog).findByRole("alert")).textContent).toBe("Name the trait.");
    await user.type(within(dialog).getByLabelText("Trait", { selector: "input" }), "tier");
    const field = within(dialog).getByLabelText<HTMLInputElement>("Value");
    expect(field.value).toBe("silver");
    await user.clear(field);
    await user.type(field, "gold");
    await user.type(within(dialog).getByLabelText("Why"), "promised");
    await user.click(within(dialog).getByRole("button", { name: "Set" }));
    await waitFor(() => expect(within(dialog).getByRole("alert").textContent).toContain("too large"));
    refuse = false;
    await user.click(within(dialog).getByRole("button", { name: "Set" }));
    const list = await screen.findByRole("list", { name: "Traits set by hand" });
    expect(list.textContent).toContain("Tier is set by Marketing");
    expect(list.textContent).toContain("promised");
    expect(calls.findLast((c) => c.call.startsWith("PUT"))?.body).toEqual({ value: "gold", note: "promised" });
    await user.click(within(list).getByRole("button", { name: "Let events decide Tier" }));
    await waitFor(() => expect(screen.queryByRole("list", { name: "Traits set by hand" })).toBeNull());
  });

  it("stands under the computed ones where it is one of them, and is nobody's to change without the right", async () => {
    renderApp("/profiles/a", {
      "GET /session": { ...session, scopes: ["read"] },
      "GET /profiles/a": { ...ada, overrides: [{ kind: "trait", name: "spent", value: null, since, by: "Bob" }] },
    });
    expect((await screen.findByRole("list", { name: "Computed traits set by hand" })).textContent).toContain("Spent is nothing by Bob");
    expect(screen.queryByRole("button", { name: /Set by hand|Let events/ })).toBeNull();
  });
});

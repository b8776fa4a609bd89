import { screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Refusal, renderApp, session } from "../test-app";

afterEach(() => vi.unstubAllGlobals());

const person = (id: string, label: string, traits: object) => ({
  id, label, traits, computed: {}, preferences: {}, identifiers: [], segments: [], subscribed: true,
  created_at: "2026-11-20T10:00:00Z", updated_at: "2026-11-20T10:00:00Z", first_seen_at: "2026-11-20T10:00:00Z", last_seen_at: "2026-11-20T10:00:00Z", merged: [],
});
const match = (id: string, a: string, b: string) => ({
  id, status: "pending", probability: 0.93, reason: "", found_at: "2026-11-20T10:00:00Z", decided_at: null, decided_by: "",
  evidence: [{ field: "phone number", words: "is the same", bits: 12.1 }, { field: "surname", words: "differs by one letter", bits: 7 }, { field: "given name", words: "differs", bits: -3.1 }],
  profiles: [person(`${id}-a`, a, { last_name: "Lovelace" }), person(`${id}-b`, b, { last_name: "Lovelac" })],
});
const run = {
  status: "done", stage: "", progress: 1, started_at: "2026-11-20T10:00:00Z", finished_at: "2026-11-20T10:01:00Z", pending: 3,
  summary: { profiles: 10, compared: 45, estimated: 3, households: 1, queued: 3, merged: 0, cut: 0, dropped: 0, fields: [] },
};
const settings = { review: 0.2, merge: 0.99, automatic: false, every_hours: 0, fields: {} };
const pairs = [match("m1", "Ada", "Adah"), match("m2", "Grace", "Gracie"), match("m3", "Mary", "Marie")];
const answers = { "GET /matches": { items: pairs }, "GET /matches/run": run, "GET /matches/settings": settings };

describe("deciding about probable matches", () => {
  it("needs the keyboard alone", async () => {
    const { user, calls } = renderApp("/profiles/matches", { ...answers, "POST /matches/m1/reject": pairs[0], "POST /matches/m1/undo": pairs[0], "POST /matches/m2/accept": { profile_id: "m2-a" } });
    expect(await screen.findByRole("group", { name: "Ada and Adah" })).toBeTruthy();
    expect(screen.getByText("surname differs by one letter")).toBeTruthy();
    expect(screen.getByRole("row", { name: /Last name differs Lovelace Lovelac/ })).toBeTruthy();

    await user.keyboard("j");
    expect(await screen.findByRole("group", { name: "Grace and Gracie" })).toBe(document.activeElement);
    await user.keyboard("k");
    await screen.findByRole("group", { name: "Ada and Adah" });

    await user.keyboard("r");
    await screen.findByRole("group", { name: "Grace and Gracie" });
    await user.keyboard("u");
    await screen.findByRole("group", { name: "Ada and Adah" });
    await user.keyboard("ja");
    await screen.findByRole("group", { name: "Mary and Marie" });
    await waitFor(() => expect(calls.filter((c) => c.call.startsWith("POST /matches/")).map((c) => c.call)).toEqual(["POST /matches/m1/reject", "POST /matches/m1/undo", "POST /matches/m2/accept"]));
  });

  it("leaves keys alone while one writes, and changes nothing for a key that may only look", async () => {
    const { user, calls } = renderApp("/profiles/matches", { ...answers, "GET /session": { ...session, scopes: ["read"] } });
    await screen.findByRole("group", { name: "Ada and Adah" });
    await user.keyboard("ar");
    expect(calls.some((c) => c.call.startsWith("POST"))).toBe(false);
    expect(screen.queryByRole("button", { name: "Look for matches now" })).toBeNull();
  });

  it("says what could not be saved", async () => {
    const { user } = renderApp("/profiles/matches", { ...answers, "PUT /matches/settings": new Refusal(422, { detail: "merge must not be under review" }) });
    await user.click(await screen.findByRole("button", { name: "Save settings" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Merge must not be under review");
  });

  it("says what to do when nothing waits", async () => {
    renderApp("/profiles/matches", { ...answers, "GET /matches": { items: [] }, "GET /matches/run": { ...run, status: "never", pending: 0 } });
    expect(await screen.findByText("No pair waits for a decision")).toBeTruthy();
    expect(screen.getByText("Nobody looked yet.")).toBeTruthy();
  });
});

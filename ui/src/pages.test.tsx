import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Refusal, renderApp, session } from "./test-app";

afterEach(() => vi.unstubAllGlobals());

const person = (id: string, label: string, since = "2026-11-20T10:00:00Z") => ({
  id, label, traits: {}, computed: {}, preferences: {}, identifiers: [{ type: "email", value: `${id}@example.com` }],
  segments: [{ name: "vip", since }], subscribed: true, created_at: since, updated_at: since, first_seen_at: since, last_seen_at: since, merged: [],
});
const segment = { name: "vip", condition: "profile.vip == true", description: "", version: 1, status: "ready", progress: 1, count: 412, created_at: "2026-11-20T10:00:00Z", updated_at: "2026-11-20T10:00:00Z" };
const template = { name: "news", subject: "Hello", preheader: "", body: "<p>x</p>", format: "html", version: 1, warnings: [], created_at: "2026-11-20T10:00:00Z", updated_at: "2026-11-20T10:00:00Z" };
const campaign = {
  name: "autumn", segment: "vip", template: "news", from: "Shop <news@shop.example>", version: 1, status: "draft",
  progress: { recipients: 0, queued: 0, sent: 0, failed: 0, skipped: 0, in_doubt: 0 }, started_at: null, finished_at: null, created_at: "2026-11-20T10:00:00Z", updated_at: "2026-11-20T10:00:00Z",
};

describe("signing in", () => {
  it("asks for a key, explains a wrong one, and goes on to where one wanted to be", async () => {
    const { user, router } = renderApp("/segments", {
      "GET /session": new Refusal(401, { code: "unauthorized" }),
      "POST /session": (body: unknown) => ((body as { key: string }).key === "right" ? session : new Refusal(401, { code: "unauthorized" })),
    });
    const key = await screen.findByLabelText("API key");
    await user.type(key, "wrong{Enter}");
    expect(await screen.findByText(/not known here/)).toBeTruthy();
    await user.clear(key);
    await user.type(key, "right{Enter}");
    expect(await screen.findByRole("heading", { level: 1, name: "Segments" })).toBeTruthy();
    expect(router.state.location.pathname).toBe("/segments");
  });
});

describe("the list of segments", () => {
  it("says what to do when there are none", async () => {
    renderApp("/segments", {});
    expect(await screen.findByText("No segments yet")).toBeTruthy();
    expect(screen.getByRole("link", { name: "New segment" }).getAttribute("href")).toBe("/segments/new");
  });

  it("says what failed and tries again", async () => {
    let broken = true;
    const { user } = renderApp("/segments", { "GET /segments": () => (broken ? new Refusal(503, { detail: "The store is busy." }) : { items: [segment] }) });
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The store is busy.");
    broken = false;
    await user.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("link", { name: "vip" })).toBeTruthy();
    expect(screen.getByText("412")).toBeTruthy();
  });

  it("offers no change to a key that may only look", async () => {
    renderApp("/segments", { "GET /session": { ...session, scopes: ["read"] } });
    expect(await screen.findByText("No segments yet")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "New segment" })).toBeNull();
  });
});

describe("a new segment", () => {
  it("counts while one writes, saves, and needs no farewell after saving", async () => {
    const { user, router, calls } = renderApp("/segments/new", {
      "POST /segments/preview": { count: 7, total: 100, sample: [person("a", "Ada")] },
      "PUT /segments/regulars": { ...segment, name: "regulars" },
      "GET /segments/regulars": { ...segment, name: "regulars" },
    });
    await user.click(await screen.findByRole("button", { name: "Regular buyers" }));
    expect(await screen.findByText("customers, 7% of 100 people")).toBeTruthy();
    await user.type(screen.getByLabelText(/^Name/), "regulars");
    await user.click(screen.getByRole("button", { name: "Create segment" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/segments/regulars"));
    expect(calls.find((c) => c.call === "PUT /segments/regulars")?.body).toEqual({ condition: 'events("Order Completed").within("90d").count() > 5', description: "More than five orders in 90 days" });
    expect(screen.queryByText("Leave without saving?")).toBeNull();
  });

  it("shows where the condition is wrong", async () => {
    const { user } = renderApp("/segments/new", {
      "POST /segments/preview": new Refusal(422, { code: "invalid", errors: [{ message: "undeclared reference to “events”", location: "body.condition", line: 1, column: 1 }] }),
      "POST /conditions/tree": new Refusal(422, { code: "invalid", errors: [{ message: "undeclared reference to “events”", location: "body.text", line: 1, column: 1 }] }),
    });
    await user.click(await screen.findByRole("button", { name: "Regular buyers" }));
    expect(await screen.findByText(/^Undeclared reference/)).toBeTruthy();
    expect(screen.getByText(/line 1, column 1/)).toBeTruthy();
    await waitFor(() => expect(document.querySelector(".cm-lintRange-error")?.textContent).toBe("events"));
  });

  it("asks before unsaved changes are lost", async () => {
    const { user, router } = renderApp("/segments/new", {});
    await user.type(await screen.findByLabelText(/^Name/), "x");
    await user.click(screen.getByRole("link", { name: "Home" }));
    expect(await screen.findByText("Leave without saving?")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Stay here" }));
    expect(router.state.location.pathname).toBe("/segments/new");
    await user.click(screen.getByRole("link", { name: "Home" }));
    await user.click(await screen.findByRole("button", { name: "Leave and lose them" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/"));
  });
});

describe("what does not exist", () => {
  for (const [kind, list] of [["segment", "segments"], ["template", "templates"], ["campaign", "campaigns"]] as const) {
    it(`says so of a ${kind} and leads back`, async () => {
      renderApp(`/${list}/gone`, { [`GET /${list}/gone`]: new Refusal(404, { code: "not_found", detail: `there is no ${kind} "gone"` }) });
      expect(await screen.findByText(`There is no ${kind} “gone”`)).toBeTruthy();
      expect(screen.getByRole("link", { name: `Go to ${list}` }).getAttribute("href")).toBe(`/${list}`);
      expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
    });
  }
});

describe("deleting", () => {
  it("asks first, and can be undone", async () => {
    const { user, calls, router } = renderApp("/segments/vip", { "GET /segments/vip": segment, "DELETE /segments/vip": undefined, "PUT /segments/vip": segment });
    await user.click(await screen.findByRole("button", { name: "Delete" }));
    expect(calls.some((c) => c.call.startsWith("DELETE"))).toBe(false);
    await user.click(await screen.findByRole("button", { name: "Delete segment" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/segments"));
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    await waitFor(() => expect(calls.find((c) => c.call === "PUT /segments/vip")?.body).toEqual({ condition: "profile.vip == true", description: "" }));
  });
});

describe("sending a campaign", () => {
  it("shows how many people it reaches before anything goes out", async () => {
    let status = "draft";
    const { user, calls } = renderApp("/campaigns/autumn", {
      "GET /campaigns/autumn": () => ({ ...campaign, status }),
      "GET /segments": { items: [segment] },
      "GET /templates": { items: [template] },
      "POST /campaigns/autumn/send": () => {
        status = "sending";
        return { ...campaign, status, progress: { ...campaign.progress, recipients: 412, queued: 412 } };
      },
      "GET /campaigns/autumn/report": new Refusal(404, {}),
    });
    expect(await screen.findByText("Ready to send")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Send…" }));
    const dialog = await screen.findByRole("dialog");
    expect(calls.some((c) => c.call.endsWith("/send"))).toBe(false);
    await user.click(within(dialog).getByRole("button", { name: "Send now" }));
    expect(await screen.findByText("On its way")).toBeTruthy();
  });

  it("does not send what is not ready", async () => {
    const { user } = renderApp("/campaigns/autumn", { "GET /campaigns/autumn": campaign, "GET /segments": { items: [{ ...segment, count: 0 }] }, "GET /templates": { items: [template] } });
    expect(await screen.findByText("Nobody is in the segment now.")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Send…" }));
    expect(screen.queryByRole("dialog")).toBeNull();
  });
});

describe("customers", () => {
  it("searches as one types and reads on by pages", async () => {
    const { user, calls } = renderApp("/profiles", {
      "GET /profiles": (_: unknown, url: URL) =>
        url.searchParams.get("cursor") ? { items: [person("b", "Grace")] } : { items: [person("a", url.searchParams.get("q") ? "Found" : "Ada")], next_cursor: "2" },
    });
    expect(await screen.findByRole("link", { name: "Ada" })).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Show more customers" }));
    expect(await screen.findByRole("link", { name: "Grace" })).toBeTruthy();
    await user.type(screen.getByRole("searchbox", { name: "Search customers" }), "ada@");
    expect(await screen.findByRole("link", { name: "Found" })).toBeTruthy();
    expect(calls.length).toBeLessThan(12);
  });

  it("shows since when somebody is in a segment, in the viewer's zone with UTC on hover", async () => {
    renderApp("/segments/vip?tab=people", { "GET /segments/vip": segment, "GET /profiles": { items: [person("a", "Ada", "2026-11-20T23:30:00Z")] } });
    const since = await screen.findByText("21 Nov 2026, 00:30");
    expect(since.getAttribute("title")).toBe("2026-11-20 23:30:00 UTC");
  });
});

describe("a customer", () => {
  it("without an address gets no mail, and says why they are in a segment", async () => {
    const ada = { ...person("a", "Ada"), identifiers: [{ type: "user_id", value: "7" }], computed: { order_count: 4 } };
    const { user } = renderApp("/profiles/a", {
      "GET /profiles/a": ada,
      "GET /profiles/a/events": { items: [{ message_id: "1", type: "track", name: "Order Completed", properties: {}, timestamp: "2026-11-20T10:00:00Z", received_at: "2026-11-20T10:00:00Z" }] },
      "GET /profiles/a/explain": {
        kind: "segment", name: "vip", text: "", value: true, at: "2026-11-20T10:00:00Z", since: "2026-11-20T10:00:00Z", uses: [],
        explanation: {
          at: "2026-11-20T10:00:00Z", holds: true, next_change: "2026-12-20T10:00:00Z",
          clause: {
            kind: "all", text: "", holds: true,
            clauses: [
              { kind: "leaf", text: "", holds: true, sentence: "order_count is 4", operator: ">", actual: 4, wanted: 2 },
              { kind: "not", text: "", holds: true, clauses: [{ kind: "leaf", text: "", holds: false, sentence: "never refunded", evidence: [{ events: [{ message_id: "order-1", name: "Order Completed", at: "2026-11-20T10:00:00Z" }] }] }] },
            ],
          },
        },
      },
    });
    expect(await screen.findByText("No address")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "vip" }));
    expect((await screen.findByText("Is in it")).parentElement!.textContent).toContain("leaves on 20 Dec 2026, 11:00");
    const clause = screen.getByText("order_count is 4").parentElement!;
    expect(clause.textContent).toContain("is 4wanted > 2");
    expect(clause.parentElement!.textContent).toContain("Holds: ");
    expect(screen.getByRole("link", { name: "Order Completed", hidden: true }).getAttribute("href")).toBe("/profiles/a?event=order-1");
  });

  it("shows orders alone, and a campaign behind its mail", async () => {
    const event = (message_id: string, name: string, properties = {}) => ({ message_id, type: "track", name, properties, timestamp: "2026-11-20T10:00:00Z", received_at: "2026-11-20T10:00:00Z" });
    const { user } = renderApp("/profiles/a", { "GET /profiles/a": person("a", "Ada"), "GET /profiles/a/events": { items: [event("1", "Order Completed"), event("2", "Email Opened", { campaign: "autumn" })] } });
    expect((await screen.findByRole("link", { name: "autumn" })).getAttribute("href")).toBe("/campaigns/autumn");
    await user.click(screen.getByRole("radio", { name: "Orders" }));
    expect(screen.getByText("Order Completed")).toBeTruthy();
    expect(screen.queryByText("Email Opened")).toBeNull();
  });
});

describe("a new key", () => {
  it("is shown once", async () => {
    const { user } = renderApp("/settings/keys", { "POST /keys": (body: unknown) => ({ id: "1", created_at: "2026-11-20T10:00:00Z", key: "tb_secret", ...(body as object) }) });
    await user.click(await screen.findByRole("button", { name: "New key" }));
    await user.type(await screen.findByLabelText(/^Name/), "Shop");
    await user.click(screen.getByRole("button", { name: "Make key" }));
    expect(await screen.findByText("tb_secret")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "I have copied it" }));
    await waitFor(() => expect(screen.queryByText("tb_secret")).toBeNull());
  });
});

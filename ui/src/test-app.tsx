import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { makeRouter } from "./routes";
import { theme } from "./theme/theme";

type Answer = unknown | ((body: unknown, url: URL) => unknown);

/** A refusal, for an answer of `api`. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly problem: object,
  ) {}
}

export const session = { key_name: "Marketing", scopes: ["read", "write", "send", "admin"], version: "0", demo: false, mail: "sink", public_url: "http://127.0.0.1:8080" };

const overview = {
  now: new Date().toISOString(), profiles: 0, events: 0, messages: 0, segments: 0, days: [], recent_events: [],
  loop: { events_per_second: 0, queue_depth: 0, queue_capacity: 1, commit_ms: 0, last_event_at: null, next_timer_at: null, timers_overdue_seconds: 0, messages_queued: 0, stream: null, nodes: [], building_segments: [], status: "ok", problems: [] },
};
/** Every condition as a whole, which no form can show. */
const tree = (body: unknown) => {
  const { text } = body as { text: string };
  return { text, tree: { kind: "text", text }, warnings: [] };
};
const vocabulary = { event_names: [], traits: [], segments: [], functions: [] };

/** The whole application at an address, against the given answers, "GET /segments" and the like. Anything else is an empty list. */
export function renderApp(at: string, api: Record<string, Answer>) {
  const calls: { call: string; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
    const url = new URL(input, "http://localhost");
    const call = `${init?.method ?? "GET"} ${decodeURIComponent(url.pathname.replace("/api/v1", ""))}`;
    const body: unknown = init?.body ? JSON.parse(String(init.body)) : undefined;
    calls.push({ call, body });
    const known = { "GET /session": session, "GET /overview": overview, "GET /vocabulary": vocabulary, "POST /conditions/tree": tree, ...api };
    let answer: unknown = call in known ? known[call as keyof typeof known] : { items: [] };
    if (typeof answer === "function") answer = (answer as (b: unknown, u: URL) => unknown)(body, url);
    if (answer instanceof Refusal) return new Response(JSON.stringify(answer.problem), { status: answer.status });
    return new Response(answer === undefined ? null : JSON.stringify(answer), { status: answer === undefined ? 204 : 200 });
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = makeRouter(queries, createMemoryHistory({ initialEntries: [at] }));
  render(
    <MantineProvider theme={theme} env="test">
      <Notifications />
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { calls, router, user: userEvent.setup() };
}

import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { Backup } from "../api/types";
import { Refusal, renderApp, session } from "../test-app";

afterEach(() => vi.unstubAllGlobals());

const done: Backup = {
  name: "tailorbird-20261120T100000Z.tar.zst", status: "done", created_at: "2026-11-20T10:00:00Z", progress: 1, bytes: 1_234_567, verified_at: "2026-11-20T10:01:00Z", encrypted: false,
};
const running: Backup = { ...done, name: "tailorbird-20261122T100000Z.tar.zst", status: "running", progress: 0.25, bytes: 0, verified_at: null };

it("makes a backup, shows how far it is, and how to restore the newest", async () => {
  let list = [done];
  const { user, calls } = renderApp("/settings/backups", {
    "GET /backups": () => ({ items: list }),
    "POST /backups": () => ((list = [running, done]), running),
    [`DELETE /backups/${done.name}`]: () => void (list = []),
  });
  const make = await screen.findByRole("button", { name: "Make one now" });
  expect((await screen.findByRole("link", { name: `Download ${done.name}` })).getAttribute("href")).toBe(`/api/v1/backups/${done.name}/file`);
  expect(screen.getByText("1.2 MB")).toBeTruthy();
  expect(screen.getByText(/tailorbird restore tailorbird-20261120T100000Z.tar.zst --data/)).toBeTruthy();
  await user.click(make);
  expect(await screen.findByText("Copying, 25%")).toBeTruthy();
  expect(make.hasAttribute("disabled")).toBe(true);
  await user.click(screen.getByRole("button", { name: `Delete ${done.name}` }));
  await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Delete backup" }));
  expect(await screen.findByText("No backups yet")).toBeTruthy();
  await waitFor(() => expect(calls.some((c) => c.call === `DELETE /backups/${done.name}`)).toBe(true));
});

it("says why one failed", async () => {
  renderApp("/settings/backups", { "GET /backups": { items: [{ ...running, status: "failed", problem: "the disk is full" }] } });
  expect(await screen.findByText("Failed: the disk is full")).toBeTruthy();
});

it("says who backs PostgreSQL up", async () => {
  renderApp("/settings/backups", { "GET /backups": new Refusal(409, { code: "conflict", detail: "the data are in PostgreSQL: pg_dump" }) });
  expect(await screen.findByText(/pg_dump/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Make one now" })).toBeNull();
});

it("is for administrators", async () => {
  const { calls } = renderApp("/settings/backups", { "GET /session": { ...session, scopes: ["read", "write", "send"] } });
  expect(await screen.findByText(/whoever has one has everything/)).toBeTruthy();
  expect(calls.some((c) => c.call === "GET /backups")).toBe(false);
});

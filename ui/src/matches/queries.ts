import { queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import { pagedOptions } from "../api/paging";
import type { Match, MatchRun, MatchSettings } from "../api/types";

export const matchesQuery = pagedOptions<Match>(["matches", "pending"], "/matches", (m) => m.id, {}, 20);
export const matchRunQuery = queryOptions({
  queryKey: ["matches", "run"],
  queryFn: ({ signal }) => get<MatchRun>("/matches/run", undefined, signal),
  refetchInterval: (query) => (query.state.data?.status === "running" ? 700 : false),
});
export const matchSettingsQuery = queryOptions({
  queryKey: ["matches", "settings"],
  queryFn: ({ signal }) => get<MatchSettings>("/matches/settings", undefined, signal),
});

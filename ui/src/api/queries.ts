import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, path, post } from "./client";
import { all, pagedOptions } from "./paging";
import { ApiError } from "./problem";
import type {
  Backup, Campaign, ConditionNode, ConditionTree, Event, EventProperties, Key, Mail, MailboxItem, Message, Overview, Override, Profile, QuarantinedMessage, QueryPreview, QueryTable, Reason,
  Rendered, RenderFor, Report, Secret, Segment, SegmentDay, SegmentOverlap, SegmentPreview, SegmentRun, SendingDomain, Session, Source, Starter, Suppression, Template, TemplateInput,
  Trait, TraitPreview, Transition, Version, Vocabulary,
} from "./types";

// The query cache is the only store. Keys begin with the subject, so that a change invalidates its subject as a whole.

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await get<Session>("/session", undefined, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 5 * 60_000,
});

export const overviewQuery = (days: number) =>
  queryOptions({
    queryKey: ["overview", days],
    queryFn: ({ signal }) => get<Overview>("/overview", { days }, signal),
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });

export const profilesQuery = (filter: { q?: string; segment?: string; identifier?: string }) => ({
  ...pagedOptions<Profile>(["profiles", "list"], "/profiles", (p) => p.id, filter, 50),
  placeholderData: keepPreviousData,
});
export const profileQuery = (id: string) =>
  queryOptions({ queryKey: ["profiles", id], queryFn: ({ signal }) => get<Profile>(path`/profiles/${id}`, undefined, signal) });
export const timelineQuery = (id: string) =>
  pagedOptions<Event>(["profiles", id, "events"], path`/profiles/${id}/events`, (e) => e.message_id, {}, 50);
/** Why a customer is in a segment, or not; at a moment of the past when `at` is given. */
export const explainQuery = (id: string, segment: string, at?: string) =>
  queryOptions({
    queryKey: ["profiles", id, "explain", segment, at],
    queryFn: ({ signal }) => get<Reason>(path`/profiles/${id}/explain`, { segment, at, known: at && "now" }, signal),
    retry: false,
  });
export const transitionsQuery = (id: string) =>
  pagedOptions<Transition>(["profiles", id, "memberships"], path`/profiles/${id}/memberships`, (t) => `${t.segment} ${t.at} ${t.entered} ${t.profile_id}`, {}, 50);
export const overridesQuery = (id: string) =>
  queryOptions({ queryKey: ["profiles", id, "overrides"], queryFn: ({ signal }) => all<Override>(path`/profiles/${id}/overrides`, signal) });
export const messagesQuery = (filter: { profile?: string; campaign?: string }) =>
  pagedOptions<Message>(["messages"], "/messages", (m) => m.id, filter, 50);

/** Asks again every second while anything is still being built. */
const whileBuilding = (segment: { status: string } | undefined) => (segment?.status === "building" ? 1_000 : false);

export const segmentsQuery = queryOptions({
  queryKey: ["segments", "list"],
  queryFn: ({ signal }) => all<Segment>("/segments", signal),
  refetchInterval: (query) => whileBuilding(query.state.data?.find((s) => s.status === "building")),
});
export const segmentQuery = (name: string) =>
  queryOptions({
    queryKey: ["segments", "one", name],
    queryFn: ({ signal }) => get<Segment>(path`/segments/${name}`, undefined, signal),
    refetchInterval: (query) => (query.state.data?.query?.running ? 1_000 : whileBuilding(query.state.data)),
  });
export const segmentRunsQuery = (name: string, stamp: string) =>
  queryOptions({
    queryKey: ["segments", "runs", name, stamp],
    queryFn: async ({ signal }) => (await get<{ items: SegmentRun[] }>(path`/segments/${name}/runs`, { limit: 20 }, signal)).items,
    placeholderData: keepPreviousData,
  });
export const runSegment = (name: string) => post<Segment>(path`/segments/${name}/run`, undefined);
export const queryTablesQuery = queryOptions({
  queryKey: ["segments", "tables"],
  queryFn: async ({ signal }) => (await get<{ items: QueryTable[] }>("/segments/sql/tables", undefined, signal)).items,
  staleTime: Infinity,
});
/** Runs a query that is not saved. */
export const tryQuery = (sql: string, signal?: AbortSignal) => post<QueryPreview>("/segments/sql/preview", { sql }, signal);
/** Counts a condition: within a second from a sample, or exactly, which takes as long as there are customers. */
export const segmentPreviewQuery = (condition: string, how: "estimate" | "exact") =>
  queryOptions({
    queryKey: ["segments", "preview", how, condition],
    queryFn: ({ signal }) => post<SegmentPreview>("/segments/preview", { condition, estimate: how === "estimate" || undefined }, signal),
    enabled: condition.trim() !== "",
    retry: false,
    staleTime: 30_000,
  });
export const segmentOverlapQuery = (name: string) =>
  queryOptions({ queryKey: ["segments", "overlap", name], queryFn: ({ signal }) => get<SegmentOverlap>(path`/segments/${name}/overlap`, undefined, signal), staleTime: 30_000 });
export const segmentHistoryQuery = (name: string) =>
  queryOptions({
    queryKey: ["segments", "history", name],
    queryFn: async ({ signal }) => (await get<{ items: SegmentDay[] }>(path`/segments/${name}/history`, { limit: 90 }, signal)).items,
  });

/** A condition, or the expression of a computed trait, as text and as a tree, from either. */
export const conditionTree = (from: { text: string } | { tree: ConditionNode }, as: "condition" | "value", signal?: AbortSignal) =>
  post<ConditionTree>("/conditions/tree", { ...from, as: as === "value" ? as : undefined }, signal);

export const starterQuery = (name: string, event: string, property: string) =>
  queryOptions({
    queryKey: ["starters", name, event, property],
    queryFn: ({ signal }) => get<Starter>(path`/starters/${name}`, { event, property }, signal),
    staleTime: Infinity,
  });
export const traitsQuery = queryOptions({
  queryKey: ["traits", "list"],
  queryFn: ({ signal }) => all<Trait>("/traits", signal),
  refetchInterval: (query) => whileBuilding(query.state.data?.find((t) => t.status === "building")),
});
export const traitQuery = (name: string) =>
  queryOptions({ queryKey: ["traits", "one", name], queryFn: ({ signal }) => get<Trait>(path`/traits/${name}`, undefined, signal) });

export const traitPreviewQuery = (expression: string) =>
  queryOptions({
    queryKey: ["traits", "preview", expression],
    queryFn: ({ signal }) => post<TraitPreview>("/traits/preview", { expression }, signal),
    enabled: expression.trim() !== "",
    retry: false,
    staleTime: 30_000,
  });

/** The properties of each event, as far as a sample tells. */
export const propertiesQuery = queryOptions({
  queryKey: ["vocabulary", "properties"],
  queryFn: async ({ signal }) => (await get<{ items: EventProperties[] }>("/vocabulary/properties", undefined, signal)).items,
  staleTime: 5 * 60_000,
});
export const vocabularyQuery = queryOptions({
  queryKey: ["vocabulary"],
  queryFn: ({ signal }) => get<Vocabulary>("/vocabulary", undefined, signal),
  staleTime: 60_000,
});

export const templatesQuery = queryOptions({
  queryKey: ["templates", "list"],
  queryFn: ({ signal }) => all<Template>("/templates", signal),
});
export const templateQuery = (name: string) =>
  queryOptions({ queryKey: ["templates", "one", name], queryFn: ({ signal }) => get<Template>(path`/templates/${name}`, undefined, signal) });
export const templatePreviewQuery = (input: TemplateInput & RenderFor) =>
  queryOptions({
    queryKey: ["templates", "preview", input],
    queryFn: ({ signal }) => post<Rendered>("/templates/preview", input, signal),
    enabled: input.body.trim() !== "",
    retry: false,
    staleTime: 30_000,
    gcTime: 60_000,
  });

export const campaignsQuery = queryOptions({
  queryKey: ["campaigns", "list"],
  queryFn: ({ signal }) => all<Campaign>("/campaigns", signal),
  refetchInterval: (query) => (query.state.data?.some((c) => c.status === "sending") ? 2_000 : false),
});
export const campaignQuery = (name: string) =>
  queryOptions({
    queryKey: ["campaigns", "one", name],
    queryFn: ({ signal }) => get<Campaign>(path`/campaigns/${name}`, undefined, signal),
    refetchInterval: (query) => (query.state.data?.status === "sending" ? 1_000 : false),
  });
export const reportQuery = (name: string, live: boolean) =>
  queryOptions({
    queryKey: ["campaigns", "report", name],
    queryFn: ({ signal }) => get<Report>(path`/campaigns/${name}/report`, undefined, signal),
    refetchInterval: live ? 2_000 : 15_000,
  });

export type DefinitionKind = "segments" | "traits" | "templates" | "campaigns" | "sources";
export const versionsQuery = (kind: DefinitionKind, name: string) =>
  queryOptions({
    queryKey: [kind, "versions", name],
    queryFn: ({ signal }) => all<Version>(`/${kind}${path`/${name}/versions`}`, signal),
  });

export const mailboxQuery = (filter: { to?: string; campaign?: string }) => ({
  ...pagedOptions<MailboxItem>(["mailbox", "list"], "/mailbox", (m) => m.id, filter, 50),
  placeholderData: keepPreviousData,
  refetchInterval: 10_000,
});
export const mailQuery = (id: string) =>
  queryOptions({ queryKey: ["mailbox", id], queryFn: ({ signal }) => get<Mail>(path`/mailbox/${id}`, undefined, signal), staleTime: Infinity });

export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: ({ signal }) => all<Key>("/keys", signal) });
export const sourcesQuery = queryOptions({ queryKey: ["sources", "list"], queryFn: ({ signal }) => all<Source>("/sources", signal), refetchInterval: 5_000 });
export const sourceQuery = (name: string) =>
  queryOptions({ queryKey: ["sources", "one", name], queryFn: ({ signal }) => get<Source>(path`/sources/${name}`, undefined, signal), refetchInterval: 3_000 });
export const quarantineQuery = (source: string) => pagedOptions<QuarantinedMessage>(["quarantine", source], "/quarantine", (m) => m.id, { source });
export const secretsQuery = queryOptions({ queryKey: ["secrets"], queryFn: ({ signal }) => all<Secret>("/secrets", signal) });

/** Asks again every second while one is being made. Refused, as a conflict, where PostgreSQL has the data. */
export const backupsQuery = queryOptions({
  queryKey: ["backups"],
  queryFn: ({ signal }) => all<Backup>("/backups", signal),
  refetchInterval: (query) => (query.state.data?.some((b) => b.status === "running") ? 1_000 : false),
  retry: (failures, error) => failures < 3 && !(error instanceof ApiError && error.status === 409),
});

export const suppressionsQuery = pagedOptions<Suppression>(["suppressions"], "/suppressions", (s) => s.email, {}, 100);
export const sendingDomainsQuery = queryOptions({
  queryKey: ["sending-domains"],
  queryFn: ({ signal }) => all<SendingDomain>("/sending-domains", signal),
});

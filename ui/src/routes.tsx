import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect, type RouterHistory } from "@tanstack/react-router";
import { sessionQuery } from "./api/queries";
import { type ProfileTab, profileTab } from "./profiles/tab";
import { type SegmentTab, segmentTab } from "./segments/tab";
import { SignInPage } from "./session/SignInPage";
import { safeNext } from "./session/next";
import { NotFound } from "./shell/NotFound";
import { Shell } from "./shell/Shell";
import { Unreachable } from "./shell/Unreachable";

const text = (v: unknown) => (typeof v === "string" || typeof v === "number" ? String(v) || undefined : undefined);

const root = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Outlet, notFoundComponent: NotFound, errorComponent: Unreachable });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (s: Record<string, unknown>): { next?: string } => ({ next: text(s.next) }),
  beforeLoad: async ({ context, search }) => {
    if (await context.queries.ensureQueryData(sessionQuery)) throw redirect({ to: safeNext(search.next) });
  },
  component: SignInPage,
});

const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queries.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: "/sign-in", search: location.pathname === "/" ? {} : { next: location.href } });
    return { session };
  },
  component: Shell,
  notFoundComponent: NotFound,
});

const home = createRoute({ getParentRoute: () => inside, path: "/", component: lazyRouteComponent(() => import("./home/HomePage"), "HomePage") });

const profiles = createRoute({
  getParentRoute: () => inside,
  path: "/profiles",
  validateSearch: (s: Record<string, unknown>): { q?: string; segment?: string } => ({ q: text(s.q), segment: text(s.segment) }),
  component: lazyRouteComponent(() => import("./profiles/ProfilesPage"), "ProfilesPage"),
});
const profile = createRoute({
  getParentRoute: () => inside,
  path: "/profiles/$id",
  validateSearch: (s: Record<string, unknown>): { tab?: ProfileTab; event?: string } => ({ tab: profileTab(s.tab), event: text(s.event) }),
  component: lazyRouteComponent(() => import("./profiles/ProfilePage"), "ProfilePage"),
});

const matches = createRoute({ getParentRoute: () => inside, path: "/profiles/matches", component: lazyRouteComponent(() => import("./matches/MatchesPage"), "MatchesPage") });

const segments = createRoute({ getParentRoute: () => inside, path: "/segments", component: lazyRouteComponent(() => import("./segments/SegmentsPage"), "SegmentsPage") });
const newSegment = createRoute({ getParentRoute: () => inside, path: "/segments/new", component: lazyRouteComponent(() => import("./segments/SegmentPage"), "NewSegmentPage") });
const segment = createRoute({
  getParentRoute: () => inside,
  path: "/segments/$name",
  validateSearch: (s: Record<string, unknown>): { tab?: SegmentTab } => ({ tab: segmentTab(s.tab) }),
  component: lazyRouteComponent(() => import("./segments/SegmentPage"), "SegmentPage"),
});

const traits = createRoute({ getParentRoute: () => inside, path: "/traits", component: lazyRouteComponent(() => import("./traits/TraitsPage"), "TraitsPage") });
const newTrait = createRoute({ getParentRoute: () => inside, path: "/traits/new", component: lazyRouteComponent(() => import("./traits/TraitPage"), "NewTraitPage") });
const trait = createRoute({ getParentRoute: () => inside, path: "/traits/$name", component: lazyRouteComponent(() => import("./traits/TraitPage"), "TraitPage") });

const sources = createRoute({ getParentRoute: () => inside, path: "/sources", component: lazyRouteComponent(() => import("./sources/SourcesPage"), "SourcesPage") });
const newSource = createRoute({ getParentRoute: () => inside, path: "/sources/new", component: lazyRouteComponent(() => import("./sources/SourcePage"), "NewSourcePage") });
const source = createRoute({ getParentRoute: () => inside, path: "/sources/$name", component: lazyRouteComponent(() => import("./sources/SourcePage"), "SourcePage") });

const templates = createRoute({ getParentRoute: () => inside, path: "/templates", component: lazyRouteComponent(() => import("./templates/TemplatesPage"), "TemplatesPage") });
const previewAs = (s: Record<string, unknown>): { as?: string } => ({ as: text(s.as) });
const newTemplate = createRoute({ getParentRoute: () => inside, path: "/templates/new", validateSearch: previewAs, component: lazyRouteComponent(() => import("./templates/TemplatePage"), "NewTemplatePage") });
const template = createRoute({ getParentRoute: () => inside, path: "/templates/$name", validateSearch: previewAs, component: lazyRouteComponent(() => import("./templates/TemplatePage"), "TemplatePage") });

const campaigns = createRoute({ getParentRoute: () => inside, path: "/campaigns", component: lazyRouteComponent(() => import("./campaigns/CampaignsPage"), "CampaignsPage") });
const newCampaign = createRoute({
  getParentRoute: () => inside,
  path: "/campaigns/new",
  validateSearch: (s: Record<string, unknown>): { segment?: string; template?: string } => ({ segment: text(s.segment), template: text(s.template) }),
  component: lazyRouteComponent(() => import("./campaigns/NewCampaignPage"), "NewCampaignPage"),
});
const campaign = createRoute({ getParentRoute: () => inside, path: "/campaigns/$name", component: lazyRouteComponent(() => import("./campaigns/CampaignPage"), "CampaignPage") });

const mailboxSearch = (s: Record<string, unknown>): { to?: string; campaign?: string } => ({ to: text(s.to), campaign: text(s.campaign) });
const mailbox = createRoute({ getParentRoute: () => inside, path: "/mailbox", validateSearch: mailboxSearch, component: lazyRouteComponent(() => import("./mailbox/MailboxPage"), "MailboxPage") });
const mail = createRoute({ getParentRoute: () => inside, path: "/mailbox/$id", validateSearch: mailboxSearch, component: lazyRouteComponent(() => import("./mailbox/MailboxPage"), "MailboxPage") });

const settings = createRoute({ getParentRoute: () => inside, path: "/settings", component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage") });
const settingsIndex = createRoute({ getParentRoute: () => settings, path: "/", beforeLoad: () => { throw redirect({ to: "/settings/keys" }); } });
const keys = createRoute({ getParentRoute: () => settings, path: "/keys", component: lazyRouteComponent(() => import("./settings/Keys"), "Keys") });
const secrets = createRoute({ getParentRoute: () => settings, path: "/secrets", component: lazyRouteComponent(() => import("./settings/Secrets"), "Secrets") });
const suppressions = createRoute({ getParentRoute: () => settings, path: "/suppressions", component: lazyRouteComponent(() => import("./settings/Suppressions"), "Suppressions") });
const domains = createRoute({ getParentRoute: () => settings, path: "/domains", component: lazyRouteComponent(() => import("./settings/Domains"), "Domains") });
const backups = createRoute({ getParentRoute: () => settings, path: "/backups", component: lazyRouteComponent(() => import("./settings/Backups"), "Backups") });

const tree = root.addChildren([
  signIn,
  inside.addChildren([
    home, profiles, matches, profile, segments, newSegment, segment, traits, newTrait, trait, sources, newSource, source, templates, newTemplate, template,
    campaigns, newCampaign, campaign, mailbox, mail, settings.addChildren([settingsIndex, keys, secrets, suppressions, domains, backups]),
  ]),
]);

/** The pages and their addresses; `history` is the browser's unless given. */
export function makeRouter(queries: QueryClient, history?: RouterHistory) {
  return createRouter({ routeTree: tree, history, context: { queries }, defaultPreload: "intent", scrollRestoration: true, defaultErrorComponent: Unreachable });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

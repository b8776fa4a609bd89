import { useQuery } from "@tanstack/react-query";
import { sendingDomainsQuery, segmentsQuery, templatesQuery } from "../api/queries";
import type { CampaignInput, Segment, SendingDomain, Template } from "../api/types";
import { count, people, plural, share } from "../format/number";
import { isSmall } from "../segments/SegmentStatus";
import { useSession } from "../session/useSession";
import { domainOf } from "./input";

export interface Check {
  state: "ok" | "warn" | "stop" | "wait";
  text: string;
  /** Where to see to it. */
  link?: { to: "/segments/$name" | "/templates/$name" | "/settings/domains"; params?: { name: string }; label: string };
}

/** What stands between a draft and its send. "stop" must be solved first, "warn" should be looked at. */
export function readiness(input: CampaignInput, segment: Segment | undefined, template: Template | undefined, domains: SendingDomain[] | undefined, mail: "sink" | "smtp"): Check[] {
  const checks: Check[] = [];
  if (!input.segment) checks.push({ state: "stop", text: "Choose a segment." });
  else if (!segment) checks.push({ state: "stop", text: `There is no segment “${input.segment}”.` });
  else if (segment.status === "building") checks.push({ state: "wait", text: `The segment is still being filled (${share(segment.progress ?? 0, 1)}).`, link: { to: "/segments/$name", params: { name: segment.name }, label: "Watch it" } });
  else if (segment.count === 0) checks.push({ state: "stop", text: "Nobody is in the segment now.", link: { to: "/segments/$name", params: { name: segment.name }, label: "Look at the segment" } });
  else if (isSmall(segment)) checks.push({ state: "warn", text: `Only ${people(segment.count)} in “${segment.name}”, which should have at least ${count(segment.warn_below ?? 0)}.`, link: { to: "/segments/$name", params: { name: segment.name }, label: "Look at the segment" } });
  else checks.push({ state: "ok", text: `${people(segment.count)} in “${segment.name}”.` });

  if (!input.template) checks.push({ state: "stop", text: "Choose a template." });
  else if (!template) checks.push({ state: "stop", text: `There is no template “${input.template}”.` });
  else {
    const link: Check["link"] = { to: "/templates/$name", params: { name: template.name }, label: "Look at the template" };
    const warnings = template.warnings ?? [];
    if (warnings.length > 0) checks.push({ state: "warn", text: `The template has ${plural(warnings.length, "warning")}.`, link });
    else checks.push({ state: "ok", text: "The template is fine.", link });
  }

  const domain = domainOf(input.from);
  if (!domain) checks.push({ state: "stop", text: "Say who writes, as in Shop <news@shop.example>." });
  else if (mail === "sink") checks.push({ state: "ok", text: "Mail goes to the built-in mailbox; nothing leaves this machine." });
  else if (domains && !domains.some((d) => domain === d.domain.toLowerCase() || domain.endsWith(`.${d.domain.toLowerCase()}`)))
    checks.push({ state: "warn", text: `${domain} is no sending domain yet. Publish its DNS records, or mail may land in spam.`, link: { to: "/settings/domains", label: "See the records" } });
  else if (domains) checks.push({ state: "ok", text: `Signed for ${domain}.` });
  return checks;
}

export function useReadiness(input: CampaignInput) {
  const { mail } = useSession();
  const segments = useQuery(segmentsQuery);
  const templates = useQuery(templatesQuery);
  const domains = useQuery(sendingDomainsQuery);
  const segment = segments.data?.find((s) => s.name === input.segment);
  const loaded = !!segments.data && !!templates.data;
  const checks = loaded ? readiness(input, segment, templates.data.find((t) => t.name === input.template), domains.data, mail) : [];
  return { checks, segment, loaded };
}

import type { Campaign, CampaignInput } from "../api/types";

export const blank: CampaignInput = { segment: "", template: "", from: "", reply_to: "", utm: {}, conversion_event: "", conversion_value: "", conversion_window: "" };

/** The editable part of a campaign, every field present. */
export function inputOf(c: Campaign): CampaignInput {
  return {
    segment: c.segment,
    template: c.template,
    from: c.from,
    reply_to: c.reply_to ?? "",
    utm: c.utm ?? {},
    conversion_event: c.conversion_event ?? "",
    conversion_value: c.conversion_value ?? "",
    conversion_window: c.conversion_window ?? "",
  };
}

/** What is sent to the server: fields left empty are left out, so that its defaults apply. */
export function trimmed(input: CampaignInput): CampaignInput {
  const keep = (v: string | undefined) => v?.trim() || undefined;
  const utm = { source: keep(input.utm?.source), medium: keep(input.utm?.medium), campaign: keep(input.utm?.campaign) };
  return {
    segment: input.segment,
    template: input.template,
    from: input.from.trim(),
    reply_to: keep(input.reply_to),
    utm: utm.source || utm.medium || utm.campaign ? utm : undefined,
    conversion_event: keep(input.conversion_event),
    conversion_value: keep(input.conversion_value),
    conversion_window: keep(input.conversion_window),
  };
}

/** What is missing before it is worth asking the server, by field. */
export function missing(input: CampaignInput): Record<string, string> {
  const errors: Record<string, string> = {};
  if (!input.segment) errors.segment = "Choose whom to write to.";
  if (!input.template) errors.template = "Choose what to send.";
  if (!address(input.from)) errors.from = input.from.trim() ? "Write an address, as in Shop <news@shop.example>." : "Say who writes, as in Shop <news@shop.example>.";
  if (input.reply_to?.trim() && !address(input.reply_to)) errors.reply_to = "Write an address, as in help@shop.example.";
  if (input.conversion_window?.trim() && !/^\d+[smhdw]$/.test(input.conversion_window.trim())) errors.conversion_window = "Write a length such as 12h, 5d or 2w.";
  return errors;
}

/** The bare address of "Name <local@domain>" or "local@domain"; "" when there is none. */
export function address(text: string): string {
  const bare = (/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).trim();
  return /^[^\s@<>"]+@[^\s@<>"]+$/.test(bare) ? bare : "";
}

/** The domain of an address, lower case; "" when there is none. */
export function domainOf(text: string): string {
  return address(text).split("@")[1]?.toLowerCase() ?? "";
}

import { Badge } from "@mantine/core";
import type { Profile } from "../api/types";

/** Whether mail can go to a customer: only to an address, and not to whoever unsubscribed. */
export type Reach = "mail" | "unsubscribed" | "no address";

export function reachOf(p: Pick<Profile, "traits" | "identifiers" | "subscribed">): Reach {
  const address = p.identifiers.some((i) => i.type === "email") || (typeof p.traits.email === "string" && p.traits.email.trim() !== "");
  return !address ? "no address" : p.subscribed ? "mail" : "unsubscribed";
}

const words: Record<Reach, string> = { mail: "Gets mail", unsubscribed: "Unsubscribed", "no address": "No address" };

export function ReachBadge({ profile }: { profile: Profile }) {
  const reach = reachOf(profile);
  return <Badge color={reach === "mail" ? "leaf" : "gray"}>{words[reach]}</Badge>;
}

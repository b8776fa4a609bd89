/** The tabs of a customer's page beside the timeline. */
export type ProfileTab = "messages" | "segments";

export const profileTab = (tab: unknown): ProfileTab | undefined => (tab === "messages" || tab === "segments" ? tab : undefined);

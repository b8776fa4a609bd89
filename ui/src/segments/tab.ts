/** The tabs of a segment's page beside its condition. */
export type SegmentTab = "people" | "overlap" | "history";

export const segmentTab = (tab: unknown): SegmentTab | undefined => (tab === "people" || tab === "overlap" || tab === "history" ? tab : undefined);

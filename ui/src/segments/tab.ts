/** The tabs of a segment's page beside its condition. */
export type SegmentTab = "people" | "overlap" | "runs" | "history";

export const segmentTab = (tab: unknown): SegmentTab | undefined => (tab === "people" || tab === "overlap" || tab === "runs" || tab === "history" ? tab : undefined);

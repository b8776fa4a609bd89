import { Badge } from "@mantine/core";
import type { Source } from "../api/types";

const looks = {
  paused: { color: "gray", text: "Paused" },
  starting: { color: "amber", text: "Connecting" },
  running: { color: "leaf", text: "Running" },
  troubled: { color: "red", text: "Not reading" },
  full: { color: "red", text: "Stopped: quarantine full" },
} as const;

export function State({ of }: { of: Source }) {
  const look = looks[of.status.state];
  return <Badge color={look.color}>{look.text}</Badge>;
}

/** A span of time for people: how far behind a source is. */
export function span(seconds: number): string {
  if (seconds < 1) return "now";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

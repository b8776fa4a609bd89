import { Badge } from "@mantine/core";
import type { Message } from "../api/types";

const words: Record<Message["status"], { text: string; color: string }> = {
  queued: { text: "Waiting", color: "gray" },
  sending: { text: "Sending", color: "gray" },
  sent: { text: "Sent", color: "leaf" },
  bounced: { text: "Bounced", color: "red" },
  failed: { text: "Failed", color: "red" },
  skipped: { text: "Left out", color: "gray" },
  in_doubt: { text: "In doubt", color: "amber" },
};

/** How far a message came: what the customer did with it outranks that it was sent. */
export function MessageStatus({ message: m }: { message: Message }) {
  const best = m.unsubscribed_at
    ? { text: "Unsubscribed", color: "red" }
    : m.clicked_at
      ? { text: "Clicked", color: "rufous" }
      : m.opened_at
        ? { text: "Opened", color: "leaf" }
        : words[m.status];
  return (
    <Badge color={best.color} title={m.reason || undefined}>
      {best.text}
      {m.reason && (m.status === "skipped" || m.status === "failed") ? `: ${m.reason.replace(/_/g, " ")}` : ""}
    </Badge>
  );
}

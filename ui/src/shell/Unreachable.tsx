import { Button } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { explain } from "../api/problem";
import { Empty } from "../elements/Empty";

/** Shown when a page could not be drawn at all: the server is away, or a part of the application failed to load. */
export function Unreachable({ error, reset }: { error: unknown; reset?: () => void }) {
  const router = useRouter();
  const again = async () => {
    await router.invalidate();
    reset?.();
  };
  const stale = error instanceof Error && /dynamically imported module|module script/i.test(error.message);
  return (
    <Empty
      icon="warning"
      title={stale ? "Tailorbird was updated" : "This page did not load"}
      actions={<Button onClick={stale ? () => location.reload() : again}>{stale ? "Load the new version" : "Try again"}</Button>}
    >
      {stale ? "Load the page again to use the new version." : explain(error)}
    </Empty>
  );
}

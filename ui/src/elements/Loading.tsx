import { Skeleton, VisuallyHidden } from "@mantine/core";

/** Grey lines in the shape of what is coming. */
export function Loading({ lines = 5, height = 18, what = "Loading" }: { lines?: number; height?: number; what?: string }) {
  return (
    <div role="status" style={{ display: "grid", gap: 14, padding: 18 }}>
      <VisuallyHidden>{what}…</VisuallyHidden>
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} height={height} width={`${[92, 78, 85, 64, 71][i % 5]}%`} radius="sm" />
      ))}
    </div>
  );
}

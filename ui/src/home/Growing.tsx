import type { Loop } from "../api/types";
import { Icon } from "../brand/Icon";
import css from "./home.module.css";

/** More events a second than any shop's customers make: a file is being imported. */
const importing = 1000;

/** Whether history is still on its way into the numbers. */
export function growing(loop: Pick<Loop, "events_per_second" | "building_segments">): boolean {
  return loop.events_per_second > importing || (loop.building_segments ?? []).length > 0;
}

/** A calm word while history is being loaded. */
export function Growing({ loop }: { loop: Loop }) {
  if (!growing(loop)) return null;
  return (
    <div className={css.growing} role="status">
      <Icon name="dot" size={18} />
      History is being loaded; numbers are still growing.
    </div>
  );
}

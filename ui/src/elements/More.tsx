import { Button } from "@mantine/core";
import css from "./elements.module.css";

interface Paged {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => unknown;
}

/** The way to the next page of a list; nothing at its end. */
export function More({ list, what }: { list: Paged; what: string }) {
  if (!list.hasNextPage) return null;
  return (
    <div className={css.more}>
      <Button variant="subtle" loading={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
        {list.isFetchNextPageError ? "That did not work. Try again" : `Show more ${what}`}
      </Button>
    </div>
  );
}

import { type InfiniteData, infiniteQueryOptions } from "@tanstack/react-query";
import { get, type Params } from "./client";
import type { Page } from "./types";

/** All items of the pages read so far, in order; an item that two pages share (rows moved between reads) appears once. */
export function flatten<T>(pages: Page<T>[], id: (item: T) => string): T[] {
  const seen = new Set<string>();
  const items: T[] = [];
  for (const page of pages) {
    for (const item of page.items ?? []) {
      const key = id(item);
      if (seen.has(key)) continue;
      seen.add(key);
      items.push(item);
    }
  }
  return items;
}

/** The cursor of the page after this one, or undefined at the end. */
export function nextCursor<T>(page: Page<T>): string | undefined {
  return page.next_cursor || undefined;
}

/** A list read page by page. Its data is the items themselves. */
export function pagedOptions<T>(key: readonly unknown[], at: string, id: (item: T) => string, params: Params = {}, limit = 50) {
  return infiniteQueryOptions({
    queryKey: [...key, params],
    queryFn: ({ pageParam, signal }) => get<Page<T>>(at, { ...params, limit, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextCursor<T>,
    select: (data: InfiniteData<Page<T>, string | undefined>) => flatten(data.pages, id),
  });
}

/** Every item of a list that is short by nature (definitions, keys), following the cursors up to a bound. */
export async function all<T>(at: string, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 20; page++) {
    const answer = await get<Page<T>>(at, { limit: 200, cursor }, signal);
    items.push(...(answer.items ?? []));
    cursor = nextCursor(answer);
    if (!cursor) break;
  }
  return items;
}

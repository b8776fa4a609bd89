import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { profilesQuery } from "../api/queries";

/** The customers that match, page by page. A page of a search may be empty and not the last; then the search goes on by itself. */
export function useCustomers(filter: { q?: string; segment?: string }) {
  const list = useInfiniteQuery(profilesQuery(filter));
  const searching = list.data?.length === 0 && list.hasNextPage && !list.isFetchNextPageError;
  const { fetchNextPage, isFetching } = list;
  useEffect(() => {
    if (searching && !isFetching) void fetchNextPage();
  }, [searching, isFetching, fetchNextPage]);
  return { ...list, searching };
}

import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "../api/queries";
import type { Session } from "../api/types";

/** The session of the signed-in key. Only for components inside the shell, which exists only with a session. */
export function useSession(): Session {
  const { data } = useQuery(sessionQuery);
  return data ?? { key_name: "", scopes: [], version: "", demo: false, mail: "sink", public_url: location.origin };
}

export type Scope = "read" | "write" | "send" | "admin";

/** Whether the key may do this; the server decides in the end. */
export function useCan(scope: Scope): boolean {
  return useSession().scopes.includes(scope);
}

import { ApiError, problemOf } from "./problem";

/** Query parameters; undefined and empty values are left out. */
export type Params = Record<string, string | number | undefined>;

/** A path from literal and variable parts; variable parts are escaped: path`/segments/${name}`. */
export function path(literals: TemplateStringsArray, ...values: string[]): string {
  return literals.reduce((all, part, i) => all + part + (i < values.length ? encodeURIComponent(values[i]!) : ""), "");
}

export function url(at: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `/api/v1${at}${text ? `?${text}` : ""}`;
}

async function call<T>(method: string, at: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(at, {
      method,
      signal,
      credentials: "same-origin",
      headers: body === undefined ? undefined : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "offline" });
  }
  if (!response.ok) throw await problemOf(response);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(at: string, params?: Params, signal?: AbortSignal) => call<T>("GET", url(at, params), undefined, signal);
export const post = <T>(at: string, body?: unknown, signal?: AbortSignal) => call<T>("POST", url(at), body, signal);
export const put = <T>(at: string, body: unknown) => call<T>("PUT", url(at), body);
export const remove = (at: string) => call<void>("DELETE", url(at));

import type { Problem, ProblemError } from "./types";

/** An answer of the API that is not a success, or no answer at all (status 0, code "offline"). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: ProblemError[];

  constructor(status: number, problem: Problem) {
    super(problem.detail || problem.title || words(status));
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? "internal";
    this.errors = problem.errors ?? [];
  }
}

function words(status: number): string {
  if (status === 0) return "Tailorbird does not answer. Check that it is running and that you are online.";
  if (status === 401) return "You are signed out.";
  if (status === 403) return "Your key does not allow this.";
  if (status === 404) return "This does not exist, or no longer.";
  if (status === 429 || status === 503) return "Tailorbird is busy. Try again in a moment.";
  return `Something went wrong on the server (status ${status}).`;
}

/** Reads an unsuccessful response; a body that is not problem details still gives a readable error. */
export async function problemOf(response: Response): Promise<ApiError> {
  let problem: Problem = {};
  try {
    const body: unknown = await response.json();
    if (body && typeof body === "object") problem = body as Problem;
  } catch {
    // not JSON: a proxy's page, say
  }
  return new ApiError(response.status, problem);
}

/** The message of each wrong field, by the last part of its location: "body.from" is "from", "body.utm.source" "utm.source". */
export function fieldErrors(error: unknown): Record<string, string> {
  const fields: Record<string, string> = {};
  if (!(error instanceof ApiError)) return fields;
  for (const e of error.errors) {
    const field = (e.location ?? "").replace(/^body\.?/, "");
    if (field && !(field in fields)) fields[field] = sentence(e.message);
  }
  return fields;
}

/** The errors that point into the text of one field of the body. Errors without a location count when they have a line. */
export function textErrors(error: unknown, field: string): ProblemError[] {
  if (!(error instanceof ApiError)) return [];
  return error.errors.filter((e) => (e.location ? e.location === `body.${field}` || e.location === field : e.line !== undefined)).map((e) => ({ ...e, message: sentence(e.message) }));
}

/** A message as a sentence of its own, with a capital; one that begins with code or a quotation stays. */
export function sentence(message: string): string {
  return /^[a-z]+[ ,]/.test(message) ? message.charAt(0).toUpperCase() + message.slice(1) : message;
}

/** What to tell a person about any thrown thing. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    const first = error.errors[0];
    return sentence(first && error.status === 422 ? first.message : error.message);
  }
  return error instanceof Error ? error.message : "Something went wrong.";
}

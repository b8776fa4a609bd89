/** Why a name cannot be used, or "" when it can. The server has the last word. */
export function nameProblem(name: string, taken: string[]): string {
  if (name === "") return "Give it a name.";
  if (name.length > 64) return "Use at most 64 characters.";
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) return "Use a to z, digits, - and _, beginning with a letter or digit.";
  if (name === "new") return "“new” is reserved. Choose another name.";
  if (taken.includes(name)) return "There is one with this name already.";
  return "";
}

/** What is typed into a name field, with capitals and spaces made such as names have: "Big spenders" is "big-spenders". */
export function asName(typed: string, joint: "-" | "_" = "-"): string {
  return typed.toLowerCase().replace(/\s+/g, joint);
}

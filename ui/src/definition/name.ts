/** Why a name cannot be used, or "" when it can. The server has the last word. */
export function nameProblem(name: string, taken: string[]): string {
  const text = name.trim();
  if (text === "") return "Give it a name.";
  if (text.length > 100) return "Use at most 100 characters.";
  if (text === "new") return "“new” is reserved. Choose another name.";
  if (/[/\\?#%]/.test(text)) return "Leave out / \\ ? # and %.";
  if (taken.includes(text)) return "There is one with this name already.";
  return "";
}

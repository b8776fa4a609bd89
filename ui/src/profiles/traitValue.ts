/** What a person can say a trait is. */
export type Sort = "text" | "number" | "boolean" | "none" | "json";

export const sorts: { value: Sort; label: string }[] = [
  { value: "text", label: "Text" },
  { value: "number", label: "Number" },
  { value: "boolean", label: "Yes or no" },
  { value: "json", label: "List or JSON" },
  { value: "none", label: "Nothing: as if it were not there" },
];

/** The sort of a value, and the text in which it is written. */
export function written(v: unknown): { sort: Sort; text: string } {
  if (v === undefined || typeof v === "string") return { sort: "text", text: v ?? "" };
  if (v === null) return { sort: "none", text: "" };
  if (typeof v === "number") return { sort: "number", text: String(v) };
  if (typeof v === "boolean") return { sort: "boolean", text: String(v) };
  return { sort: "json", text: JSON.stringify(v) };
}

/** What a text says, or why it is none of that sort. */
export function read(sort: Sort, text: string): { value: unknown } | { wrong: string } {
  switch (sort) {
    case "text":
      return text ? { value: text } : { wrong: "Write the value, or choose “Nothing”." };
    case "number": {
      const n = Number(text.trim().replace(",", "."));
      return text.trim() && Number.isFinite(n) ? { value: n } : { wrong: "Write a number, as in 12.5." };
    }
    case "boolean":
      return { value: text !== "false" };
    case "none":
      return { value: null };
    case "json":
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { wrong: 'Write JSON, as in ["red", "blue"].' };
      }
  }
}

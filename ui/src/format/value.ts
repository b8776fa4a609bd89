import { amount, count } from "./number";
import { dateTime } from "./time";

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** A trait or property as a person reads it. Structures become compact JSON, cut at `limit` characters. */
export function value(v: unknown, limit = 160): string {
  if (v === null || v === undefined || v === "") return "–";
  if (typeof v === "boolean") return v ? "yes" : "no";
  if (typeof v === "number") return Number.isInteger(v) ? (Math.abs(v) < 10_000 ? String(v) : count(v)) : amount(v);
  if (typeof v === "string") return isoTime.test(v) ? dateTime(v) : cut(v, limit);
  if (Array.isArray(v) && v.every((x) => typeof x !== "object" || x === null)) return cut(v.map((x) => value(x)).join(", "), limit) || "–";
  return cut(JSON.stringify(v), limit);
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).trimEnd()}…`;
}

/** A list of things, such as an order's products, as a line for each: "Wool socks × 2 · 14.50". Null for any other value. */
export function lines(v: unknown, limit = 20): string[] | null {
  if (!Array.isArray(v) || v.length === 0 || !v.every((x) => typeof x === "object" && x !== null && !Array.isArray(x))) return null;
  const all = (v as Record<string, unknown>[]).map((x) => {
    const name = x.name ?? x.title ?? x.product_id ?? x.sku ?? x.id;
    if (name === undefined) return value(x);
    const quantity = typeof x.quantity === "number" && x.quantity !== 1 ? ` × ${count(x.quantity)}` : "";
    const price = typeof x.price === "number" ? ` · ${amount(x.price)}` : "";
    return `${value(name)}${quantity}${price}`;
  });
  return all.length <= limit ? all : [...all.slice(0, limit), `and ${count(all.length - limit)} more`];
}

/** Whether a string is a point in time, whose exact UTC form should be shown on hover. */
export function isTime(v: unknown): v is string {
  return typeof v === "string" && isoTime.test(v);
}

const initialisms = new Set(["id", "url", "ip", "vip", "rfm", "utm", "sku"]);

/** "first_name" and "firstName" are "First name"; "loyalty_id" is "Loyalty ID". */
export function label(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").trim().split(/\s+/);
  return words
    .map((word, i) => {
      const lower = word.toLowerCase();
      if (initialisms.has(lower)) return lower.toUpperCase();
      return i === 0 ? lower.charAt(0).toUpperCase() + lower.slice(1) : lower;
    })
    .join(" ");
}

/** The one line that sums up an event beside its name: what was viewed, how much was paid. */
export function gist(name: string, properties: Record<string, unknown>): string {
  const p = properties ?? {};
  const parts: string[] = [];
  const products = Array.isArray(p.products) ? p.products.length : 0;
  const title = p.name ?? p.product_name ?? p.title ?? p.link ?? p.query ?? p.path ?? p.url ?? p.campaign;
  if (typeof title === "string" && title !== name) parts.push(cut(title, 60));
  if (products > 0) parts.push(products === 1 ? "1 product" : `${products} products`);
  const money = p.total ?? p.revenue ?? p.value ?? p.price;
  if (typeof money === "number") parts.push(amount(money));
  if (typeof p.order_id === "string") parts.push(`order ${cut(p.order_id, 24)}`);
  if (p.machine === true) parts.push("by a machine");
  return parts.slice(0, 3).join(" · ");
}

/** Up to two letters for an avatar. */
export function initials(text: string): string {
  if (/^anonymous/i.test(text)) return "?";
  const words = text.replace(/@.*/, "").split(/[\s._-]+/).filter((w) => /[\p{L}\p{N}]/u.test(w));
  const letters = words.length > 1 ? [words[0]!, words[words.length - 1]!] : words;
  return letters.map((w) => [...w][0]!.toUpperCase()).join("") || "?";
}

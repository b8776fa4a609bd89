const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const compactly = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });
const money = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** 12,345 */
export function count(n: number): string {
  return whole.format(n);
}

/** 12.3K, for axes and narrow places. */
export function compact(n: number): string {
  return compactly.format(n);
}

/** 1,234.50; the shop's own currency, which Tailorbird does not know. From 100,000 on without cents. */
export function amount(n: number): string {
  return Math.abs(n) >= 100_000 ? whole.format(n) : money.format(n);
}

/** The share of part in whole as people read it: "12.3%", "0%", "<0.1%", "–" when there is no whole. */
export function share(part: number, of: number): string {
  if (of <= 0) return "–";
  const percent = (100 * part) / of;
  if (percent === 0) return "0%";
  if (percent < 0.1) return "<0.1%";
  if (percent < 100 && percent > 99.9) return ">99.9%";
  return `${percent.toFixed(percent < 10 ? 1 : percent >= 99.95 ? 0 : 1).replace(/\.0$/, "")}%`;
}

/** people(1) is "1 person", people(20) "20 people". */
export function people(n: number): string {
  return n === 1 ? "1 person" : `${count(n)} people`;
}

/** plural(2, "warning") is "2 warnings". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A number without digits that mean nothing beside an uncertainty: rounded(12345, 400) is 12300. */
export function rounded(n: number, uncertainty: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, uncertainty))));
  return Math.round(n / unit) * unit;
}

/** size(1234567) is "1.2 MB". */
export function size(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let n = bytes;
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${n < 9.95 && unit > 0 ? n.toFixed(1) : whole.format(n)} ${units[unit]}`;
}

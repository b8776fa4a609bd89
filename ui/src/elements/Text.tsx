import { Fragment } from "react";
import css from "./elements.module.css";

const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const web = /^https?:\/\/\S+$/i;

/** A value's text: an e-mail address breaks only at its @ and dots, and a web address is a short link. */
export function Text({ of }: { of: string }) {
  if (web.test(of)) {
    return (
      <a href={of} target="_blank" rel="noreferrer" title={of}>
        {short(of)}
      </a>
    );
  }
  if (!email.test(of)) return <>{of}</>;
  return (
    <>
      {of.split(/(?=[.@])/).map((part, i) => (
        <Fragment key={i}>
          {i > 0 && <wbr />}
          <span className={part.length <= 28 ? css.whole : undefined}>{part}</span>
        </Fragment>
      ))}
    </>
  );
}

/** The end of a web address, which tells it from others, behind its host: "shop.example/…/lamp.png". */
export function short(address: string): string {
  try {
    const u = new URL(address);
    const parts = u.pathname.split("/").filter(Boolean);
    const end = parts.at(-1);
    if (!end) return u.host;
    return `${u.host}/${parts.length > 1 ? "…/" : ""}${end.length > 40 ? `${end.slice(0, 39)}…` : end}`;
  } catch {
    return address;
  }
}

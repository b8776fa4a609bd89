// How a mail is put into the preview's frame. The frame is sandboxed: no scripts, no access to this page.

export interface Look {
  dark: boolean;
  /** Links open in a new tab instead of inside the frame. */
  links: boolean;
}

/** Whether a mail brings its own colours for dark mode. */
export function hasDarkStyles(html: string): boolean {
  return /prefers-color-scheme\s*:\s*dark/i.test(html) || /\[data-ogs[cb]\]/i.test(html);
}

/**
 * The mail as a document for the frame's srcdoc. In dark mode a mail with dark styles shows them (the frame asks for
 * them by its colour scheme); one without is inverted as many phones do, pictures kept as they are.
 */
export function mailDocument(html: string, look: Look): string {
  const head: string[] = [];
  if (look.links) head.push('<base target="_blank">');
  if (look.dark) {
    if (hasDarkStyles(html)) head.push("<style>:root{color-scheme:dark}</style>");
    else head.push("<style>html{background:#fff;filter:invert(1) hue-rotate(180deg)}img,video,[background],[style*='background-image']{filter:invert(1) hue-rotate(180deg)}</style>");
  }
  return intoHead(html, head.join(""));
}

/** Puts markup at the beginning of a document's head, which may be missing; a doctype stays first. */
function intoHead(html: string, markup: string): string {
  if (!markup) return html;
  const head = /<head(\s[^>]*)?>/i.exec(html);
  if (head) return splice(html, head.index + head[0].length, markup);
  const root = /<html(\s[^>]*)?>/i.exec(html);
  if (root) return splice(html, root.index + root[0].length, `<head>${markup}</head>`);
  const doctype = /^\s*<!doctype[^>]*>/i.exec(html);
  return splice(html, doctype ? doctype[0].length : 0, `<head>${markup}</head>`);
}

function splice(text: string, at: number, part: string): string {
  return text.slice(0, at) + part + text.slice(at);
}

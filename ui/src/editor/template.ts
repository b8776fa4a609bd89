import { html } from "@codemirror/lang-html";
import { liquid } from "@codemirror/lang-liquid";
import type { Extension } from "@codemirror/state";

const mjml = [
  "mjml", "mj-head", "mj-attributes", "mj-all", "mj-breakpoint", "mj-class", "mj-font", "mj-preview", "mj-style", "mj-title", "mj-body", "mj-wrapper", "mj-section",
  "mj-group", "mj-column", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-raw", "mj-hero", "mj-navbar", "mj-navbar-link",
  "mj-social", "mj-social-element", "mj-accordion", "mj-accordion-element", "mj-accordion-title", "mj-accordion-text", "mj-carousel", "mj-carousel-image",
];

/** The language of template bodies: Liquid over HTML, with MJML's tags where the format is MJML. */
export function template(format: "mjml" | "html"): Extension {
  const extraTags = format === "mjml" ? Object.fromEntries(mjml.map((tag) => [tag, {}])) : undefined;
  return liquid({ base: html({ extraTags, matchClosingTags: true }) });
}

import type { TemplateInput } from "../api/types";

// Where a new template begins: complete, with a fallback for every name and the link that every mail needs.
export const starters: Record<"mjml" | "html", TemplateInput> = {
  mjml: {
    subject: "{{ first_name | default: 'Hello' }}, something for you",
    preheader: "",
    format: "mjml",
    text: "",
    body: `<mjml>
  <mj-body background-color="#f4f6f4">
    <mj-section background-color="#ffffff" padding="32px 24px">
      <mj-column>
        <mj-text font-size="24px" font-weight="600">
          Hello {{ first_name | default: "there" }}
        </mj-text>
        <mj-text font-size="16px" line-height="1.5">
          Write what you have to say here.
        </mj-text>
        <mj-button href="https://shop.example/" background-color="#256648">
          Have a look
        </mj-button>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px" color="#66736c">
          <a href="{{ unsubscribe_url }}">Unsubscribe</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
`,
  },
  html: {
    subject: "{{ first_name | default: 'Hello' }}, something for you",
    preheader: "",
    format: "html",
    text: "",
    body: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; margin: 0; padding: 24px">
    <h1>Hello {{ first_name | default: "there" }}</h1>
    <p>Write what you have to say here.</p>
    <p><a href="https://shop.example/">Have a look</a></p>
    <p><small><a href="{{ unsubscribe_url }}">Unsubscribe</a></small></p>
  </body>
</html>
`,
  },
};

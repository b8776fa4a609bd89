// Every page of the web application, with the name of its picture, and what to do there first.

/** @returns {Promise<{name: string, path: string, title: string | RegExp, first?: (page: import("playwright-core").Page) => Promise<unknown>}[]>} */
export async function pages(program) {
  const { items } = await program.api("GET", "/profiles?segment=frequent&limit=1");
  const customer = items[0] ?? (await program.api("GET", "/profiles?limit=1")).items[0];
  return [
    { name: "home", path: "/", title: "Home" },
    { name: "customers", path: "/profiles", title: "Customers" },
    { name: "customer", path: `/profiles/${customer.id}`, title: customer.label },
    { name: "customer-why", path: `/profiles/${customer.id}`, title: customer.label, first: (page) => page.getByRole("button", { name: "frequent" }).click() },
    { name: "segments", path: "/segments", title: "Segments" },
    { name: "segment", path: "/segments/frequent", title: "frequent" },
    { name: "builder", path: "/segments/browsers-not-buyers", title: "browsers-not-buyers" },
    { name: "segment-overlap", path: "/segments/frequent?tab=overlap", title: "frequent" },
    { name: "segment-history", path: "/segments/frequent?tab=history", title: "frequent" },
    { name: "segment-new", path: "/segments/new", title: "New segment" },
    { name: "traits", path: "/traits", title: /traits/i },
    { name: "trait", path: "/traits/lifetime_value", title: "lifetime_value" },
    { name: "templates", path: "/templates", title: "Templates" },
    { name: "template", path: `/templates/newsletter?as=${customer.id}`, title: "newsletter" },
    { name: "campaigns", path: "/campaigns", title: "Campaigns" },
    { name: "campaign-new", path: "/campaigns/new", title: "New campaign" },
    { name: "campaign-draft", path: "/campaigns/come-back", title: "come-back" },
    { name: "campaign", path: "/campaigns/picks-for-you", title: "picks-for-you" },
    { name: "mailbox", path: "/mailbox", title: "Mailbox" },
    { name: "keys", path: "/settings/keys", title: /./ },
    { name: "suppressions", path: "/settings/suppressions", title: /./ },
    { name: "domains", path: "/settings/domains", title: /./ },
  ];
}

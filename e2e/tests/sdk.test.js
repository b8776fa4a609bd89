// The official Segment SDK for Node, as it comes from npm, drives the tracking API.

import { Analytics } from "@segment/analytics-node";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, Program, writeKey } from "../lib/program.js";

let program;
before(async () => {
  program = await Program.start("serve");
});
after(() => program?.stop());

function analytics(options = {}) {
  const sdk = new Analytics({ writeKey, host: program.url, flushAt: 5, maxRetries: 2, ...options });
  const errors = [];
  sdk.on("error", (error) => errors.push(error));
  return { sdk, errors };
}

test("identify, track, page, group and alias make one profile", async () => {
  const { sdk, errors } = analytics();
  const at = new Date("2026-03-01T12:00:00.000Z");
  sdk.track({ anonymousId: "visitor-1", event: "Product Viewed", properties: { product_id: "lamp", price: 39.5 }, timestamp: at });
  sdk.page({ anonymousId: "visitor-1", name: "Lamps", properties: { path: "/lamps" } });
  sdk.identify({ userId: "ada", anonymousId: "visitor-1", traits: { email: "Ada@Example.com", first_name: "Ada" } });
  sdk.track({ userId: "ada", event: "Order Completed", properties: { order_id: "1", total: 39.5, products: [{ product_id: "lamp", quantity: 1 }] } });
  sdk.group({ userId: "ada", groupId: "engines", traits: { name: "Analytical Engines" } });
  sdk.screen({ userId: "ada", name: "Basket" });
  sdk.track({ anonymousId: "telephone", event: "App Opened" });
  sdk.alias({ userId: "ada", previousId: "telephone" });
  await sdk.closeAndFlush({ timeout: 10_000 });
  assert.deepEqual(errors, []);

  const profile = await program.profile("email:ada@example.com");
  assert.equal(profile.traits.first_name, "Ada");
  const known = profile.identifiers.map((i) => `${i.type}:${i.value}`);
  for (const identifier of ["user_id:ada", "anonymous_id:visitor-1", "email:ada@example.com"]) assert.ok(known.includes(identifier), `${identifier} in ${known}`);
  const { items } = await program.api("GET", `/profiles/${profile.id}/events?limit=50`);
  assert.deepEqual(items.map((e) => e.name).sort(), ["Aliased", "App Opened", "Group Joined", "Identified", "Order Completed", "Page Viewed", "Product Viewed", "Screen Viewed"]);
  const viewed = items.find((e) => e.name === "Product Viewed");
  assert.equal(viewed.properties.price, 39.5);
  // Corrected for the sender's clock, which is ours: a few milliseconds between two readings of it.
  assert.ok(Math.abs(new Date(viewed.timestamp) - at) < 1000, viewed.timestamp);
  assert.equal((await program.profile("anonymous_id:telephone")).id, profile.id);
});

test("what is sent twice counts once", async () => {
  const { sdk, errors } = analytics();
  for (let i = 0; i < 3; i++) sdk.track({ userId: "twice", messageId: "the-same", event: "Clicked" });
  await sdk.closeAndFlush();
  assert.deepEqual(errors, []);
  const profile = await program.profile("user_id:twice");
  assert.equal((await program.api("GET", `/profiles/${profile.id}/events`)).items.length, 1);
});

test("a thousand events in batches arrive", async () => {
  const { sdk, errors } = analytics({ flushAt: 100 });
  for (let i = 0; i < 1000; i++) sdk.track({ userId: `many-${i % 10}`, event: "Product Viewed", properties: { i } });
  await sdk.closeAndFlush();
  assert.deepEqual(errors, []);
  let found = 0;
  for (let i = 0; i < 10; i++) {
    const profile = await eventually(`many-${i}`, () => program.profile(`user_id:many-${i}`));
    found += (await program.api("GET", `/profiles/${profile.id}/events?limit=200`)).items.length;
  }
  assert.equal(found, 1000);
});

test("a wrong write key is an error that the SDK reports", async () => {
  const { sdk, errors } = analytics({ writeKey: "wrong", maxRetries: 0 });
  sdk.track({ userId: "nobody", event: "Clicked" });
  await sdk.closeAndFlush();
  assert.equal(errors.length, 1);
  assert.equal(await program.profile("user_id:nobody"), undefined);
});

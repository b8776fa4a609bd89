import { describe, expect, it } from "vitest";
import type { Profile } from "../api/types";
import { compare, percent } from "./compare";

const person = (traits: Record<string, unknown>, identifiers: { type: string; value: string }[] = []) => ({ traits, identifiers }) as unknown as Profile;

describe("two customers side by side", () => {
  it("shows what differs first, takes objects apart, and does not mind case", () => {
    const rows = compare(
      person({ firstName: "Ada", lastName: "Lovelace", address: { city: "London", street: "12 St James's Square" }, email: "ada@example.com" }, [{ type: "email", value: "ada@example.com" }]),
      person({ firstName: "ADA", lastName: "Lovelac", address: { city: "London" } }, [{ type: "user_id", value: "7" }]),
    );
    expect(rows.map((r) => [r.label, r.state])).toEqual([
      ["Last name", "differs"], ["First name", "same"], ["Address: city", "same"],
      ["Address: street", "alone"], ["Email", "alone"], ["User ID", "alone"],
    ]);
  });

  it("is never certain", () => {
    expect([0.2, 0.93, 0.995, 0.99999].map(percent)).toEqual(["20%", "93%", "99.5%", "over 99.9%"]);
  });
});

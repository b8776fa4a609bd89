import { afterEach, describe, expect, it, vi } from "vitest";
import { get, path, url } from "./client";
import { all, flatten, nextCursor } from "./paging";
import { ApiError, explain, fieldErrors, textErrors } from "./problem";

afterEach(() => vi.unstubAllGlobals());

function answers(...responses: Response[]) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (at: string) => {
    asked.push(at);
    return responses.shift()!;
  });
  return asked;
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

describe("addresses", () => {
  it("escapes names and leaves out what is not asked", () => {
    expect(path`/segments/${"a b/ü?"}/versions`).toBe("/segments/a%20b%2F%C3%BC%3F/versions");
    expect(url("/profiles", { q: "a&b", segment: undefined, cursor: "", limit: 50 })).toBe("/api/v1/profiles?q=a%26b&limit=50");
  });
});

describe("paging", () => {
  it("joins pages, each item once", () => {
    const pages = [{ items: [{ id: "3" }, { id: "2" }], next_cursor: "c" }, { items: [{ id: "2" }, { id: "1" }] }];
    expect(flatten(pages, (x) => x.id).map((x) => x.id)).toEqual(["3", "2", "1"]);
  });

  it("ends where there is no cursor", () => {
    expect(nextCursor({ items: [], next_cursor: "" })).toBeUndefined();
    expect(nextCursor({ items: [], next_cursor: "c" })).toBe("c");
  });

  it("reads a short list to its end", async () => {
    const asked = answers(json({ items: [1, 2], next_cursor: "n" }), json({ items: [3] }));
    expect(await all("/traits")).toEqual([1, 2, 3]);
    expect(asked).toEqual(["/api/v1/traits?limit=200", "/api/v1/traits?limit=200&cursor=n"]);
  });
});

describe("problems", () => {
  const refused = new ApiError(422, {
    code: "invalid",
    detail: "The campaign is not valid.",
    errors: [
      { message: "is no address", location: "body.from" },
      { message: "second", location: "body.from" },
      { message: "too long", location: "body.utm.source" },
      { message: "syntax", location: "body.condition", line: 2, column: 5 },
    ],
  });

  it("finds the first message of each field", () => {
    expect(fieldErrors(refused)).toEqual({ from: "Is no address", "utm.source": "Too long", condition: "syntax" });
    expect(fieldErrors(new Error("x"))).toEqual({});
  });

  it("finds the errors inside one text", () => {
    expect(textErrors(refused, "condition")).toEqual([{ message: "syntax", location: "body.condition", line: 2, column: 5 }]);
    expect(textErrors(new ApiError(422, { errors: [{ message: "no place" }, { message: "here", line: 1 }] }), "condition").map((e) => e.message)).toEqual(["here"]);
  });

  it("reads problem details", async () => {
    answers(json({ status: 409, code: "conflict", detail: "The segment is in use." }, 409));
    await expect(get("/x")).rejects.toMatchObject({ status: 409, code: "conflict", message: "The segment is in use." });
  });

  it("explains answers that are no problem details, and none at all", async () => {
    answers(new Response("<html>Bad gateway</html>", { status: 502 }));
    await expect(get("/x")).rejects.toMatchObject({ status: 502, message: "Something went wrong on the server (status 502)." });
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    const offline = await get("/x").catch((e: unknown) => e);
    expect(explain(offline)).toMatch(/does not answer/);
  });
});

// Starts bin/tailorbird on a free port of the loopback network, with data of its own.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const root = path.resolve(import.meta.dirname, "../..");
export const binary = process.env.TAILORBIRD_BIN ?? path.join(root, "bin/tailorbird");
export const apiKey = "api-key-of-the-browser-tests";
export const writeKey = "write-key-of-the-browser-tests";

/** A running program: its address, and how to end it. */
export class Program {
  /**
   * @param {string} command "serve" or "demo"
   * @param {{args?: string[], until?: RegExp}} options until: the line of output to wait for, with the address before
   */
  static async start(command, { args = [], until = /^listening on / } = {}) {
    const program = new Program();
    program.data = await mkdtemp(path.join(tmpdir(), "tailorbird-e2e-"));
    program.process = spawn(binary, [command, "--data", program.data, "--listen", "127.0.0.1:0", ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TAILORBIRD_API_KEY: apiKey, TAILORBIRD_WRITE_KEY: writeKey, TAILORBIRD_LOG_LEVEL: "warn" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    program.log = "";
    program.process.stderr.on("data", (text) => (program.log += text));
    program.ended = new Promise((resolve) => program.process.once("exit", resolve));
    try {
      await program.#ready(until);
    } catch (error) {
      await program.stop();
      throw error;
    }
    return program;
  }

  async #ready(until) {
    const lines = createInterface({ input: this.process.stdout });
    for await (const line of lines) {
      const listening = /^listening on (http\S+)/.exec(line);
      if (listening) this.url = listening[1];
      if (this.url && until.test(line)) {
        lines.close();
        this.process.stdout.resume();
        return;
      }
    }
    throw new Error(`the program ended before it was ready:\n${this.log}`);
  }

  /** Ends the program as a service manager would, and removes its data. Gives the exit status. */
  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGTERM");
    const status = await this.ended;
    await rm(this.data, { recursive: true, force: true });
    return status;
  }

  /** Calls the management API; gives the answer's JSON. */
  async api(method, where, body) {
    const answer = await fetch(`${this.url}/api/v1${where}`, {
      method,
      headers: { Authorization: `Bearer ${apiKey}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Sends one event to the tracking API, as https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ describes. */
  async track(call, event) {
    const answer = await fetch(`${this.url}/v1/${call}`, {
      method: "POST",
      headers: { Authorization: `Basic ${btoa(`${writeKey}:`)}`, "Content-Type": "application/json" },
      body: JSON.stringify(event),
    });
    if (!answer.ok) throw new Error(`${call}: ${answer.status} ${await answer.text()}`);
  }

  /** The profile that holds an identifier such as "email:ada@example.com". */
  async profile(identifier) {
    const { items } = await this.api("GET", `/profiles?identifier=${encodeURIComponent(identifier)}`);
    return items[0];
  }
}

/** Waits until check gives something true, and gives that. */
export async function eventually(what, check, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`after ${seconds} s: still not ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

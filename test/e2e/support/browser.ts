// A headless Chromium that tests look at pages with, where there is one, driven by its DevTools protocol.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findProgram } from "../../find-program.ts";
import { eventually } from "./eventually.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

/** The program; undefined, with the reason printed, when there is none. */
export function findBrowser(): string | undefined {
  const found = ["chromium", "chromium-browser", "google-chrome"].map((name) => findProgram(name)).find(Boolean);
  if (found === undefined) console.warn("skipped: no chromium is installed");
  return found;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** One tab of a browser of its own. Whoever opens it closes it. */
export class BrowserTab {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #last = 0;
  /** Everything the tab told of itself since it was opened, by method: `Network.requestWillBeSent`. */
  readonly events: Message[] = [];

  private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      // The protocol's messages are JSON of this shape.
      const message = JSON.parse(String(data)) as Message;
      if (message.id === undefined) this.events.push(message);
      else this.#waiting.get(message.id)?.(message);
    });
  }

  static async open(program: string): Promise<BrowserTab> {
    const folder = mkdtempSync(join(tmpdir(), "browser-"));
    const process = spawn(program, [...FLAGS, `--user-data-dir=${join(folder, "profile")}`, "about:blank"], {
      stdio: "ignore",
    });
    const port = await eventually(
      () => readFileSync(join(folder, "profile", "DevToolsActivePort"), "utf8").split("\n")[0] ?? "",
      { withinMs: 30_000 },
    );
    const address = await eventually(async () => {
      const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as readonly {
        readonly type: string;
        readonly webSocketDebuggerUrl: string;
      }[];
      const page = targets.find(({ type }) => type === "page");
      if (page === undefined) throw new Error("the browser has no page");
      return page.webSocketDebuggerUrl;
    });
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error(`no connection to ${address}`)), { once: true });
    });
    const tab = new BrowserTab(process, folder, socket);
    for (const domain of ["Page", "Network", "Log", "Runtime"]) await tab.send(`${domain}.enable`);
    return tab;
  }

  /** A command of the protocol, and what it answers. */
  async send(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Message["result"]> {
    const id = ++this.#last;
    const { error, result } = await new Promise<Message>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Shows a page from a file, on a screen of this width in CSS pixels. */
  async show(
    page: string,
    { width, dark = false }: { readonly width: number; readonly dark?: boolean },
  ): Promise<void> {
    this.events.length = 0;
    const file = join(this.#folder, "page.html");
    writeFileSync(file, page);
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 740,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
    await this.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
    });
    await this.send("Page.navigate", { url: pathToFileURL(file).href });
    await eventually(() => this.events.some(({ method }) => method === "Page.loadEventFired"));
  }

  /** What an expression of the page's script is. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    const { value } = (answer?.["result"] ?? {}) as { readonly value?: unknown };
    return value;
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#socket.close();
    this.#process.kill();
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A real Chromium for a test, without a window, spoken to over its DevTools protocol. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { findProgram, run } from "./programs.js";

const DEADLINE_MS = 60_000;

/** A page that is open. */
export interface Page {
  /** Runs an expression, also one that gives a promise, and hands back its value. */
  evaluate(expression: string): Promise<unknown>;
  /** A picture of it, as PNG. */
  screenshot(): Promise<Buffer>;
  /** URLs that it asked for, its own first. */
  readonly requested: readonly string[];
  /** What went wrong in its scripts. */
  readonly faults: readonly string[];
  /** URLs that couldn't be loaded, with the reason, or were answered with an error. */
  readonly failed: readonly string[];
  /** Loads it anew, without its cache, until all of it is there. */
  reload(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly request?: { readonly url: string };
    readonly response?: { readonly url: string; readonly status: number };
    readonly errorText?: string;
    readonly exceptionDetails?: { readonly text: string };
  };
  readonly result?: unknown;
  readonly error?: unknown;
}

/**
 * Opens a page; browser and files are gone when the test is over.
 *
 * @param flags - more of the browser's
 */
export async function openPage(
  url: string,
  ...flags: readonly string[]
): Promise<Page> {
  const directory = mkdtempSync(path.join(tmpdir(), "chromium-"));
  const browser = run(findProgram("chromium") ?? "chromium", [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--window-size=1400,900",
    `--user-data-dir=${directory}`,
    "--remote-debugging-port=0",
    ...flags,
    "about:blank",
  ]);
  onTestFinished(async () => {
    try {
      await browser.end("SIGKILL");
    } finally {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  });
  const endpoint = await new Promise<string>((resolve, reject) => {
    const failed = (): void => {
      reject(new Error(`Chromium doesn't start: ${browser.output()}`));
    };
    const timer = setTimeout(failed, DEADLINE_MS);
    const look = (): void => {
      const found = /DevTools listening on (ws:\S+)/.exec(browser.output());
      if (found?.[1] === undefined) return;
      clearTimeout(timer);
      resolve(found[1]);
    };
    browser.child.stderr?.on("data", look);
    browser.child.once("exit", failed);
  });
  const { host } = new URL(endpoint);
  const list = await fetch(`http://${host}/json/list`);
  const targets = (await list.json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const target = targets.find(({ type }) => type === "page");
  const session = await connect(target?.webSocketDebuggerUrl ?? "");
  await session.send("Page.enable");
  await session.send("Runtime.enable");
  await session.send("Network.enable");
  const loaded = session.next("Page.loadEventFired");
  await session.send("Page.navigate", { url });
  await loaded;
  return {
    requested: session.requested,
    faults: session.faults,
    failed: session.failed,
    async reload() {
      const again = session.next("Page.loadEventFired");
      await session.send("Page.reload", { ignoreCache: true });
      await again;
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = (await session.send(
        "Runtime.evaluate",
        { expression, awaitPromise: true, returnByValue: true },
      )) as { result: { value?: unknown }; exceptionDetails?: unknown };
      if (exceptionDetails !== undefined)
        throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
      return result.value;
    },
    async screenshot() {
      const { data } = (await session.send("Page.captureScreenshot")) as {
        data: string;
      };
      return Buffer.from(data, "base64");
    },
  };
}

interface Session {
  send(method: string, params?: object): Promise<unknown>;
  next(event: string): Promise<void>;
  readonly requested: readonly string[];
  readonly faults: readonly string[];
  readonly failed: readonly string[];
}

async function connect(url: string): Promise<Session> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const answers = new Map<number, (message: Message) => void>();
  const waiting = new Map<string, () => void>();
  const requested: string[] = [];
  const faults: string[] = [];
  const failed: string[] = [];
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString("utf8")) as Message;
    const { id, method, params } = message;
    if (id !== undefined) answers.get(id)?.(message);
    if (method === undefined) return;
    waiting.get(method)?.();
    if (method === "Network.requestWillBeSent")
      requested.push(params?.request?.url ?? "");
    if (method === "Network.loadingFailed")
      failed.push(params?.errorText ?? "");
    const { url: from = "", status = 0 } = params?.response ?? {};
    if (method === "Network.responseReceived" && status >= 400)
      failed.push(`${status} ${from}`);
    if (method === "Runtime.exceptionThrown")
      faults.push(JSON.stringify(params?.exceptionDetails));
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  onTestFinished(() => {
    socket.terminate();
  });
  let last = 0;
  return {
    ...{ requested, faults, failed },
    send: async (method, params = {}) =>
      await within(method, (resolve, reject) => {
        const id = ++last;
        answers.set(id, ({ result, error }) => {
          answers.delete(id);
          if (error === undefined) resolve(result);
          else reject(new Error(`${method}: ${JSON.stringify(error)}`));
        });
        socket.send(JSON.stringify({ id, method, params }));
      }),
    next: async (event) => {
      await within(event, (resolve) => {
        waiting.set(event, () => {
          resolve(undefined);
        });
      });
    },
  };
}

async function within(
  what: string,
  start: (
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ) => void,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`Waited ${DEADLINE_MS} ms for ${what}.`));
      }, DEADLINE_MS);
      start(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}

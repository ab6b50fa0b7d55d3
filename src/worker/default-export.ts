/**
 * What a module's default export is, and how it's served: a request listener
 * (Express and Connect apps are), a Koa, Fastify or Hono app, an object with a
 * web-standard `fetch`, or a server that doesn't listen yet.
 */
import http from "node:http";
import type { RequestListener } from "node:http";
import net from "node:net";
import type { Adoption } from "./adoption.js";
import { fetchListener } from "./fetch-listener.js";
import type { FetchHandler } from "./fetch-listener.js";

/** What {@link classifyDefaultExport} found. */
export type App =
  | { readonly kind: "server"; readonly server: net.Server }
  | { readonly kind: "listener"; readonly listener: RequestListener }
  | { readonly kind: "none" };

function methodOf(
  value: object,
  name: string,
): ((...args: unknown[]) => unknown) | undefined {
  const method: unknown = Reflect.get(value, name);
  return typeof method === "function"
    ? (method.bind(value) as (...args: unknown[]) => unknown)
    : undefined;
}

/** Decides what a default export is. CommonJS compiled from ESM has it one level deeper. */
export async function classifyDefaultExport(exported: unknown): Promise<App> {
  const value = await exported;
  if (
    value === null ||
    (typeof value !== "object" && typeof value !== "function")
  ) {
    return { kind: "none" };
  }
  if ("__esModule" in value && "default" in value)
    return classifyDefaultExport(value.default);
  if (value instanceof net.Server) return { kind: "server", server: value };

  // Fastify: its server exists before it listens, its routes after ready().
  const ready = methodOf(value, "ready");
  if (
    ready !== undefined &&
    "server" in value &&
    value.server instanceof net.Server
  ) {
    await ready();
    return { kind: "server", server: value.server };
  }
  // Koa
  const callback = methodOf(value, "callback");
  if (callback !== undefined && methodOf(value, "use") !== undefined) {
    return { kind: "listener", listener: callback() as RequestListener };
  }
  // Hono, and any other web-standard app
  const fetch = methodOf(value, "fetch");
  if (fetch !== undefined) {
    return { kind: "listener", listener: fetchListener(fetch as FetchHandler) };
  }
  // (request, response) or (request, response, next): fewer, and it's a function of the program's own.
  if (typeof value === "function" && value.length >= 2 && !isClass(value)) {
    return { kind: "listener", listener: value as RequestListener };
  }
  return { kind: "none" };
}

function isClass(value: object): boolean {
  return (
    Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false
  );
}

/** Serves a default export. One that is no app is left alone: the program may still call `listen()` later. */
export async function serveDefaultExport(
  exported: unknown,
  adoption: Adoption,
): Promise<void> {
  const app = await classifyDefaultExport(exported);
  if (adoption.hasServer || app.kind === "none") return;
  adoption.serve(
    app.kind === "server" ? app.server : http.createServer(app.listener),
  );
}

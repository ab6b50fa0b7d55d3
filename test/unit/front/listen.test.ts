/** Listening on two addresses of this machine at one port: what is had, what isn't, and what is said of it. */
import http from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";

import { listen } from "../../../src/front/listen.js";
import type { Listening } from "../../../src/front/listen.js";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function server(): http.Server {
  return http.createServer((request, response) => {
    response.end(request.socket.localAddress);
  });
}

async function opened(
  place: Parameters<typeof listen>[1],
): Promise<Listening["address"]> {
  const listening = await listen(server(), place);
  closers.push(() => listening.close());
  return listening.address;
}

/** Another program. @returns its port */
async function occupy(host: string, port = 0): Promise<number> {
  const other = net.createServer();
  other.listen({ host, port });
  await once(other, "listening");
  closers.push(async () => {
    const closed = once(other, "close");
    other.close();
    await closed;
  });
  return (other.address() as AddressInfo).port;
}

async function said(host: string, port: number): Promise<string> {
  const answer = await fetch(`http://${host}:${port}/`);
  return await answer.text();
}

/** This machine's second loopback address: `::1` where there is one. */
const hasIPv6 = await occupy("::1").then(
  () => true,
  () => false,
);
const twinHost = hasIPv6 ? "::1" : "127.0.0.2";
const twinName = hasIPv6 ? "[::1]" : "127.0.0.2";

test("port 0: the same port on both, and both reach the one server", async () => {
  const address = await opened({ host: "127.0.0.1", port: 0, twinHost });
  expect(address.hosts).toEqual(["127.0.0.1", twinHost]);
  expect(address.url).toBe(`http://127.0.0.1:${address.port}`);
  expect(await said("127.0.0.1", address.port)).toBe("127.0.0.1");
  expect(await said(twinName, address.port)).toBe(twinHost);
});

test("a machine without the other address: one will do", async () => {
  const place = { host: "127.0.0.1", port: 0, twinHost: "2001:db8::1" };
  const address = await opened(place);
  expect(address.hosts).toEqual(["127.0.0.1"]);
  expect(await said("127.0.0.1", address.port)).toBe("127.0.0.1");
});

test.each([
  ["the second", twinHost, twinHost],
  ["the first", "127.0.0.1", "127.0.0.1"],
])(
  "another program on %s: the error says where, and nothing stays open",
  async (_, host, named) => {
    const port = await occupy(host);
    const attempt = listen(server(), { host: "127.0.0.1", port, twinHost });
    await expect(attempt).rejects.toMatchObject({
      code: "ERR_PREFORK_PORT",
      message: expect.stringContaining(
        `port ${port} of ${named}: another program listens there`,
      ) as string,
    });
    // The other one is free.
    await occupy(host === twinHost ? "127.0.0.1" : twinHost, port);
  },
);

test("a port that the system picks and another program has on the second address: another one is picked", async () => {
  const inUse = Object.assign(new Error("listen"), { code: "EADDRINUSE" });
  const listened: number[] = [];
  /** The system may pick any port: this one is taken on the second address, whatever it is. */
  class Unlucky extends http.Server {
    override listen(...args: never[]): this {
      super.listen(...args);
      this.once("listening", () => {
        const { port } = this.address() as AddressInfo;
        listened.push(port);
      });
      return this;
    }
  }
  const twinListen = Reflect.get(net.Server.prototype, "listen") as (
    this: net.Server,
    ...args: never[]
  ) => net.Server;
  let isFirst = true;
  net.Server.prototype.listen = function (this: net.Server, ...args: never[]) {
    const [options] = args as unknown as [{ host?: string }];
    if (options.host === twinHost && isFirst) {
      isFirst = false;
      process.nextTick(() => this.emit("error", inUse));
      return this;
    }
    return twinListen.apply(this, args);
  };
  try {
    const place = { host: "127.0.0.1", port: 0, twinHost };
    const listening = await listen(new Unlucky(), place);
    closers.push(() => listening.close());
    expect(listened).toHaveLength(2);
    expect(listening.address.port).toBe(listened[1]);
    expect(listening.address.hosts).toEqual(["127.0.0.1", twinHost]);
  } finally {
    net.Server.prototype.listen = twinListen;
  }
});

test("closing ends both", async () => {
  const listening = await listen(server(), {
    ...{ host: "127.0.0.1", port: 0, twinHost },
  });
  const { port } = listening.address;
  await listening.close();
  await occupy("127.0.0.1", port);
  await occupy(twinHost, port);
});

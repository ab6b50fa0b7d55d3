import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { cert, key } from "./certificate.js";
import { RawClient, World, ask, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

/** Says what it was asked. */
const echoHead: http.RequestListener = (request, response) => {
  request.resume();
  request.once("end", () => {
    response.end(
      JSON.stringify([
        request.method,
        request.url,
        ...request.rawHeaders,
        ...request.rawTrailers,
      ]),
    );
  });
};
const echoBody: http.RequestListener = (request, response) => {
  request.pipe(response);
};

describe("requests", () => {
  it("reach the process with their header as it was sent", async () => {
    const { port } = await world.simple(echoHead);
    const client = await RawClient.connect(port);
    client.send(
      "GET /a%20b?c=%e9&d HTTP/1.1",
      "hOST: x",
      "X-L: caf\xe9",
      "x-l: 2",
      "Connection: close, X-Hop",
      "X-Hop: 1",
      "",
      "",
    );
    const text = await client.closed();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const seen = JSON.parse(
      Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1")
        .toString()
        .replace(/^[^[]*|[^\]]*$/g, ""),
    ) as string[];
    expect(seen.slice(0, 8)).toEqual([
      "GET",
      "/a%20b?c=%e9&d",
      "hOST",
      "x",
      "X-L",
      "caf\xe9",
      "x-l",
      "2",
    ]);
    expect(seen).not.toContain("X-Hop");
    expect(seen.slice(8, 14)).toEqual([
      "X-Forwarded-For",
      "127.0.0.1",
      "X-Forwarded-Proto",
      "http",
      "X-Forwarded-Host",
      "x",
    ]);
  });

  it("of HTTP/1.0 get a whole answer and the end of the connection", async () => {
    const { port } = await world.simple((_request, response) => {
      response.write("part one, ");
      response.end("part two");
    });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.0", "", "");
    const text = await client.closed();
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toMatch(/\r\n\r\npart one, part two$/);
  });

  it("that are pipelined are answered in order, one after the other", async () => {
    const order: string[] = [];
    const { port } = await world.simple((request, response) => {
      order.push(`begin ${request.url ?? ""}`);
      response.once("finish", () => order.push(`end ${request.url ?? ""}`));
      setImmediate(() => response.end(request.url));
    });
    const client = await RawClient.connect(port);
    client.send(
      "GET /1 HTTP/1.1",
      "Host: x",
      "",
      "POST /2 HTTP/1.1",
      "Host: x",
      "Content-Length: 2",
      "",
      "hiGET /3 HTTP/1.1",
      "Host: x",
      "Connection: close",
      "",
      "",
    );
    const text = await client.closed();
    expect(
      [...text.matchAll(/\r\n\r\n\d*\r?\n?(\/\d)/g)].map((match) => match[1]),
    ).toEqual(["/1", "/2", "/3"]);
    expect(order).toEqual([
      "begin /1",
      "end /1",
      "begin /2",
      "end /2",
      "begin /3",
      "end /3",
    ]);
  });

  it("carry chunked bodies and trailers, on any method", async () => {
    const { port } = await world.simple(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      response.end(
        `${request.method ?? ""} ${body} ${request.rawTrailers.join("=")}`,
      );
    });
    for (const method of ["DELETE", "POST", "GET"]) {
      const client = await RawClient.connect(port);
      client.send(
        `${method} / HTTP/1.1`,
        "Host: x",
        "Connection: close",
        "Transfer-Encoding: chunked",
        "Trailer: X-T",
        "",
        "3",
        "abc",
        "2",
        "de",
        "0",
        "X-T: 7",
        "",
        "",
      );
      expect(await client.closed()).toContain(`${method} abcde X-T=7`);
    }
  });

  it("echo large bodies unchanged, while each side holds back the other", async () => {
    const { url } = await world.simple(echoBody);
    const body = randomBytes(3 * 1024 * 1024);
    const [lengthed, chunked] = await Promise.all([
      ask(url, {
        method: "POST",
        body,
        headers: { "Content-Length": body.length },
      }),
      ask(url, {
        method: "PUT",
        body,
        headers: { "Transfer-Encoding": "chunked" },
      }),
    ]);
    expect(lengthed.body.equals(body)).toBe(true);
    expect(chunked.body.equals(body)).toBe(true);
  });

  it("are not read further when the process doesn't read", async () => {
    const { port } = await world.simple((request, response) => {
      request.once("readable", () => response.write("reading no more"));
    });
    const client = await RawClient.connect(port);
    client.send(
      "POST / HTTP/1.1",
      "Host: x",
      "Content-Length: 100000000",
      "",
      "",
    );
    client.socket.write(Buffer.alloc(100_000_000));
    await client.sees("reading no more");
    // Everything that could be written without anyone's reading has been, and it isn't all.
    expect(client.socket.writableLength).toBeGreaterThan(50_000_000);
    client.socket.destroy();
  });

  it("reach the process before their body is complete, and their answer the client before that", async () => {
    const { port } = await world.simple((request, response) => {
      response.writeHead(200, { "X-Early": "yes" });
      response.flushHeaders();
      request.pipe(response);
    });
    const client = await RawClient.connect(port);
    client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 4", "", "");
    await client.sees("X-Early: yes");
    client.send("ping");
    await client.sees("ping");
    client.socket.destroy();
  });

  it("with an early final answer get it, and the connection stays usable", async () => {
    const { port } = await world.simple((request, response) => {
      if (request.method === "GET") response.end("fine");
      else response.writeHead(413).end("too much");
    });
    const client = await RawClient.connect(port);
    client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 200000", "", "");
    await client.sees("too much");
    client.socket.write(Buffer.alloc(200_000));
    client.send("GET / HTTP/1.1", "Host: x", "", "");
    await client.sees("fine");
    client.socket.destroy();
  });

  it("with an early answer get it even when the process closes at once", async () => {
    const { port } = await world.simple((request, response) => {
      request.once("data", () => {
        response.writeHead(413, { Connection: "close" }).end("too much");
      });
    });
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.connect(port);
      client.send(
        "POST / HTTP/1.1",
        "Host: x",
        "Content-Length: 2000000",
        "",
        "",
      );
      client.socket.write(Buffer.alloc(2_000_000));
      await client.sees(/^HTTP\/1\.1 413 [^]*too much/);
      client.socket.destroy();
    }
  });

  it("that the client abandons are abandoned in the process", async () => {
    const began = signal();
    const closed = signal<boolean>();
    const { port, front, process } = await world.simple(
      (_request, response) => {
        response.once("close", () => closed.resolve(response.writableFinished));
        began.resolve();
      },
    );
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1", "Host: x", "", "");
    await began.promise;
    expect(front.leases(process.target.id)).toBe(1);
    client.socket.destroy();
    expect(await closed.promise).toBe(false);
    await front.drain(process.target.id);
    expect(front.leases(process.target.id)).toBe(0);
  });

  it("whose upload breaks off are abandoned in the process", async () => {
    const began = signal();
    const aborted = signal<boolean>();
    const { port } = await world.simple((request) => {
      request.once("data", () => began.resolve());
      request.once("close", () => aborted.resolve(request.complete));
      request.on("error", () => undefined);
    });
    const client = await RawClient.connect(port);
    client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 10", "", "half");
    await began.promise;
    client.socket.destroy();
    expect(await aborted.promise).toBe(false);
  });

  it("for CONNECT are refused, and odd expectations left to the process", async () => {
    const { port } = await world.simple(echoHead);
    const client = await RawClient.connect(port);
    client.send("CONNECT a:1 HTTP/1.1", "Host: a:1", "", "");
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 405 /);
    const odd = await RawClient.connect(port);
    odd.send(
      "GET / HTTP/1.1",
      "Host: a",
      "Expect: miracles",
      "Connection: close",
      "",
      "",
    );
    expect(await odd.closed()).toMatch(/^HTTP\/1\.1 417 /);
  });
});

describe("Expect: 100-continue", () => {
  const head = [
    "POST / HTTP/1.1",
    "Host: x",
    "Expect: 100-continue",
    "X-L: \xe9\xff",
    "Content-Length: 4",
    "",
    "",
  ];

  it("is passed on, and so is the go-ahead", async () => {
    const { port } = await world.simple(async (request, response) => {
      const bytes = Buffer.from(
        String(request.headers["x-l"]),
        "latin1",
      ).toString("hex");
      let body = "";
      for await (const chunk of request) body += String(chunk);
      response.end(`got ${body} ${bytes}`);
    });
    const client = await RawClient.connect(port);
    client.send(...head);
    await client.sees("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ping");
    await client.sees("got ping e9ff");
    client.socket.destroy();
  });

  it("is refused by the process: the body never goes over, the answer does", async () => {
    const server = http.createServer();
    const bodies: string[] = [];
    server.on(
      "checkContinue",
      (request: http.IncomingMessage, response: http.ServerResponse) => {
        request.on("data", (chunk) => bodies.push(String(chunk)));
        response.writeHead(403).end("no thanks");
      },
    );
    const { port, front, process } = await world.simple(server);
    const client = await RawClient.connect(port);
    client.send(...head);
    const text = await client.closed();
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text).toContain("Connection: close");
    expect(text).toContain("no thanks");
    await front.drain(process.target.id);
    expect(bodies).toEqual([]);
  });
});

describe("answers", () => {
  it("keep their header as the process sent it, latin1 included, also when it goes first", async () => {
    const go = signal();
    const { port } = await world.simple(async (_request, response) => {
      response.writeHead(207, "Fine \xe9", [
        "Set-Cookie",
        "a=1",
        "X-L",
        "caf\xe9",
        "set-cookie",
        "b=2",
        "Content-Type",
        "text/event-stream",
      ]);
      response.write("", "latin1");
      await go.promise;
      response.end("data: 1\n\n");
    });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1", "Host: x", "", "");
    const head = await client.sees("\r\n\r\n");
    expect(head).toMatch(
      /^HTTP\/1\.1 207 Fine \xe9\r\nSet-Cookie: a=1\r\nX-L: caf\xe9\r\nset-cookie: b=2\r\nContent-Type: text\/event-stream\r\n/,
    );
    expect(head).not.toContain("data");
    expect(head).toContain(
      "x-prefork-worker: 0\r\nx-prefork-generation: 1\r\n",
    );
    go.resolve();
    await client.sees("data: 1");
    client.socket.destroy();
  });

  it("carry trailers", async () => {
    const { url } = await world.simple((_request, response) => {
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("body");
      response.addTrailers({ "X-Sum": "42" });
      response.end();
    });
    const reply = await ask(url);
    expect(reply.text).toBe("body");
    expect(reply.trailers["x-sum"]).toBe("42");
  });

  it("to HEAD, of 204 and of 304 have no body, whatever their header says", async () => {
    const { port } = await world.simple((request, response) => {
      if (request.method === "HEAD")
        response.writeHead(200, { "Content-Length": 7 }).end();
      else if (request.url === "/304")
        response.writeHead(304, { ETag: "x" }).end();
      else response.writeHead(204).end();
    });
    const client = await RawClient.connect(port);
    client.send(
      "HEAD / HTTP/1.1",
      "Host: x",
      "",
      "GET /304 HTTP/1.1",
      "Host: x",
      "",
      "GET /204 HTTP/1.1",
      "Host: x",
      "Connection: close",
      "",
      "",
    );
    const parts = (await client.closed()).split("\r\n\r\n");
    expect(parts).toHaveLength(4);
    expect(parts[0]).toMatch(/^HTTP\/1\.1 200 [^]*Content-Length: 7/);

    expect(parts[1]).toMatch(/^HTTP\/1\.1 304 [^]*ETag: x/);
    expect(parts[2]).toMatch(/^HTTP\/1\.1 204 /);
    expect(parts[3]).toBe("");
  });

  it("are preceded by early hints", async () => {
    const { port } = await world.simple((_request, response) => {
      response.writeEarlyHints({
        link: [
          "</a.css>; rel=preload; as=style",
          "</b.js>; rel=preload; as=script",
        ],
      });
      response.end("page");
    });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1", "Host: x", "Connection: close", "", "");
    const text = await client.closed();
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>[^\r]*<\/b\.js>[^]*\r\n\r\nHTTP\/1\.1 200 /,
    );
  });

  it("that end with the connection are complete; so are those in many small pieces", async () => {
    const server = net.createServer((socket) => {
      socket.once("data", () =>
        socket.end("HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nuntil the end"),
      );
    });
    const { url } = await world.simple(server);
    expect((await ask(url)).text).toBe("until the end");
  });

  it("are held back by a client that doesn't read", async () => {
    const stuck = signal<number>();
    const { port } = await world.simple((_request, response) => {
      const chunk = Buffer.alloc(1 << 20);
      let sent = 0;
      const more = (): void => {
        while (response.write(chunk)) sent++;
        sent++;
        if (sent < 200) response.once("drain", more);
      };
      // The kernel's buffers fill, then nothing drains any more until the client reads or leaves.
      response.once("close", () => stuck.resolve(sent));
      more();
    });
    const client = net.connect({ port, host: "127.0.0.1" });
    client.pause();
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const slow = http.get({ port, host: "127.0.0.1", agent: false });
    const [answer] = (await once(slow, "response")) as [http.IncomingMessage];
    await once(answer, "readable");
    slow.destroy();
    client.destroy();
    expect(await stuck.promise).toBeLessThan(100);
  });

  it("that aren't HTTP are 502, and never repeated", async () => {
    let times = 0;
    const server = net.createServer((socket) => {
      socket.once("data", () => {
        times++;
        socket.end("what?\r\n\r\n");
      });
    });
    const lines: string[] = [];
    const { url } = await world.simple(server, {
      log: (line) => lines.push(line),
    });
    const reply = await ask(`${url}/x`);
    expect(reply.status).toBe(502);
    expect(reply.text).toMatch(/can't be passed on/);
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect(times).toBe(1);
    expect(lines.join()).toMatch(/^502 GET \/x: /);
  });

  it("with two lengths are 502", async () => {
    const server = net.createServer((socket) => {
      socket.once("data", () =>
        socket.end(
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        ),
      );
    });
    const { url } = await world.simple(server);
    expect((await ask(url)).status).toBe(502);
  });
});

it("a process that speaks https is spoken to in https", async () => {
  const process = await world.process(
    (request, response) => {
      request.pipe(response);
    },
    { tls: { key, cert } },
  );
  const { front, url } = await world.front();
  await front.connect(process.target);
  front.admit(process.target);
  expect((await ask(url)).status).toBe(200);
  const body = "b".repeat(100_000);
  expect((await ask(url, { method: "POST", body })).text).toBe(body);
  await front.drain(process.target.id);
});

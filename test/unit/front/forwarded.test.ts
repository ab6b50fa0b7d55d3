import { describe, expect, it } from "vitest";

import {
  addHop,
  isTrusted,
  plainAddress,
} from "../../../src/front/forwarded.js";

const hop = {
  remoteAddress: "10.0.0.7",
  protocol: "http",
  host: "a:1",
} as const;

describe("addHop", () => {
  it("says who asked, how, and for what", () => {
    const headers: string[] = [];
    addHop(headers, undefined, hop);
    expect(headers).toEqual([
      ...["X-Forwarded-For", "10.0.0.7", "X-Forwarded-Proto", "http"],
      ...["X-Forwarded-Host", "a:1"],
      ...["Forwarded", 'for=10.0.0.7;host="a:1";proto=http'],
    ]);
  });

  it("adds to what is there, in its place, and leaves what isn't a list", () => {
    const headers = [
      ...["X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https"],
      ...["A", "b", "X-Forwarded-Host", "", "Forwarded", ""],
    ];
    addHop(headers, { for: 1, proto: 3, host: 7, forwarded: 9 }, hop);
    expect(headers).toEqual([
      ...["X-Forwarded-For", "192.0.2.1, 10.0.0.7"],
      ...["X-Forwarded-Proto", "https", "A", "b", "X-Forwarded-Host", ""],
      ...["Forwarded", 'for=10.0.0.7;host="a:1";proto=http'],
    ]);
  });

  it("writes IPv6 addresses, and unknown ones, as RFC 7239 has them", () => {
    const of = (remoteAddress: string | undefined): string | undefined => {
      const headers: string[] = [];
      addHop(headers, undefined, { ...hop, remoteAddress });
      return headers.at(-1);
    };
    expect(of("2001:db8::1")).toMatch(/^for="\[2001:db8::1\]";/);
    expect(of(undefined)).toMatch(/^for=unknown;/);
  });
});

it.each([
  ["loopback", "127.0.0.1", true],
  ["loopback", "127.9.9.9", true],
  ["loopback", "::1", true],
  ["loopback", "10.0.0.7", false],
  ["loopback", "2001:db8::127", false],
  ["loopback", undefined, false],
  ["all", "10.0.0.7", true],
  ["all", undefined, true],
  ["none", "127.0.0.1", false],
] as const)(
  "with trust in %s, %s is trusted: %s",
  (trust, address, trusted) => {
    expect(isTrusted(trust, address)).toBe(trusted);
  },
);

it("plainAddress shows IPv4 addresses as such", () => {
  expect(plainAddress("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(plainAddress("::ffff:c000:201")).toBe("::ffff:c000:201");
  expect(plainAddress("::1")).toBe("::1");
  expect(plainAddress(undefined)).toBeUndefined();
});

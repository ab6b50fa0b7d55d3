/** What fronts are given to read, letter by letter. */
import { describe, expect, it } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import { fileUpstream } from "../../../src/upstream/file.js";
import {
  envoyEndpoints,
  jsonServers,
} from "../../../src/upstream/file-formats.js";
import { haproxyConfig } from "../../../src/upstream/haproxy-config.js";
import { haproxyUpstream } from "../../../src/upstream/haproxy.js";
import { nginxConfig } from "../../../src/upstream/nginx-config.js";
import {
  compiledPath,
  inPrefix,
  pidDirective,
} from "../../../src/upstream/nginx-pid-file.js";
import { nginxUpstream } from "../../../src/upstream/nginx.js";

const two = [
  { worker: 0, host: "0.0.0.0", port: 3001 },
  { worker: 1, host: "::1", port: 3002 },
];

describe("the nginx file", () => {
  it("has the servers, and reaches wildcards over loopback", () => {
    const text = nginxConfig(two, {
      upstream: "app",
      settings: ["least_conn;"],
      parameters: "max_fails=0",
    });
    expect(text).toBe(`\
# Written by prefork-dev as its workers come and go: what you change here is lost.
upstream app {
    least_conn;
    server 127.0.0.1:3001 max_fails=0; # worker 0
    server [::1]:3002 max_fails=0; # worker 1
}
`);
  });

  it("has a server that is down when there is none", () => {
    const text = nginxConfig([], {
      upstream: "app",
      settings: [],
      parameters: "",
    });
    expect(text).toContain(
      "upstream app {\n    server 127.0.0.1:1 down; # no worker serves\n}",
    );
  });
});

describe("the HAProxy file", () => {
  it("has the servers under the names that the runtime API gives them", () => {
    const text = haproxyConfig(two, {
      backend: "app",
      settings: ["balance roundrobin"],
      parameters: "maxconn 10",
    });
    expect(text).toBe(`\
# Written by prefork-dev as its workers come and go: what you change here is lost.
backend app
    balance roundrobin
    server worker-0_127.0.0.1:3001 127.0.0.1:3001 maxconn 10
    server worker-1_::1:3002 [::1]:3002 maxconn 10
`);
  });
});

describe("the file for others", () => {
  it("is JSON", () => {
    expect(JSON.parse(jsonServers(two))).toEqual({
      servers: [
        { worker: 0, host: "127.0.0.1", port: 3001 },
        { worker: 1, host: "::1", port: 3002 },
      ],
    });
  });

  it("is what Envoy reads", () => {
    expect(envoyEndpoints("app", two)).toBe(`\
{
  "resources": [
    {
      "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
      "cluster_name": "app",
      "endpoints": [
        {
          "lb_endpoints": [
            {
              "endpoint": {
                "address": {
                  "socket_address": {
                    "address": "127.0.0.1",
                    "port_value": 3001
                  }
                }
              }
            },
            {
              "endpoint": {
                "address": {
                  "socket_address": {
                    "address": "::1",
                    "port_value": 3002
                  }
                }
              }
            }
          ]
        }
      ]
    }
  ]
}
`);
  });
});

describe("nginx's pid file", () => {
  it.each([
    ["pid /run/nginx.pid;", "/run/nginx.pid"],
    ["user a;\n  pid  'my pid';\nevents {}", "my pid"],
    ["# pid /no;\nevents {}", undefined],
    ["events {}\nmap $a $b { default pids; }", undefined],
  ])("is found in %j", (text, path) => {
    expect(pidDirective(text)).toBe(path);
  });

  it("is found among what nginx was compiled with", () => {
    const version =
      "configure arguments: --prefix=/usr/share/nginx --pid-path=/run/nginx.pid --with-x";
    expect(compiledPath(version, "pid-path")).toBe("/run/nginx.pid");
    expect(compiledPath(version, "prefix")).toBe("/usr/share/nginx");
    expect(compiledPath("nothing", "prefix")).toBeUndefined();
    expect(inPrefix("logs/nginx.pid", "/usr/share/nginx")).toBe(
      "/usr/share/nginx/logs/nginx.pid",
    );
    expect(inPrefix("/run/nginx.pid", "/usr/share/nginx")).toBe(
      "/run/nginx.pid",
    );
  });
});

describe("options that can't be right", () => {
  it.each<[string, () => unknown]>([
    ["file", () => nginxUpstream({ file: "" })],
    ["upstream", () => nginxUpstream({ file: "f", upstream: "a {} b" })],
    ["settings", () => nginxUpstream({ file: "f", settings: ["a;\nb;"] })],
    ["parameters", () => nginxUpstream({ file: "f", parameters: "a\nb" })],
    ["test", () => nginxUpstream({ file: "f", test: [] })],
    ["reload", () => nginxUpstream({ file: "f", reload: [""] })],
    ["finishMs", () => nginxUpstream({ file: "f", finishMs: -1 })],
    ["socket", () => haproxyUpstream({ socket: "" })],
    [
      "backend",
      () => haproxyUpstream({ socket: "s", backend: "app; shutdown" }),
    ],
    ["recheckMs", () => haproxyUpstream({ socket: "s", recheckMs: NaN })],
    ["cluster", () => fileUpstream({ file: "f", cluster: "" })],
    ["command", () => fileUpstream({ file: "f", command: [] })],
  ])("name %s", (name, make) => {
    const error: unknown = (() => {
      try {
        make();
        return undefined;
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(PreforkError);
    expect(error).toMatchObject({ code: "ERR_PREFORK_OPTION" });
    expect(String(error)).toContain(`${name} is `);
  });
});

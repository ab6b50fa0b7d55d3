import { expect, test } from "vitest";
import { envFilePath, processEnvironment } from "../../src/environment.js";

test("the environment wins over the env file, the caller's own variables over both, PORT is the public one", () => {
  const env = processEnvironment(
    { A: "parent", B: "parent", PORT: "1" },
    { A: "file", C: "file", PORT: "2" },
    { B: "own" },
    3000,
  );
  expect(env).toEqual({
    NODE_ENV: "development",
    A: "parent",
    B: "own",
    C: "file",
    PORT: "3000",
  });
});

test("NODE_ENV is development unless something says otherwise", () => {
  expect(processEnvironment({}, {}, {}, 1)["NODE_ENV"]).toBe("development");
  expect(processEnvironment({}, { NODE_ENV: "test" }, {}, 1)["NODE_ENV"]).toBe(
    "test",
  );
  expect(
    processEnvironment({ NODE_ENV: "production" }, { NODE_ENV: "test" }, {}, 1)[
      "NODE_ENV"
    ],
  ).toBe("production");
});

test("the env file is looked for in the working directory, unless there is to be none", () => {
  expect(envFilePath(undefined, "/app")).toBe("/app/.env");
  expect(envFilePath("config/dev.env", "/app")).toBe("/app/config/dev.env");
  expect(envFilePath(false, "/app")).toBeUndefined();
});

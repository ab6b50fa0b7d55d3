/**
 * `prefork-dev check --fix`: takes out of a manifest's text what does nothing. Each edit is tried on a draft beside the
 * manifest, and kept only if the draft evaluates to exactly the manifest without that one element.
 */
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { isAlive } from "../is-alive.js";
import type { ProjectConfig } from "../manifest/types.js";
import { fromTheEnd, withoutElement } from "./field.js";
import { literalsOf, withoutLiteral } from "./literals.js";
import { readDraft } from "./read-project.js";
import type { ReadManifest } from "./read-project.js";
import type { Finding } from "./types.js";

/** How drafts' names begin: with a dot, so that no glob means them. */
const PREFIX = ".draft-";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What became of the findings that are safe to mend. */
interface Fixed {
  readonly fixed: readonly Finding[];
  /** Their text isn't a literal of its own in the manifest: it's computed, or imported from elsewhere. */
  readonly left: readonly Finding[];
}

/** Mends what is safe. */
export async function fixManifest(
  manifest: ReadManifest,
  findings: readonly Finding[],
  cwd: string,
): Promise<Fixed> {
  const draft = new Draft(manifest, cwd);
  const restore = beforeSignals(() => draft.remove());
  try {
    return await mend(manifest, findings, draft);
  } finally {
    restore();
  }
}

async function mend(
  manifest: ReadManifest,
  findings: readonly Finding[],
  draft: Draft,
): Promise<Fixed> {
  const fixed: Finding[] = [];
  const left: Finding[] = [];
  let expected: ProjectConfig = manifest.config;
  const safe = findings
    .filter(({ isFixable }) => isFixable)
    .sort((a, b) => fromTheEnd(a.field ?? "", b.field ?? ""));
  for (const finding of safe) {
    const { field = "", text = "" } = finding;
    const next = withoutElement(expected, field);
    if (await draft.take(text, next)) {
      expected = next;
      fixed.push(finding);
    } else {
      left.push(finding);
    }
  }
  if (fixed.length > 0) draft.save();
  return { fixed, left };
}

/** The same with functions as their text: each evaluation makes them anew. */
function comparable(value: unknown): unknown {
  if (typeof value === "function") return String(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, comparable(each)]),
  );
}

/** A manifest's text, being edited. */
class Draft {
  readonly #manifest: ReadManifest;
  readonly #path: string;
  readonly #cwd: string;
  /** Beside it, so that its imports mean the same; hidden from globs. */
  readonly #file: string;
  #text: string;

  constructor(manifest: ReadManifest, cwd: string) {
    this.#manifest = manifest;
    this.#path = manifest.place.path;
    const name = `${PREFIX}${process.pid}-${path.basename(this.#path)}`;
    this.#cwd = cwd;
    this.#file = path.join(path.dirname(this.#path), name);
    this.#text = readFileSync(this.#path, "utf8");
  }

  /** Takes a literal out, if what is left is what is expected. */
  async take(value: string, expected: ProjectConfig): Promise<boolean> {
    // What is listed twice is kept in its first place.
    for (const literal of literalsOf(this.#text, value).reverse()) {
      const text = withoutLiteral(this.#text, literal);
      if (!(await this.#evaluatesTo(text, expected))) continue;
      this.#text = text;
      return true;
    }
    return false;
  }

  /** Replaces the manifest in one step. */
  save(): void {
    try {
      const { mode } = statSync(this.#path);
      writeFileSync(this.#file, this.#text, { mode });
      renameSync(this.#file, this.#path);
    } finally {
      this.remove();
    }
  }

  /** Leaves nothing beside the manifest. */
  remove(): void {
    rmSync(this.#file, { force: true });
  }

  async #evaluatesTo(text: string, expected: ProjectConfig): Promise<boolean> {
    try {
      writeFileSync(this.#file, text);
      const read = await readDraft(this.#file, this.#manifest, this.#cwd);
      const { projects, index } = this.#manifest;
      // Of several, the others are what they were.
      return isDeepStrictEqual(
        comparable(read.projects),
        comparable(projects.with(index, expected)),
      );
    } catch {
      // No manifest any more: that was another literal.
      return false;
    } finally {
      this.remove();
    }
  }
}

/** Removes what calls left beside a manifest that were killed. */
export function removeStaleDrafts(manifest: string): void {
  const directory = path.dirname(manifest);
  const end = `-${path.basename(manifest)}`;
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(PREFIX) || !name.endsWith(end)) continue;
    const pid = Number(name.slice(PREFIX.length, -end.length));
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid))
      rmSync(path.join(directory, name), { force: true });
  }
}

/**
 * A signal that ends this process does that as ever, but something is done first.
 *
 * @returns ends that
 */
function beforeSignals(action: () => void): () => void {
  const restore = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    restore();
    action();
    process.kill(process.pid, name);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return restore;
}

import { Resolver } from "./resolve.js";
import { PackageFinder } from "./packages.js";
import { TsconfigFinder } from "./tsconfig.js";

/** Everything outside the sources that decides how they are compiled and what they import. */
export class Configuration {
  readonly tsconfigs: TsconfigFinder = new TsconfigFinder();
  readonly packages: PackageFinder;
  readonly resolver: Resolver;

  constructor(root: string, cacheDirectory: string) {
    this.packages = new PackageFinder(root);
    this.resolver = new Resolver(root, cacheDirectory, this.tsconfigs);
  }

  /** The files that were consulted, and those that would have been. */
  files(): Set<string> {
    return new Set([...this.tsconfigs.files(), ...this.packages.files()]);
  }

  /** Forgets all of it. */
  clear(): void {
    this.tsconfigs.clear();
    this.packages.clear();
    this.resolver.clear();
  }
}

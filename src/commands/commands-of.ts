/** The commands of mixins as types: names, arguments and results, from the methods `childFoo` of their classes. */
import type { PreforkError } from "../errors.js";
import type { MixinReference } from "./references.js";

/** Any command with any arguments: what is known of mixins that are named without their type, and of a manifest's. */
export type AnyCommands = Readonly<
  Record<string, (...args: unknown[]) => unknown>
>;

/** Commands that every worker has. */
export interface BaseCommands {
  /** Drains and stops its process; `onStop` and `childStop` run in between. The worker has none until it's started again. */
  readonly stop: () => void;
  /** `onReload`, `childReload`; then the process is replaced by a new one of the same code. */
  readonly reload: (...args: unknown[]) => unknown;
}

/** `Foo` of `childFoo` as `foo`; `never` for what is no command's method, and for {@link BaseCommands}. */
type CommandOf<Key> = Key extends `child${infer Suffix}`
  ? Suffix extends ""
    ? never
    : Suffix extends Capitalize<Suffix>
      ? Exclude<
          Uncapitalize<Suffix>,
          "stop" | "reload" | "start" | "register" | "unregister"
        >
      : never
  : never;

type CommandsOfInstance<Instance> = {
  readonly [Key in keyof Instance as CommandOf<Key>]: Instance[Key] extends (
    ...args: infer Arguments
  ) => infer Result
    ? (...args: Arguments) => Awaited<Result>
    : never;
};

type InstanceOfMixin<Exported> = Exported extends (
  ...args: never[]
) => infer Made
  ? Made extends abstract new (...args: never[]) => infer Instance
    ? Instance
    : never
  : never;

type Intersection<Union> = (
  Union extends unknown ? (value: Union) => void : never
) extends (value: infer All) => void
  ? All
  : never;

/** One mixin, or each of a list. */
type Each<Exported> = Exported extends readonly unknown[]
  ? Exported[number]
  : Exported;

type CommandsOfModule<Module> = Module extends {
  readonly default: infer Exported;
}
  ? CommandsOfInstance<Intersection<InstanceOfMixin<Each<Exported>>>>
  : unknown;

type CommandsOfSource<Source> =
  Source extends MixinReference<infer Module>
    ? CommandsOfModule<Module>
    : unknown;

/** Later mixins extend earlier ones. */
type Override<Before, After> = Omit<Before, keyof After> & After;

/** The commands of mixins that are named with their type, later ones over earlier ones. */
type TypedCommands<Sources extends readonly unknown[]> =
  Sources extends readonly [...infer Before, infer Last]
    ? Override<TypedCommands<Before>, CommandsOfSource<Last>>
    : Sources extends readonly []
      ? BaseCommands
      : Override<BaseCommands, Intersection<CommandsOfSource<Sources[number]>>>;

/**
 * The commands of a server with these mixins, later ones over earlier ones. With one that is named without its type, any
 * other command is allowed as well.
 */
export type CommandsOf<Sources extends readonly unknown[]> =
  Extract<Sources[number], string | URL> extends never
    ? TypedCommands<Sources>
    : TypedCommands<Sources> & AnyCommands;

/** The names of commands. */
export type CommandName<Commands> = Extract<keyof Commands, string>;

/** The arguments of a command. */
export type CommandArguments<
  Commands,
  Name extends CommandName<Commands>,
> = Commands[Name] extends (...args: infer Arguments) => unknown
  ? Arguments
  : never;

/** What a command came to. */
export type CommandResult<
  Commands,
  Name extends CommandName<Commands>,
> = Commands[Name] extends (...args: never[]) => infer Result
  ? Awaited<Result>
  : never;

/** What became of a command that was sent to all workers, for one of them. */
export type CommandOutcome<Value = unknown> =
  | {
      readonly worker: number;
      readonly pid: number;
      readonly value: Value;
      readonly error?: undefined;
    }
  | {
      readonly worker: number;
      /** `undefined` when it has no process. */
      readonly pid: number | undefined;
      readonly error: PreforkError;
    };

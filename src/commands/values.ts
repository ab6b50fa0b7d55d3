/** Arguments, results and states as text: what structured cloning can carry, plain messages can't. */
import { deserialize, serialize } from "node:v8";

/**
 * A value as text.
 *
 * @throws Error naming what of it can't be cloned, such as a function
 */
export function encode(value: unknown): string {
  return serialize(value).toString("base64");
}

/** The value that {@link encode} was given, cloned. */
export function decode(text: string): unknown {
  return deserialize(Buffer.from(text, "base64"));
}

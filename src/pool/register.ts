/** Binding the workers' ports. */
import { PreforkError } from "../errors.js";
import { bindListeningSocket } from "./listening-socket.js";
import type { ListeningSocket } from "./listening-socket.js";

export interface BindOptions {
  /** An IP address. */
  readonly host: string;
  /** The port of worker 0; worker i gets `firstPort` + i. 0: any free ones. */
  readonly firstPort: number;
  /** Must it be these ports? If not, a taken one is replaced by any free one. */
  readonly strict: boolean;
  readonly onWarning: (message: string) => void;
}

/**
 * Binds the socket of a worker.
 *
 * @throws PreforkError `ERR_PREFORK_PORT` when its port can't be had
 */
export function bindWorkerSocket(
  index: number,
  options: BindOptions,
): ListeningSocket {
  const { host, firstPort, strict, onWarning } = options;
  if (firstPort === 0) return bindListeningSocket(host, 0);
  const port = firstPort + index;
  if (port > 65_535) {
    if (!strict) return bindListeningSocket(host, 0);
    throw new PreforkError(
      "ERR_PREFORK_PORT",
      `worker ${index} would get port ${port}, above 65535: choose a lower --worker-port`,
    );
  }
  try {
    return bindListeningSocket(host, port);
  } catch (error) {
    if (strict || !(error instanceof PreforkError)) throw error;
    const socket = bindListeningSocket(host, 0);
    onWarning(
      `port ${port} is taken: worker ${index} listens on ${socket.port} (choose with --worker-port)`,
    );
    return socket;
  }
}

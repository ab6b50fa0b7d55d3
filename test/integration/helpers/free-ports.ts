/** Ports of 127.0.0.1 that a test may ask for by number. */
import net from "node:net";

/** Nobody listens: a program can have the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** So many ports in a row that nobody has. */
export async function freePorts(count: number): Promise<number> {
  for (let port = 21_000 + (process.pid % 1_000) * 20; ; port += count) {
    const ports = Array.from({ length: count }, (_, index) => port + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return port;
  }
}

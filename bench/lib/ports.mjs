/** Ports for the programs that are measured. */
import net from "node:net";

/** The first of `count` ports in a row that are free now. */
export async function freePorts(count) {
  for (let attempt = 0; attempt < 100; attempt++) {
    // Below the ephemeral ranges, so that no outgoing connection takes one.
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`Found no ${count} free ports in a row.`);
}

function isFree(port) {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

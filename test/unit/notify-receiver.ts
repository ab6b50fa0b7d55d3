/** The end of systemd's notify protocol that listens: Node has no datagrams over Unix sockets, Python has. */

/** A Python program that prints each message, and when it came; but not the one that asks whether it has read all. */
export const notifyReceiver = `
import json, socket, sys, time
address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\\0" + address[1:] if address.startswith("@") else address)
print("bound", flush=True)
while True:
    message = receiver.recv(65536).decode()
    if message.startswith("BARRIER"):
        continue
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    print(json.dumps({"variables": message.strip().split("\\n"), "at": now}), flush=True)
`;

/** Whether somebody accepts connections at an address, as seen from where Rekey runs. Nothing is sent. */
import { connect } from "node:net";
import type { Reach } from "../incident/taskFacts.ts";

const TIMEOUT_MS = 3_000;

export function tcpReach(): Reach {
  return {
    reach: (host, port) =>
      new Promise((resolve) => {
        const socket = connect({ host, port, timeout: TIMEOUT_MS });
        const settle = (answer: Awaited<ReturnType<Reach["reach"]>>) => {
          socket.destroy();
          resolve(answer);
        };
        socket.once("connect", () => settle("answers"));
        socket.once("timeout", () => settle("is silent"));
        socket.once("error", (error: NodeJS.ErrnoException) => {
          if (error.code === "ECONNREFUSED" || error.code === "ECONNRESET") return settle("refuses");
          settle(error.code === "ENOTFOUND" || error.code === "EAI_AGAIN" ? "has no address" : "is silent");
        });
      }),
  };
}

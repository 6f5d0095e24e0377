/**
 * The door in front of a database: one request at a time, each with its whole answer, so that a request can be kept from
 * the server or its answer from the client. What a request is and when it is answered is the conversation's knowledge.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "./logins.ts";
import type { Injector, Target } from "./points.ts";

export interface Request {
  readonly bytes: Buffer;
  /** What it is called among the points; undefined for what is not counted and not answered. */
  readonly operation?: string;
  /** From here on nothing is looked at any more. */
  readonly isLink?: boolean;
}

/** One connection's protocol, from both sides. */
export interface Conversation {
  /** @returns the request that stands whole at the beginning, or undefined until more has come */
  nextRequest(sent: Buffer): Request | undefined;
  /** @returns where the answer to it ends, or undefined until more has come */
  endOfAnswer(received: Buffer): number | undefined;
}

export interface TcpDoor extends Address {
  stop(): Promise<void>;
}

/** Silence before a caller's patience ends; the line is cut then. */
const TIMEOUT_MS = 200;

export async function startTcpDoor(
  target: Target,
  upstream: Address,
  injector: Injector,
  converse: () => Conversation,
): Promise<TcpDoor> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(upstream.port, upstream.host);
    for (const socket of [client, behind]) {
      open.add(socket);
      socket.setNoDelay(true);
      // Whoever is at the other end sees the line cut, which is all there is to say.
      socket.on("error", () => {});
      socket.once("close", () => open.delete(socket));
    }
    client.once("close", () => behind.destroy());
    serve(client, behind, converse(), async (request, ask) => {
      const fault = request.operation === undefined ? undefined : injector.arrive(target, request.operation);
      if (fault === "kill-before") {
        await injector.kill();
        return undefined;
      }
      const answer = await ask();
      if (fault === "kill-after") await injector.kill();
      else if (fault === "timeout") await sleep(TIMEOUT_MS);
      else return answer;
      client.destroy();
      return undefined;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    host: "127.0.0.1",
    port: typeof address === "object" && address ? address.port : 0,
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

type Treat = (request: Request, ask: () => Promise<Buffer>) => Promise<Buffer | undefined>;

function serve(client: Socket, behind: Socket, conversation: Conversation, treat: Treat): void {
  let sent: Buffer = Buffer.alloc(0);
  let received: Buffer = Buffer.alloc(0);
  let waiting: ((answer: Buffer) => void) | undefined;
  let isBusy = false;
  let isLink = false;

  behind.on("data", (chunk: Buffer) => {
    // Also what nobody has asked for: that the server is about to end the session.
    if (isLink || !waiting) {
      client.write(chunk);
      return;
    }
    received = Buffer.concat([received, chunk]);
    const end = conversation.endOfAnswer(received);
    if (end !== undefined) settle();
  });
  behind.once("close", () => {
    settle();
    // After what was received last has been passed on.
    setImmediate(() => client.end());
  });
  client.on("data", (chunk: Buffer) => {
    if (isLink) {
      behind.write(chunk);
      return;
    }
    sent = Buffer.concat([sent, chunk]);
    work().catch(() => client.destroy());
  });

  function settle(): void {
    const answer = received;
    received = Buffer.alloc(0);
    waiting?.(answer);
    waiting = undefined;
  }

  async function work(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    for (let request = take(); request; request = take()) {
      const { bytes, operation } = request;
      if (request.isLink) {
        isLink = true;
        behind.write(Buffer.concat([bytes, sent]));
        return;
      }
      const ask = () => {
        const answered = new Promise<Buffer>((resolve) => {
          waiting = resolve;
        });
        behind.write(bytes);
        return answered;
      };
      if (operation === undefined) behind.write(bytes);
      else {
        const answer = await treat(request, ask);
        if (answer === undefined) return;
        client.write(answer);
      }
    }
    isBusy = false;
  }

  function take(): Request | undefined {
    const request = conversation.nextRequest(sent);
    if (request) sent = sent.subarray(request.bytes.length);
    return request;
  }
}

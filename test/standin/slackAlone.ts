/** Of the local cloud only Slack and DynamoDB, each behind its own door: for thousands of sends, where the rest would be in the way. */
import { once } from "node:events";
import dynalite from "dynalite";
import { startServer } from "./server.ts";
import { SlackWorkspace } from "./slack.ts";

export interface SlackAlone {
  readonly slack: SlackWorkspace;
  readonly apiUrl: string;
  /** For DynamoDB's client. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { accessKeyId: string; secretAccessKey: string };
  };
  stop(): Promise<void>;
}

export async function startSlackAlone(): Promise<SlackAlone> {
  const slack = new SlackWorkspace("xoxb-alone", "C0SECURITY");
  const dynamo = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  dynamo.listen(0, "127.0.0.1");
  await once(dynamo, "listening");
  const address = dynamo.address();
  const dynamoPort = typeof address === "object" && address ? address.port : 0;
  const door = await startServer({
    services: () => [],
    routes: { "/api/": slack.route },
    dynamoPort,
    principalOf: () => "",
    throttles: false,
    onCall: () => {},
  });
  return {
    slack,
    apiUrl: `${door.endpoint}/api/`,
    client: {
      endpoint: `http://127.0.0.1:${dynamoPort}`,
      region: "us-east-1",
      credentials: { accessKeyId: "rekey", secretAccessKey: "local" },
    },
    async stop() {
      await door.stop();
      dynamo.closeAllConnections?.();
      await new Promise((resolve) => dynamo.close(resolve));
    },
  };
}

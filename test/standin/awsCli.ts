/**
 * As much of the `aws` command as Rekey's own lines use, on the real SDK clients: machines that run the tests need not have
 * it. Options become the request's members by their spelling alone, as the real one does it.
 */
import * as ecs from "@aws-sdk/client-ecs";
import * as secretsManager from "@aws-sdk/client-secrets-manager";

type Client = new (options: object) => { send(command: unknown): Promise<object> };
const SERVICES: Readonly<Record<string, { module: object; client: Client; lowerFirst: boolean }>> = {
  ecs: { module: ecs, client: ecs.ECSClient as unknown as Client, lowerFirst: true },
  secretsmanager: {
    module: secretsManager,
    client: secretsManager.SecretsManagerClient as unknown as Client,
    lowerFirst: false,
  },
};

const pascal = (text: string) =>
  text.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

const [name = "", operation = "", ...words] = process.argv.slice(2);
const service = SERVICES[name];
if (!service) throw new Error(`aws: no service ${name}`);
const given = new Map<string, string | true>();
for (let at = 0; at < words.length; at += 1) {
  const [word = "", next] = [words[at], words[at + 1]];
  if (!word.startsWith("--")) throw new Error(`aws: ${word} is no option`);
  const isFlag = next === undefined || next.startsWith("--");
  given.set(word.slice(2), isFlag ? true : next);
  if (!isFlag) at += 1;
}
const own = ["query", "output", "cli-input-json"];
const input = Object.fromEntries(
  [...given]
    .filter(([option]) => !own.includes(option))
    .map(([option, value]) => [service.lowerFirst ? lowered(pascal(option)) : pascal(option), value]),
);
const whole = JSON.parse(String(given.get("cli-input-json") ?? "{}"));
const Command = (service.module as Record<string, new (input: object) => unknown>)[
  `${pascal(operation)}Command`
];
if (!Command) throw new Error(`aws ${name}: no operation ${operation}`);
const { $metadata: _, ...answer } = (await new service.client({}).send(
  new Command({ ...whole, ...input }),
)) as Record<string, unknown>;
const wanted = String(given.get("query") ?? "")
  .split(".")
  .filter((step) => step !== "")
  .reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], answer);
console.log(given.get("output") === "text" ? String(wanted) : JSON.stringify(wanted, null, 2));

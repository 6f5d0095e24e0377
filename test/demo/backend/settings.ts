/**
 * How a task of the small backend learns its secrets: ECS has put them into its environment, or `AWS_SECRETS_NAME` names
 * a bundle that it fetches once, at start. Either way it keeps them until it ends, as most services do.
 */
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

export type Settings = Readonly<Record<string, string>>;

export async function readSettings(): Promise<Settings> {
  const env = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ""]));
  const bundle = env["AWS_SECRETS_NAME"];
  if (!bundle) return env;
  const client = new SecretsManagerClient();
  const { SecretString = "{}" } = await client.send(new GetSecretValueCommand({ SecretId: bundle }));
  client.destroy();
  const fetched: Record<string, unknown> = JSON.parse(SecretString);
  return {
    ...env,
    ...Object.fromEntries(Object.entries(fetched).map(([name, value]) => [name, String(value)])),
  };
}

export function setting(settings: Settings, name: string): string {
  const value = settings[name];
  if (!value) throw new Error(`setting ${name} is missing`);
  return value;
}

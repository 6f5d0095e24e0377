/** From where and with what: coarse enough that an update or another address of the same subnet is nothing new. */
import { isIP } from "node:net";
import type { ClientFamily, Network } from "./secretEvent.ts";

const PRIVATE =
  /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|fe80:|::1$)/i;

/**
 * @param vpcEndpointId of the record. A service that calls in somebody's name has one too, and it says nothing about the
 * caller.
 */
export function networkOf(sourceIPAddress: string | undefined, vpcEndpointId: string | undefined): Network {
  const address = sourceIPAddress ?? "";
  if (address.endsWith(".amazonaws.com") || address === "AWS Internal")
    return { kind: "service", key: address };
  const family = isIP(address);
  if (vpcEndpointId !== undefined)
    return { kind: "endpoint", key: vpcEndpointId, ...(family ? { address } : {}) };
  if (family === 0) return { kind: "unknown", key: address };
  return { kind: PRIVATE.test(address) ? "private" : "public", key: around(address, family), address };
}

function around(address: string, family: number): string {
  if (family === 4) return `${address.split(".").slice(0, 3).join(".")}.0/24`;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = tail === undefined ? 0 : 8;
  return `${[...groups, ...Array.from({ length: missing }, () => "0")].slice(0, 3).join(":")}::/48`;
}

/** The first that fits; whoever forges a user agent chooses his line, so that none of them excuses anything. */
const FAMILIES: readonly (readonly [RegExp, ClientFamily])[] = [
  [/^(console|signin)\.amazonaws\.com$/i, "console"],
  [/\.amazonaws\.com$|^AWS Internal$/i, "service"],
  [/CloudShell/i, "cloudshell"],
  [/AwsSecretCache|secrets-?manager-?caching|AWSParametersAndSecrets/i, "caching-client"],
  [/Amazon ECS Agent/i, "ecs-agent"],
  [/terraform|opentofu|pulumi/i, "terraform"],
  [/cloudformation/i, "cloudformation"],
  [/aws-cli|powershell/i, "cli"],
  [/^Mozilla|signin|console/i, "console"],
  [/AWS_Lambda/i, "lambda"],
  [/boto|aws-sdk|smithy|aws-toolkit/i, "sdk"],
];

export function clientOf(userAgent: string | undefined): ClientFamily {
  return FAMILIES.find(([pattern]) => pattern.test(userAgent ?? ""))?.[1] ?? "other";
}

const OUR_MARK = /\brekey\/([0-9a-f-]{36})\.(\d{1,9})\b/;

/** Every call of ours carries which invocation makes it, and the number of the call in it. */
export function ourMarkOf(
  userAgent: string | undefined,
): { readonly invocation: string; readonly call: number } | undefined {
  const [, invocation, call] = OUR_MARK.exec(userAgent ?? "") ?? [];
  return invocation === undefined ? undefined : { invocation, call: Number(call) };
}

/** Names as AWS writes them. */
import { ALPHANUMERIC, BASE32, type Random, randomOf } from "./random.ts";

export const roleArn = (account: string, path: string): string => `arn:aws:iam::${account}:role/${path}`;

export const secretArn = (account: string, region: string, name: string, random: Random): string =>
  // A digit, so that it is never six small letters, which read as part of a name.
  `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${random.text(5, ALPHANUMERIC)}${random.int(0, 9)}`;

export const keyArn = (account: string, region: string, random: Random): string =>
  `arn:aws:kms:${region}:${account}:key/${random.uuid()}`;

export const accessKey = (kind: "ASIA" | "AKIA", random: Random): string =>
  `${kind}${random.text(16, BASE32)}`;

/** The same for the same principal, always. */
export const uniqueId = (prefix: "AROA" | "AIDA", arn: string): string =>
  `${prefix}${randomOf(arn).text(17, BASE32)}`;

export const accountId = (random: Random): string => `${random.int(1, 9)}${random.text(11, "0123456789")}`;

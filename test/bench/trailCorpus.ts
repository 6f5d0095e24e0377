/**
 * A trail's files as an account of some size fills them: mostly EC2, S3, STS and KMS, with a record of Secrets Manager among
 * a hundred. The same numbers give the same bytes on every machine; they lie in `.build/` until the recipe changes.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const RECORDS_PER_FILE = 2_500;
const ACCOUNT = "123456789012";
const REGION = "eu-central-1";
const SECRETS_MANAGER_SHARE = 0.0095;
const START_MS = Date.UTC(2026, 10, 24);

export interface TrailCorpus {
  readonly folder: string;
  readonly files: number;
  readonly records: number;
  /** Unpacked. */
  readonly bytes: number;
}

/** @param root where `.build/` stands */
export async function trailCorpus(root: string, records = 300_000): Promise<TrailCorpus> {
  // Another recipe makes another folder.
  const recipe = createHash("sha256")
    .update(await readFile(import.meta.filename))
    .digest("hex")
    .slice(0, 12);
  const folder = join(root, ".build", `trail-${records}-${recipe}`);
  const made = await readFile(join(folder, "size"), "utf8").catch(() => undefined);
  const bytes = made === undefined ? await fill(folder, records) : Number(made);
  return { folder, files: Math.ceil(records / RECORDS_PER_FILE), records, bytes };
}

async function fill(folder: string, records: number): Promise<number> {
  const half = `${folder}.making`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true });
  const chance = chanceFrom(20_261_124);
  let bytes = 0;
  for (let file = 0; file * RECORDS_PER_FILE < records; file++) {
    const count = Math.min(RECORDS_PER_FILE, records - file * RECORDS_PER_FILE);
    const list = Array.from({ length: count }, () => recordAt(START_MS + file * 300_000, chance));
    const text = JSON.stringify({ Records: list });
    bytes += Buffer.byteLength(text);
    const name = `${ACCOUNT}_CloudTrail_${REGION}_${String(file).padStart(3, "0")}.json.gz`;
    await writeFile(join(half, name), gzipSync(text));
  }
  await writeFile(join(half, "size"), String(bytes));
  await rename(half, folder);
  return bytes;
}

/** Below its argument, and whole. */
type Chance = (below: number) => number;

/** Mulberry32: small, and good enough to fill records with. */
function chanceFrom(seed: number): Chance {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const hex = (chance: Chance, length: number) =>
  Array.from({ length }, () => "0123456789abcdef"[chance(16)]).join("");
const uuid = (chance: Chance) => [8, 4, 4, 4, 12].map((length) => hex(chance, length)).join("-");
const oneOf = <T>(chance: Chance, list: readonly [T, ...T[]]): T => list[chance(list.length)] ?? list[0];

const AGENTS = [
  "aws-sdk-js/3.1164.0 ua/2.1 os/linux#6.1.112-122.189.amzn2023.x86_64 lang/js md/nodejs#24.1.0",
  "Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux#6.1.112-122.189.amzn2023.x86_64 md/arch#x86_64 lang/python#3.12.11",
  "APN/1.0 HashiCorp/1.0 Terraform/1.13.1 (+https://www.terraform.io) terraform-provider-aws/6.12.0 (+https://registry.terraform.io/providers/hashicorp/aws)",
  '[aws-cli/2.28.1 md/awscrt#0.26.1 ua/2.1 os/linux#5.15.0 md/arch#x86_64 lang/python#3.13.4 "exec"]',
] as const;

function identityOf(chance: Chance, name: string, created: string): object {
  return chance(4) === 0 ? userOf(chance, name) : roleOf(chance, name, created);
}

function userOf(chance: Chance, name: string): object {
  return {
    type: "IAMUser",
    principalId: `AIDA${hex(chance, 17).toUpperCase()}`,
    arn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
    accountId: ACCOUNT,
    accessKeyId: `AKIA${hex(chance, 16).toUpperCase()}`,
    userName: name,
  };
}

function roleOf(chance: Chance, name: string, created: string): object {
  const id = `AROA${name.toUpperCase().replaceAll("-", "").padEnd(17, "Q").slice(0, 17)}`;
  const session = hex(chance, 20);
  return {
    type: "AssumedRole",
    principalId: `${id}:${session}`,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/${session}`,
    accountId: ACCOUNT,
    accessKeyId: `ASIA${hex(chance, 16).toUpperCase()}`,
    sessionContext: {
      sessionIssuer: {
        type: "Role",
        principalId: id,
        arn: `arn:aws:iam::${ACCOUNT}:role/service/${name}`,
        accountId: ACCOUNT,
        userName: name,
      },
      attributes: { creationDate: created, mfaAuthenticated: "false" },
    },
  };
}

interface Call {
  readonly source: string;
  readonly name: string;
  readonly readOnly: boolean;
  readonly request: object | null;
  readonly response?: object | null;
  readonly more?: object;
}

function recordAt(fromMs: number, chance: Chance): object {
  const time = new Date(fromMs + chance(300_000)).toISOString().replace(/\.\d+Z$/, "Z");
  const isSecret = chance(1_000_000) < SECRETS_MANAGER_SHARE * 1_000_000;
  const { source, name, readOnly, request, response, more } = isSecret
    ? secretCall(chance)
    : oneOf(chance, OTHERS)(chance);
  return {
    eventVersion: "1.11",
    userIdentity: identityOf(chance, `shop-${isSecret ? "reader" : "worker"}-${chance(40)}`, time),
    eventTime: time,
    eventSource: `${source}.amazonaws.com`,
    eventName: name,
    awsRegion: REGION,
    sourceIPAddress: `10.0.${chance(256)}.${chance(256)}`,
    userAgent: oneOf(chance, AGENTS),
    ...more,
    requestParameters: request,
    responseElements: response ?? null,
    requestID: uuid(chance),
    eventID: uuid(chance),
    readOnly,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: "Management",
    tlsDetails: {
      tlsVersion: "TLSv1.3",
      cipherSuite: "TLS_AES_128_GCM_SHA256",
      clientProvidedHostHeader: `${source}.${REGION}.amazonaws.com`,
    },
  };
}

/** A secret has one name here, so that every engine counts the same ones without Rekey's rules for names. */
function secretCall(chance: Chance): Call {
  const number = chance(120);
  const secretId =
    number % 2 === 0
      ? `shop/service-${number}`
      : `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop/service-${number}-Ab3dE${number % 10}`;
  const call = { source: "secretsmanager", readOnly: true };
  const roll = chance(10);
  if (roll < 7) return { ...call, name: "GetSecretValue", request: { secretId } };
  if (roll === 7) {
    const errorMessage = `User is not authorized to perform: secretsmanager:GetSecretValue on resource: ${secretId}`;
    return {
      ...call,
      name: "GetSecretValue",
      request: null,
      more: { errorCode: "AccessDenied", errorMessage },
    };
  }
  return roll === 8
    ? { ...call, name: "DescribeSecret", request: { secretId } }
    : {
        ...call,
        name: "ListSecrets",
        request: { maxResults: 100, filters: [{ key: "name", values: ["shop/"] }] },
      };
}

/** Calls of other services, as often as the list has them. */
const OTHERS: readonly [(chance: Chance) => Call, ...((chance: Chance) => Call)[]] = [
  describeInstances,
  describeInstances,
  (chance) => ({
    source: "ec2",
    name: "DescribeNetworkInterfaces",
    readOnly: true,
    request: {
      filterSet: {
        items: [
          { name: "attachment.instance-id", valueSet: { items: [{ value: `i-0${hex(chance, 16)}` }] } },
        ],
      },
    },
  }),
  (chance) => ({
    source: "s3",
    name: "GetBucketAcl",
    readOnly: true,
    request: { bucketName: `shop-assets-${chance(30)}`, Host: `s3.${REGION}.amazonaws.com`, acl: "" },
    more: {
      additionalEventData: {
        SignatureVersion: "SigV4",
        CipherSuite: "TLS_AES_128_GCM_SHA256",
        bytesTransferredIn: 0,
        AuthenticationMethod: "AuthHeader",
        "x-amz-id-2": `${hex(chance, 64)}/${hex(chance, 8)}+=`,
        bytesTransferredOut: chance(9_000),
      },
      resources: [
        { accountId: ACCOUNT, type: "AWS::S3::Bucket", ARN: `arn:aws:s3:::shop-assets-${chance(30)}` },
      ],
    },
  }),
  assumeRole,
  assumeRole,
  decryptOther,
  decryptOther,
  (chance) => ({
    source: "iam",
    name: "GetRolePolicy",
    readOnly: true,
    request: { roleName: `shop-worker-${chance(40)}`, policyName: "inline" },
  }),
  (chance) => ({
    source: "iam",
    name: "CreatePolicy",
    readOnly: false,
    request: {
      policyName: `shop-${hex(chance, 6)}`,
      policyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: ["secretsmanager:GetSecretValue"],
            Resource: `arn:aws:s3:::${hex(chance, 8)}/*`,
          },
        ],
      }),
    },
  }),
];

function describeInstances(chance: Chance): Call {
  const items = Array.from({ length: 1 + chance(6) }, () => ({ instanceId: `i-0${hex(chance, 16)}` }));
  return {
    source: "ec2",
    name: "DescribeInstances",
    readOnly: true,
    request: { instancesSet: { items }, filterSet: {} },
  };
}

function assumeRole(chance: Chance): Call {
  const role = `shop-worker-${chance(40)}`;
  const session = hex(chance, 32);
  return {
    source: "sts",
    name: "AssumeRole",
    readOnly: true,
    request: {
      roleArn: `arn:aws:iam::${ACCOUNT}:role/service/${role}`,
      roleSessionName: session,
      durationSeconds: 3600,
    },
    response: {
      credentials: {
        accessKeyId: `ASIA${hex(chance, 16).toUpperCase()}`,
        sessionToken: Buffer.from(hex(chance, 120)).toString("base64"),
        expiration: "Nov 24, 2026, 1:00:00 PM",
      },
      assumedRoleUser: {
        assumedRoleId: `AROA${hex(chance, 17).toUpperCase()}:${session}`,
        arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${session}`,
      },
    },
    more: {
      resources: [
        { accountId: ACCOUNT, type: "AWS::IAM::Role", ARN: `arn:aws:iam::${ACCOUNT}:role/service/${role}` },
      ],
      sharedEventID: uuid(chance),
    },
  };
}

function decryptOther(chance: Chance): Call {
  const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${uuid(chance)}`;
  return {
    source: "kms",
    name: "Decrypt",
    readOnly: true,
    request: {
      encryptionContext: { "aws:s3:arn": `arn:aws:s3:::shop-assets-${chance(30)}/${hex(chance, 24)}` },
      encryptionAlgorithm: "SYMMETRIC_DEFAULT",
    },
    more: {
      additionalEventData: { keyMaterialId: hex(chance, 64) },
      resources: [{ accountId: ACCOUNT, type: "AWS::KMS::Key", ARN: arn }],
    },
  };
}

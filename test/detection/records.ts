/** CloudTrail records as accounts have them, with the part that a test is about left to it. */

export const ACCOUNT = "123456789012";
export const REGION = "eu-central-1";
export const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop/database-Ab3dEf`;
export const KEY = `${ACCOUNT}/${REGION}/shop/database`;
export const VERSION = "7c2f4a10-5f0e-4b1c-9d5a-0a4f8f6d2b11";

export const ROLE = {
  type: "AssumedRole",
  principalId: "AROAEXAMPLE:7e2b9c",
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/shop-task/7e2b9c`,
  accountId: ACCOUNT,
  accessKeyId: "ASIAEXAMPLE",
  sessionContext: {
    sessionIssuer: {
      type: "Role",
      arn: `arn:aws:iam::${ACCOUNT}:role/service/shop-task`,
      userName: "shop-task",
    },
  },
};

let count = 0;

export function record(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    eventVersion: "1.11",
    userIdentity: ROLE,
    eventTime: "2026-11-24T12:00:00Z",
    eventSource: "secretsmanager.amazonaws.com",
    eventName: "GetSecretValue",
    awsRegion: REGION,
    sourceIPAddress: "10.0.3.17",
    userAgent: "aws-sdk-js/3.1164.0 ua/2.1 os/linux lang/js md/nodejs#24.1.0",
    requestParameters: { secretId: "shop/database" },
    responseElements: null,
    requestID: "f1c5",
    eventID: `event-${++count}`,
    readOnly: true,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    ...changes,
  };
}

/** The KMS half of a read: the service calls in the reader's name. */
export const decrypt = (changes: Readonly<Record<string, unknown>> = {}) =>
  record({
    eventSource: "kms.amazonaws.com",
    eventName: "Decrypt",
    userIdentity: { ...ROLE, accessKeyId: "ASIAOTHER", invokedBy: "secretsmanager.amazonaws.com" },
    sourceIPAddress: "secretsmanager.amazonaws.com",
    userAgent: "secretsmanager.amazonaws.com",
    vpcEndpointId: "vpce-0service",
    requestParameters: { encryptionContext: { SecretARN: ARN, SecretVersionId: VERSION } },
    ...changes,
  });

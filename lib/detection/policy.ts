/** Whom a secret's resource policy lets in, as far as can be said from the policy alone. */
import { fieldsOf } from "../fields.ts";

/** Conditions that keep a policy for everybody to people or networks that the owner named. */
const LIMITS =
  /^aws:(principal(orgid|orgpaths|account|arn|servicename)|source(vpce?|vpcarn|account|arn|orgid|orgpaths|ip)|vpcsourceip)$/i;
const ACCOUNT = /^(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?$/;

export interface Opening {
  readonly isPublic: boolean;
  /** Accounts other than the owner's. */
  readonly foreign: readonly string[];
}

const CLOSED: Opening = { isPublic: false, foreign: [] };

/** @param policy as CloudTrail has it: JSON text. What does not parse opens nothing, for the service refuses it. */
export function openingOf(policy: unknown, owner: string): Opening {
  if (typeof policy !== "string") return CLOSED;
  let parsed: unknown;
  try {
    parsed = JSON.parse(policy);
  } catch {
    return CLOSED;
  }
  const { Statement } = fieldsOf(parsed);
  const allowed = oneOrMany(Statement)
    .map(fieldsOf)
    .filter(({ Effect }) => Effect === "Allow");
  const principals = allowed.flatMap((statement) =>
    principalsOf(statement["Principal"]).map((principal) => ({ principal, isLimited: isLimited(statement) })),
  );
  return {
    isPublic:
      allowed.some((statement) => statement["NotPrincipal"] !== undefined && !isLimited(statement)) ||
      principals.some(({ principal, isLimited: limited }) => principal === "*" && !limited),
    foreign: [
      ...new Set(
        principals
          .map(({ principal }) => ACCOUNT.exec(principal)?.[1])
          .filter((account) => account !== undefined && account !== owner),
      ),
    ] as string[],
  };
}

const oneOrMany = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Of a statement's `Principal`: a service's own principal lets in a service, not somebody. */
function principalsOf(principal: unknown): readonly string[] {
  if (typeof principal === "string") return [principal];
  const { AWS } = fieldsOf(principal);
  return oneOrMany(AWS).filter((one) => typeof one === "string");
}

function isLimited(statement: ReturnType<typeof fieldsOf>): boolean {
  return Object.entries(fieldsOf(statement["Condition"])).some(
    ([operator, keys]) =>
      !/not|ifexists|null/i.test(operator) && Object.keys(fieldsOf(keys)).some((key) => LIMITS.test(key)),
  );
}

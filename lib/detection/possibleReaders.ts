/** Who could have read a secret, as far as its resource policy and its consumers tell, whether or not anybody did. */
import { fieldsOf, listOf, textOf } from "../fields.ts";

export interface PossibleReader {
  /** A role or user ARN, an account id, `*`, or a service's principal. */
  readonly principal: string;
  readonly because: string;
}

/** The secret's resource policy. */
export interface ResourcePolicies {
  /**
   * @returns JSON text; undefined if the secret has none
   * @throws RekeyError SECRET_UNREADABLE, AWS_DENIED, AWS_FAILED
   */
  readonly policyOf: (secretArn: string) => Promise<string | undefined>;
}

const READS = /^(\*|secretsmanager:(\*|get\*|getsecret\*|getsecretvalue|batchget\*|batchgetsecretvalue))$/i;

/** Whom the policy's statements let read; conditions are named, and not judged. */
export function readersByPolicy(policy: string | undefined): readonly PossibleReader[] {
  const statements = oneOrMany(fieldsOf(parsed(policy))["Statement"]).map(fieldsOf);
  return statements
    .filter(({ Effect }) => Effect === "Allow")
    .filter(
      ({ Action, NotAction }) => NotAction !== undefined || textsOf(Action).some((text) => READS.test(text)),
    )
    .flatMap((statement) => {
      const conditions = Object.keys(fieldsOf(statement["Condition"]));
      const under = conditions.length > 0 ? ` under a condition (${conditions.join(", ")})` : "";
      const because = `its resource policy allows it${under}`;
      if (statement["NotPrincipal"] !== undefined)
        return [{ principal: "*", because: "its resource policy allows everybody but some (NotPrincipal)" }];
      return principalsOf(statement["Principal"]).map((principal) => ({ principal, because }));
    });
}

function parsed(policy: string | undefined): unknown {
  try {
    return policy === undefined ? undefined : JSON.parse(policy);
  } catch {
    // Secrets Manager takes no policy that does not parse, so this one lets in nobody.
    return undefined;
  }
}

const oneOrMany = (value: unknown): readonly unknown[] => (Array.isArray(value) ? listOf(value) : [value]);
const textsOf = (value: unknown) =>
  oneOrMany(value)
    .map(textOf)
    .filter((text) => text !== undefined);

function principalsOf(principal: unknown): readonly string[] {
  if (typeof principal === "string") return textsOf(principal);
  return Object.values(fieldsOf(principal)).flatMap(textsOf);
}

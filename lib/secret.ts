/**
 * The nouns of a secret: its text, its document, and one credential inside it.
 *
 * A value that came from Secrets Manager travels only as one of these three, and each of them prints as `[secret]`
 * wherever it is printed. `reveal` is for strategies and adapters.
 */
import { inspect } from "node:util";
import { RekeyError } from "./errors.ts";

export type StagingLabel = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS";

const MASK = "[secret]";

/** A secret's text. Prints as `[secret]` in template strings, JSON, inspect and error causes. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** Field -> its value's JSON as it is written, so that 20-digit ids, `1.0` and the order inside nested values survive. */
type JsonFields = ReadonlyMap<string, string>;

/**
 * A secret's SecretString, taken apart. Immutable; a field that nobody changes keeps its value, its place and its
 * spelling. A SecretString that is not a JSON object is *plain*: it has no fields and one text.
 */
export class SecretDocument {
  readonly #fields: JsonFields | undefined;
  readonly #plain: string;

  private constructor(fields: JsonFields | undefined, plain: string) {
    this.#fields = fields;
    this.#plain = plain;
  }

  static parse(text: SecretText): SecretDocument {
    const raw = text.reveal();
    let value: unknown;
    try {
      value = JSON.parse(raw);
    } catch {
      // Not JSON at all is a legal secret: the plain string. There is nothing to report.
      return new SecretDocument(undefined, raw);
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? new SecretDocument(membersOf(raw), "") : new SecretDocument(undefined, raw);
  }

  static of(fields: Readonly<Record<string, unknown>>): SecretDocument {
    return new SecretDocument(new Map(), "").with(fields);
  }

  get isPlain(): boolean {
    return this.#fields === undefined;
  }

  fieldNames(): string[] {
    return [...(this.#fields?.keys() ?? [])];
  }

  has(field: string): boolean {
    return this.#fields?.has(field) ?? false;
  }

  /** The field as text: strings as they are, numbers and booleans as written, nested values as JSON. Absent and null: undefined. */
  reveal(field: string): string | undefined {
    const source = this.#fields?.get(field);
    if (source === undefined || source === "null") return undefined;
    return source.startsWith('"') ? String(JSON.parse(source)) : source;
  }

  /** The text of a plain secret. @throws RekeyError SECRET_MALFORMED if the document has fields. */
  revealPlain(): string {
    if (this.#fields)
      throw new RekeyError("SECRET_MALFORMED", "the secret is a JSON object, not a plain string");
    return this.#plain;
  }

  /** A copy with these fields set; `undefined` removes a field. A plain document becomes one with fields. */
  with(changes: Readonly<Record<string, unknown>>): SecretDocument {
    const fields = new Map(this.#fields ?? []);
    for (const [field, value] of Object.entries(changes)) {
      if (value === undefined) fields.delete(field);
      else fields.set(field, JSON.stringify(value));
    }
    return new SecretDocument(fields, "");
  }

  toText(): SecretText {
    if (!this.#fields) return new SecretText(this.#plain);
    const members = [...this.#fields].map(([field, source]) => `${JSON.stringify(field)}:${source}`);
    return new SecretText(`{${members.join(",")}}`);
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

const JSON_TOKEN = /"(?:[^"\\]+|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** The members of an object that JSON.parse has accepted. It loses their order where a name looks like a number; this does not. */
function membersOf(text: string): JsonFields {
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let valueAt = 0;
  for (const { 0: token, index } of text.matchAll(JSON_TOKEN)) {
    if (token === "}" || token === "]") depth--;
    if (name === undefined) {
      if (depth === 1 && token.startsWith('"')) name = String(JSON.parse(token));
    } else if (depth === 1 && token === ":") {
      valueAt = index + 1;
    } else if ((depth === 1 && token === ",") || depth === 0) {
      members.set(name, text.slice(valueAt, index).trim());
      name = undefined;
    }
    if (token === "{" || token === "[") depth++;
  }
  return members;
}

/**
 * One credential inside a secret, under the names its strategy knows (`password`, `host`, `current`), wherever its
 * fields stand in the document. A secret that is one credential maps each name to itself; a bundle maps `password` to
 * `DATABASE_PASSWORD`.
 */
export class Credential {
  readonly document: SecretDocument;
  /** What people call it: the secret's name, or `name#FIELD` in a bundle. Safe to print. */
  readonly label: string;
  readonly #fieldOf: (name: string) => string;

  constructor(document: SecretDocument, label: string, fieldOf: (name: string) => string = (name) => name) {
    this.document = document;
    this.label = label;
    this.#fieldOf = fieldOf;
  }

  /** The document's field behind a name, for messages. */
  fieldOf(name: string): string {
    return this.#fieldOf(name);
  }

  has(name: string): boolean {
    return this.document.has(this.#fieldOf(name));
  }

  reveal(name: string): string | undefined {
    return this.document.reveal(this.#fieldOf(name));
  }

  /** @throws RekeyError SECRET_MALFORMED, naming the field as it stands in the secret, if it is absent or empty. */
  require(name: string): string {
    const value = this.reveal(name);
    if (value === undefined || value === "") {
      throw new RekeyError(
        "SECRET_MALFORMED",
        `${this.label}: field ${this.#fieldOf(name)} is missing or empty`,
      );
    }
    return value;
  }

  with(changes: Readonly<Record<string, unknown>>): Credential {
    const renamed = Object.fromEntries(
      Object.entries(changes).map(([name, value]) => [this.#fieldOf(name), value]),
    );
    return this.on(this.document.with(renamed));
  }

  /** The same credential, read from another version of the document. */
  on(document: SecretDocument): Credential {
    return new Credential(document, this.label, this.#fieldOf);
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { credentialIn, followInUrls, isManaged, readTags } from "../../lib/rotation/managed.ts";
import { Credential, SecretDocument, SecretText } from "../../lib/secret.ts";
import { ARN } from "./facts.ts";

const read = (tags: Record<string, string>) => readTags(ARN, "shop/app", new Map(Object.entries(tags)));
const complaints = (tags: Record<string, string>) => read(tags).objections.map(({ message }) => message);
const only = (tags: Record<string, string>) => {
  const [credential] = read(tags).credentials;
  if (!credential) throw new Error("the tags describe no credential");
  return credential;
};

describe("a secret is managed", () => {
  test.each<[string, boolean, string[]]>([
    ["by any rekey tag", true, ["team", "rekey:interval"]],
    ["not without one", false, ["team", "Name"]],
    ["not by a tag that only contains the word", false, ["my-rekey:strategy"]],
    ["not without tags", false, []],
  ])("%s", (_promise, managed, keys) => {
    expect(isManaged(new Map(keys.map((key) => [key, "x"])))).toBe(managed);
  });
});

describe("a secret that is one credential", () => {
  test("rotates every 90 days, keeps its name, and has no objections", () => {
    expect(read({ "rekey:strategy": " redis " })).toStrictEqual({
      arn: ARN,
      name: "shop/app",
      credentials: [
        {
          label: "shop/app",
          strategy: "redis",
          intervalDays: 90,
          graceSeconds: 0,
          skewSeconds: 60,
          map: new Map(),
          options: new Map(),
        },
      ],
      declaredConsumers: [],
      objections: [],
    });
  });

  test("takes every option from its tags", () => {
    const credential = only({
      "rekey:strategy": "postgres",
      "rekey:interval": "30",
      "rekey:grace": "0",
      "rekey:skew": "5",
      "rekey:admin": "shop/admin",
      "rekey:map": "host=DB_HOST  username=DB_LOGIN",
      "rekey:alg": "EdDSA",
      "rekey:nodes": "a:6379 b:6379",
      "rekey:not-after": "honoured",
      team: "payments",
    });
    expect(credential).toMatchObject({
      intervalDays: 30,
      graceSeconds: 0,
      skewSeconds: 5,
      admin: "shop/admin",
      map: new Map([
        ["host", "DB_HOST"],
        ["username", "DB_LOGIN"],
      ]),
    });
    expect(Object.fromEntries(credential.options)).toEqual({
      interval: "30",
      grace: "0",
      skew: "5",
      admin: "shop/admin",
      map: "host=DB_HOST  username=DB_LOGIN",
      alg: "EdDSA",
      nodes: "a:6379 b:6379",
      "not-after": "honoured",
    });
  });

  test.each([
    ["jwt", 3600],
    [" jwt ", 3600],
    ["redis", 0],
  ])("%j waits %d s for tokens when nobody said", (strategy, graceSeconds) => {
    expect(only({ "rekey:strategy": strategy }).graceSeconds).toBe(graceSeconds);
  });

  test("the services of rekey:consumers may be parted by any space", () => {
    const { declaredConsumers } = read({
      "rekey:strategy": "redis",
      "rekey:consumers": " shop/gateway \n worker  ",
    });
    expect(declaredConsumers).toEqual(["shop/gateway", "worker"]);
  });
});

describe("a bundle", () => {
  const bundle = () =>
    read({
      "rekey:field:REDIS_PASSWORD": "redis",
      "rekey:field:JWT_SECRET_KEY": "jwt",
      "rekey:grace": "10",
      "rekey:grace:JWT_SECRET_KEY": "900",
      "rekey:admin:REDIS_PASSWORD": "shop/redis-admin",
    });

  test("has one credential for each tagged field, in the order of their names", () => {
    expect(bundle().credentials.map(({ field, label, strategy }) => [field, label, strategy])).toEqual([
      ["JWT_SECRET_KEY", "shop/app#JWT_SECRET_KEY", "jwt"],
      ["REDIS_PASSWORD", "shop/app#REDIS_PASSWORD", "redis"],
    ]);
    expect(bundle().objections).toEqual([]);
  });

  test("an option with a field's name is that field's alone; without, it is everybody's", () => {
    expect(bundle().credentials.map(({ graceSeconds }) => graceSeconds)).toEqual([900, 10]);
    expect(bundle().credentials.map(({ admin }) => admin)).toEqual([undefined, "shop/redis-admin"]);
    expect(bundle().credentials.map(({ options }) => options.get("grace"))).toEqual(["900", "10"]);
  });

  test("a field's name may hold a colon", () => {
    const { credentials, objections } = read({
      "rekey:field:redis:password": "redis",
      "rekey:grace:redis:password": "7",
    });
    expect(objections).toEqual([]);
    expect(credentials[0]).toMatchObject({ field: "redis:password", graceSeconds: 7 });
  });
});

describe("a tag that cannot be understood is an objection, not a default", () => {
  const KNOWN = [
    "rekey:strategy",
    "rekey:field:<FIELD>",
    "rekey:interval",
    "rekey:grace",
    "rekey:skew",
    "rekey:admin",
    "rekey:map",
    "rekey:alg",
    "rekey:nodes",
    "rekey:not-after",
    "rekey:consumers",
    "rekey:tier",
    "rekey:canary",
    "rekey:break-glass",
    "rekey:readers",
  ].join(", ");

  test("a mistyped option is named, with all that are known", () => {
    const { objections } = read({ "rekey:strategy": "jwt", "rekey:grcae": "60" });
    expect(objections).toEqual([
      {
        code: "TAG_INVALID",
        message: `shop/app: tag rekey:grcae is not one that Rekey knows; known are ${KNOWN}`,
      },
    ]);
  });

  test.each<[string, Record<string, string>, string]>([
    [
      "an option for a field that does not rotate",
      { "rekey:field:A": "jwt", "rekey:grace:B": "60" },
      "tag rekey:grace:B names the field B, which has no rekey:field:B tag",
    ],
    ["a field without a name", { "rekey:field:": "jwt" }, "tag rekey:field: names no field"],
    [
      "one credential and a bundle at once",
      { "rekey:strategy": "jwt", "rekey:field:A": "jwt" },
      "both rekey:strategy and rekey:field:*",
    ],
    [
      "options without a strategy",
      { "rekey:interval": "30" },
      "neither rekey:strategy nor rekey:field:<FIELD>",
    ],
    [
      "an interval of no days",
      { "rekey:strategy": "jwt", "rekey:interval": "0" },
      "rekey:interval must be a number of at least 1",
    ],
    [
      "a grace period in words",
      { "rekey:strategy": "jwt", "rekey:grace": "1h" },
      "rekey:grace must be a number of at least 0",
    ],
    [
      "a negative skew",
      { "rekey:strategy": "jwt", "rekey:skew": "-1" },
      "rekey:skew must be a number of at least 0",
    ],
    [
      "an endless grace period",
      { "rekey:strategy": "jwt", "rekey:grace": "Infinity" },
      "rekey:grace must be a number",
    ],
    [
      "an empty interval",
      { "rekey:strategy": "jwt", "rekey:grace": " " },
      "rekey:grace must be a number of at least 0",
    ],
    ["a map without =", { "rekey:strategy": "jwt", "rekey:map": "host" }, "`host=DB_HOST username=DB_USER`"],
    ["a map without a field", { "rekey:strategy": "jwt", "rekey:map": "host=" }, "tag rekey:map must read"],
    ["a map without a name", { "rekey:strategy": "jwt", "rekey:map": "=HOST" }, "tag rekey:map must read"],
    ["a map with two =", { "rekey:strategy": "jwt", "rekey:map": "host=A=B" }, "tag rekey:map must read"],
  ])("%s", (_what, tags, says) => {
    expect(complaints(tags)).toHaveLength(1);
    expect(complaints(tags)[0]).toMatch(/^shop\/app: /);
    expect(complaints(tags)[0]).toContain(says);
  });

  test("its value is not used: the default stays, and what is right beside it counts", () => {
    expect(only({ "rekey:strategy": "jwt", "rekey:grace": "1h", "rekey:interval": "1" })).toMatchObject({
      graceSeconds: 3600,
      intervalDays: 1,
    });
    expect(only({ "rekey:strategy": "jwt", "rekey:map": "a=B =C d= e=F=G h=I" }).map).toEqual(
      new Map([
        ["a", "B"],
        ["h", "I"],
      ]),
    );
  });

  test("of a bundle it is named with its field, and named once if every field shares it", () => {
    const fields = { "rekey:field:A": "jwt", "rekey:field:B": "jwt" };
    expect(complaints({ ...fields, "rekey:grace:B": "1h", "rekey:map:A": "x" })).toEqual([
      "shop/app: tag rekey:map:A must read like `host=DB_HOST username=DB_USER`",
      "shop/app: tag rekey:grace:B must be a number of at least 0",
    ]);
    expect(complaints({ ...fields, "rekey:grace": "1h", "rekey:skew": "1m" })).toEqual([
      "shop/app: tag rekey:grace must be a number of at least 0",
      "shop/app: tag rekey:skew must be a number of at least 0",
    ]);
  });

  test("tags of others are none of our business", () => {
    expect(complaints({ "rekey:strategy": "jwt", "aws:tag": "x", "my:rekey:grcae": "y" })).toEqual([]);
  });
});

describe("where a credential's parts stand", () => {
  const fieldsOf = (
    tags: Record<string, string>,
    document: Record<string, string>,
    valueName: string,
    names: readonly string[],
  ) => {
    const credential = credentialIn(SecretDocument.of(document), only(tags), valueName);
    return names.map((name) => credential.fieldOf(name));
  };
  const PASSWORD_PARTS = ["password", "host", "port", "username", "dbname"];

  test.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    [
      "in a secret of its own: under their own names",
      { "rekey:strategy": "postgres" },
      {},
      ["password", "host", "port", "username", "dbname"],
    ],
    [
      "in a secret of its own: where rekey:map says",
      { "rekey:strategy": "postgres", "rekey:map": "password=PGPASSWORD host=PGHOST" },
      {},
      ["PGPASSWORD", "PGHOST", "port", "username", "dbname"],
    ],
    [
      "in a bundle: beside the password",
      { "rekey:field:SHOP_DATABASE_PASSWORD": "postgres" },
      {},
      [
        "SHOP_DATABASE_PASSWORD",
        "SHOP_DATABASE_HOST",
        "SHOP_DATABASE_PORT",
        "SHOP_DATABASE_USER",
        "SHOP_DATABASE_NAME",
      ],
    ],
    [
      "in a bundle: by the spelling that is there",
      { "rekey:field:DB_PASSWORD": "postgres" },
      { DB_HOSTNAME: "h", DB_USERNAME: "u", DB_DATABASE: "d" },
      ["DB_PASSWORD", "DB_HOSTNAME", "DB_PORT", "DB_USERNAME", "DB_DATABASE"],
    ],
    [
      "in a bundle: by the first spelling if several are there",
      { "rekey:field:DB_PASSWORD": "postgres" },
      { DB_DB: "d", DB_DBNAME: "d", DB_HOSTNAME: "h", DB_HOST: "h" },
      ["DB_PASSWORD", "DB_HOST", "DB_PORT", "DB_USER", "DB_DBNAME"],
    ],
    [
      "in a bundle in small letters",
      { "rekey:field:db_password": "postgres" },
      { db_db: "d" },
      ["db_password", "db_host", "db_port", "db_user", "db_db"],
    ],
    [
      "beside a password without a prefix",
      { "rekey:field:PASSWORD": "postgres" },
      {},
      ["PASSWORD", "HOST", "PORT", "USER", "NAME"],
    ],
    [
      "in a bundle: where rekey:map says",
      { "rekey:field:DB_PASSWORD": "postgres", "rekey:map:DB_PASSWORD": "host=PRIMARY" },
      { DB_HOST: "h" },
      ["DB_PASSWORD", "PRIMARY", "DB_PORT", "DB_USER", "DB_NAME"],
    ],
  ])("%s", (_promise, tags, document, fields) => {
    expect(fieldsOf(tags, document, "password", PASSWORD_PARTS)).toEqual(fields);
  });

  test("a key has its parts below it", () => {
    const parts = ["current", "next", "previous", "previousNotAfter", "alg"];
    expect(fieldsOf({ "rekey:field:JWT_SECRET_KEY": "jwt" }, {}, "current", parts)).toEqual([
      "JWT_SECRET_KEY",
      "JWT_SECRET_KEY_NEXT",
      "JWT_SECRET_KEY_PREVIOUS",
      "JWT_SECRET_KEY_PREVIOUS_NOT_AFTER",
      "JWT_SECRET_KEY_ALG",
    ]);
  });

  test("a part does not move because another spelling appears in the next version", () => {
    const before = credentialIn(
      SecretDocument.of({ DB_PASSWORD: "p", DB_USERNAME: "u" }),
      only({ "rekey:field:DB_PASSWORD": "postgres" }),
      "password",
    );
    expect(before.fieldOf("username")).toBe("DB_USERNAME");
    expect(before.with({ DB_USER: "x" }).fieldOf("username")).toBe("DB_USERNAME");
    const after = before.on(SecretDocument.of({ DB_PASSWORD: "p", DB_USER: "x", DB_USERNAME: "u" }));
    expect(after.reveal("username")).toBe("u");
    expect(before.label).toBe("shop/app#DB_PASSWORD");
  });
});

describe("a URL that holds the old password follows it", () => {
  const login = (username: string | undefined, password: string | undefined) =>
    new Credential(SecretDocument.of({ username, password }), "shop/app");
  const follow = (url: string, from = login("app_a", "old"), to = login("app_b", "new")) =>
    followInUrls(SecretDocument.of({ URL: url }), from, to).reveal("URL");

  test.each([
    [
      "user and password",
      "postgres://app_a:old@db:5432/shop?ssl=1#x",
      "postgres://app_b:new@db:5432/shop?ssl=1#x",
    ],
    [
      "a scheme with signs",
      "postgresql+psycopg2.x-1://app_a:old@db",
      "postgresql+psycopg2.x-1://app_b:new@db",
    ],
    ["a scheme in capitals", "Redis://app_a:old@db", "Redis://app_b:new@db"],
    ["no user", "redis://:old@cache:6379/0", "redis://:new@cache:6379/0"],
    ["an escaped password", "redis://:%6Fld@cache", "redis://:new@cache"],
    ["an escaped user", "postgres://app%5Fa:old@db", "postgres://app_b:new@db"],
    ["an @ in the query", "redis://:old@cache/?mail=a@b", "redis://:new@cache/?mail=a@b"],
  ])("%s", (_what, url, followed) => {
    expect(follow(url)).toBe(followed);
  });

  test.each([
    ["another password", "postgres://app_a:other@db"],
    ["another user", "postgres://somebody:old@db"],
    ["no password", "postgres://app_a@db"],
    ["no URL", "app_a:old@db"],
    ["the URL inside other text", "see postgres://app_a:old@db"],
    ["a stray % in another password", "postgres://app_a:100%@db"],
    ["the old password in its path only", "https://host/app_a:old@db"],
    ["the old password in its query only", "https://host?app_a:old@db"],
    ["the old password in its fragment only", "https://host#app_a:old@db"],
    ["a scheme that begins with a digit", "1x://app_a:old@db"],
  ])("but not one with %s", (_what, url) => {
    expect(follow(url)).toBe(url);
  });

  test("where the credential has no user, whatever user the URL names stays", () => {
    expect(follow("redis://default:old@cache", login(undefined, "old"), login(undefined, "new"))).toBe(
      "redis://default:new@cache",
    );
    expect(follow("redis://:old@cache", login(undefined, "old"), login(undefined, "new"))).toBe(
      "redis://:new@cache",
    );
  });

  test("a URL without a user gets none, although the new login has one", () => {
    expect(follow("redis://:old@cache", login(undefined, "old"), login("app_b", "new"))).toBe(
      "redis://:new@cache",
    );
  });

  test("a user that does not rotate stays", () => {
    expect(follow("redis://app_a:old@cache", login("app_a", "old"), login(undefined, "new"))).toBe(
      "redis://app_a:new@cache",
    );
  });

  test("a stray % stands for itself", () => {
    expect(follow("redis://:100%@cache", login("a", "100%"), login("a", "n/w"))).toBe("redis://:n%2Fw@cache");
  });

  test.each([
    ["old", login("app_a", undefined), login("app_b", "new")],
    ["new", login("app_a", "old"), login("app_b", undefined)],
  ])("nothing changes while there is no %s password", (_which, from, to) => {
    expect(follow("redis://app_a:old@cache", from, to)).toBe("redis://app_a:old@cache");
    expect(follow("redis://app_a:@cache", from, to)).toBe("redis://app_a:@cache");
  });

  test("every such URL of the document follows, and every other field is left as it is written", () => {
    const text = '{"A":"redis://:old@a","n":1.0,"none":null,"B":"redis://:old@b","PASSWORD":"old"}';
    const followed = followInUrls(
      SecretDocument.parse(new SecretText(text)),
      login("a", "old"),
      login("a", "new"),
    );
    expect(followed.toText().reveal()).toBe(
      '{"A":"redis://:new@a","n":1.0,"none":null,"B":"redis://:new@b","PASSWORD":"old"}',
    );
  });

  test("for any logins: a reader of the URL gets the new ones, and everything behind the @ is untouched", () => {
    const word = fc.string({ minLength: 1, unit: fc.constantFrom(..."aZ0_-%@:/?#&=+ é€😀") });
    fc.assert(
      fc.property(
        word,
        word,
        word,
        word,
        fc.constantFrom("", "/", "/shop?mail=a@b:c@d#e"),
        (oldUser, oldPassword, newUser, newPassword, path) => {
          const url = (user: string, password: string) =>
            `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@db:5432${path}`;
          const followed = follow(
            url(oldUser, oldPassword),
            login(oldUser, oldPassword),
            login(newUser, newPassword),
          );
          expect(followed).toBe(url(newUser, newPassword));
          expect(decodeURIComponent(new URL(followed ?? "").password)).toBe(newPassword);
        },
      ),
    );
  });
});

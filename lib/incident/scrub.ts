/**
 * Lines that may leave the account: whatever looks like a secret is taken out. It removes too much rather than too little,
 * since the tail of a log is where secrets leak. Pure; gives the same on its own result.
 */

const GONE = "[removed]";
/** Longer lines are cut first, so that no pattern works on more. */
const LONGEST_LINE = 4_000;
const SHOWN_LINE = 400;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const COLOURS = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const WORDS = [
  "pass(?:word|wd|phrase|code|(?![a-z]))",
  "pwd|secret(?!smanager)|token|credential|cookie|signature|jwt|dsn|salt",
  "(?:api|access|private|signing|encryption|session)[-_ ]?(?:key|id)",
  String.raw`authorization|auth(?=["'\\]*\s*=)`,
  "(?<![a-z])(?:pin|otp)(?![a-z])",
].join("|");
/** A value: in quotes, in escaped quotes as in JSON within JSON, also such as never close; or up to the next space. */
const VALUE = [
  String.raw`"(?:[^"\\]|\\.)*(?:"|$)`,
  String.raw`\\"(?:[^"\\]|\\{2,}"|\\[^"\\])*(?:\\"|$)`,
  String.raw`'(?:[^'\\]|\\.)*(?:'|$)`,
  String.raw`(?:Bearer|Basic|Digest|Negotiate|AWS4-HMAC-SHA256)\s+\S+`,
  String.raw`\S+`,
].join("|");
const SEPARATOR = String.raw`\s*(?:=>|:=|[:=])\s*`;
/** Not the word in an ARN, whose secret's name may be read. */
const NOT_IN_ARN = String.raw`(?<!:\d{12}:)(?<![\w.-])`;

const assignment = (words: string) =>
  new RegExp(`(${NOT_IN_ARN}[\\w.-]*(?:${words})[\\w.-]*\\\\*["']?${SEPARATOR})(?:${VALUE})`, "gi");

const COOKIE_LINE = /((?:set-)?cookie\s*[:=]\s*).+/gi;
const NAMED_SECRET = assignment(WORDS);
const SPOKEN = /\b(pass(?:word|phrase)|secret|token|key)\s+(?:(?:is|was)\s+["']?\S+|["'][^"']*["']?)/gi;
const SCHEME = /\b(Bearer|Basic|Digest|Negotiate)\s+[\w.~+/=:-]{6,}/gi;
const IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*@/gi;
const AWS_KEY = /\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA|APKA)[A-Z0-9]{8,}/g;
const JWT = /\beyJ[\w-]{4,}(?:\.[\w-]*)*/g;
const VENDOR =
  /\b(?:xox[a-z]|xapp|sk|pk|rk|whsec|ghp|gho|ghs|ghu|github_pat|glpat|npm|shpat|SG)[-_.][\w.-]{8,}/g;
const PEM = /-----BEGIN [\s\S]*?(?:-----END [^\n]*|$)/g;
/** The rest of a block whose beginning is not among the lines. */
const PEM_TAIL = /(?:^[A-Za-z0-9+/=]{1,76}[ \t]*\n)+^-----END [^\n]*/gm;
/** ARNs are names, and so are deployments' ids. */
const LONG_RUN = /\b(arn:[\w-]+:[\w-]+:[\w-]*:\d{12}:[\w/:+=.@-]+|ecs-svc\/\d+)|[A-Za-z0-9+/=_-]{20,}/g;

/**
 * @param names of variables and fields that hold secrets in this task, whatever they are called
 * @returns lines without control characters, each no longer than a screen is wide
 */
export function scrubLines(lines: readonly string[], names: readonly string[] = []): string[] {
  if (lines.length === 0) return [];
  const text = lines
    .flatMap((line) => line.split(/\r?\n/))
    .map((line) => line.slice(0, LONGEST_LINE).replace(COLOURS, "").replace(UNSEEN, " "))
    .join("\n");
  const whole = text.replace(PEM, GONE).replace(PEM_TAIL, GONE);
  const own = names.filter((name) => /^[\w.-]{3,128}$/.test(name)).map((name) => name.replaceAll(".", "\\."));
  const named = own.length > 0 ? assignment(own.join("|")) : undefined;
  return whole.split("\n").map((line) => shorten(scrubLine(line, named)));
}

export const scrub = (text: string, names: readonly string[] = []): string =>
  scrubLines([text], names).join(" ");

function scrubLine(line: string, named: RegExp | undefined): string {
  const clean = line
    .replace(COOKIE_LINE, `$1${GONE}`)
    .replace(IN_URL, `$1${GONE}@`)
    .replace(NAMED_SECRET, `$1${GONE}`)
    .replace(SPOKEN, `$1 ${GONE}`)
    .replace(SCHEME, `$1 ${GONE}`)
    .replace(JWT, GONE)
    .replace(AWS_KEY, GONE)
    .replace(VENDOR, GONE);
  return (named ? clean.replace(named, `$1${GONE}`) : clean).replace(LONG_RUN, (run, name) =>
    name === undefined && looksRandom(run) ? GONE : run,
  );
}

/** Digits among letters of both cases, or many digits among letters: keys and hashes, and no words or paths. */
function looksRandom(run: string): boolean {
  const digits = run.replace(/\D/g, "").length;
  const hasLetters = /[a-z]/i.test(run);
  if (digits === 0)
    return run.length >= 32 && !/[/_-]/.test(run) && /[a-z][A-Z]{2}|[A-Z][a-z][A-Z]/.test(run);
  return (
    hasLetters && (digits >= 4 || (/[a-z]/.test(run) && /[A-Z]/.test(run)) || /^[A-Z0-9+/=]+$/.test(run))
  );
}

const shorten = (line: string) => (line.length > SHOWN_LINE ? `${line.slice(0, SHOWN_LINE - 1)}…` : line);

/** Whether a variable of this name is shown by its name only. */
export const isSecretName = (name: string): boolean =>
  new RegExp(WORDS, "i").test(name) || /key$/i.test(name);

/**
 * The closed grammar of `when`. Only the build reads it; a run has the tree.
 *
 *     given(accessKey)    done(reach)    reach.readers over 0    evidence.stop is "outOfMemory"
 *     not, and, or, and parentheses; `and` binds before `or`.
 */
import type { Condition } from "./condition.ts";

const TOKEN = /\s*(?:([A-Za-z]\w*(?:\.[A-Za-z]\w*)?)|(\d+)|"([^"\\]*)"|([()])|(\S))/gy;

type Token = { readonly word: string } | { readonly literal: string | number } | { readonly mark: "(" | ")" };

/** @returns the condition, or why the text is none */
export function parseCondition(text: string): Condition | { readonly wrong: string } {
  const reader = new Reader(text);
  const condition = reader.either();
  if (reader.wrong === undefined && !reader.isAtEnd())
    reader.fail(`"${reader.shown()}" is not expected here`);
  return reader.wrong === undefined ? condition : { wrong: reader.wrong };
}

class Reader {
  wrong: string | undefined;
  private readonly tokens: Token[] = [];
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    for (const [whole, word, number, quoted, mark, other] of text.trim().matchAll(TOKEN)) {
      if (word !== undefined) this.tokens.push({ word });
      else if (number !== undefined) this.tokens.push({ literal: Number(number) });
      else if (quoted !== undefined) this.tokens.push({ literal: quoted });
      else if (mark === "(" || mark === ")") this.tokens.push({ mark });
      else
        this.fail(
          `"${other ?? whole}" means nothing here; there are given(), done(), is, over, not, and, or`,
        );
    }
  }

  /** The first mistake is told; what follows from it is noise. */
  fail(why: string): Condition {
    this.wrong ??= why;
    this.at = this.tokens.length;
    return { all: [] };
  }

  isAtEnd = (): boolean => this.at >= this.tokens.length;
  shown(): string {
    const token = this.tokens[this.at];
    return token === undefined ? "the end" : String(Object.values(token)[0]);
  }

  either(): Condition {
    const parts = [this.both()];
    while (this.takes("or")) parts.push(this.both());
    return parts.length === 1 && parts[0] ? parts[0] : { any: parts };
  }

  private both(): Condition {
    const parts = [this.one()];
    while (this.takes("and")) parts.push(this.one());
    return parts.length === 1 && parts[0] ? parts[0] : { all: parts };
  }

  private one(): Condition {
    this.depth += 1;
    const condition = this.depth > 20 ? this.fail("it is nested too deeply") : this.unnested();
    this.depth -= 1;
    return condition;
  }

  private unnested(): Condition {
    if (this.takes("not")) return { not: this.one() };
    if (this.takesMark("(")) {
      const inner = this.either();
      return this.takesMark(")") ? inner : this.fail(`a ")" is missing before "${this.shown()}"`);
    }
    const name = this.takesWord();
    if (name === undefined) return this.fail(`a condition should stand where "${this.shown()}" stands`);
    if (name === "given" || name === "done") return this.called(name);
    if (this.takes("is")) return this.compared(name);
    if (!this.takes("over"))
      return this.fail(`after "${name}" should stand "is" or "over", not "${this.shown()}"`);
    const least = this.takesLiteral();
    return typeof least === "number"
      ? { value: name, over: least }
      : this.fail(`after "${name} over" should stand a whole number`);
  }

  private called(by: "given" | "done"): Condition {
    const name = this.takesMark("(") ? this.takesWord() : undefined;
    if (name === undefined || !this.takesMark(")"))
      return this.fail(`${by} asks for one name in parentheses`);
    return by === "given" ? { given: name } : { done: name };
  }

  private compared(value: string): Condition {
    const isNot = this.takes("not");
    const is = this.takes("true") ? true : this.takes("false") ? false : this.takesLiteral();
    if (is === undefined)
      return this.fail(`after "${value} is" should stand true, false, a number or "a text in quotes"`);
    return isNot ? { not: { value, is } } : { value, is };
  }

  private takes(word: string): boolean {
    const token = this.tokens[this.at];
    return this.takesIf(token !== undefined && "word" in token && token.word === word);
  }

  private takesMark(mark: "(" | ")"): boolean {
    const token = this.tokens[this.at];
    return this.takesIf(token !== undefined && "mark" in token && token.mark === mark);
  }

  private takesIf(isIt: boolean): boolean {
    if (isIt) this.at += 1;
    return isIt;
  }

  private takesWord(): string | undefined {
    const token = this.tokens[this.at];
    if (token === undefined || !("word" in token)) return undefined;
    this.at += 1;
    return token.word;
  }

  private takesLiteral(): string | number | undefined {
    const token = this.tokens[this.at];
    if (token === undefined || !("literal" in token)) return undefined;
    this.at += 1;
    return token.literal;
  }
}

/** What a container depends on, as far as its task definition says: other containers, and the hosts that its variables name. */
import type { ContainerShape } from "./taskFacts.ts";

export interface Host {
  readonly variable: string;
  readonly host: string;
  readonly port: number;
}

const MOST_HOSTS = 8;
const PORTS: Readonly<Record<string, number>> = {
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  mariadb: 3306,
  redis: 6379,
  rediss: 6379,
  amqp: 5672,
  amqps: 5671,
  mongodb: 27017,
  http: 80,
  https: 443,
};
const BY_NAME: readonly (readonly [RegExp, number])[] = [
  [/redis|cache|valkey/i, 6379],
  [/mysql|maria/i, 3306],
  [/database|postgres|pg|db/i, 5432],
];

/** The hosts that a container's plain variables name: as URLs, or as `DATABASE_HOST` beside `DATABASE_PORT`. */
export function hostsOf({ environment }: Pick<ContainerShape, "environment">): Host[] {
  const found = [...environment].flatMap(([variable, value]): Host[] => {
    const scheme = /^([a-z][a-z0-9]*)(?:\+\w+)?:\/\//i.exec(value)?.[1]?.toLowerCase() ?? "";
    if (Object.hasOwn(PORTS, scheme)) {
      const [, host, port] = /^([\w.-]{1,253})(?::(\d{1,5}))?$/.exec(authorityOf(value)) ?? [];
      return host === undefined ? [] : [{ variable, host, port: Number(port ?? PORTS[scheme]) }];
    }
    const [, stem] = /^(.*)_HOST(?:NAME)?$/i.exec(variable) ?? [];
    if (stem === undefined || !/^[\w.-]{1,253}$/.test(value)) return [];
    const stated = Number(environment.get(`${stem}_PORT`) ?? Number.NaN);
    const port = Number.isInteger(stated) ? stated : BY_NAME.find(([name]) => name.test(stem))?.[1];
    return port === undefined ? [] : [{ variable, host: value, port }];
  });
  const isUsual = ({ host, port }: Host) => port > 0 && port < 65_536 && !isLinkLocal(host);
  const usual = found.filter(isUsual);
  const isFirst = (one: Host, at: number) =>
    usual.findIndex(({ host, port }) => host === one.host && port === one.port) === at;
  return usual.filter(isFirst).slice(0, MOST_HOSTS);
}

/**
 * What follows the last @: a password that nobody escaped may hold every sign that ends one, and no part of it may be taken
 * for a host. Of several hosts the first.
 */
const authorityOf = (url: string) =>
  url.slice(Math.max(url.indexOf("://") + 3, url.lastIndexOf("@") + 1)).replace(/[/?#,].*$/s, "");

/** The task's own: credentials and metadata, which nobody has to reach from elsewhere. */
const isLinkLocal = (host: string) =>
  host.startsWith("169.254.") || host.startsWith("127.") || host === "localhost";

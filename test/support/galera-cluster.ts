import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { freePort } from './free-port.js';
import { hasMariadb, type MariadbServer, startMariadb } from './mariadb-server.js';

/** What MariaDB loads to be a node, where Debian puts it, and others. */
const PROVIDER = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'].find(existsSync);

/** Whether this machine has what a cluster needs. */
export const hasGalera = hasMariadb && PROVIDER !== undefined && spawnSync('rsync', ['--version']).error === undefined;

/** Where a node hears of what the others have committed. */
interface GroupAddress {
  readonly group: string;
  readonly transfer: string;
}

/** Servers of the tests' own, all of which take writes: what one has committed, the others have soon, or refuse. */
export interface GaleraCluster {
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Starts so many nodes, each after the one before has joined. */
export async function startGalera(size: number): Promise<GaleraCluster> {
  const nodes: MariadbServer[] = [];
  const groups: string[] = [];
  while (nodes.length < size) {
    const own = { group: await freeAddress(), transfer: await freeAddress() };
    nodes.push(await startMariadb(nodeOptions(own, groups)));
    groups.push(own.group);
  }
  return {
    urls: nodes.map(({ url }) => url),
    stop: async () => {
      for (const node of nodes) await node.stop();
    },
  };
}

async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}

/** A node begins with the data of another one, by rsync. */
function nodeOptions({ group, transfer }: GroupAddress, others: readonly string[]): string[] {
  return [
    '--wsrep-on=ON',
    `--wsrep-provider=${PROVIDER}`,
    `--wsrep-cluster-address=gcomm://${others.join()}`,
    `--wsrep-node-address=${group}`,
    `--wsrep-provider-options=gmcast.listen_addr=tcp://${group};ist.recv_addr=${transfer}`,
    '--wsrep-sst-method=rsync',
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
  ];
}

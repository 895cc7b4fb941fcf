// All that one session needs to serve requests: connections that read, one that writes, the names
// that clients may use. A change of role makes a new one of these.

import type { DuckDBConnection } from '@duckdb/node-api';

import { CatalogNames } from './catalog-names.ts';
import { openSession, type Session } from './duckdb-session.ts';
import { Staging } from './external/staging.ts';
import { StoredFunctions } from './functions/stored-functions.ts';
import { WasmHost } from './functions/wasm-host.ts';
import { updateInlining } from './inlining.ts';
import { LargeTables } from './large-tables.ts';
import { PinnedConnections } from './pinned-connections.ts';
import type { EngineConfig, LakeRole } from './ports.ts';
import { CheckedPlans } from './run-statement.ts';
import { VolatileNames } from './volatile-names.ts';

/** A query uses all threads of DuckDB by itself; more at once wait for each other. */
const CONNECTIONS_MAX = 16;

export interface Serving {
  readonly session: Session;
  readonly pins: PinnedConnections;
  /** The only one that writes to the lake; used by whoever the queue lets. */
  readonly writer: DuckDBConnection;
  /** The only one that changes `staging`. */
  readonly stager: DuckDBConnection;
  readonly staging: Staging;
  readonly functions: StoredFunctions;
  readonly checked: CheckedPlans;
  readonly names: CatalogNames;
  readonly largeTables: LargeTables;
  readonly volatileNames: VolatileNames;
  close(): void;
}

/** Throws LAKE_CATALOG. */
export async function openServing(
  config: EngineConfig,
  role: LakeRole,
  now: () => number,
): Promise<Serving> {
  const session = await openSession(config, role);
  const host = new WasmHost();
  const functions = new StoredFunctions(host, await session.connect());
  const names = new CatalogNames();
  const largeTables = new LargeTables();
  const volatileNames = new VolatileNames();
  const pins = new PinnedConnections(session, {
    connectionsMax: config.connectionsMax ?? CONNECTIONS_MAX,
    now,
    functionCount: () => functions.registeredCount,
    onSnapshot: async (connection, snapshot) => {
      const { schemaVersion } = snapshot;
      await names.load(connection, snapshot);
      await largeTables.load(connection, snapshot);
      await functions.load(connection, schemaVersion);
      await volatileNames.load(connection, schemaVersion, functions.volatileNames);
    },
  });
  const writer = await session.connect();
  if (role === 'writer') await updateInlining(writer, config.maintenance.inlineRowsMax);
  return {
    session,
    pins,
    writer,
    stager: await session.connect(),
    staging: new Staging(),
    functions,
    checked: new CheckedPlans(),
    names,
    largeTables,
    volatileNames,
    close() {
      pins.close();
      host.close();
      session.close();
    },
  };
}

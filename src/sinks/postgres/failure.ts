import { DatabaseError } from 'pg';
import { MillraceError } from '../../core/errors.ts';

export interface Place {
  /** `host:port/database`, without user and password */
  readonly server: string;
  readonly user: string;
  /** quoted, with its schema */
  readonly table: string;
}

/** What PostgreSQL, or the way to it, says, in words that tell what to do. */
export function failureOf(error: unknown, place: Place): MillraceError {
  if (error instanceof MillraceError) return error;
  if (!(error instanceof DatabaseError)) {
    const cause = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
    const message = cause.errors?.[0]?.message ?? cause.message;
    return new MillraceError('sink_unreachable', `${place.server} does not answer: ${message}`, {
      hint: 'it is tried again; the views go on meanwhile',
      cause: error,
    });
  }
  const code = error.code ?? '';
  const says = error.message.length > 300 ? `${error.message.slice(0, 299)}…` : error.message;
  const known = KNOWN[code] ?? KNOWN[code.slice(0, 2)];
  if (known === undefined) {
    return new MillraceError('sink_refused', `${place.server} refuses ${place.table}: ${says} (${code})`, {
      hint: error.hint ?? error.detail,
      cause: error,
    });
  }
  const { away, what, hint } = known(place, error);
  return new MillraceError(away ? 'sink_unreachable' : 'sink_refused', `${what}: ${says}`, {
    hint,
    cause: error,
  });
}

/** PostgreSQL's code of a failure that {@link failureOf} has told; undefined: it was none of PostgreSQL. */
export function sqlState(error: unknown): string | undefined {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof DatabaseError ? cause.code : undefined;
}

interface Known {
  /** it may go by itself */
  readonly away?: boolean;
  readonly what: string;
  readonly hint: string;
}

const credentials = ({ server, user }: Place): Known => ({
  what: `${server} does not let user "${user}" in`,
  hint: 'mend user and password of the connection, or the rules of pg_hba.conf',
});

const leaving = ({ server }: Place): Known => ({
  away: true,
  what: `${server} takes no connections now`,
  hint: 'it is tried again; the views go on meanwhile',
});

/** by SQLSTATE, or its class */
const KNOWN: Readonly<Record<string, (place: Place, error: DatabaseError) => Known>> = {
  '08': leaving,
  '40': leaving,
  '57': leaving,
  '53300': leaving,
  '55P03': ({ table }) => ({
    away: true,
    what: `somebody holds ${table} for long`,
    hint: 'it is tried again; pg_locks tells who holds it',
  }),
  '28': credentials,
  '3D000': ({ server }) => ({
    what: `there is no database at ${server}`,
    hint: 'create it, or name another one in the connection',
  }),
  '42501': ({ user, table }) => ({
    what: `user "${user}" may not do what keeping ${table} takes`,
    hint: `the user must own ${table}, and may need: GRANT USAGE, CREATE ON SCHEMA ... TO "${user}"`,
  }),
  '54000': ({ table }) => ({
    what: `a key is too large for an index of ${table}`,
    hint: 'PostgreSQL indexes keys up to about 2,700 bytes: group by something shorter, such as MD5(...) of it',
  }),
  '22021': zeroCharacter,
  '22P05': zeroCharacter,
  '22008': outOfRange,
  '22003': outOfRange,
  '23502': ({ table }) => ({
    what: `a row has NULL where ${table} has none`,
    hint: 'keys may be NULL from PostgreSQL 15 on, or leave such rows out: WHERE ... IS NOT NULL',
  }),
  '23': ({ table }) => ({
    what: `a row of the view breaks a rule of ${table}`,
    hint: 'remove the constraint: the table is to hold what the view says',
  }),
  '53100': ({ server }) => ({
    away: true,
    what: `${server} has no room left`,
    hint: 'make room on its disk',
  }),
  '53': leaving,
  '25006': ({ server }) => ({
    what: `${server} is read-only`,
    hint: 'name the primary in the connection',
  }),
};

function zeroCharacter({ table }: Place): Known {
  return {
    what: `a text has a character that ${table} cannot hold (U+0000, or one that its encoding lacks)`,
    hint: "leave it out in the view: REPLACE(column, CHR(0), '')",
  };
}

function outOfRange({ table }: Place, error: DatabaseError): Known {
  return {
    what: `a value lies beyond what ${table} can hold`,
    hint: error.where ?? 'see docs/sinks.md for the ranges of types',
  };
}

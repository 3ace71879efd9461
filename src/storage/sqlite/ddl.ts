import type { Ddl } from '#storage/migrate.ts'

/** A portable statement in SQLite's words: strict tables, keyed ones without row numbers. */
export const sqliteDdl = ({ text, keyed }: Ddl): string => {
  const translated = text
    .replaceAll(/\b(BIGINT|SMALLINT|BOOLEAN)\b/g, 'INTEGER')
    .replaceAll(/\bDOUBLE PRECISION\b/g, 'REAL')
    .replaceAll(/\bBYTEA\b/g, 'BLOB')
  if (!/^CREATE TABLE/.test(translated)) return translated
  return `${translated} STRICT${keyed ? ', WITHOUT ROWID' : ''}`
}

import type { Ddl } from '#storage/migrate.ts'

/** A portable statement in PostgreSQL's words: text compares by code points, as in SQLite. */
export const postgresDdl = ({ text }: Ddl): string => text.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"')

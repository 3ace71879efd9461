import { DatabaseRefused } from './database.ts'

/** The database is that of another server. */
export const wrongServerName = (found: string, configured: string): DatabaseRefused =>
  new DatabaseRefused(
    `The database belongs to the server ${found}, but server_name is ${configured}. A server cannot change its name: ` +
      'put the old one back, or give the new server an empty database of its own.',
  )

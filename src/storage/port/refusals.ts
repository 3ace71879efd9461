import { DatabaseRefused, PORT_MARK } from '#storage/database.ts'
import type { Books } from './books.ts'

/** What a database to copy into says of itself. `mark` is undefined while a port into it is unfinished. */
export type Occupant = {
  readonly books: Books
  readonly serverName: string
  readonly mark: string | undefined
  readonly isRunning: boolean
}

/** Throws where a port would destroy what is in the database. */
export const refuseTarget = ({ books, serverName, mark, isRunning }: Occupant): void => {
  if (serverName !== books.serverName) {
    throw new DatabaseRefused(
      `The database to copy into belongs to the server ${serverName}, but the one to copy from to ${books.serverName}. Give the port an empty database.`,
    )
  }
  if (mark === undefined || mark.startsWith(PORT_MARK)) return
  throw new DatabaseRefused(
    isRunning
      ? `A server of ${serverName} is running on the database to copy into: what it has there would be lost. Give the port an empty database.`
      : `A server of ${serverName} has run on the database to copy into since it was made: what it has there would be lost. Give the port an empty database.`,
  )
}

/** What Myelin takes from environment variables. Read once; nothing else looks at them. */
export type Environment = {
  /** The `PG*` variables that libpq knows, by name. */
  readonly postgres: Readonly<Record<string, string>>
  /** The folder where password and service files are looked for. */
  readonly home: string | undefined
  /** Where systemd waits to hear that the server is ready. */
  readonly notifySocket: string | undefined
}

/** The part of the environment that Myelin looks at. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const postgres: Record<string, string> = {}
  for (const [name, value] of Object.entries(variables))
    if (name.startsWith('PG') && value !== undefined) postgres[name] = value
  return { postgres, home: variables['HOME'] || undefined, notifySocket: variables['NOTIFY_SOCKET'] || undefined }
}

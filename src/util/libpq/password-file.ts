/** For whom a password is looked up. */
export type PasswordQuery = {
  readonly host: string
  readonly port: number
  readonly dbname: string
  readonly user: string
}

/**
 * The password that the text of a password file has for a connection: the first line whose four fields match counts.
 * https://www.postgresql.org/docs/18/libpq-pgpass.html
 */
export const findPassword = (text: string, { host, port, dbname, user }: PasswordQuery): string | undefined => {
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r+$/, '')
    if (line.startsWith('#')) continue
    const fields = fieldsOf(line)
    if (fields === undefined) continue
    const [wanted, password] = fields
    const asked = [host, String(port), dbname, user]
    if (wanted.every((field, index) => field === '*' || unescaped(field) === asked[index])) return unescaped(password)
  }
  return undefined
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/gs, '$1')

/** The four fields as they are written, and the password; a colon that is not escaped ends that too. */
function fieldsOf(line: string): readonly [readonly string[], string] | undefined {
  const match = /^((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^:])*)/s.exec(line)
  return match === null ? undefined : [match.slice(1, 5), match[5] ?? '']
}

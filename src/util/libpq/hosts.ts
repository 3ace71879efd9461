import type { Given } from './gather.ts'
import type { Host } from './parameters.ts'

const DEFAULT_PORT = 5432

/** Reads the lists of hosts, addresses and ports. https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS */
export const readHosts = (
  given: Given,
  socketFolder: string,
  fail: (keyword: string, sentence: string) => void,
): readonly Host[] => {
  const names = given.text('host')?.split(',')
  const addresses = given.text('hostaddr')?.split(',')
  const ports = given.text('port')?.split(',') ?? ['']
  const count = addresses?.length ?? names?.length ?? 1
  if (names !== undefined && names.length !== count)
    fail('host', `Expected as many hosts as addresses in hostaddr, and got ${names.length} and ${count}.`)
  if (ports.length !== 1 && ports.length !== count)
    fail('port', `Expected one port, or as many as there are hosts (${count}), and got ${ports.length}.`)
  return Array.from({ length: count }, (_, index) => {
    const written = ports.length === 1 ? ports[0] : ports[index]
    const port = written === undefined || written === '' ? DEFAULT_PORT : Number(written)
    return { ...placeOf(names?.[index] ?? '', addresses?.[index] ?? '', socketFolder), port }
  })
}

function placeOf(name: string, address: string, socketFolder: string): Omit<Host, 'port'> {
  const isNamed = name !== ''
  if (address !== '') {
    const shown = isNamed ? name : address
    return { name: shown, place: { kind: 'address', address }, isNamed, passwordName: shown }
  }
  if (isNamed && !/^[/@]/.test(name)) return { name, place: { kind: 'name', name }, isNamed, passwordName: name }
  const path = isNamed ? name : socketFolder
  // The socket where everybody expects it counts as localhost.
  const passwordName = path === socketFolder ? 'localhost' : path
  return { name: path, place: { kind: 'socket', path }, isNamed: false, passwordName }
}

import { isIPv6 } from 'node:net'
import { flag, path, size, understood, webAddress, whole } from '#config/kinds.ts'
import type { Kind } from '#config/option.ts'
import { option } from '#config/option.ts'
import { section } from '#config/section.ts'
import type { ServerName } from '#protocol/identifiers.ts'

/** The name of the server, where it is reached, and what it may use of the machine. */
export const server = section(
  { title: 'Server', doc: 'What the server is called, where it is reached, and what it may use of its machine.' },
  {
    name: option('server_name', serverName(), {
      required: true,
      doc: 'The part after the colon in every user ID and room alias made here. It cannot be changed later: it stands in the identifiers and is signed into the events. It need not be the name of the machine.',
    }),
    publicBaseUrl: option('public_baseurl', webAddress(), {
      doc: 'Where clients reach this server. When it is left out, `https://<server_name>/` is assumed, and no `/.well-known/matrix/client` is served.',
    }),
    pidFile: option('pid_file', path(), {
      doc: 'Where the process writes its number while it runs, for `synctl` and others.',
    }),
    isDaemon: option('daemonize', flag(), {
      default: false,
      doc: 'Go on in the background once the server listens, as `-D` does.',
    }),
    isPidFilePrinted: option('print_pidfile', flag(), {
      default: false,
      doc: 'Print the path of `pid_file` before anything else.',
    }),
    softFileLimit: option('soft_file_limit', whole({ min: 0 }), {
      default: 0,
      doc: 'How many files and sockets may be open at once. The process cannot raise its own limit; at start it compares the limit it was given with this number and says when it is too low. 0 asks for nothing.',
    }),
    isMetricsEnabled: option('enable_metrics', flag(), {
      default: false,
      doc: 'Collect metrics, for a listener that serves `metrics`.',
    }),
    memoryBudgetBytes: option('memory_budget', size(), {
      default: '256M',
      isOurs: true,
      doc: 'How much memory all caches together may take. It stands for everything under `caches` and for `event_cache_size`.',
    }),
  },
  (values, context) => {
    const given = values.publicBaseUrl ?? `https://${values.name}/`
    if (values.memoryBudgetBytes < 16 * 2 ** 20) context.fail(['memory_budget'], 'Expected at least 16M.')
    return {
      ...values,
      publicBaseUrl: given.endsWith('/') ? given : `${given}/`,
      isPublicBaseUrlGiven: values.publicBaseUrl !== undefined,
    }
  },
)

/** https://spec.matrix.org/v1.19/appendices/#server-name */
function serverName(): Kind<ServerName> {
  return understood('a host name or address, with a port only where it cannot be left out', (value) => {
    if (typeof value !== 'string' || value.length > 230) return undefined
    const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|[0-9A-Za-z.-]+)(?::\d{1,5})?$/.exec(value)
    const isAddressGood = match?.[1] === undefined || isIPv6(match[1])
    return match !== null && isAddressGood ? (value as ServerName) : undefined
  })
}

import { flag, oneOf, path, text, textList, understood, whole } from '#config/kinds.ts'
import type { Fail, Values } from '#config/option.ts'
import { derive, doesNotApply, list, notYet, object, option } from '#config/option.ts'
import { section } from '#config/section.ts'

const RESOURCES = [
  'client',
  'consent',
  'federation',
  'health',
  'keys',
  'media',
  'metrics',
  'openid',
  'replication',
  'static',
  'well-known',
] as const
/** A group of paths that a listener may serve. */
export type ResourceName = (typeof RESOURCES)[number]

/** One socket that the server listens on. */
export type Listener = {
  readonly kind: 'http' | 'metrics'
  readonly address: ListenAddress
  /** A name for the log. */
  readonly tag: string | undefined
  /** Whether `X-Forwarded-For` and `X-Forwarded-Proto` come from a proxy that can be trusted. */
  readonly trustsForwardedFor: boolean
  /** The header, in lower case, whose value names a request in the log. */
  readonly requestIdHeader: string | undefined
  readonly resources: readonly ResourceName[]
}
/** Where a listener listens. `mode` has the permission bits of a Unix socket. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly port: number; readonly hosts: readonly string[] }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number }

const EVERYWHERE = ['::', '0.0.0.0']

const resource = object(
  {
    names: option('names', list(oneOf(RESOURCES), 'a list of resource names'), {
      required: true,
      doc: `Any of ${RESOURCES.map((name) => `\`${name}\``).join(', ')}.`,
    }),
  },
  [notYet('compress', 'answers are not compressed by the server; let the reverse proxy do it.', { harmless: [false] })],
)

const fields = {
  port: option('port', whole({ min: 0, max: 65_535 }), { doc: 'The TCP port.' }),
  path: option('path', path(), { doc: 'A Unix socket, instead of a port.' }),
  mode: option('mode', fileMode(), { default: '666', doc: 'Who may use the Unix socket, in octal.' }),
  type: option('type', oneOf(['http', 'metrics', 'manhole']), {
    required: true,
    doc: '`http` serves `resources`, `metrics` serves only metrics. There is no `manhole`: such a listener is left out.',
  }),
  bindAddresses: option('bind_addresses', textList('a list of addresses'), {
    doc: 'The addresses of this machine to listen on. Without them, all of its addresses.',
  }),
  bindAddress: option('bind_address', text(), { doc: 'One more such address.' }),
  tls: option('tls', flag(), {
    default: false,
    doc: 'Must stay `false`: a reverse proxy in front of Myelin does TLS.',
  }),
  trustsForwardedFor: option('x_forwarded', flag(), {
    doc: 'Believe `X-Forwarded-For` and `X-Forwarded-Proto`. Set it behind a reverse proxy, and only there. Always so on a Unix socket unless it is set to `false`.',
  }),
  requestIdHeader: option('request_id_header', text(), {
    doc: 'A request header whose value names the request in the log, instead of a number of our own.',
  }),
  tag: option('tag', text(), { doc: 'A name for this listener in the log; otherwise its port.' }),
  resources: option('resources', list(resource, 'a list'), {
    default: [],
    doc: 'What a listener of type `http` serves.',
  }),
}

const listener = derive(
  object(fields, [
    notYet('additional_resources', 'no paths of modules are served.', { harmless: [{}] }),
    doesNotApply('ssl', 'a reverse proxy does TLS.'),
  ]),
  (values, fail): Listener | undefined => {
    if (values.type === 'manhole') return undefined
    if (values.tls)
      fail('Myelin does not do TLS itself: put a reverse proxy in front of it, and set tls to false here.', 'tls')
    return {
      kind: values.type,
      address: addressOf(values, fail),
      tag: values.tag,
      trustsForwardedFor: values.trustsForwardedFor ?? values.path !== undefined,
      requestIdHeader: values.requestIdHeader?.toLowerCase(),
      resources: [...new Set(values.resources.flatMap(({ names }) => names))],
    }
  },
)

/** The sockets that the server listens on. */
export const listeners = section(
  { title: 'Listeners', doc: 'The ports and sockets that the server listens on, and what each of them serves.' },
  {
    all: option('listeners', list(listener, 'a list of listeners'), {
      default: [],
      doc: 'Each with a port or a path, a type, and for `http` the resources it serves.',
    }),
  },
  ({ all }, context): readonly Listener[] => {
    if (all.length === 0) context.notice(['listeners'], 'No listener is configured: nobody can reach this server.')
    all.forEach((one, index) => {
      const path = ['listeners', index]
      if (one === undefined) context.notice([...path, 'type'], 'Does not apply: a manhole runs code inside Python.')
      if (one?.resources.includes('replication') === true)
        context.notice(
          [...path, 'resources'],
          'Does not apply: processes of Myelin meet in the database, not over HTTP.',
        )
    })
    return all.filter((one) => one !== undefined)
  },
)

function addressOf(values: Values<typeof fields>, fail: Fail): ListenAddress {
  const { path, port, mode } = values
  if (path !== undefined && port !== undefined) fail('A listener has either a port or a path, not both.', 'path')
  if (path !== undefined) return { kind: 'unix', path, mode }
  if (port === undefined) fail('A listener needs a port, or the path of a Unix socket.')
  const hosts = [...(values.bindAddresses ?? []), ...(values.bindAddress === undefined ? [] : [values.bindAddress])]
  return { kind: 'tcp', port: port ?? 0, hosts: hosts.length === 0 ? EVERYWHERE : hosts }
}

/** `660` and `"660"` are octal as they stand. YAML reads `0660` as octal itself, so that a number up to 511 (0777) is meant as it is. */
function fileMode() {
  return understood('permissions in octal such as `660`', (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0o777) return value
    const digits =
      typeof value === 'number' || typeof value === 'string' ? /^(?:0o?)?([0-7]{3})$/.exec(String(value)) : null
    return digits?.[1] === undefined ? undefined : Number.parseInt(digits[1], 8)
  })
}

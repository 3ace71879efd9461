import { registerHooks } from 'node:module'

const SOURCE = new URL('../', import.meta.url).href
const standIn = (file: string) => ({ url: new URL(file, import.meta.url).href, format: 'commonjs', shortCircuit: true })
const NOTHING = standIn('nothing.cjs')
/** An `import` of `node:process` reads all that a process has, and opens its streams for that. */
const PROCESS = standIn('the-process.cjs')

/** What packages load and never use here: what zod says in sixty languages, servers of Fastify's own, versions of plugins, subcommands that are programs. */
const STAND_INS: Readonly<Record<string, Readonly<Record<string, ReturnType<typeof standIn>>>>> = {
  zod: { '../locales/index.js': NOTHING },
  fastify: { '@fastify/proxy-addr': NOTHING, 'node:http2': NOTHING, 'node:https': NOTHING, semver: NOTHING },
  commander: { 'node:child_process': NOTHING, 'node:process': PROCESS },
}
const USER = /\/node_modules\/(zod|fastify|commander)\//

// `bin/myelin` has Node import this before all else, in each of its threads. It says at once which files our own import names mean:
// `#floor/path.ts`, and `./sibling.ts` within `src/`. Node finds them as well, by reading `package.json` for each and looking whether the
// file is there, which takes a quarter of a start. And it leaves out what nobody uses: a fifth of all modules.
registerHooks({
  resolve: (name, context, next) => {
    const url = ownFile(name, context.parentURL)
    if (url !== undefined) return { url, format: 'module-typescript', shortCircuit: true }
    const user = USER.exec(context.parentURL ?? '')?.[1]
    return (user && STAND_INS[user]?.[name]) || next(name, context)
  },
})

function ownFile(name: string, from: string | undefined): string | undefined {
  if (!name.endsWith('.ts')) return undefined
  if (name.startsWith('#')) return name.startsWith('#test/') ? undefined : SOURCE + name.slice(1)
  const isSibling = name.startsWith('./') && from?.startsWith(SOURCE) === true
  return isSibling ? from.slice(0, from.lastIndexOf('/')) + name.slice(1) : undefined
}

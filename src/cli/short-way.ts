import { registerHooks } from 'node:module'

const SOURCE = new URL('../', import.meta.url).href
const NOTHING = 'data:text/javascript,'

/**
 * Says at once which files our own import names mean: `#floor/path.ts`, and `./sibling.ts` within `src/`. Node finds them as well, by
 * reading `package.json` for each and looking whether the file is there, which takes a quarter of a start. And leaves out what zod says in
 * sixty languages, a tenth of all modules: nobody here speaks them.
 */
export const takeShortWay = (): void => {
  registerHooks({
    resolve: (name, context, next) => {
      const url = ownFile(name, context.parentURL)
      if (url !== undefined) return { url, format: 'module-typescript', shortCircuit: true }
      if (name === '../locales/index.js' && context.parentURL?.includes('/zod/') === true) {
        return { url: NOTHING, format: 'module', shortCircuit: true }
      }
      return next(name, context)
    },
  })
}

function ownFile(name: string, from: string | undefined): string | undefined {
  if (!name.endsWith('.ts')) return undefined
  if (name.startsWith('#')) return name.startsWith('#test/') ? undefined : SOURCE + name.slice(1)
  const isSibling = name.startsWith('./') && from?.startsWith(SOURCE) === true
  return isSibling ? from.slice(0, from.lastIndexOf('/')) + name.slice(1) : undefined
}

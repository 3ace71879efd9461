import { AsyncLocalStorage } from 'node:async_hooks'

/** What the log knows of the request that is being answered. */
export type RequestContext = { readonly requestId: string; user?: string }

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs `work` as part of the request. */
export const inRequest = <T>(context: RequestContext, work: () => T): T => storage.run(context, work)

/** The request that the current code works for, if it works for one. Read by the logger alone. */
export const currentRequest = (): RequestContext | undefined => storage.getStore()

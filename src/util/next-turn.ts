/** Resolves when everything else that is ready has had its turn: long work on the main thread pauses so. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

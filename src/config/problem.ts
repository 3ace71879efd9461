/** A place in a configuration file; line and column count from 1. */
export type Place = { readonly file: string; readonly line: number; readonly column: number }

/** Why a configuration cannot be used. `option` is the dotted path of the option, empty for a whole file. */
export type Problem = { readonly place: Place | undefined; readonly option: string; readonly sentence: string }

/**
 * Something an administrator wrote that has no effect, or not the one they may expect; told at every start.
 * `isProtection`: what was written guards the server or its users, and does not do so here.
 */
export type Notice = Problem & { readonly isProtection: boolean }

/** `file:line:column option: sentence`, as compilers write it, so that editors can jump there. */
export function formatProblem({ place, option, sentence }: Problem): string {
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}`
  const head = [where, option].filter((part) => part !== '').join(' ')
  return head === '' ? sentence : `${head}: ${sentence}`
}

/** As `formatProblem`, marked where a protection is not in force. */
export const formatNotice = (notice: Notice): string =>
  notice.isProtection ? `${formatProblem(notice)} (This protection is not in force.)` : formatProblem(notice)

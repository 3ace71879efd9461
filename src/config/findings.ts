import type { Notice, Place, Problem } from './problem.ts'

/** Collects all that is to be said about a configuration, so that an administrator hears everything at once. */
export class Findings {
  readonly problems: Problem[] = []
  readonly notices: Notice[] = []

  fail(place: Place | undefined, path: readonly PropertyKey[], sentence: string): void {
    this.problems.push({ place, option: path.map(String).join('.'), sentence })
  }

  notice(place: Place | undefined, path: readonly PropertyKey[], sentence: string, isProtection = false): void {
    this.notices.push({ place, option: path.map(String).join('.'), sentence, isProtection })
  }
}

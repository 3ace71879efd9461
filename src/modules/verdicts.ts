import { type Refusal, refused } from '#util/verdict.ts'

// What modules may say besides yes and no. Where a hook's docstring does not name it, it counts as no.

/** Whoever does it is answered as if it were done, and it is not. */
export const shadow: Refusal = refused('shadow', 'This is not allowed here')
/** An event is kept and answered as any other, but shown to nobody and built upon by none. */
export const softFail: Refusal = refused('soft_fail', 'This is not allowed here')

/** How an objection is to be taken. */
export type Manner = 'reject' | 'shadow' | 'soft_fail'
/** Reads it from the objection. */
export const mannerOf = ({ rule }: Refusal): Manner => (rule === 'shadow' || rule === 'soft_fail' ? rule : 'reject')

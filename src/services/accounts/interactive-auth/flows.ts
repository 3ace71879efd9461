/** Stages that lead to the goal, to be done in this order. */
export type Flow = readonly string[]

/** Whether all stages of one of the flows are done. */
export const isComplete = (flows: readonly Flow[], done: readonly string[]): boolean =>
  flows.some((flow) => flow.every((stage) => done.includes(stage)))

/** The stages that may be done next: the first of each flow that is not done. */
export const nextStages = (flows: readonly Flow[], done: readonly string[]): ReadonlySet<string> =>
  new Set(flows.flatMap((flow) => flow.find((stage) => !done.includes(stage)) ?? []))

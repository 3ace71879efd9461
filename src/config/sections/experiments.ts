import { jsonObject } from '#config/kinds.ts'
import { option } from '#config/option.ts'
import { section } from '#config/section.ts'
import type { JsonObject } from '#util/json.ts'

/** Experiments that can be switched on by name. */
const KNOWN: ReadonlySet<string> = new Set<string>()

/** What Synapse calls experimental: proposals to the specification that are not part of it. */
export const experiments = section(
  { title: 'Experiments', doc: 'Proposals to the specification that are not part of it yet.' },
  {
    features: option('experimental_features', jsonObject(), {
      default: {},
      doc: 'Switches, each named after a proposal. Those that Myelin does not have are told at start and change nothing.',
    }),
  },
  ({ features }, context): Experiments => {
    for (const [name, value] of Object.entries(features)) {
      const isOff = value === false || value === null
      if (!KNOWN.has(name) && !isOff)
        context.notice(['experimental_features', name], 'Not used yet: Myelin has no switch for this experiment.')
    }
    return { enabled: new Set(Object.keys(features).filter((name) => features[name] === true)), features }
  },
)

/** The switches that are on, and everything as it was written. */
export type Experiments = { readonly enabled: ReadonlySet<string>; readonly features: JsonObject }

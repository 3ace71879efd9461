/** A proposal that clients ask for by name in `/versions`. */
type Proposal = {
  /** The flag in `unstable_features`. */
  readonly flag: string
  /** Since when it is part of the specification, if it is. */
  readonly since?: string
}

/** Versions of the specification whose endpoints we serve as far as they exist here. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions */
const VERSIONS: readonly string[] = [
  'r0.6.1',
  ...[
    '1.1',
    '1.2',
    '1.3',
    '1.4',
    '1.5',
    '1.6',
    '1.7',
    '1.8',
    '1.9',
    '1.10',
    '1.11',
    '1.12',
    '1.13',
    '1.14',
    '1.15',
    '1.16',
  ].map((version) => `v${version}`),
]

/** Proposals that are there, each under the names by which clients ask for it. */
const PROPOSALS: readonly Proposal[] = [
  { flag: 'org.matrix.e2e_cross_signing', since: 'v1.1' },
  { flag: 'org.matrix.msc2285.stable', since: 'v1.4' },
  { flag: 'org.matrix.msc3771', since: 'v1.4' },
  { flag: 'org.matrix.msc3773', since: 'v1.4' },
  { flag: 'org.matrix.msc3440.stable', since: 'v1.4' },
  { flag: 'org.matrix.msc3916.stable', since: 'v1.11' },
  { flag: 'org.matrix.msc4222' },
  { flag: 'uk.tcpip.msc4133' },
  { flag: 'uk.tcpip.msc4133.stable', since: 'v1.16' },
]

/** What `/versions` says. */
export type Proposals = { readonly versions: readonly string[]; readonly features: Readonly<Record<string, boolean>> }

/** The proposals of this server, as configured. */
export const proposals = (): Proposals => ({
  versions: VERSIONS,
  features: Object.fromEntries(PROPOSALS.map(({ flag }) => [flag, true])),
})

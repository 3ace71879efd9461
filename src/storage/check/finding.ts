/** How much a finding matters: a note needs nothing done; a warning will cost time or space; an error may cost data, or stops a start. */
export type Severity = 'note' | 'warning' | 'error'

/** Something that was found about a database. */
export type Finding = {
  readonly id: string
  readonly severity: Severity
  readonly sentence: string
  /** What to do, with the command. */
  readonly advice?: string
}

/** Declares a kind of finding once: by what it is known, how much it matters, what it says and what is to be done. */
export const finding =
  <Facts>(
    id: string,
    declared: {
      readonly severity: Severity
      readonly sentence: (facts: Facts) => string
      readonly advice?: (facts: Facts) => string
    },
  ) =>
  (facts: Facts): Finding => ({
    id,
    severity: declared.severity,
    sentence: declared.sentence(facts),
    ...(declared.advice === undefined ? {} : { advice: declared.advice(facts) }),
  })

/** How large a table is. `rows` is what the database believes. */
export type TableSize = {
  readonly name: string
  readonly rows: number | undefined
  readonly deadRows: number | undefined
  readonly bytes: number
  readonly indexBytes: number
}
/** A setting of the database server, and what it should be on this machine. */
export type SettingLine = { readonly name: string; readonly value: string; readonly recommended: string | undefined }

/** What a check of a database brought. */
export type CheckReport = {
  readonly database: string
  readonly bytes: number
  readonly findings: readonly Finding[]
  readonly tables: readonly TableSize[]
  readonly settings: readonly SettingLine[]
}

/** What to check, and against what. */
export type CheckOptions = {
  readonly serverName: string
  /** Read every row and every index. */
  readonly isFull: boolean
  /** Memory of the machine of the database; `undefined`: of this one, where the database is here. */
  readonly memoryBytes: number | undefined
  /** Transactions that take longer are told of. */
  readonly longTransactionSeconds: number
}

/** Bytes as they are read by people. */
export const inBytes = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

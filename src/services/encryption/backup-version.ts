/** The number of a backup's version as clients write it, or `undefined` for what is none of ours. */
export const readBackupVersion = (text: string): number | undefined =>
  /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined

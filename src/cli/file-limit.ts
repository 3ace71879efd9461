import { readFileSync } from 'node:fs'

/** Says that the process may open fewer files than the configuration wants. Where the system does not tell, nothing is said. */
export function fileLimitWarning(wanted: number): string | undefined {
  if (wanted === 0) return undefined
  const limits = readText('/proc/self/limits')
  const found = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  if (found === undefined || Number(found) >= wanted) return undefined
  return `soft_file_limit is ${wanted}, but this process may open only ${found} files and sockets: raise the limit with \`ulimit -n ${wanted}\`, or LimitNOFILE=${wanted} in a systemd unit.`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Only Linux has it.
    return ''
  }
}

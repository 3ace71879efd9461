import type { Terminal } from './terminal.ts'

/** Colours of what is told. */
export type Colour = 'red' | 'yellow' | 'green' | 'bold' | 'dim'

const CODES: Readonly<Record<Colour, string>> = { red: '31', yellow: '33', green: '32', bold: '1', dim: '2' }

/** The text in a colour, where there is somebody to see it. */
export const coloured = ({ isColoured }: Terminal, colour: Colour, text: string): string =>
  isColoured ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text

import type { Histogram } from './histogram.ts'

/** The labels of a value. */
export type Labels = Readonly<Record<string, string>>
type Sample<T = number> = readonly [Labels, T]

/** Metrics as Prometheus reads them. https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export class Exposition {
  #text = ''

  /** What only grows. The name ends in `_total`. */
  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.#head(name, help, 'counter')
    for (const [labels, value] of samples) this.#line(name, labels, value)
  }

  /** What grows and shrinks. */
  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.#head(name, help, 'gauge')
    for (const [labels, value] of samples) this.#line(name, labels, value)
  }

  histogram(name: string, help: string, samples: readonly Sample<Histogram>[]): void {
    this.#head(name, help, 'histogram')
    for (const [labels, histogram] of samples) {
      for (const [le, count] of histogram.cumulative()) this.#line(`${name}_bucket`, { ...labels, le }, count)
      this.#line(`${name}_sum`, labels, histogram.sum)
      this.#line(`${name}_count`, labels, histogram.count)
    }
  }

  get text(): string {
    return this.#text
  }

  #head(name: string, help: string, type: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  }

  #line(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
    this.#text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }
const escaped = (text: string): string => text.replaceAll(/[\\"\n]/g, (one) => ESCAPES[one] ?? one)

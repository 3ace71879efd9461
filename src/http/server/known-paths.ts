/**
 * Finds the template that a path fits, whatever the method: so that a path without such a method is told from one that leads nowhere.
 * Asked only where no route was found. Routes that say so for every other method would be as many again as all that do something.
 */
export const knownPaths = (templates: Iterable<string>): ((path: string) => string | undefined) => {
  const known = [...templates].map((template) => ({ template, segments: template.split('/') }))
  const byLength = Map.groupBy(known, ({ segments }) => segments.length)
  return (path) => {
    const segments = decoded(path)
    const fits = (wanted: readonly string[]) =>
      wanted.every((segment, index) => segment.startsWith('{') || segment === segments?.[index])
    return byLength.get(segments?.length ?? 0)?.find((candidate) => fits(candidate.segments))?.template
  }
}

function decoded(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    // No path of ours is spelt like that.
    return undefined
  }
}

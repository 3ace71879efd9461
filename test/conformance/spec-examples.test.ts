import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { interactiveAuthRequired } from '#api/client/interactive-auth.ts'
import { get } from '#util/json.ts'
import { endpointOf } from './declared.ts'
import { checkResponse, examples, operationOf } from './facts.ts'

// Examples of the specification that are wrong by its own word.
const WRONG: readonly string[] = []

const wrong = new Set<string>()
const isWrong = (name: string): boolean => {
  wrong.add(name)
  return WRONG.includes(name)
}

describe("the specification's examples", () => {
  for (const { api, id, requests, responses } of examples) {
    const operation = operationOf(id, api)
    const endpoint = operation === undefined ? undefined : endpointOf(operation)
    if (endpoint === undefined) continue

    for (const [index, request] of requests.entries()) {
      const name = `request ${index + 1} of ${id}`
      test(`${name} is accepted`, () => {
        const result = endpoint.body.safeParse(request)
        assert.equal(result.success, !isWrong(name), result.error?.message ?? 'it is accepted')
      })
    }

    for (const [index, { status, body }] of responses.entries()) {
      const name = `answer ${index + 1} (${status}) of ${id}`
      test(`${name} is one that we could give`, () => {
        const found = checkResponse(id, status, body, api)
        const result = status < 300 ? endpoint.response.safeParse(body) : undefined
        const isStages = status === 401 && get(body, 'flows') !== undefined
        const stages = isStages ? interactiveAuthRequired.safeParse(body) : undefined
        const problems = [...found, result?.error?.message, stages?.error?.message].filter((one) => one !== undefined)
        if (isWrong(name)) assert.notDeepEqual(problems, [])
        else assert.deepEqual(problems, [])
      })
    }
  }
})

test('every example that is called wrong is there', () => {
  assert.deepEqual(
    WRONG.filter((name) => !wrong.has(name)),
    [],
  )
})

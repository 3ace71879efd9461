import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errcodes, isErrcode } from './errcodes.ts'
import * as errors from './errors.ts'

const { MatrixError } = errors

describe('errors', () => {
  const cases: readonly (readonly [string, errors.MatrixError, number, object])[] = [
    ['a refusal says why', errors.forbidden('No'), 403, { errcode: 'M_FORBIDDEN', error: 'No' }],
    [
      'an unknown token may be a soft logout',
      errors.unknownToken({ softLogout: true, error: 'Expired' }),
      401,
      { errcode: 'M_UNKNOWN_TOKEN', error: 'Expired', soft_logout: true },
    ],
    [
      'a limit says when to come back, in whole milliseconds',
      errors.limitExceeded({ retryAfterMs: 1500.2 }),
      429,
      { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many requests, please wait a moment', retry_after_ms: 1501 },
    ],
    [
      'a locked account is a soft logout',
      errors.userLocked('Locked'),
      401,
      { errcode: 'M_USER_LOCKED', error: 'Locked', soft_logout: true },
    ],
    [
      'an unknown room version is named',
      errors.incompatibleRoomVersion('No', '12'),
      400,
      { errcode: 'M_INCOMPATIBLE_ROOM_VERSION', error: 'No', room_version: '12' },
    ],
    [
      'an older backup is told the newer version',
      errors.wrongRoomKeysVersion('No', '2'),
      403,
      { errcode: 'M_WRONG_ROOM_KEYS_VERSION', error: 'No', current_version: '2' },
    ],
    [
      'a limit of the server names the contact',
      errors.resourceLimitExceeded('Full', { adminContact: 'mailto:a@b' }),
      403,
      { errcode: 'M_RESOURCE_LIMIT_EXCEEDED', error: 'Full', admin_contact: 'mailto:a@b' },
    ],
    [
      'a limit of the user says where to read on',
      errors.userLimitExceeded('Full', { infoUri: 'https://x', status: 413 }),
      413,
      { errcode: 'M_USER_LIMIT_EXCEEDED', error: 'Full', info_uri: 'https://x', can_upgrade: false },
    ],
    [
      'an answer of an application service is passed on',
      errors.badStatus('No', { status: 403, body: '{}' }),
      502,
      { errcode: 'M_BAD_STATUS', error: 'No', status: 403, body: '{}' },
    ],
    ['a wrong method is 405', errors.methodNotAllowed('No'), 405, { errcode: 'M_UNRECOGNIZED', error: 'No' }],
    ['a status may be given', errors.unknown('No', { status: 400 }), 400, { errcode: 'M_UNKNOWN', error: 'No' }],
  ]
  for (const [name, error, status, body] of cases) {
    test(name, () => {
      assert.equal(error.status, status)
      assert.deepEqual(JSON.parse(JSON.stringify(error)), body)
    })
  }
  test('the cause is kept and not shown', () => {
    const cause = new Error('inside')
    const error = errors.unknown('Something went wrong', { cause })
    assert.equal(error.cause, cause)
    assert.ok(!JSON.stringify(error).includes('inside'))
    assert.ok(error instanceof MatrixError && error instanceof Error && error.message === 'Something went wrong')
  })
  test('fields cannot replace the code', () => {
    const error = errors.forbidden('No', { fields: { errcode: 'M_OTHER', more: 1 } })
    assert.deepEqual(error.toJSON(), { errcode: 'M_FORBIDDEN', error: 'No', more: 1 })
  })
  test('every code has a status and a place in the specification', () => {
    for (const [code, { status, spec }] of Object.entries(errcodes)) {
      assert.match(code, /^M_[A-Z_]+$/)
      assert.ok(status >= 400 && status < 600)
      assert.match(spec, /^https:\/\/spec\.matrix\.org\/v1\.19\/[a-z-]+\/#/)
    }
  })
  test('only codes of the specification are codes', () => {
    assert.equal(isErrcode('M_FORBIDDEN'), true)
    assert.equal(isErrcode('toString'), false)
  })
})

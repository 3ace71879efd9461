import { jsonObject } from '#config/kinds.ts'
import { derive, option } from '#config/option.ts'
import { section } from '#config/section.ts'

const RESERVED = ['m.homeserver', 'm.identity_server']

const extraContent = derive(jsonObject(), (content, fail) => {
  for (const key of RESERVED)
    if (Object.hasOwn(content, key)) fail(`${key} is filled in from other options and cannot be given here.`, key)
  return content
})

/** How others find this server by its name alone. */
export const wellKnown = section(
  { title: 'Well-known files', doc: 'How others find this server when they know only its name.' },
  {
    extraClientContent: option('extra_well_known_client_content', extraContent, {
      default: {},
      doc: 'More keys for `/.well-known/matrix/client`, as they are.',
    }),
  },
)

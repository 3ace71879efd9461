import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest } from './nearest.ts'

test('the distance of two words counts insertions, removals, replacements and swaps', () => {
  assert.equal(editDistance('', 'abc'), 3)
  assert.equal(editDistance('abc', 'abc'), 0)
  assert.equal(editDistance('lsiteners', 'listeners'), 1)
  assert.equal(editDistance('server_nam', 'server_name'), 1)
  assert.equal(editDistance('kitten', 'sitting'), 3)
})

test('a misspelt word finds the word that was meant', () => {
  assert.equal(nearest('sever_name', ['listeners', 'server_name', 'pid_file']), 'server_name')
  assert.equal(nearest('max-upload-size', ['max_upload_size', 'max_image_pixels']), 'max_upload_size')
  assert.equal(nearest('burst', ['per_second', 'burst_count']), 'burst_count')
})

test('a word that resembles nothing finds nothing', () => {
  assert.equal(nearest('colour', ['listeners', 'server_name']), undefined)
  assert.equal(nearest('xy', ['ab', 'cd']), undefined)
})

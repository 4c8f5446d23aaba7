/** What the command says about options that cannot be. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'

const command = fileURLToPath(new URL('./chaos.js', import.meta.url))

/** Nothing is started: the command ends with 2 and one line. */
function refused(t: Test, words: readonly string[], line: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], { encoding: 'utf8' })
  t.equal(stderr, `${line}\n`)
  t.equal(stdout, '')
  t.equal(status, 2)
}

test('a server that cannot be run is named with its option', async t => {
  const folder = t.testdir({ 'not-executable': '', nested: {} })
  for (const option of ['nats', 'redis']) {
    for (const path of [join(folder, 'nested'), join(folder, 'not-executable'), join(folder, 'absent')]) {
      refused(t, [`--${option}`, path], `--${option} must name a program that can be run, got "${path}"`)
    }
  }
})

test('a program that is no server is named with its option', async t => {
  const path = join(t.testdir(), 'fails')
  writeFileSync(path, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  refused(t, ['--nats', path], `--nats must name a nats-server that tells its version, got "${path}"`)
})

test('servers are set up in ways that there are', async t => {
  refused(t, ['--nats-topology', 'mesh'], '--nats-topology must be one of single, cluster, got "mesh"')
  refused(t, ['--redis-topology', 'ring'], '--redis-topology must be one of single, sentinel, cluster, got "ring"')
})

test('numbers, durations and names are checked before anything is started', async t => {
  refused(t, ['--replicas', '0'], '--replicas must be a whole number from 1 on, got "0"')
  refused(t, ['--rate', 'fast'], '--rate must be a whole number from 0 on, got "fast"')
  refused(t, ['--lease', 'soon'], '--lease must be a duration such as "5s", got "soon"')
})

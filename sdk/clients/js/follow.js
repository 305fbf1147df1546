#!/usr/bin/env node
// Prints the events of a node as they come, one JSON object a line, until Ctrl-C or, if standard
// input is a pipe, its end: node follow.js http://127.0.0.1:9273 [after=start] [contract=access] [event=used] [attr.NAME=VALUE]...
// What happens to the connection is told on standard error.

import { follow } from './ward-events.js'

const [node, ...rest] = process.argv.slice(2)
if (!node) {
  console.error('usage: follow.js NODE [after=start|CURSOR] [contract=NAME] [event=NAME] [attr.NAME=VALUE]...')
  process.exit(2)
}
const options = { attributes: {} }
for (const argument of rest) {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(argument) ?? []
  if (name === 'after' || name === 'contract') options[name] = value
  else if (name === 'event') options.kind = value
  else if (name?.startsWith('attr.')) options.attributes[name.slice(5)] = value
  else {
    console.error(`${argument}: must be after=, contract=, event= or attr.NAME=`)
    process.exit(2)
  }
}
const WebSocket = globalThis.WebSocket ?? (await import('./websocket.js')).WebSocket
const stream = follow(node, {
  ...options, WebSocket,
  event: e => console.log(JSON.stringify(e)),
  state: s => {
    console.error(JSON.stringify(s))
    if (s.state === 'failed') process.exitCode = 1
    if (s.state === 'failed' || s.state === 'closed') process.stdin.pause()
  },
})
// A parent that ends closes the pipe. Where there never was one (a service, a job), there is no end to wait for.
if (!process.stdin.isTTY && (await import('node:fs')).fstatSync(0).isFIFO()) process.stdin.resume().on('end', () => stream.close())
process.on('SIGINT', () => stream.close())

// The events of a Ward node, in a browser or in Node: history first and then live, in the
// ledger's order, each exactly once, whatever happens to the connection. No dependencies.
// The protocol is in sdk/WIRE.md, chapter "The event stream".
//
//   import { follow } from './ward-events.js'
//   const stream = follow('http://127.0.0.1:9273', {
//     contract: 'access', after: 'start',
//     event: e => console.log(e.cursor, e.event, e.attributes),
//   })
//   ...
//   localStorage.cursor = stream.cursor   // to go on from there another time: after: localStorage.cursor
//   stream.close()

// Bounds. A pause doubles from the first to the last, and half of it is random, so that a
// site's dashboards don't come back all at once.
const FIRST_PAUSE = 100, LAST_PAUSE = 10_000 // milliseconds
// A browser shows a script no pings, so it can't tell a quiet chain from a dead connection:
// after this long without a frame the connection is made anew, which costs two frames.
const QUIET = 90_000 // milliseconds

// Errors of the stream that another attempt may not meet: the node is full, damaged, stopping or at fault.
const TEMPORARY = new Set([1105, 1106, 1107, 1108])

/**
 * Follows the events that match.
 *
 * @param {string} node          the node's address, such as http://127.0.0.1:9273
 * @param {object} options
 * @param {string} [options.contract]     only events of this contract
 * @param {string} [options.kind]         only events of this name
 * @param {object} [options.attributes]   only events whose attributes have these values, as text
 * @param {string} [options.after]        a cursor, or 'start'; without it: what happens from now on
 * @param {function} options.event        called with each event, once. If it throws, the stream ends with that
 * @param {function} [options.state]      called with {state: 'connecting' | 'history' | 'live' | 'lagging' | 'gap' | 'closed' | 'failed', ...}
 * @param {function} [options.WebSocket]  the class to use; default: the environment's own
 * @returns {{cursor: string|undefined, close: function}} cursor is where to resume: everything up to it was given to event
 */
export function follow(node, options) {
  const Socket = options.WebSocket ?? globalThis.WebSocket
  if (!Socket) throw new Error('there is no WebSocket here: pass a class, such as that of websocket.js')
  const tell = options.state ?? (() => {})
  const start = !options.after || options.after === 'start' ? '0.0.0' : options.after

  let cursor = options.after      // where the next connection begins
  let last = start                // the last event, or where the stream began
  let exact = options.after === 'start' // last is the event before the next, not just a place before it
  let chain, socket, timer, watchdog
  let pause = 0, ended = false

  function end(state, detail) {
    if (ended) return
    ended = true
    clearTimeout(timer)
    clearTimeout(watchdog)
    drop()
    tell({ state, ...detail })
  }

  function drop() {
    const old = socket
    socket = undefined
    old?.close()
  }

  // again makes another connection in a while.
  function again(reason) {
    if (ended) return
    drop()
    clearTimeout(watchdog)
    pause = Math.min(Math.max(2 * pause, FIRST_PAUSE), LAST_PAUSE)
    const wait = pause / 2 + Math.random() * pause / 2
    tell({ state: 'connecting', reason, wait })
    timer = setTimeout(connect, wait)
  }

  function alive() {
    clearTimeout(watchdog)
    watchdog = setTimeout(() => again('no word for a while'), QUIET)
  }

  function connect() {
    const url = new URL('/v1/events/stream', node)
    url.protocol = url.protocol.replace('http', 'ws')
    const put = (name, value) => value !== undefined && value !== '' && url.searchParams.set(name, value)
    put('contract', options.contract)
    put('event', options.kind)
    for (const [name, value] of Object.entries(options.attributes ?? {})) put('attr.' + name, value)
    put('after', cursor)

    const mine = socket = new Socket(url.href)
    let first = true // no event came on this connection yet
    let greeted = false
    alive()
    const lost = () => mine === socket && again('the connection was lost')
    mine.onclose = lost
    mine.onerror = lost // close should follow, but does not in Node 20 if the connection was refused
    mine.onmessage = message => {
      if (mine !== socket) return // a frame that was under way when the connection was given up
      alive()
      try {
        frame(JSON.parse(message.data))
      } catch (error) {
        end('failed', { reason: String(error?.message ?? error) })
      }
    }

    function frame(f) {
      if (!greeted && f.type !== 'hello' && f.type !== 'error') throw new Error(`the stream began with a frame ${f.type}, not hello`)
      switch (f.type) {
        case 'hello':
          if (chain !== undefined && chain !== f.chain) throw new Error(`the node is on chain ${f.chain} now, it was on ${chain}`)
          chain = f.chain
          greeted = true
          if (cursor === undefined || cursor === '') cursor = last = f.cursor // named from now on, or a break before the first event would lose it
          return tell({ state: 'history', height: f.height, chain })
        case 'event':
          if (!follows(f, first)) throw new Error(`events are missing or doubled: the last was ${last}, the next is ${f.cursor} and says that it follows ${f.prev}`)
          first = false
          options.event(f) // before the cursor moves: what was not taken comes again
          last = cursor = f.cursor
          exact = true
          pause = 0
          return
        case 'live':
          if (compare(f.cursor, last) > 0) cursor = f.cursor // no event between matches
          pause = 0
          return tell({ state: 'live', height: f.height })
        case 'gap': {
          const end = `${f.to}.4294967295.4294967295`
          if (compare(end, last) > 0) [last, exact] = [end, false]
          return tell({ state: 'gap', from: f.from, to: f.to, reason: f.reason })
        }
        case 'lagging':
          return tell({ state: 'lagging', behind: f.behind })
        case 'error':
          // A cursor from ahead, once the chain is known: another node of it, which is a moment behind.
          if (TEMPORARY.has(f.number) || (f.number === 1103 && chain !== undefined)) return again(f.reason)
          return end('failed', { code: f.code, number: f.number, reason: f.reason })
      } // kinds that this version doesn't know are for newer clients
    }
  }

  // follows tells whether an event is the next one. Only the first event of a connection may
  // say that it doesn't know what came before.
  function follows(e, first) {
    if (compare(e.cursor, last) <= 0) return false
    if (e.prev === null) return first
    const prev = e.prev === '' ? '0.0.0' : e.prev
    return prev === last || !exact && compare(prev, last) < 0
  }

  tell({ state: 'connecting', wait: 0 })
  connect()
  return {
    get cursor() { return cursor },
    close: () => end('closed'),
  }
}

/** Orders two cursors: negative, 0 or positive. Heights may have more digits than a double. */
export function compare(a, b) {
  const [x, y] = [a, b].map(c => c.split('.').map(BigInt))
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return x[i] < y[i] ? -1 : 1
  return 0
}

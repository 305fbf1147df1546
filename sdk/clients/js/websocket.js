// A WebSocket client (RFC 6455) for a Node that has none of its own, which is any before 22:
// of the browser's class what ward-events.js uses. It reads text, answers pings and closes; it
// sends no data, because the event stream takes none.

import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'

const MAX_MESSAGE = 1 << 20 // bytes; the largest event is some 100 KiB
const HANDSHAKE = 15_000 // milliseconds
const LINGER = 1_000 // milliseconds that the other side has to close after us
const TEXT = 1, CLOSE = 8, PING = 9

export class WebSocket {
  onmessage = () => {}
  onclose = () => {}
  onerror = () => {}
  #socket
  #request
  #closed = false
  #rest = Buffer.alloc(0)
  #parts = []

  constructor(url) {
    const at = new URL(url.replace(/^ws/, 'http'))
    const key = randomBytes(16).toString('base64')
    this.#request = (at.protocol === 'https:' ? https : http).get(at, {
      timeout: HANDSHAKE,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key },
    })
    this.#request.on('error', error => this.#end(1006, error))
    this.#request.on('timeout', () => this.#request.destroy(new Error('no answer to the handshake')))
    this.#request.on('response', r => {
      r.resume()
      this.#end(1006, new Error(`the handshake was answered with ${r.statusCode}`))
    })
    this.#request.on('upgrade', (r, socket, head) => {
      const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
      socket.on('error', error => this.#end(1006, error))
      if (this.#closed) return socket.destroy()
      this.#socket = socket
      socket.setTimeout(0)
      socket.on('close', () => this.#end(1006))
      if (r.headers['sec-websocket-accept'] !== accept) return this.#end(1006, new Error('this is no WebSocket'))
      socket.on('data', bytes => this.#read(bytes))
      if (head.length) this.#read(head)
    })
  }

  close() {
    this.#send(CLOSE, Buffer.from([1000 >> 8, 1000 & 255]))
    this.#end(1000)
  }

  #end(code, error) {
    if (this.#closed) return
    this.#closed = true
    if (this.#socket) this.#socket.end().setTimeout(LINGER, () => this.#socket.destroy())
    else this.#request.destroy()
    queueMicrotask(() => {
      if (error) this.onerror({ type: 'error', error })
      this.onclose({ type: 'close', code })
    })
  }

  // A control frame: final, and masked, as those of clients must be.
  #send(opcode, payload) {
    if (this.#closed || !this.#socket) return
    const mask = randomBytes(4)
    this.#socket.write(Buffer.concat([Buffer.from([128 | opcode, 128 | payload.length]), mask, payload.map((b, i) => b ^ mask[i & 3])]))
  }

  #read(bytes) {
    if (this.#closed) return
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (!this.#closed && this.#rest.length >= 2) {
      const [first, second] = this.#rest
      let length = second & 127, at = 2
      if (length > 125) {
        at = length === 126 ? 4 : 10
        if (this.#rest.length < at) return
        length = at === 4 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2))
      }
      if (second & 128 || first & 112 || length > MAX_MESSAGE) return this.#end(1002, new Error('a frame that a server may not send, or too large'))
      if (this.#rest.length < at + length) return
      const payload = this.#rest.subarray(at, at + length)
      this.#rest = this.#rest.subarray(at + length)
      this.#frame(first & 15, (first & 128) !== 0, payload)
    }
  }

  #frame(opcode, final, payload) {
    switch (opcode) {
      case PING:
        return this.#send(10, payload)
      case CLOSE:
        this.#send(CLOSE, payload.subarray(0, 2))
        return this.#end(payload.length < 2 ? 1005 : payload.readUInt16BE(0))
      case 0: case TEXT:
        this.#parts.push(payload)
        if (this.#parts.reduce((n, p) => n + p.length, 0) > MAX_MESSAGE) return this.#end(1009, new Error('a message is too large'))
        if (!final) return
        const data = Buffer.concat(this.#parts).toString()
        this.#parts = []
        return this.onmessage({ type: 'message', data })
    }
  }
}

/** Just enough of a client to see which server listens; the drivers have their own doors elsewhere. */
import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

const answerWithinMs = 1_000

/** Sends `request` and gives the match of `expected` in what comes back; `undefined` when nobody answers that, yet. */
export async function ask(port: number, request: string, expected: RegExp): Promise<RegExpExecArray | undefined> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    const settle = (match?: RegExpExecArray) => {
      socket.destroy()
      resolve(match)
    }
    socket.setTimeout(answerWithinMs, () => settle())
    socket.setEncoding('utf8')
    socket.on('error', () => settle())
    socket.on('close', () => settle())
    socket.on('connect', () => socket.write(request))
    socket.on('data', (text: string) => {
      received += text
      const match = expected.exec(received)
      if (match !== null) settle(match)
    })
  })
}

/** From here on systems give ports out by themselves: to servers that ask for any, and to each connection. */
const firstGiven = 32_768
const firstOrdinary = 10_240
const mostTries = 100
const handedOut = new Set<number>()

/** A loopback port that nobody listened on a moment ago, another one each time; whoever uses it must be ready for somebody being faster. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    const port = randomInt(firstOrdinary, firstGiven)
    if (handedOut.has(port) || !(await isFree(port))) continue
    handedOut.add(port)
    return port
  }
  throw new Error(`no port between ${firstOrdinary} and ${firstGiven} is free, tried ${mostTries}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Just enough of a client to see which server listens; the drivers have their own doors elsewhere. */
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

/** A loopback port that was free a moment ago; whoever uses it must be ready for somebody else being faster. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('a TCP server has no port'))
        else resolve(address.port)
      })
    })
  })
}

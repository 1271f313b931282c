/** Requests to a gateway, and what it answered. */
import { request as ask, type ClientRequest } from 'node:http'

export interface Answer {
  readonly code: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** The answer to a request, once it has ended. */
export function answerOf(address: string, path: string, asked: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = begin(address, path, asked)
    request.on('error', reject)
    request.on('response', (response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => resolve({ code: response.statusCode ?? 0, headers: response.headers, body }))
    })
  })
}

/** The first lines of an answer that has no end of its own; the request is given up then. */
export function linesOf(address: string, path: string, count: number, asked: Asked): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const request = begin(address, path, asked)
    request.on('error', reject)
    request.on('response', (response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (text: string) => {
        body += text
        const lines = body.split('\n').slice(0, -1)
        if (lines.length < count) return
        request.removeAllListeners('error').on('error', () => undefined)
        request.destroy()
        resolve(lines)
      })
    })
  })
}

function begin(address: string, path: string, { method, headers = {}, body }: Asked): ClientRequest {
  const [host, port] = address.split(':')
  const request = ask({ host, port, path, method: method ?? (body === undefined ? 'GET' : 'POST'), headers })
  return request.end(body)
}

// Calls of the API by operation. What went wrong comes back as Problem; a server that is away is told to
// `reachability`, which waits for it.
import { operations, type Operations, type Problem as ProblemDocument } from './types'
import { parseLossless } from '../lib/json'
import { reachability } from './reachability'

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly document: Partial<ProblemDocument>,
  ) {
    super(document.detail ?? document.title ?? `the server answered ${status}`)
  }
  get code() {
    return this.document.code ?? ''
  }
}

export class Away extends Error {
  constructor() {
    super('The platform does not answer. This page goes on by itself when it is back.')
  }
}

let csrf = ''
export function setCsrf(token: string) {
  csrf = token
}

let signedOut: () => void = () => {}
export function onSignedOut(callback: () => void) {
  signedOut = callback
}

type Name = keyof Operations
type Loose = Record<string, string | number | boolean | null | undefined>
export type Arguments<N extends Name> = (Operations[N]['path'] extends Record<string, never>
  ? { path?: undefined }
  : { path: Operations[N]['path'] }) &
  (Operations[N]['body'] extends undefined ? { body?: undefined } : { body: Operations[N]['body'] }) & {
    query?: Operations[N]['query']
    signal?: AbortSignal
  }

export function address<N extends Name>(name: N, path?: Loose, query?: Loose): string {
  const filled = operations[name][1].replace(/\{(\w+)\}/g, (_, hole: string) =>
    encodeURIComponent(String(path?.[hole] ?? '')),
  )
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text ? `${filled}?${text}` : filled
}

async function problemOf(response: Response): Promise<Problem> {
  let document: Partial<ProblemDocument> = {}
  try {
    document = (await response.json()) as Partial<ProblemDocument>
  } catch {
    // not a problem document: the status has to do
  }
  return new Problem(response.status, document)
}

export async function send(method: string, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (method !== 'GET') headers.set('X-CSRF-Token', csrf)
  let response: Response
  try {
    // A DELETE may be the last word of a page that goes away.
    response = await fetch(url, { ...init, method, headers, keepalive: method === 'DELETE' })
  } catch (problem) {
    if (init.signal?.aborted) throw problem
    reachability.lost()
    throw new Away()
  }
  if (response.ok) return response
  const problem = await problemOf(response)
  if (response.status === 401 && problem.code === 'session') signedOut()
  // A proxy of the dev server answers for a platform that is away.
  if (response.status === 502 || (response.status === 500 && !problem.code)) {
    reachability.lost()
    throw new Away()
  }
  throw problem
}

export async function call<N extends Name>(name: N, given?: Arguments<N>): Promise<Operations[N]['answer']> {
  const { path, query, body, signal } = (given ?? {}) as { path?: Loose; query?: Loose; body?: unknown; signal?: AbortSignal }
  const init: RequestInit = { signal: signal ?? null }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  const response = await send(operations[name][0], address(name, path, query), init)
  if (response.status === 204) return undefined as Operations[N]['answer']
  return parseLossless(await response.text()) as Operations[N]['answer']
}

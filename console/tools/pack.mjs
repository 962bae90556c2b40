// Packs console/dist into console/dist/console.bundle, which the build puts into the program. The layout is described
// in src/serve/console/bundle.h: a table of files, then their bytes, compressed already.
//
// Each page has a copy of index.html that names its chunks and its first call of the API: the browser fetches them at
// once, and not only when the application has begun to run.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist')
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

function* files(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    if (name.startsWith('.')) continue
    if (statSync(path).isDirectory()) yield* files(path)
    else if (!name.endsWith('.bundle')) yield path
  }
}

// The first call of a page, when it is the same for everybody.
const calls = { overview: '/api/v1/overview', objects: '/api/v1/buckets', jobs: '/api/v1/jobs' }

function* pages(index) {
  const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'))
  for (const [source, entry] of Object.entries(manifest)) {
    const name = source.match(/^src\/pages\/(\w+)\.tsx$/)?.[1]
    if (!name) continue
    const wanted = new Set()
    const walk = (chunk) => {
      if (chunk.isEntry || wanted.has(chunk.file)) return
      wanted.add(chunk.file)
      for (const sheet of chunk.css ?? []) wanted.add(sheet)
      for (const key of chunk.imports ?? []) walk(manifest[key])
    }
    walk(entry)
    const links = [...wanted].map((file) => (file.endsWith('.css') ? `<link rel="preload" as="style" crossorigin href="/${file}">` : `<link rel="modulepreload" crossorigin href="/${file}">`))
    if (calls[name]) links.push(`<link rel="preload" as="fetch" crossorigin href="${calls[name]}">`)
    yield [name, index.replace('</head>', `${links.join('')}</head>`)]
  }
}

const rows = []
const chunks = []
let offset = 0
const put = (path, type, encoding, etag, bytes) => {
  rows.push([path, type, encoding, offset, bytes.length, etag].join('\t'))
  chunks.push(bytes)
  offset += bytes.length
}
for (const file of files(dist)) {
  const path = '/' + relative(dist, file).split('\\').join('/')
  const type = types[extname(file)]
  if (!type) throw new Error(`${path}: no content type for it in tools/pack.mjs`)
  const bytes = readFileSync(file)
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 20)
  if (path === '/index.html') {
    put(path, type, 'identity', etag, bytes) // filled in when it is served
    for (const [name, html] of pages(bytes.toString())) put(`/pages/${name}.html`, type, 'identity', etag, Buffer.from(html))
    continue
  }
  put(path, type, 'gzip', etag, gzipSync(bytes, { level: 9 }))
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11 }
  put(path, type, 'br', etag, brotliCompressSync(bytes, { params: quality }))
}
const head = `AICHEMY CONSOLE 1\n${rows.length}\n${rows.join('\n')}\n\n`
writeFileSync(join(dist, 'console.bundle'), Buffer.concat([Buffer.from(head), ...chunks]))
console.log(`console.bundle: ${rows.length} entries, ${(offset / 1024).toFixed(0)} KB`)

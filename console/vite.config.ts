import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

declare const process: { env: Record<string, string | undefined> }

// `./dev console` names the running platform's console here; its API answers below /api.
const platform = process.env.AICHEMY_CONSOLE ?? 'http://127.0.0.1:3000'

export default defineConfig({
  plugins: [
    react(),
    {
      // The program fills these in when it serves the page (console_service.cc); the dev server has no policy.
      name: 'placeholders-of-the-page',
      apply: 'serve',
      transformIndexHtml: (html) => html.replaceAll('__NONCE__', '').replaceAll('__HOME__', '/overview'),
    },
  ],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    manifest: true, // for tools/pack.mjs
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { port: 5173, proxy: { '/api': { target: platform, changeOrigin: false } } },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
})

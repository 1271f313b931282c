/** The page is built into `dist/page`: a few files that ask for nothing from anywhere else. */
import { defineConfig, type Plugin } from 'vite'

/** By itself, vite puts an empty object in the place of a module of Node, and the page fails where it is read. */
const browserOnly: Plugin = {
  name: 'browser-only',
  enforce: 'pre',
  resolveId(id, importer) {
    if (id.startsWith('node:')) throw new Error(`${importer} imports ${id}, which no browser has`)
  },
}

export default defineConfig({
  base: './',
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    // Browsers that know light-dark(): what stands for it in older ones does not follow the theme that a reader chose.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // One file of each kind: a run is shared as a single HTML file with all of them inside.
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      // A warning means a page that does not work, as when a file of the page imports a module of Node.
      output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]', codeSplitting: false },
    },
  },
  plugins: [browserOnly],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  logLevel: 'warn',
})

/**
 * The body of a node's thread, and the machine of etcd's store, are built into `dist/threads`. A thread that reads each
 * module by itself takes twice the time to start.
 */
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

export default defineConfig({
  build: {
    // For Node: packages stay where they are installed.
    ssr: true,
    // Seen from the working directory, since folders of a copy of the checkout may be links.
    outDir: resolve('dist/threads'),
    emptyOutDir: true,
    // A profile tells the modules of its functions by it.
    sourcemap: true,
    target: 'node20',
    rolldownOptions: {
      input: { node: resolve('dist/src/node/worker.js'), mvcc: resolve('dist/src/mvcc/module.js') },
      output: { entryFileNames: '[name].js', chunkFileNames: 'shared.js' },
    },
  },
  logLevel: 'warn',
})

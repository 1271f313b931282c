/** A node's worker thread: the node on one end of the control port. */
import { parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { NodeHost } from './node-host.js'
import { realParts } from './parts.js'

if (parentPort === null) throw new Error('this module is the body of a worker thread')
expose(new NodeHost(realParts), nodeEndpoint(parentPort))

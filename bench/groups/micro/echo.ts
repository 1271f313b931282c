/** A thread that sends back whatever it gets, on the port that it is given. */
import { type MessagePort, workerData } from 'node:worker_threads'

const { port } = workerData as { readonly port: MessagePort }
port.on('message', (message) => port.postMessage(message))

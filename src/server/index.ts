/** The HTTP server of a sandbox: the page, its streams, verbs by POST, records and metrics. */
export {}

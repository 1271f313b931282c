/** The page: it draws what the server of a cluster tells, or a run that was recorded. */
import { render } from 'preact'
import './style.css'

const root = document.getElementById('page')
if (root !== null) render(<main>raftbox</main>, root)

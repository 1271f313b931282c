/** The page: it draws what the server of a cluster tells, or a run that was recorded. */
import { render } from 'preact'
import { keepToken } from './api.js'
import { showFirst } from './record-source.js'
import { Shell } from './shell.js'
import './style.css'
import { beginTheme } from './theme.js'

keepToken()
beginTheme()
showFirst()
const root = document.getElementById('page')
if (root !== null) render(<Shell />, root)

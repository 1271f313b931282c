/** The page: it draws what the server of a cluster tells, or a run that was recorded. */
import { render } from 'preact'
import { keepToken } from './api.js'
import { Shell } from './shell.js'
import { followCluster } from './source.js'
import './style.css'
import { beginTheme } from './theme.js'

keepToken()
beginTheme()
followCluster()
const root = document.getElementById('page')
if (root !== null) render(<Shell />, root)

/** The page: it draws what the server of a cluster tells, or a run that was recorded. */

// Before all others: the layers of styles stand in it, in their order.
import './style.css'

import { render } from 'preact'
import { keepToken } from './api.js'
import { beginKeyboard } from './keyboard.js'
import { showFirst } from './record-source.js'
import { Shell } from './shell.js'
import { beginTheme } from './theme.js'
import { beginGuide } from './tour-guide.js'
import { beginVerbs } from './verbs.js'

keepToken()
beginTheme()
beginVerbs()
beginKeyboard()
beginGuide()
showFirst()
const root = document.getElementById('page')
if (root !== null) render(<Shell />, root)

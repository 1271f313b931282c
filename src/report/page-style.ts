/** The page's looks: quiet, by the reader's light or dark, and readable on a phone. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #24292f; --soft: #5b636b; --grid: #e2e2de; --mark: #c4320a; --good: #1a7f37; --bad: #c4320a;
  --line-1: #0969da; --line-2: #d9730d; --line-3: #1a7f37; --line-4: #8250df;
  --line-5: #bf3989; --line-6: #0f8f96; --line-7: #8a6d00; --line-8: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --ink: #d7dce1; --soft: #9aa4ae; --grid: #2e343b; --mark: #ff8a5c; --good: #5fd07a; --bad: #ff8a5c;
    --line-1: #6cb2ff; --line-2: #f2a65a; --line-3: #5fd07a; --line-4: #b79bff;
    --line-5: #f08cc0; --line-6: #4fd1d9; --line-7: #d9bc4a; --line-8: #a8b1ba;
  }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.5rem; margin: 0 0 0.25rem }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; border-top: 1px solid var(--grid); padding-top: 1rem }
p { max-width: 46rem; margin: 0.4rem 0 }
.soft { color: var(--soft) }
nav { margin: 0.75rem 0 } nav a { margin-right: 0.9rem; white-space: nowrap }
a { color: var(--line-1) }
.scroll { overflow-x: auto; margin: 0.5rem 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem }
caption { text-align: left; color: var(--soft); padding: 0.2rem 0 }
.scroll th, .scroll td { padding: 0.25rem 0.9rem 0.25rem 0; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; font-weight: normal }
.scroll thead th { color: var(--soft) }
.scroll th:first-child, .scroll .left { text-align: left }
.better { color: var(--good); font-weight: 600 } .worse { color: var(--bad); font-weight: 600 }
figure { margin: 1rem 0 1.5rem; min-width: 0 }
figcaption { font-weight: 600; font-size: 0.95rem; margin-bottom: 0.3rem }
details { margin: 0.5rem 0 } summary { cursor: pointer; color: var(--line-1) }
.uplot, .u-legend { max-width: 100%; color: var(--ink) } .u-legend { text-align: left; font-size: 0.85rem }
`

/** The looks of a picture: by the reader's light or dark, and by shapes as well as by colours. */

/** Colours of terms, in light and dark: one after the other, they can be told apart by all eyes. */
const termColours: readonly (readonly [light: string, dark: string])[] = [
  ['#0969da', '#6cb2ff'],
  ['#b35900', '#f2a65a'],
  ['#1a7f37', '#5fd07a'],
  ['#8250df', '#b79bff'],
  ['#bf3989', '#f08cc0'],
  ['#0b7a81', '#4fd1d9'],
]

/** The class of a term's colour. Colours come again after six terms, and the term is written beside them. */
export function termClass(term: number): string {
  return `t${term % termColours.length}`
}

function looks(at: 0 | 1): string {
  const [paper, ink, soft, grid, bad, shade] = (
    [
      ['#fcfcfa', '#24292f', '#5b636b', '#e2e2de', '#b3261e', '#c4320a'],
      ['#15181c', '#d7dce1', '#9aa4ae', '#2e343b', '#ff8a7a', '#ff8a5c'],
    ] as const
  )[at]
  const terms = termColours.map((colours, term) => {
    const colour = colours[at]
    return `.t${term}{stroke:${colour}}.f${term}{fill:${colour}}`
  })
  return [
    `.paper{fill:${paper}}.ink{fill:${ink}}.soft{fill:${soft}}.grid{stroke:${grid}}`,
    `.halo{stroke:${paper}}.mark{fill:${paper};stroke:${ink}}.edge{stroke:${soft}}.badline{stroke:${bad}}.bad{fill:${bad}}`,
    `.shade{fill:${shade}}.shadeline{stroke:${shade}}.still{fill:${soft}}`,
    ...terms,
  ].join('')
}

export const pictureStyle = [
  'text{font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}',
  '.small{font-size:10px}.title{font-size:15px;font-weight:600}.bold{font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}',
  '.arrow{fill:none;stroke-width:1.4}.faint{fill:none;stroke-width:0.8;opacity:0.35}.telling{fill:none;stroke-width:2}',
  '.answer{stroke-dasharray:5 3}.halo{stroke-width:3;paint-order:stroke;stroke-linejoin:round}',
  '.mark{stroke-width:1.2}.grid{stroke-width:1}.edge{stroke-width:1}.badline{stroke-width:1.6}',
  '.plain{stroke-width:6}.leader{stroke-width:9}.candidate{stroke-width:6;stroke-dasharray:7 3}.preCandidate{stroke-width:6;stroke-dasharray:2 3}.follower{stroke-width:3}',
  '.down{stroke-width:1.5;stroke-dasharray:2 5}.shade{fill-opacity:0.1}.bar{fill-opacity:0.3}.still{fill-opacity:0.45}',
  looks(0),
  `@media(prefers-color-scheme:dark){${looks(1)}}`,
].join('\n')

/** `npm run doctor`: clinic doctor of the inline host under a durable load, as `.clinic/doctor/index.html`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodeOf, Failed, interruptible, reportFailure } from '../../src/terminal/index.js'
import { clinicPage, inlineClients, inlineSeconds } from './clinic.js'
import { type DoctorFigures, doctorFigures, seemsIdle } from './doctor-figures.js'
import { replaceFolder } from './outcome.js'
import { installProfilers } from './tools.js'

async function doctor(signal: AbortSignal): Promise<number> {
  await installProfilers(signal)
  const folder = await replaceFolder('doctor', async (next, scratch) => {
    console.log(`clinic doctor, all nodes in one thread, ${inlineClients} clients`)
    const page = await clinicPage('doctor', scratch, signal)
    const figures = doctorFigures(page)
    if (figures === undefined) throw new Failed('the page of clinic doctor holds no samples')
    const why = seemsIdle(figures, inlineSeconds)
    if (why !== undefined) throw new Failed(`the page of clinic doctor does not show the load: ${why}`)
    tell(figures)
    writeFileSync(join(next, 'index.html'), page)
  })
  console.log(`\n${join(folder, 'index.html')}`)
  return 0
}

function tell({ samples, seconds, cpu, loopUtilization, delayMs, verdict }: DoctorFigures): void {
  console.log(
    `  ${samples} samples over ${seconds.toFixed(1)} s, medians: processor ${cpu.toFixed(2)} cores,`,
  )
  console.log(`  loop ${loopUtilization.toFixed(0)} % used, delay of the loop ${delayMs.toFixed(1)} ms`)
  console.log(`  clinic's own verdict: ${verdict}`)
}

try {
  process.exitCode = await interruptible(doctor)
} catch (error) {
  reportFailure(error)
  process.exitCode = exitCodeOf(error)
}

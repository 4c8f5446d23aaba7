/** `npm run bench:report`. */
import { writeReport } from './write.js'

await writeReport()

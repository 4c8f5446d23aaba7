/** The personalization workload in four partitions. */
import { pipeline } from 'millrace'
import { personalization } from './pipeline.js'

export default pipeline({ ...personalization, partitions: 4 })

/** The personalization workload in 64 partitions. */
import { pipeline } from 'millrace'
import { personalization } from '../personalization/pipeline.js'

export default pipeline({ ...personalization, partitions: 64 })

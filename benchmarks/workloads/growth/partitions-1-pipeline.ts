/** The personalization workload in one partition. */
import { pipeline } from 'millrace'
import { personalization } from '../personalization/pipeline.js'

export default pipeline({ ...personalization, partitions: 1 })

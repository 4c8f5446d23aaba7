/** 50 traits. */
import { shopWithTraits } from './shop-with-traits.js'

export default shopWithTraits(50)

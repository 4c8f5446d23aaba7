/** 20 traits. */
import { shopWithTraits } from './shop-with-traits.js'

export default shopWithTraits(20)

import Glibc

// The only file that reaches the C library: its names stay out of the others, and a port replaces this one.

package func cosine(_ angle: Double) -> Double { cos(angle) }
package func sine(_ angle: Double) -> Double { sin(angle) }

package func logarithm(_ x: Double) -> Double { log(x) }
package func exponential(_ x: Double) -> Double { exp(x) }
package func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
package func power(_ base: Float, _ exponent: Float) -> Float { powf(base, exponent) }
package func logarithm(_ x: Float) -> Float { logf(x) }
func exponential(_ x: Float) -> Float { expf(x) }

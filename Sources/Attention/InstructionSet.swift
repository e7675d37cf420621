import CAttention

/// The vectors that the kernel computes with, from narrow to wide.
package enum InstructionSet: Int32, Sendable, CaseIterable {
  /// What every processor of the architecture has: SSE2, NEON.
  case baseline
  /// With fused products and sums.
  case avx2
  case avx512

  /// The widest that this processor has.
  package static let widest = Self(rawValue: cattention_widest()) ?? .baseline
  /// All that this processor has.
  package static let available = allCases.filter { $0.rawValue <= widest.rawValue }
}

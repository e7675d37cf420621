/// `offset` rounded up to a multiple of `alignment`, or `nil` when that does not fit 64 bits.
package func aligned(_ offset: UInt64, to alignment: UInt64) -> UInt64? {
  let remainder = offset % alignment
  guard remainder != 0 else { return offset }
  let (sum, overflow) = offset.addingReportingOverflow(alignment - remainder)
  return overflow ? nil : sum
}

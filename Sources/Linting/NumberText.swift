/// Numbers in messages: a whole number without a fraction, others as short as they read back.
func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }

/// At most four significant digits, for what was computed.
func rounded(_ number: Double) -> String {
  guard number.isFinite, number != 0 else { return plain(number) }
  var scale = 1.0
  while abs(number) * scale < 1000 { scale *= 10 }
  while abs(number) * scale >= 10000 { scale /= 10 }
  return plain((number * scale).rounded() / scale)
}

extension String {
  /// For the start of a sentence.
  var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension [String] {
  /// `a`, `a and b`, `a, b and c`.
  var listed: String {
    guard let last, count > 1 else { return first ?? "" }
    return dropLast().joined(separator: ", ") + " and " + last
  }
}

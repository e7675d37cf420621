/// Numbers in messages: a whole number without a fraction, others as short as they read back.
func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }

/// At most four significant digits, for what was computed.
func rounded(_ number: Double) -> String {
  // The power of ten that lifts a smaller one would be infinite.
  guard number.isFinite, abs(number) > 1e-300 else { return plain(number) }
  var scale = 1.0
  while abs(number) * scale < 1000 { scale *= 10 }
  guard scale == 1 else { return plain((number * scale).rounded() / scale) }
  // Powers of ten below 1 are not exact.
  var unit = 1.0
  while abs(number) / unit >= 10000 { unit *= 10 }
  return plain((number / unit).rounded() * unit)
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

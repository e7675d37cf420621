/// A number for people: at most `digits` significant digits, no fraction when it is whole.
package func significant(_ value: Double, _ digits: Int = 6) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  var exponent = 0
  var magnitude = abs(value)
  while magnitude >= 10 { (magnitude, exponent) = (magnitude / 10, exponent + 1) }
  while magnitude < 1 { (magnitude, exponent) = (magnitude * 10, exponent - 1) }
  func power(_ n: Int) -> Double { (0..<n).reduce(1.0) { result, _ in result * 10 } }
  let shift = digits - 1 - exponent
  let scaled = (shift >= 0 ? value * power(shift) : value / power(-shift)).rounded()
  // Read back from text: a product with a power of ten would end in digits of its own.
  guard let whole = Int(exactly: scaled), let rounded = Double("\(whole)e\(-shift)") else { return "\(value)" }
  return rounded.rounded() == rounded && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}

/// A byte count for people.
package func byteText(_ count: UInt64) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  var value = Double(count)
  var unit = 0
  while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
  return "\(significant(value, 4)) \(units[unit])"
}

/// Rows of cells with each column as wide as its widest cell; the last column is not padded.
func columns(_ rows: [[String]], indent: Int = 2) -> String {
  let rows = rows.map { $0.map(printable) }
  var widths: [Int] = []
  for row in rows {
    for (column, cell) in row.enumerated() {
      if column == widths.count { widths.append(0) }
      widths[column] = max(widths[column], cell.count)
    }
  }
  return rows.map { row in
    var line = String(repeating: " ", count: indent)
    for (column, cell) in row.enumerated() {
      line += cell
      if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }.joined()
}

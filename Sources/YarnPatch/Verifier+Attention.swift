import Attention
import ModelConfig
import RoPE
import Runtimes

extension Verifier {
  /// Keys over which the kernel is compared with its reference.
  private var comparedKeys: Int { attention == .full ? 8192 : 256 }

  /// What a declaration demands of attention, measured on our own.
  mutating func checkAttention(
    _ reading: RuntimeReading, _ declaration: RoPEDeclaration, pairing: RotaryPairing, place: String
  ) {
    // A table that depends on the length is looked at where the window ends.
    let reading = Formula.read(declaration, sequenceLength: reading.contextLength)
    guard attention != .off, let head = declaration.headDimension?.value, let table = reading.table,
      let parameters = reading.parameters
    else { return }
    // Time and memory of the checks follow this number, and a file can state any.
    guard head <= StreamingAttention.longestHead else {
      inform(
        "attention of \(place) is not looked at: heads of \(head) lanes, expected at most \(StreamingAttention.longestHead)"
      )
      return
    }
    let window = min(reading.contextLength ?? 4096, AttentionCheck.longestContext)
    guard let check = ScalingCheck(parameters, headDimension: head, pairing: pairing, window: window) else { return }
    let subject = AttentionSubject(table, headDimension: head, pairing: pairing, window: window)
    checks += check.measurements(of: subject, keyCount: comparedKeys).map { Check($0, detail: place) }
    guard attention == .full else {
      inform(CachedKeys(reading, declaration)?.summary)
      return
    }
    guard let curves = AttentionCurves(reading, declaration, window: window, place: place) else { return }
    attentionCurves.append(curves)
    inform(curves.cachedKeys?.summary)
    inform(curves.dilution)
    inform(float32Loss(table, window: window))
  }

  /// What a runtime loses at the end of the window that multiplies positions and frequencies in float32.
  private func float32Loss(_ table: FrequencyTable, window: Int) -> String? {
    table.float32AngleError(at: window - 1).map {
      "angles of float32 are off by up to \(Float(($0.radians * 1e6).rounded() / 1e6)) rad at position \(window - 1), in pair \($0.pair)"
    }
  }

  mutating func inform(_ text: String?) {
    guard let text, !information.contains(text) else { return }
    information.append(text)
  }
}

import RoPE

/// What a declaration demands of attention, measured on an ``AttentionSubject``.
///
/// ```
/// attention            scores against the double reference
/// reference-distance   the reference depends on distance alone
/// attention-distance   scores depend on distance alone, both positions shifted by up to the window
/// length, position-0   a rotation turns and multiplies, nothing else; position 0 does not turn
/// temperature          scores are multiplied by the square of the attention factor
/// softmax-scale        logits are q·k/√d times the softmax multiplier
/// kernel               streaming attention against the double reference
/// identity-attention   factor 1 leaves scores as they are                                  (methods with a factor)
/// trained-phases       slow pairs turn no further in the window than in training           (YaRN)
/// near-logits          scores over a few tokens stay where they were                       (YaRN)
/// ```
package struct ScalingCheck: Sendable {
  let parameters: RoPEParameters
  let attention: AttentionCheck
  var headDimension: Int { attention.headDimension }

  /// - Parameter window: Positions demanded, in tokens.
  /// - Returns: `nil` when ``AttentionCheck`` cannot be made.
  package init?(_ parameters: RoPEParameters, headDimension: Int, pairing: RotaryPairing, window: Int) {
    // Twice the window, so that both positions of every distance can move by a whole window.
    guard
      let check = AttentionCheck(
        FrequencyTable(parameters), headDimension: headDimension, pairing: pairing,
        contextLength: 2 * min(window, AttentionCheck.longestContext))
    else { return nil }
    self.parameters = parameters
    attention = check
  }

  /// - Parameter keyCount: Keys over which the kernel is compared; the reference takes 2 ns for each lane of each.
  package func measurements(of subject: AttentionSubject, keyCount: Int) -> [CheckMeasurement] {
    attention.measurements(query: subject.rotateQuery, key: subject.rotateKey)
      + [
        temperature(of: subject), softmaxScale(of: subject), kernel(of: subject, keyCount: keyCount), identity,
        trainedPhases(of: subject), nearLogits(of: subject),
      ].compactMap(\.self)
  }

  /// A head of which only the rotating lanes are not 0.
  func rotatingHead(_ random: inout HeadGenerator) -> [Float] {
    let rotating = 2 * attention.table.inverseFrequencies.count
    return random.head(rotating) + [Float](repeating: 0, count: headDimension - rotating)
  }

  /// The score of a head with itself, relative to the length's square before rotation.
  func selfScore(of head: [Float], _ subject: AttentionSubject, query: Int, key: Int) -> Double {
    Double(dotProduct(subject.rotateQuery(head, query), subject.rotateKey(head, key))) / squaredLength(head)
  }

  // MARK: magnitudes

  /// An attention factor that reaches queries or keys alone multiplies once, one that reaches a score again four times.
  private func temperature(of subject: AttentionSubject) -> CheckMeasurement {
    var random = HeadGenerator()
    var deviation = Largest()
    let demanded = parameters.attentionFactor * parameters.attentionFactor
    for position in [0, 1, subject.window / 2, subject.window - 1] {
      let head = rotatingHead(&random)
      deviation.add(selfScore(of: head, subject, query: position, key: position) - demanded)
    }
    return CheckMeasurement(
      "temperature", "scores are multiplied by the square of the attention factor", measured: deviation.value,
      bound: attention.bounds.score, unit: AttentionCheck.scoreUnit)
  }

  /// Through the kernel, with heads that were not turned: `d + 2` roundings on each term, as in ``AttentionBounds``.
  private func softmaxScale(of subject: AttentionSubject) -> CheckMeasurement? {
    var random = HeadGenerator()
    let head = random.head(headDimension)
    guard
      let streaming = StreamingAttention(
        queries: head, keyDimension: headDimension, visibleKeys: [1], softmaxScale: subject.softmaxScale),
      let logit = streaming.logits(of: head.span).first?.first
    else { return nil }
    let multiplier = Double(logit) * Double(headDimension).squareRoot() / squaredLength(head)
    let demanded = parameters.softmaxScaleMultiplier
    return CheckMeasurement(
      "softmax-scale", "logits are q·k/√d times the softmax multiplier", measured: abs(multiplier - demanded),
      bound: 1.01 * Double(headDimension + 2) * Double(Float.ulpOfOne) / 2 * abs(demanded), unit: "of q·k/√d")
  }

  // MARK: kernel

  /// The last query of the window over the keys before it; the worst of all results, each over its own bound.
  private func kernel(of subject: AttentionSubject, keyCount: Int) -> CheckMeasurement? {
    let count = min(keyCount, subject.window)
    var random = HeadGenerator()
    let query = subject.rotateQuery(random.head(headDimension), subject.window - 1)
    let keys = (subject.window - count..<subject.window).flatMap { subject.rotateKey(random.head(headDimension), $0) }
    let values = random.head(count * headDimension)
    guard
      var streaming = StreamingAttention(
        queries: query, keyDimension: headDimension, valueDimension: headDimension, visibleKeys: [count],
        softmaxScale: subject.softmaxScale),
      let reference = ReferenceAttention(
        query: query, keys: keys, values: values, softmaxScale: subject.softmaxScale)
    else { return nil }
    streaming.attend(to: keys.span, values: values.span)
    var worst = Largest()
    if let result = try? streaming.results().first {
      let (exact, bounds) = (reference.result, reference.bounds)
      worst.add((result.logSumExp - exact.logSumExp) / bounds.logSumExp)
      worst.add((result.entropy - exact.entropy) / bounds.entropy)
      for ((output, exact), bound) in zip(zip(result.output, exact.output), bounds.output) {
        worst.add((output - exact) / bound)
      }
    } else {
      worst.add(.nan)
    }
    return CheckMeasurement(
      "kernel", "streaming attention agrees with the double reference", measured: worst.value, bound: 1,
      unit: "of its rounding bound")
  }

  // MARK: promises

  private var identity: CheckMeasurement? {
    guard let parameters = parameters.identity,
      let plain = AttentionCheck(
        FrequencyTable(parameters.unscaled), headDimension: headDimension, pairing: attention.pairing,
        contextLength: attention.contextLength)
    else { return nil }
    let rotation = VectorRotation(
      FrequencyTable(parameters), headDimension: headDimension, pairing: attention.pairing)
    var measurement = plain.measurements(query: rotation.rotated, key: rotation.rotated)[0]
    (measurement.id, measurement.property) = ("identity-attention", "factor 1 leaves scores as they are")
    return measurement
  }

  /// A pair that saw less than `betaSlow` turns in training sees no new angle. The largest position is one less than the
  /// window; a GGUF's factor is a float32.
  private func trainedPhases(of subject: AttentionSubject) -> CheckMeasurement? {
    guard case .yarn(let yarn) = parameters.scaling else { return nil }
    let original = FrequencyTable(parameters.unscaled)
    var furthest = Largest()
    for (pair, turns) in original.rotations(in: yarn.originalContextLength).enumerated() where turns < yarn.betaSlow {
      guard pair < subject.table.inverseFrequencies.count else { break }
      furthest.add(
        subject.table.inverseFrequencies[pair] * Double(subject.window - 1)
          / (original.inverseFrequencies[pair] * yarn.originalContextLength))
    }
    return CheckMeasurement(
      "trained-phases", "interpolated pairs stay within the angles of training", measured: furthest.value,
      bound: 1 + 1e-6, unit: "of the trained range")
  }

  /// The longest distance of ``nearLogits(of:)``, in tokens.
  static let nearDistance = 8

  /// Pairs that turn more than `betaFast` times in training stay as they are. Any other has a frequency from `w / s` to
  /// `w`, so over `d` tokens its cosine moves no further than between `d w / s` and `d w`, and a score by the sum of that
  /// over the pairs, each by its share of the head. Told at the distance that is nearest to its bound.
  func nearLogits(of subject: AttentionSubject) -> CheckMeasurement? {
    guard case .yarn(let yarn) = parameters.scaling, parameters.attentionFactor != 0 else { return nil }
    let plain = FrequencyTable(parameters.unscaled)
    let turns = plain.rotations(in: yarn.originalContextLength)
    let magnitude = parameters.attentionFactor * parameters.attentionFactor
    var random = HeadGenerator()
    var worst = (measured: 0.0, bound: Double.infinity)
    for distance in 1...Self.nearDistance {
      let head = rotatingHead(&random)
      let turned = ReferenceRotation(plain, position: distance).applied(to: head.map { Double($0) }, attention.pairing)
      let before = dotProduct(turned, head.map { Double($0) }) / squaredLength(head)
      var bound = attention.bounds.score / magnitude
      for (pair, frequency) in plain.inverseFrequencies.enumerated()
      where turns[pair] <= max(yarn.betaFast, yarn.betaSlow) {
        let lanes = attention.pairing.lanes(ofPair: pair, rotaryDimension: 2 * turns.count)
        let share = squaredLength([head[lanes.0], head[lanes.1]]) / squaredLength(head)
        bound += share * Self.largestMove(ofCosineAt: Double(distance) * frequency, dividedBy: yarn.factor)
      }
      let moved = abs(selfScore(of: head, subject, query: distance, key: 0) / magnitude - before)
      if !(moved * worst.bound <= worst.measured * bound) { worst = (moved, bound) }
      if moved.isNaN { break }
    }
    return CheckMeasurement(
      "near-logits", "scores over at most \(Self.nearDistance) tokens stay near those of training",
      measured: worst.measured, bound: worst.bound, unit: AttentionCheck.scoreUnit)
  }

  /// How far a cosine lies at most from that of `angle`, at any angle from `angle / factor` to `angle`.
  static func largestMove(ofCosineAt angle: Double, dividedBy factor: Double) -> Double {
    let (low, high) = (min(angle / factor, angle), max(angle / factor, angle))
    // The first extremes at or after the lower end: 1 at even multiples of π, -1 at odd ones.
    func holds(_ phase: Double) -> Bool {
      ((low - phase) / (2 * .pi)).rounded(.up) * 2 * .pi + phase <= high
    }
    let ends = [cosine(low), cosine(high)]
    let greatest = holds(0) ? 1 : max(ends[0], ends[1])
    let least = holds(.pi) ? -1 : min(ends[0], ends[1])
    return max(greatest - cosine(angle), cosine(angle) - least)
  }
}

import Diagnostics
import LosslessJSON
import ModelConfig

/// What a patch by one method states in a config.json, whatever the values: the members that it touches, whole, and where
/// the values stand in them.
package struct ConfigTemplate: Sendable {
  /// What a value says.
  package enum Value: String, Sendable {
    case base, window, original, factor, betaFast, betaSlow, truncate, attentionFactor
  }

  /// Where one value goes.
  package struct Place: Sendable, Equatable {
    /// Keys from the document's root on.
    package var path: [String]
    package var value: Value
    /// Whether a whole number is written as a fraction, `4.0`.
    package var isFraction: Bool
    /// Whether the member is left out where its value is what readers take without it.
    package var isOptional: Bool
  }

  /// The excerpt of the document, with made-up values at ``places``.
  package let members: JSONText
  package let places: [Place]
  /// Keys of members beside the excerpt that go.
  package let removed: [String]

  /// - Returns: `nil` where a patch by this method is refused, or its text is none that every reader of JSON takes.
  package init?(
    _ config: HuggingFaceConfig, _ subject: PatchSubject, _ method: PatchMethod, _ spelling: ConfigSpelling
  ) {
    let config = config.slimmed
    var spelling = spelling
    spelling.magnitude = .plain
    let request = Self.request(method, subject.declaration)
    guard let settings = try? RoPESettings(request, for: [subject]),
      let plan = try? ConfigPlanner.plan(config, subject.declaration, settings, spelling), let text = plan.texts?.new,
      let document = try? JSONDocument(Array(text.utf8), path: plan.path)
    else { return nil }
    let reader = Reader(old: config.document, new: document, settings: settings, spelling: spelling)
    places = plan.changes.flatMap { reader.places(at: $0.at) }
    let touched = plan.changes.compactMap { change in
      JSONPointer.tokens(of: String(change.at.dropFirst(config.section.count)))?.first
    }
    guard case .object(let all)? = (config.section.isEmpty ? document.root : document[config.section])?.value else {
      return nil
    }
    var excerpt = JSONText.object(
      all.filter { touched.contains($0.key) }.map {
        ($0.key, .raw(String(decoding: document.bytes[$0.node.range], as: UTF8.self)))
      })
    removed = touched.filter { name in !all.contains { $0.key == name } }
    for key in (JSONPointer.tokens(of: config.section) ?? []).reversed() { excerpt = .object([(key, excerpt)]) }
    guard let shown = try? JSONDocument(Array(excerpt.compact.utf8), path: plan.path), shown.bareNumbers.isEmpty,
      shown.bytes.count <= Self.longestExcerpt
    else { return nil }
    members = excerpt
  }

  /// For a model without a config.json, and where a file's own takes no patch.
  package static func plain(_ method: PatchMethod) -> ConfigTemplate? {
    let text = """
      {"\(ConfigKey.maximum)": 4096, "\(ConfigKey.ropeTheta)": 10000.0, "\(ConfigKey.ropeScaling)": null,
       "\(ConfigKey.headDimension)": 128}
      """
    guard let document = try? JSONDocument(Array(text.utf8), path: "config.json"),
      let config = try? HuggingFaceConfig(document), let declaration = config.ropeDeclarations().declarations.first
    else { return nil }
    let subject = PatchSubject(declaration: declaration, family: nil, shape: nil, path: document.path)
    return ConfigTemplate(config, subject, method, ConfigSpelling())
  }

  /// Beyond it an excerpt is no help to a reader.
  private static let longestExcerpt = 1 << 14

  /// Values that no file states, so that each is found again where it is written.
  private static func request(_ method: PatchMethod, _ declaration: RoPEDeclaration) -> PatchRequest {
    var request = PatchRequest(method, reach: method == .none ? nil : .factor(3.0625))
    (request.originalContext, request.base) = (7984, 10_007.5)
    guard method.writesYaRN else { return request }
    (request.betaFast, request.betaSlow) = (37.25, 0.375)
    request.truncate = !(declaration.truncate?.value ?? true)
    if method == .yarn { request.attentionFactor = 1.0703125 }
    return request
  }
}

/// Finds the values of a plan in the planned document.
private struct Reader {
  let old: JSONDocument
  let new: JSONDocument
  let settings: RoPESettings
  let spelling: ConfigSpelling

  func places(at pointer: String) -> [ConfigTemplate.Place] {
    guard let node = new[pointer], let path = JSONPointer.tokens(of: pointer) else { return [] }
    switch node.value {
    case .object(let members): return members.flatMap { places(at: JSONPointer.child($0.key, of: pointer)) }
    case .number(let number):
      guard let value = value(of: number.double) else { return [] }
      return [place(value, path, isFraction: !number.isInteger, isNew: old[pointer] == nil)]
    case .bool where path.last == ConfigKey.truncate:
      return [place(.truncate, path, isFraction: false, isNew: old[pointer] == nil)]
    default: return []
    }
  }

  private func value(of number: Double) -> ConfigTemplate.Value? {
    switch number {
    case settings.base: .base
    case Double(settings.originalContext): .original
    case Double(settings.window): .window
    case settings.factor: .factor
    case settings.betaFast: .betaFast
    case settings.betaSlow: .betaSlow
    default: settings.magnitude == .final(number) && number != 1 ? .attentionFactor : nil
    }
  }

  private func place(
    _ value: ConfigTemplate.Value, _ path: [String], isFraction: Bool, isNew: Bool
  ) -> ConfigTemplate.Place {
    let mayStay =
      switch value {
      case .betaFast, .betaSlow: !spelling.statesBetas
      case .truncate, .attentionFactor: true
      default: false
      }
    return ConfigTemplate.Place(path: path, value: value, isFraction: isFraction, isOptional: mayStay && isNew)
  }
}

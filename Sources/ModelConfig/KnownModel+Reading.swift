import Diagnostics
import LosslessJSON

extension FileError.Code {
  package static let badKnownModel: Self = "bad-known-model"
}

extension KnownModels {
  /// The published models, after the ones of a file of the same form.
  ///
  /// - Throws: `bad-known-model` with the member's place.
  package init(_ document: JSONDocument) throws(FileError) {
    self = Self.published.preceded(by: try KnownModelReader(document).models(), path: document.path)
  }
}

extension KnownModel {
  /// The models in the bytes of a file of the form of `known-models.json`.
  static func list(_ bytes: [UInt8], path: String) throws(FileError) -> [KnownModel] {
    try KnownModelReader(try JSONDocument(bytes, path: path)).models()
  }
}

/// Reads a table of known models and refuses what is not one, by place.
private struct KnownModelReader {
  let document: JSONDocument

  init(_ document: JSONDocument) { self.document = document }

  func models() throws(FileError) -> [KnownModel] {
    if let duplicate = document.duplicates.first {
      throw refusal(duplicate.pointer, found: "the member is stated twice", expected: "each member once")
    }
    guard let entries = document["/models"]?.value.elements else {
      throw refusal("/models", found: "it is missing or no list", expected: "a list of models")
    }
    try checkMembers("", known: ["models"])
    var models: [KnownModel] = []
    for index in entries.indices { models.append(try model("/models/\(index)")) }
    return models
  }

  private func model(_ entry: String) throws(FileError) -> KnownModel {
    try checkMembers(
      entry,
      known: [
        "name", "families", "window", "base", "shapes", "trainedLength", "trainedScaling", "testedFactor", "note",
        "source",
      ])
    var trained: KnownModel.TrainedScaling?
    let scaling = "\(entry)/trainedScaling"
    if document[scaling] != nil {
      try checkMembers(scaling, known: ["kind", "factor"])
      trained = .init(kind: try text("\(scaling)/kind"), factor: try optional("\(scaling)/factor", factor))
    }
    return KnownModel(
      name: try text("\(entry)/name"), families: Set(try list("\(entry)/families", text)),
      window: try length("\(entry)/window"), base: try optional("\(entry)/base", base),
      shapes: try optional("\(entry)/shapes") { pointer throws(FileError) in try list(pointer, shape) } ?? [],
      trainedLength: try length("\(entry)/trainedLength"), trainedScaling: trained,
      testedFactor: try optional("\(entry)/testedFactor", factor), note: try optional("\(entry)/note", text),
      source: try text("\(entry)/source"))
  }

  // MARK: members

  private func optional<Value>(
    _ pointer: String, _ read: (String) throws(FileError) -> Value
  ) throws(FileError) -> Value? {
    document[pointer] == nil ? nil : try read(pointer)
  }

  private func list<Value>(
    _ pointer: String, _ read: (String) throws(FileError) -> Value
  ) throws(FileError) -> [Value] {
    guard let elements = document[pointer]?.value.elements, !elements.isEmpty else {
      throw refusal(pointer, expected: "a list of at least one element")
    }
    var values: [Value] = []
    for index in elements.indices { values.append(try read("\(pointer)/\(index)")) }
    return values
  }

  private func text(_ pointer: String) throws(FileError) -> String {
    guard let text = document[pointer]?.value.string, !text.isEmpty else {
      throw refusal(pointer, expected: "text")
    }
    return text
  }

  private func length(_ pointer: String) throws(FileError) -> Int {
    guard let length = document[pointer]?.value.number?.integer, 1...Int(Int32.max) ~= length else {
      throw refusal(pointer, expected: "a whole number from 1 to \(Int32.max)")
    }
    return length
  }

  private func base(_ pointer: String) throws(FileError) -> Double {
    try number(pointer, expected: "a finite number above 1") { $0 > 1 }
  }

  private func factor(_ pointer: String) throws(FileError) -> Double {
    try number(pointer, expected: "a finite number of at least 1") { $0 >= 1 }
  }

  private func number(
    _ pointer: String, expected: String, where isUsable: (Double) -> Bool
  ) throws(FileError) -> Double {
    guard let number = document[pointer]?.value.number?.double, number.isFinite, isUsable(number) else {
      throw refusal(pointer, expected: expected)
    }
    return number
  }

  private func shape(_ pointer: String) throws(FileError) -> ModelShape {
    let numbers = try list(pointer, length)
    guard numbers.count == 2 else { throw refusal(pointer, expected: "a width and a number of layers") }
    return ModelShape(width: numbers[0], layers: numbers[1])
  }

  /// A misspelled member would otherwise be passed over without a word.
  private func checkMembers(_ pointer: String, known: [String]) throws(FileError) {
    guard let members = document[pointer]?.value.members else { throw refusal(pointer, expected: "an object") }
    guard let unknown = members.first(where: { !known.contains($0.key) }) else { return }
    throw refusal(
      JSONPointer.child(unknown.key, of: pointer), found: "the member has no meaning here",
      expected: known.joined(separator: ", "))
  }

  private func refusal(_ pointer: String, found: String? = nil, expected: String) -> FileError {
    FileError(
      .badKnownModel, at: document.location(of: pointer),
      found: found ?? document[pointer]?.value.phrase ?? "the member is missing", expected: expected,
      remedy: "correct the member; Sources/ModelConfig/known-models.json shows the form")
  }
}

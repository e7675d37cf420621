import Bytes
import Diagnostics
import GGUF
import ModelConfig
import RoPE

extension FileError.Code {
  package static let notExpressible: Self = "not-expressible"
}

/// Settings to edits of a GGUF, with exactly the keys and value types that llama.cpp's loader accepts.
package enum GGUFPlanner {
  /// What a file is to hold, whatever it holds now.
  struct Draft {
    var wanted: [(key: String, value: GGUFValue)] = []
    var unwanted: [String] = []
    var tensor: GGUFFloatTensor?
  }

  /// A plan, with the file's header and rotary tensors as they will be.
  struct Planned {
    var plan: FilePlan
    var header: GGUFFile
    var tensors: RotaryTensors
  }

  /// - Parameters:
  ///   - tensors: Rotary tensors of the file and of its other shards.
  ///   - quantum: See `GGUFFile.filler(setting:removing:storing:growingBy:in:)`.
  /// - Throws: `not-expressible` when llama.cpp would compute another table from any keys or factors.
  package static func plan(
    _ file: GGUFFile, tensors: RotaryTensors = [:], _ declaration: RoPEDeclaration, _ settings: RoPESettings,
    _ encoding: GGUFEncoding = .keys, growingBy quantum: UInt64? = nil, in source: any ByteSource
  ) throws(FileError) -> FilePlan {
    try planned(file, tensors, declaration, settings, encoding, growingBy: quantum, in: source).plan
  }

  static func planned(
    _ file: GGUFFile, _ tensors: RotaryTensors, _ declaration: RoPEDeclaration, _ settings: RoPESettings,
    _ encoding: GGUFEncoding, growingBy quantum: UInt64?, in source: any ByteSource
  ) throws(FileError) -> Planned {
    try planned(file, tensors, try draft(file, declaration, settings, encoding), growingBy: quantum, in: source)
  }

  /// The edits that give single keys values, or take them out.
  ///
  /// - Throws: What `GGUFFile.edits` throws; `gguf-edit` for a value that only a JSON file can hold.
  package static func plan(
    _ file: GGUFFile, _ changes: [SettingChange], growingBy quantum: UInt64? = nil, in source: any ByteSource
  ) throws(FileError) -> FilePlan {
    var draft = Draft()
    for change in changes {
      switch change.value {
      case .gguf(let value): draft.wanted.append((change.key, value))
      case .absent: draft.unwanted.append(change.key)
      case .json:
        throw FileError(
          .ggufEdit, at: SourceLocation(path: file.path, key: change.key), found: "a JSON value",
          expected: "a value of a GGUF", remedy: "correct the list of changes")
      }
    }
    return try planned(file, [:], draft, growingBy: quantum, in: source).plan
  }

  private static func planned(
    _ file: GGUFFile, _ tensors: RotaryTensors, _ draft: Draft, growingBy quantum: UInt64?, in source: any ByteSource
  ) throws(FileError) -> Planned {
    var draft = draft
    if let tensor = draft.tensor, tensors[tensor.name] == tensor.values.map(Double.init) { draft.tensor = nil }
    if let tensor = draft.tensor, !file.tensors.contains(where: { $0.name == tensor.name }) {
      guard tensors[tensor.name] == nil else { throw otherShard(file, tensor) }
      draft.wanted += [file.splitCountAfterAddition].compactMap(\.self)
    }
    var setting = draft.wanted.filter { file[$0.key] != $0.value }
    let removing = draft.unwanted.filter { file[$0] != nil }
    let filler = try file.filler(
      setting: setting, removing: removing, storing: draft.tensor, growingBy: quantum, in: source)
    if let filler { setting.append(filler) }
    let changes =
      setting.map { PlannedChange(at: $0.key, before: file[$0.key]?.spelled, after: $0.value.spelled) }
      + removing.map { PlannedChange(at: $0, before: file[$0]?.spelled, after: nil) }
      + [draft.tensor].compactMap(\.self).map {
        PlannedChange(
          at: $0.name, before: tensors[$0.name].map(DivisorEncoding.phrase),
          after: DivisorEncoding.phrase($0.values.map(Double.init)))
      }
    let edits =
      changes.isEmpty
      ? EditList([]) : try file.edits(setting: setting, removing: removing, storing: draft.tensor, in: source)
    let header = (setting.map { ($0.key, $0.value) } + removing.map { ($0, nil) }).reduce(file) {
      $0.imagining($1.0, $1.1)
    }
    var tensors = tensors
    if let tensor = draft.tensor { tensors[tensor.name] = tensor.values.map(Double.init) }
    return Planned(plan: FilePlan(path: file.path, changes: changes, edits: edits), header: header, tensors: tensors)
  }

  private static func draft(
    _ file: GGUFFile, _ declaration: RoPEDeclaration, _ settings: RoPESettings, _ encoding: GGUFEncoding
  ) throws(FileError) -> Draft {
    let keys = GGUFKeys(file.architecture ?? "")
    var draft = Draft()
    draft.wanted.append((keys.contextLength, window(settings.window)))
    if declaration.base?.value != settings.base { draft.wanted.append((keys.base, .float32(Float(settings.base)))) }
    draft.unwanted.append(keys.oldFactor)
    // Neither of the two scales anything, so there is nothing to encode.
    if encoding == .factors, settings.method != .none, settings.method != .ntk {
      try addFactors(to: &draft, file, keys, declaration, settings)
    } else {
      try addKeys(to: &draft, file, keys, declaration, settings)
      addNeutralFactors(to: &draft, keys, declaration, settings)
    }
    return draft
  }

  /// Factors that have stood for a scaling become 1, and betas that only told about them go.
  ///
  /// The tensor is never taken out, as data of others may follow its own.
  private static func addNeutralFactors(
    to draft: inout Draft, _ keys: GGUFKeys, _ declaration: RoPEDeclaration, _ settings: RoPESettings
  ) {
    guard let encoded = declaration.encodedDivisors else { return }
    let ones = [Float](repeating: 1, count: encoded.value.count)
    draft.tensor = GGUFFloatTensor(GGUFKeys.divisorsTensor, ones)
    if !keys.architecture.readsBetas, !settings.method.writesYaRN { draft.unwanted += [keys.betaFast, keys.betaSlow] }
  }

  static func window(_ value: Int) -> GGUFValue { .uint32(UInt32(clamping: value)) }

  // MARK: keys

  private static func addKeys(
    to draft: inout Draft, _ file: GGUFFile, _ keys: GGUFKeys, _ declaration: RoPEDeclaration, _ settings: RoPESettings
  ) throws(FileError) {
    try checkExpressible(file, keys, declaration, settings)
    guard settings.method != .none, settings.method != .ntk else {
      draft.unwanted += [keys.type, keys.factor, keys.attentionFactor]
      if settings.method == .none {
        draft.unwanted.append(keys.original)
      } else {
        draft.wanted.append((keys.original, window(settings.originalContext)))
      }
      return
    }
    draft.wanted.append((keys.type, .string(settings.method.writesYaRN ? "yarn" : settings.method.rawValue)))
    draft.wanted.append((keys.factor, .float32(Float(settings.factor))))
    draft.wanted.append((keys.original, window(settings.originalContext)))
    guard settings.method.writesYaRN else {
      draft.unwanted.append(keys.attentionFactor)
      return
    }
    addBetas(to: &draft, file, keys, settings)
    let relative = try relativeMagnitude(file, keys, declaration, settings, wanted: &draft.wanted)
    let hasPair = draft.wanted.contains { $0.key == keys.logMultiplier } || declaration.mscaleAllDim != nil
    if declaration.usesLatentAttention, hasPair ? relative != 1 : settings.magnitude != .final(1) {
      throw latentMagnitude(file, keys)
    }
    draft.setMagnitude(relative, keys)
  }

  private static func addBetas(to draft: inout Draft, _ file: GGUFFile, _ keys: GGUFKeys, _ settings: RoPESettings) {
    let usual = keys.architecture.readsBetas && keys.architecture.defaultBetaFast != 32 ? 32.0 : nil
    for (key, beta, fixed) in [
      (keys.betaFast, settings.betaFast ?? usual, 32.0), (keys.betaSlow, settings.betaSlow, 1),
    ] {
      guard let beta else { continue }
      if keys.architecture.readsBetas {
        draft.wanted.append((key, .float32(Float(beta))))
      } else if beta == fixed, file[key]?.doubleValue != fixed {
        // Not read, but it would say something else.
        draft.unwanted.append(key)
      }
    }
  }

  /// What llama.cpp would compute otherwise than asked is refused, not written.
  private static func checkExpressible(
    _ file: GGUFFile, _ keys: GGUFKeys, _ declaration: RoPEDeclaration, _ settings: RoPESettings
  ) throws(FileError) {
    func refuse(_ key: String, _ found: String, _ remedy: String) -> FileError {
      FileError(
        .notExpressible, at: file.place(key), found: found, expected: "settings that llama.cpp reads from a GGUF",
        remedy: remedy)
    }
    if settings.method == .dynamic {
      throw refuse(keys.type, "a GGUF has no dynamic scaling", "use --method yarn, or patch config.json alone")
    }
    if settings.method == .linear, declaration.usesLatentAttention {
      throw refuse(
        keys.type, "for \(keys.architecture) llama.cpp multiplies the softmax scale whenever a factor is there",
        "use --method yarn, or patch config.json alone")
    }
    guard settings.method.writesYaRN else { return }
    if settings.truncate == false {
      throw refuse(
        keys.type, "llama.cpp always rounds the ramp's bounds", "use --truncate, or patch config.json alone")
    }
    for (key, value, fixed, flag) in [
      (keys.betaFast, settings.betaFast, 32.0, "--yarn-beta-fast"),
      (keys.betaSlow, settings.betaSlow, 1.0, "--yarn-beta-slow"),
    ] where !keys.architecture.readsBetas {
      // A value that already stands in the file is as inert as before and stays.
      if let value, value != fixed, value != file[key]?.doubleValue {
        throw refuse(
          key, "llama.cpp reads no betas for architecture \(keys.architecture) and uses \(fixed)",
          "leave the beta out, start llama.cpp with \(flag) \(value), or patch config.json alone")
      }
    }
  }

  /// `rope.scaling.attn_factor`: the wanted magnitude over the one llama.cpp computes by itself.
  private static func relativeMagnitude(
    _ file: GGUFFile, _ keys: GGUFKeys, _ declaration: RoPEDeclaration, _ settings: RoPESettings,
    wanted: inout [(key: String, value: GGUFValue)]
  ) throws(FileError) -> Double {
    func ratio(_ mscale: Double, _ allDim: Double) -> Double {
      yarnMagnitude(factor: settings.factor, mscale: mscale) / yarnMagnitude(factor: settings.factor, mscale: allDim)
    }
    switch settings.magnitude {
    case .automatic: return 1
    case .final(let value): return value / declaration.automaticMagnitude(factor: settings.factor)
    case .mscale(let mscale, let allDim):
      guard let unit = keys.architecture.logMultiplierUnit else {
        return ratio(mscale, allDim) / yarnMagnitude(factor: settings.factor)
      }
      guard mscale == (keys.architecture.takesMscaleAllDimTwice ? allDim : 1) else {
        throw FileError(
          .notExpressible, at: file.place(keys.logMultiplier),
          found: "llama.cpp fixes mscale for architecture \(keys.architecture)",
          expected: keys.architecture.takesMscaleAllDimTwice ? "mscale equal to mscale_all_dim" : "mscale 1",
          remedy: "choose that value, or patch config.json alone")
      }
      wanted.append((keys.logMultiplier, .float32(Float(allDim * unit))))
      return 1
    }
  }
}

extension GGUFPlanner.Draft {
  /// `rope.scaling.attn_factor`, which multiplies whatever llama.cpp computes by itself; 1 where it is absent.
  mutating func setMagnitude(_ magnitude: Double, _ keys: GGUFKeys) {
    if magnitude == 1 {
      unwanted.append(keys.attentionFactor)
    } else {
      wanted.append((keys.attentionFactor, .float32(Float(magnitude))))
    }
  }
}

extension GGUFPlanner {
  private static func latentMagnitude(_ file: GGUFFile, _ keys: GGUFKeys) -> FileError {
    FileError(
      .notExpressible, at: file.place(keys.attentionFactor),
      found: "for \(keys.architecture) llama.cpp squares this magnitude into the softmax scale",
      expected: "an mscale pair, or magnitude 1 without one",
      remedy: "use --mscale 1 --mscale-all-dim 1 as DeepSeek's models have it, or patch config.json alone")
  }
}

extension GGUFValue {
  /// Value and type as a reviewer reads them: `1024 (uint32)`.
  var spelled: String {
    // A filler's length says more than its spaces.
    if let text = stringValue, text.utf8.count > 40, text.utf8.allSatisfy({ $0 == 0x20 }) {
      return "\(text.utf8.count) spaces (string)"
    }
    return "\(phrase) (\(type.name.lowercased()))"
  }
}

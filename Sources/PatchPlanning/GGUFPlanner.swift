import Bytes
import Diagnostics
import GGUF
import ModelConfig
import RoPE

extension FileError.Code {
  package static let notExpressible: Self = "not-expressible"
}

/// Settings to edits of a GGUF's metadata, with exactly the keys and value types that llama.cpp's loader accepts.
package enum GGUFPlanner {
  /// - Parameter quantum: See `GGUFFile.filler(setting:removing:growingBy:in:)`.
  /// - Throws: `not-expressible` when llama.cpp would compute another table from any keys.
  package static func plan(
    _ file: GGUFFile, _ declaration: RoPEDeclaration, _ settings: RoPESettings, growingBy quantum: UInt64? = nil,
    in source: any ByteSource
  ) throws(FileError) -> FilePlan {
    try planned(file, declaration, settings, growingBy: quantum, in: source).plan
  }

  /// The plan, and the header as it will be.
  static func planned(
    _ file: GGUFFile, _ declaration: RoPEDeclaration, _ settings: RoPESettings, growingBy quantum: UInt64?,
    in source: any ByteSource
  ) throws(FileError) -> (plan: FilePlan, header: GGUFFile) {
    let keys = GGUFKeys(file.architecture ?? "")
    try checkExpressible(file, keys, declaration, settings)
    var wanted: [(key: String, value: GGUFValue)] = []
    var unwanted = [keys.oldFactor]
    func window(_ value: Int) -> GGUFValue { .uint32(UInt32(clamping: value)) }

    wanted.append((keys.contextLength, window(settings.window)))
    if declaration.base?.value != settings.base { wanted.append((keys.base, .float32(Float(settings.base)))) }
    if settings.method == .none || settings.method == .ntk {
      unwanted += [keys.type, keys.factor, keys.attentionFactor]
    } else {
      wanted.append((keys.type, .string(settings.method.writesYaRN ? "yarn" : settings.method.rawValue)))
      wanted.append((keys.factor, .float32(Float(settings.factor))))
    }
    if settings.method == .none {
      unwanted.append(keys.original)
    } else {
      wanted.append((keys.original, window(settings.originalContext)))
    }
    if settings.method.writesYaRN {
      if keys.readsBetas {
        let usual = keys.defaultBetaFast == 32 ? nil : 32.0
        if let beta = settings.betaFast ?? usual { wanted.append((keys.betaFast, .float32(Float(beta)))) }
        if let beta = settings.betaSlow { wanted.append((keys.betaSlow, .float32(Float(beta)))) }
      }
      let relative = try relativeMagnitude(file, keys, declaration, settings, wanted: &wanted)
      let hasPair = wanted.contains { $0.key == keys.logMultiplier } || declaration.mscaleAllDim != nil
      if declaration.usesLatentAttention, hasPair ? relative != 1 : settings.magnitude != .final(1) {
        throw latentMagnitude(file, keys)
      }
      if relative == 1 {
        unwanted.append(keys.attentionFactor)
      } else {
        wanted.append((keys.attentionFactor, .float32(Float(relative))))
      }
    } else if settings.method == .linear {
      unwanted.append(keys.attentionFactor)
    }

    var setting = wanted.filter { file[$0.key] != $0.value }
    let removing = unwanted.filter { file[$0] != nil }
    if let filler = try file.filler(setting: setting, removing: removing, growingBy: quantum, in: source) {
      setting.append(filler)
    }
    let changes =
      setting.map { PlannedChange(at: $0.key, before: file[$0.key]?.spelled, after: $0.value.spelled) }
      + removing.map { PlannedChange(at: $0, before: file[$0]?.spelled, after: nil) }
    let edits =
      changes.isEmpty ? EditList([]) : try file.edits(setting: setting, removing: removing, in: source)
    let header = (setting.map { ($0.key, $0.value) } + removing.map { ($0, nil) }).reduce(file) {
      $0.imagining($1.0, $1.1)
    }
    return (FilePlan(path: file.path, changes: changes, edits: edits), header)
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
    ] where !keys.readsBetas {
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
      guard let unit = keys.logMultiplierUnit else {
        return ratio(mscale, allDim) / yarnMagnitude(factor: settings.factor)
      }
      guard mscale == (keys.architecture == "deepseek2" ? allDim : 1) else {
        throw FileError(
          .notExpressible, at: file.place(keys.logMultiplier),
          found: "llama.cpp fixes mscale for architecture \(keys.architecture)",
          expected: keys.architecture == "deepseek2" ? "mscale equal to mscale_all_dim" : "mscale 1",
          remedy: "choose that value, or patch config.json alone")
      }
      wanted.append((keys.logMultiplier, .float32(Float(allDim * unit))))
      return 1
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
  fileprivate var spelled: String {
    // A filler's length says more than its spaces.
    if let text = stringValue, text.utf8.count > 40, text.utf8.allSatisfy({ $0 == 0x20 }) {
      return "\(text.utf8.count) spaces (string)"
    }
    return "\(phrase) (\(type.name.lowercased()))"
  }
}

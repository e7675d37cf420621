import GGUF
import ModelConfig
import Runtimes

/// Changes of a GGUF's header that may make its readers agree.
struct GGUFVariations {
  private(set) var all: [Variation] = []
  /// Without the scaling as a whole.
  private(set) var lastResorts: [Variation] = []

  init(_ file: GGUFFile, tensors: [String: [Double]]) {
    let keys = GGUFKeys(file.architecture ?? "")
    func set(_ key: String, _ value: GGUFValue, _ cure: String) {
      if file[key] != value { all.append(Variation([(key, .gguf(value))], cure)) }
    }
    if file[keys.factor] != nil, file[keys.type] == nil {
      set(keys.type, .string("linear"), "name the type: \(keys.type) linear, which llama.cpp assumes")
      set(keys.type, .string("yarn"), "name the type: \(keys.type)")
    }
    if let window = file[keys.contextLength]?.integerValue, let length = UInt32(exactly: window) {
      if file[keys.original] == nil {
        set(keys.original, .uint32(length), "write \(keys.original), for which llama.cpp takes the window \(length)")
      }
    }
    if keys.architecture.readsBetas {
      set(keys.betaFast, .float32(32), "write \(keys.betaFast), whose default is not 32 here")
    }
    if keys.architecture.logMultiplierUnit != nil {
      set(keys.logMultiplier, .float32(0.1), "write \(keys.logMultiplier)")
    }
    set(keys.base, .float32(10000), "write \(keys.base)")
    for entry in file.metadata where entry.key.hasPrefix("\(keys.architecture).rope.") {
      let omission = Variation([(entry.key, .absent)], "leave \(entry.key) out: llama.cpp does not read it as written")
      if [keys.type, keys.factor].contains(entry.key) { lastResorts.append(omission) } else { all.append(omission) }
    }
    for tensor in tensors.keys.sorted() {
      all.append(Variation([(tensor, .absent)], "do without the tensor \(tensor)"))
    }
  }
}

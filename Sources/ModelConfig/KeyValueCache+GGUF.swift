import Bytes
import Diagnostics
import GGUF

extension GGUFKeys {
  fileprivate var keyHeadCount: String { "\(architecture).attention.head_count_kv" }
  fileprivate var valueDimension: String { "\(architecture).attention.value_length" }
  fileprivate var slidingValueDimension: String { "\(architecture).attention.value_length_swa" }
  fileprivate var latentRank: String { "\(architecture).attention.kv_lora_rank" }
  fileprivate var indexDimension: String { "\(architecture).attention.indexer.key_length" }
  fileprivate var slidingPattern: String { "\(architecture).attention.sliding_window_pattern" }
  fileprivate var sharedLayers: String { "\(architecture).attention.shared_kv_layers" }
  fileprivate var fullInterval: String { "\(architecture).full_attention_interval" }
}

extension GGUFFile {
  /// The cache of the model's layers as llama.cpp keeps it.
  ///
  /// - Parameter source: The file, for lists with a number for each layer.
  /// - Throws: `not-stated` with the key that is missing, `bad-length` for an unusable one, and what reading throws.
  /// - Source: llama.cpp `src/llama-model.cpp` (`load_hparams`) and `src/llama-hparams.cpp` (`set_swa_pattern`).
  package func keyValueCache(in source: any ByteSource) throws(FileError) -> KeyValueCache {
    let keys = GGUFKeys(architecture ?? "")
    guard let depth = try count(keys.blockCount, atMost: KeyValueCache.largestDepth) else {
      throw unstated(keys.blockCount, "the number of layers")
    }
    if let rank = try count(keys.latentRank), try count(keys.latentHeadDimension) != nil,
      let rotating = try count(keys.rotaryDimension)
    {
      let elements = rank + rotating + (try count(keys.indexDimension) ?? 0)
      var cache = KeyValueCache(Array(repeating: KeyValueCache.Layers(elements: elements), count: depth))
      cache.notes = ["in the compressed form of latent attention"]
      return cache
    }
    var bounds: [String] = []
    let heads = try keyHeads(keys, depth: depth, in: source)
    let windows = try windows(keys, depth: depth, in: source, &bounds)
    let key = try head(keys.headDimension, keys)
    let value = try head(keys.valueDimension, keys)
    let slidingKey = try count(keys.slidingHeadDimension) ?? key
    let slidingValue = try count(keys.slidingValueDimension) ?? value
    let interval = try count(keys.fullInterval)
    var cache = KeyValueCache(
      (0..<depth).map { layer in
        if let interval, (layer + 1) % interval != 0 { return .nothing }
        guard let window = windows[layer] else {
          return KeyValueCache.Layers(heads: heads[layer], key: key, value: value)
        }
        return KeyValueCache.Layers(heads: heads[layer], key: slidingKey, value: slidingValue, window: window)
      })
    if let shared = try count(keys.sharedLayers) { bounds.append("\(shared) layers share what others keep") }
    cache.bounds = bounds
    return cache
  }

  /// As many as query heads where the key is missing.
  private func keyHeads(_ keys: GGUFKeys, depth: Int, in source: any ByteSource) throws(FileError) -> [Int] {
    for key in [keys.keyHeadCount, keys.headCount] {
      if let list = try list(key, depth: depth, in: source) {
        var heads: [Int] = []
        for value in list {
          guard let number = value.integerValue, 0...KeyValueCache.largestCount ~= number else {
            throw unusable(
              key, found: "an element is \(value.phrase)", expected: "numbers from 0 to \(KeyValueCache.largestCount)")
          }
          heads.append(number)
        }
        return heads
      }
      if let number = try count(key) { return Array(repeating: number, count: depth) }
    }
    throw unstated(keys.headCount, "the number of heads")
  }

  /// The head size that a key states, else the width over the number of heads.
  private func head(_ key: String, _ keys: GGUFKeys) throws(FileError) -> Int {
    if let stated = try count(key) { return stated }
    if let derived = try widthOverHeads(keys) { return derived.value }
    throw unstated(key, "the size of a head")
  }

  /// How many tokens each layer holds, `nil` for all.
  private func windows(
    _ keys: GGUFKeys, depth: Int, in source: any ByteSource, _ bounds: inout [String]
  ) throws(FileError) -> [Int?] {
    let all = [Int?](repeating: nil, count: depth)
    guard let window = try count(keys.slidingWindow, atMost: Int.max) else { return all }
    if let list = try list(keys.slidingPattern, depth: depth, in: source) {
      return list.map { $0 == .bool(true) || $0.integerValue.map { $0 != 0 } == true ? window : nil }
    }
    if let period = try count(keys.slidingPattern) {
      return (1...depth).map { $0 % period == 0 ? nil : window }
    }
    bounds.append("layers that slide keep at most \(window) tokens, and the file does not say which do")
    return all
  }

  // MARK: keys

  /// A list with an element for each layer; `nil` where the key holds no list.
  private func list(_ key: String, depth: Int, in source: any ByteSource) throws(FileError) -> [GGUFValue]? {
    guard case .array(let array)? = self[key] else { return nil }
    guard array.count >= UInt64(depth) else {
      throw unusable(key, found: "the value is a list of \(array.count)", expected: "\(depth), one for each layer")
    }
    return try elements(of: array, in: source, limit: depth)
  }

  private func count(_ key: String, atMost limit: Int = KeyValueCache.largestCount) throws(FileError) -> Int? {
    try length(key, zeroIsAbsent: true, atMost: limit)?.value
  }

  private func unstated(_ key: String, _ what: String) -> FileError { unusable(key, .notStated, expected: what) }
}

import Diagnostics

extension FileError.Code {
  /// A value that a size hangs on is in none of the files.
  package static let notStated: Self = "not-stated"
}

/// What a model keeps of every token for those that follow, as far as its file states it.
public struct KeyValueCache: Sendable, Equatable {
  /// Layers that keep alike much.
  public struct Layers: Sendable, Hashable {
    public var count = 1
    /// Numbers kept for each token in each of the layers, keys and values together.
    public var elements: Int
    /// Tokens held at most, `nil` for all of them.
    public var window: Int?
  }

  /// Layers that keep nothing for each token are left out.
  public private(set) var layers: [Layers] = []
  /// Layers of the model, those that keep nothing included.
  public let depth: Int
  /// Why the model may keep less; the numbers are exact where this is empty.
  public internal(set) var bounds: [String] = []
  /// What the numbers presume.
  public internal(set) var notes: [String] = []

  /// - Parameter each: What each layer keeps, in order.
  init(_ each: [Layers]) {
    depth = each.count
    var groups: [Layers: Int] = [:]
    for layer in each where layer.elements > 0 {
      if let group = groups[layer] {
        layers[group].count += 1
      } else {
        groups[layer] = layers.count
        layers.append(layer)
      }
    }
  }

  /// Memory for one sequence.
  ///
  /// - Parameters:
  ///   - tokens: Its length.
  ///   - elementSize: Bytes of a number: 2 for float16 and bfloat16, 1 for the eight-bit kinds, whose scales are not
  ///     counted.
  /// - Returns: Bytes, `nil` beyond 2⁶⁴. Layers with a window are counted with the window alone; runtimes add room for
  ///   the batch, or hold all tokens there too.
  public func bytes(tokens: Int, elementSize: Int) -> UInt64? {
    var sum: UInt64 = 0
    for group in layers {
      var product: UInt64 = 1
      for factor in [group.count, group.elements, elementSize, min(tokens, group.window ?? tokens)] {
        let (next, overflow) = product.multipliedReportingOverflow(by: UInt64(max(factor, 0)))
        guard !overflow else { return nil }
        product = next
      }
      let (next, overflow) = sum.addingReportingOverflow(product)
      guard !overflow else { return nil }
      sum = next
    }
    return sum
  }

  /// Heads, elements of a head, and ranks; no model has as many, and products of three stay far below 2⁶³.
  static let largestCount = 1 << 20
  /// Layers; no model has as many.
  static let largestDepth = 1 << 16
}

extension KeyValueCache.Layers {
  /// Of a layer that remembers a fixed amount, or nothing.
  static let nothing = Self(elements: 0)

  /// Heads with keys and values of their own.
  init(heads: Int, key: Int, value: Int, window: Int? = nil) {
    self.init(elements: heads * (key + value), window: window)
  }
}

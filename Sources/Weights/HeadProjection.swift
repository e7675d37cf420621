import Diagnostics

/// Which rows of a matrix make the lanes of each head.
struct HeadRows {
  var matrix: StoredMatrix
  /// One for each row of the matrix, or empty.
  var bias: [Float] = []
  /// Row of lane 0 of head 0.
  var first = 0
  /// Rows from one head to the next.
  var stride: Int
  /// Lanes of a head.
  var count: Int
  /// The matrix has a row for each input and a column for each lane: `attn_k_b` of newer GGUFs.
  var isTransposed = false

  /// The lanes of one head for each input.
  func lanes(ofHead head: Int, _ inputs: [Float]) throws(FileError) -> [Float] {
    let start = first + head * stride
    guard !isTransposed else {
      let stored = try matrix.rows(start..<start + stride)
      let rows = (0..<count).flatMap { lane in (0..<stride).map { stored[$0 * count + lane] } }
      var result = [Float](repeating: 0, count: inputs.count / stride * count)
      multiply(rows, with: inputs, width: stride, into: &result, rowStride: count, at: 0)
      return result
    }
    var result = try matrix.product(start..<start + count, with: inputs)
    if !bias.isEmpty { for i in result.indices { result[i] += bias[start + i % count] } }
    return result
  }
}

/// How normalised hidden states become the queries, or the keys, of a layer before rotation.
struct HeadProjection {
  /// A compression that the heads are made from: rows of a matrix and the norm behind them.
  struct Latent {
    var rows: HeadRows
    var norm: Normalisation
  }

  enum Norm {
    /// Over the lanes of each head.
    case eachHead(Normalisation)
    /// Over the lanes of all heads.
    case allHeads(Normalisation)
  }

  var headCount: Int
  var latent: Latent?
  var rows: HeadRows
  /// Lanes that all heads have in common, behind their own.
  var shared: HeadRows?
  var norm: Norm?

  /// Lanes of a head.
  var headDimension: Int { rows.count + (shared?.count ?? 0) }

  /// The most numbers that are formed for an input at once.
  var widest: Int { max(headDimension, latent?.rows.count ?? 0) }

  /// The heads asked for, each with its lanes for one input after the other.
  func heads(_ wanted: [Int], _ inputs: [Float]) throws(FileError) -> [[Float]] {
    var source = inputs
    if let latent {
      source = try latent.rows.lanes(ofHead: 0, inputs)
      latent.norm.apply(to: &source, width: latent.rows.count)
    }
    let common = try shared?.lanes(ofHead: 0, inputs)
    var heads: [[Float]] = []
    for head in wanted {
      let own = try rows.lanes(ofHead: head, source)
      heads.append(common.map { joined(own, $0) } ?? own)
    }
    switch norm {
    case .eachHead(let norm): for i in heads.indices { norm.apply(to: &heads[i], width: headDimension) }
    case .allHeads(let norm): try apply(norm, to: &heads, wanted, source)
    case nil: break
    }
    return heads
  }

  private func joined(_ own: [Float], _ common: [Float]) -> [Float] {
    let tail = headDimension - rows.count
    var lanes: [Float] = []
    lanes.reserveCapacity(own.count / rows.count * headDimension)
    for i in 0..<own.count / rows.count {
      lanes += own[i * rows.count..<(i + 1) * rows.count]
      lanes += common[i * tail..<(i + 1) * tail]
    }
    return lanes
  }

  /// A norm over all heads needs the lanes of each, if only for their squares.
  private func apply(
    _ norm: Normalisation, to heads: inout [[Float]], _ wanted: [Int], _ inputs: [Float]
  ) throws(FileError) {
    let width = rows.count
    var squares = [Double](repeating: 0, count: inputs.count / rows.matrix.width)
    for head in 0..<headCount {
      let known = wanted.firstIndex(of: head).map { heads[$0] }
      let lanes = if let known { known } else { try rows.lanes(ofHead: head, inputs) }
      for i in lanes.indices { squares[i / width] += Double(lanes[i]) * Double(lanes[i]) }
    }
    for (index, head) in wanted.enumerated() {
      for i in heads[index].indices {
        let factor = norm.factor(squares: squares[i / width], count: headCount * width)
        heads[index][i] = heads[index][i] * factor * norm.weight[head * width + i % width]
      }
    }
  }
}

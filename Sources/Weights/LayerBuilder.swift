import Diagnostics
import ModelConfig

/// Puts a first layer together from tensors, settings and what is known of the family.
struct LayerBuilder {
  var tensors: StoredTensors
  let names: TensorNames
  let settings: AttentionSettings
  let family: AttentionFamily
  let epsilon: Double

  /// Elements of a head whose rows stand transposed; published models have 65,536.
  private static let maximumTransposed = 1 << 22

  private var headCount: Int { settings.headCount.value }

  mutating func layer() throws(FileError) -> FirstLayer {
    guard let embedding = try tensors.matrix(names.embedding + ".weight") else {
      throw tensors.missing(names.embedding + ".weight")
    }
    let width = embedding.width
    let norm = family.hasInputNorm ? try norm(names.inputNorm, count: width) : nil
    let isLatent = tensors.contains(name(names.keyCompression))
    let (query, key) = isLatent ? try latent(width) : try projections(width)
    try refuseUnread()
    guard query.headDimension == key.headDimension, query.headCount.isMultiple(of: key.headCount) else {
      throw key.rows.matrix.error(
        .weightsShape, found: "\(key.headCount) key heads of \(key.headDimension) lanes",
        expected: "heads of \(query.headDimension) lanes that \(query.headCount) query heads can share")
    }
    let byWidth = family.scalesEmbedding ? Double(width).squareRoot() : nil
    return FirstLayer(
      embedding: embedding, embeddingMultiplier: (byWidth ?? settings.embeddingMultiplier?.value).map { Float($0) },
      norm: norm, query: query, key: key, clamp: settings.clamp.map { Float($0.value) },
      firstRotatingLane: isLatent ? query.headDimension - (key.shared?.count ?? 0) : 0,
      pairing: settings.rotatesAdjacentPairs == false && isLatent ? .halves : family.pairing,
      softmaxScale: settings.softmaxScale?.value ?? 1 / Double(query.headDimension).squareRoot(),
      scoreCap: settings.scoreCap?.value, sinks: try tensors.vector(names.sinks, count: headCount),
      slides: settings.firstLayerSlides ?? family.firstLayerSlides)
  }

  // MARK: Plain and fused projections

  private mutating func projections(_ width: Int) throws(FileError) -> (HeadProjection, HeadProjection) {
    let (queryRows, keyRows, keyHeads) = try headRows(width)
    let query = HeadProjection(
      headCount: headCount, rows: queryRows, norm: try headNorm(names.queryNorm, queryRows, headCount))
    let key = HeadProjection(headCount: keyHeads, rows: keyRows, norm: try headNorm(names.keyNorm, keyRows, keyHeads))
    return (query, key)
  }

  private mutating func headRows(_ width: Int) throws(FileError) -> (HeadRows, HeadRows, keyHeads: Int) {
    if let fusedName = names.fusedByHead, tensors.contains(name(fusedName)) {
      let (fused, bias) = try projection(fusedName, width: width)
      let dimension = try divided(fused, by: 3, headCount)
      func rows(at first: Int) -> HeadRows {
        HeadRows(matrix: fused, bias: bias, first: first, stride: 3 * dimension, count: dimension)
      }
      return (rows(at: 0), rows(at: dimension), headCount)
    }
    if tensors.contains(name(names.stacked)) {
      let (fused, bias) = try projection(names.stacked, width: width)
      // Only the settings tell where queries end; what is left is halved between keys and values.
      let dimension = settings.headDimension?.value ?? width / headCount
      let heads = dimension > 0 ? fused.rowCount / dimension : 0
      guard heads > headCount, (heads - headCount).isMultiple(of: 2), fused.rowCount == heads * dimension else {
        throw unfitting(fused, "\(headCount) query heads of \(dimension) lanes, and as many keys as values")
      }
      func rows(at first: Int) -> HeadRows {
        HeadRows(matrix: fused, bias: bias, first: first, stride: dimension, count: dimension)
      }
      return (rows(at: 0), rows(at: headCount * dimension), (heads - headCount) / 2)
    }
    let (query, queryBias) = try projection(names.query, width: width)
    let (key, keyBias) = try projection(names.key, width: width)
    let dimension = try divided(query, by: 1, headCount)
    guard key.rowCount.isMultiple(of: dimension) else { throw unfitting(key, "heads of \(dimension) lanes") }
    return (
      HeadRows(matrix: query, bias: queryBias, stride: dimension, count: dimension),
      HeadRows(matrix: key, bias: keyBias, stride: dimension, count: dimension), key.rowCount / dimension
    )
  }

  private mutating func headNorm(
    _ part: String, _ rows: HeadRows, _ heads: Int
  ) throws(FileError) -> HeadProjection.Norm? {
    guard tensors.contains(name(part)), family.norm == .rootMeanSquare else { return nil }
    guard let matrix = try tensors.matrix(name(part)) else { return nil }
    let isOfEachHead = matrix.width == rows.count
    let norm = try norm(names.attention + part, count: isOfEachHead ? rows.count : heads * rows.count)
    return isOfEachHead ? .eachHead(norm) : .allHeads(norm)
  }

  // MARK: Latent attention

  private mutating func latent(_ width: Int) throws(FileError) -> (HeadProjection, HeadProjection) {
    let (compression, bias) = try projection(names.keyCompression, width: width)
    guard let dimension = settings.headDimension?.value, let rotating = settings.latentRotaryDimension?.value,
      0 < rotating, rotating < dimension, rotating < compression.rowCount
    else {
      throw unfitting(compression, "a compression, and rotating lanes as many as the settings say")
    }
    let latentCount = compression.rowCount - rotating
    let rows = HeadRows(matrix: compression, bias: bias, stride: 0, count: latentCount)
    let key = HeadProjection(
      headCount: headCount,
      latent: .init(
        rows: rows, norm: try norm(names.attention + names.keyLatentNorm, count: latentCount, isLatent: true)),
      rows: try keyExpansion(latentCount, lanes: dimension - rotating),
      shared: HeadRows(matrix: compression, bias: bias, first: latentCount, stride: 0, count: rotating))
    return (try latentQuery(width, dimension), key)
  }

  /// The lanes of keys that do not rotate; values stand behind them in the same matrix, or in one of their own.
  private mutating func keyExpansion(_ latentCount: Int, lanes: Int) throws(FileError) -> HeadRows {
    // Some files hold the keys' part in both forms.
    if let transposed = names.transposedKeyExpansion, try tensors.matrix(name(transposed)) != nil,
      !tensors.contains(name(names.keyExpansion))
    {
      let matrix = try tensors.matrix(name(transposed), width: lanes)
      // A head of it is in memory as a whole.
      guard try divided(matrix, by: 1, headCount) == latentCount, latentCount <= Self.maximumTransposed / lanes else {
        throw unfitting(matrix, "\(latentCount) rows for each of \(headCount) heads")
      }
      return HeadRows(matrix: matrix, stride: latentCount, count: lanes, isTransposed: true)
    }
    let (matrix, bias) = try projection(names.keyExpansion, width: latentCount)
    let stride = try divided(matrix, by: 1, headCount)
    guard stride > lanes else { throw unfitting(matrix, "\(lanes) lanes of keys and some of values for each head") }
    return HeadRows(matrix: matrix, bias: bias, stride: stride, count: lanes)
  }

  private mutating func latentQuery(_ width: Int, _ dimension: Int) throws(FileError) -> HeadProjection {
    var latent: HeadProjection.Latent?
    if tensors.contains(name(names.queryCompression)) {
      let (matrix, bias) = try projection(names.queryCompression, width: width)
      latent = .init(
        rows: HeadRows(matrix: matrix, bias: bias, stride: 0, count: matrix.rowCount),
        norm: try norm(names.attention + names.queryLatentNorm, count: matrix.rowCount, isLatent: true))
    }
    let (matrix, bias) = try projection(
      latent == nil ? names.query : names.queryExpansion, width: latent?.rows.count ?? width)
    guard try divided(matrix, by: 1, headCount) == dimension else {
      throw unfitting(matrix, "\(headCount) heads of \(dimension) lanes")
    }
    return HeadProjection(
      headCount: headCount, latent: latent,
      rows: HeadRows(matrix: matrix, bias: bias, stride: dimension, count: dimension))
  }

  // MARK: Parts

  private func name(_ part: String) -> String { "\(names.attention)\(part).weight" }

  private mutating func projection(_ part: String, width: Int) throws(FileError) -> (StoredMatrix, bias: [Float]) {
    let matrix = try tensors.matrix(name(part), width: width)
    return (matrix, try tensors.vector("\(names.attention)\(part).bias", count: matrix.rowCount))
  }

  private mutating func norm(
    _ name: String, count: Int, isLatent: Bool = false
  ) throws(FileError) -> Normalisation {
    var weight = try tensors.vector("\(name).weight", count: count)
    guard !weight.isEmpty else { throw tensors.missing("\(name).weight") }
    if family.normAddsOne { weight = weight.map { 1 + $0 } }
    return Normalisation(
      kind: isLatent ? .rootMeanSquare : family.norm, weight: weight,
      bias: try tensors.vector("\(name).bias", count: count),
      epsilon: isLatent ? family.latentEpsilon ?? epsilon : epsilon)
  }

  private func divided(_ matrix: StoredMatrix, by parts: Int, _ heads: Int) throws(FileError) -> Int {
    guard matrix.rowCount / parts >= heads, matrix.rowCount.isMultiple(of: parts),
      (matrix.rowCount / parts).isMultiple(of: heads)
    else { throw unfitting(matrix, "a multiple of the \(heads) heads") }
    return matrix.rowCount / parts / heads
  }

  private func unfitting(_ matrix: StoredMatrix, _ expected: String) -> FileError {
    matrix.error(.weightsShape, found: "\(matrix.rowCount) rows", expected: expected)
  }

  /// Something else beside the queries and keys, such as a norm or a scale, would be left out of the computation.
  private func refuseUnread() throws(FileError) {
    let unread = tensors.names.filter { name in
      guard name.hasPrefix(names.attention), !tensors.asked.contains(name) else { return false }
      let part = name.dropFirst(names.attention.count)
      return part.hasPrefix("q") || part.hasPrefix("k")
    }
    guard let name = unread.min() else { return }
    throw FileError(
      .weightsFamily, at: SourceLocation(path: tensors.path, key: name),
      found: "what this tensor does to queries or keys of \(settings.family.value) is not known here",
      expected: "the tensors of families that are", remedy: "use the other checks, which need no weights")
  }
}
